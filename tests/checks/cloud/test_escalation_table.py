"""Every step to an administrator, from a policy that holds no more than it takes, and what stops it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from checks.cloud import steps
from checks.cloud.iam_escalation import one_step, several_hops
from checks.cloud.rights import principals
from checks.cloud.services import SERVICES, Service
from checks.facts.cloud.iam import IamPolicies, IamRoles, IamUsers
from checks.facts.cloud.policy import Statement
from checks.verdict import Verdict
from tests.checks.cloud.examples.records import A
from tests.checks.cloud.test_escalation import (
    ADMINS,
    ALICE,
    ALL,
    BOB,
    ROOT,
    Account,
    no,
    role_arn,
    trust,
    when,
    yes,
)

LIMIT = f"arn:aws:iam::{A}:policy/limit"
MINE = f"arn:aws:iam::{A}:policy/mine"
OPS = f"arn:aws:iam::{A}:group/ops"
BOSS = f"arn:aws:iam::{A}:user/boss"


@dataclass(frozen=True)
class Primitive:
    """One call that makes an administrator: on what, by whom, and how a report says it."""

    action: str
    on: str
    words: str
    who: str = "user/alice"

    def world(self, *held: Statement, boundary: Sequence[Statement] = ()) -> Account:
        """An account in which it leads to an administrator, if its holder holds enough."""
        made = Account().role("admin", *ALL.statements, by=(trust(ROOT),))
        made.give("group/admins", *ALL.statements).user("boss", *ALL.statements)
        limit = ""
        if boundary:
            made.bounds("limit", *boundary)
            limit = LIMIT
        if self.who == "role/app":
            made.role("app", by=(trust("Service:ec2.amazonaws.com"),), boundary=limit)
        else:
            made.user("alice", groups=("ops",), boundary=limit)
        kind = "account" if self.action == "iam:CreatePolicyVersion" else "inline"
        return made.give(self.who, *held, made_by=kind, name="mine")

    def way(self, *held: Statement, boundary: Sequence[Statement] = ()) -> str:
        """How the report says it; empty where there is no way."""
        return self.world(*held, boundary=boundary).way(self.who)


PRIMITIVES = (
    Primitive("iam:AttachUserPolicy", ALICE, "attaches a policy to itself"),
    Primitive("iam:PutUserPolicy", ALICE, "writes a policy for itself"),
    Primitive("iam:AttachRolePolicy", role_arn("app"), "attaches a policy to itself", "role/app"),
    Primitive("iam:PutRolePolicy", role_arn("app"), "writes a policy for itself", "role/app"),
    Primitive("iam:AttachGroupPolicy", OPS, "attaches a policy to its group ops"),
    Primitive("iam:PutGroupPolicy", OPS, "writes a policy for its group ops"),
    Primitive("iam:CreatePolicyVersion", MINE, "writes a new version of a policy that it holds (mine)"),
    Primitive("iam:AddUserToGroup", ADMINS, "joins group/admins"),
    Primitive("iam:CreateAccessKey", BOSS, "makes an access key of user/boss"),
    Primitive("iam:CreateLoginProfile", BOSS, "gives a console password to user/boss"),
    Primitive("iam:UpdateLoginProfile", BOSS, "sets the console password of user/boss"),
    Primitive("iam:UpdateAssumeRolePolicy", role_arn("admin"), "lets itself into role/admin"),
    Primitive("sts:AssumeRole", role_arn("admin"), "assumes role/admin"),
)
each = pytest.mark.parametrize("one", PRIMITIVES, ids=lambda one: one.action)


def test_the_table_is_all_that_is_looked_for() -> None:
    known = {action for calls in steps._WRITE.values() for action, _ in calls}
    known |= {action for action, _ in steps._OF_USERS}
    known |= {steps._VERSION, steps._JOIN, steps._TRUST, steps._ASSUME}
    assert {one.action for one in PRIMITIVES} == known


@each
def test_the_least_policy_is_enough(one: Primitive) -> None:
    assert one.way(yes(one.action, on=[one.on])) == one.words
    assert one.way(yes(one.action)) == one.words
    assert one.way() == ""


@each
def test_a_denial_stops_it(one: Primitive) -> None:
    allowed = yes(one.action, on=[one.on])
    assert one.way(allowed, no(one.action)) == ""
    assert one.way(allowed, no(one.action, on=[one.on])) == ""
    # One of something else, or with a way around it, does not.
    assert one.way(allowed, no("s3:*")) == one.words
    assert one.way(allowed, no(one.action, on=[f"{one.on}-2"])) == one.words
    assert one.way(allowed, no(one.action, when=when("StringEquals", "aws:UserAgent", "x"))) == one.words


@each
def test_a_boundary_without_the_call_stops_it(one: Primitive) -> None:
    assert one.way(yes(one.action, on=[one.on]), boundary=[yes("s3:*")]) == ""
    everything_else = (yes("*"), no(one.action))
    assert one.way(yes(one.action, on=[one.on]), boundary=everything_else) == ""


@each
def test_another_resource_stops_it(one: Primitive) -> None:
    assert one.way(yes(one.action, on=[f"{one.on}-2"])) == ""
    assert one.way(Statement(True, actions=(one.action,), not_resources=(one.on,))) == ""


STARTS = [(service, needed) for service in SERVICES for needed in service.starts]
each_start = pytest.mark.parametrize(
    ("service", "needed"), STARTS, ids=[f"{s.name}-{'-'.join(n)}" for s, n in STARTS]
)


def passing(service: Service, *held: Statement, boundary: Sequence[Statement] = ()) -> str:
    """The way of a user in an account with an administrator's role for that service."""
    made = Account().role(
        "admin", *ALL.statements, by=(trust(f"Service:{service.principal}"),), profile=service.profile
    )
    if boundary:
        made.bounds("limit", *boundary)
    return made.user("alice", *held, boundary=LIMIT if boundary else "").way()


def passes(service: Service) -> Statement:
    to = when("StringEquals", "iam:PassedToService", service.principal)
    return yes("iam:PassRole", on=[role_arn("admin")], when=to)


@each_start
def test_a_role_is_passed_and_put_to_work(service: Service, needed: tuple[str, ...]) -> None:
    words = f"passes role/admin to {service.name}"
    assert passing(service, passes(service), yes(*needed)) == words
    assert passing(service, yes("iam:PassRole"), yes(*needed)) == words
    # Every call of an alternative is needed, and passing alone starts nothing.
    for missing in needed:
        left = [one for one in needed if one != missing]
        assert passing(service, passes(service), *([yes(*left)] if left else [])) == ""
        assert passing(service, passes(service), yes(*needed), no(missing)) == ""
    assert passing(service, yes(*needed)) == ""


@each_start
def test_a_bounded_right_to_pass_is_no_way(service: Service, needed: tuple[str, ...]) -> None:
    start = yes(*needed)
    elsewhere = when("StringEquals", "iam:PassedToService", "other.amazonaws.com")
    assert passing(service, yes("iam:PassRole", on=[role_arn("service/*")]), start) == ""
    assert passing(service, yes("iam:PassRole", when=elsewhere), start) == ""
    assert passing(service, passes(service), start, no("iam:PassRole", on=[role_arn("admin")])) == ""
    assert passing(service, passes(service), start, boundary=[yes("s3:*", *needed)]) == ""
    assert passing(service, passes(service), start, boundary=[yes("iam:PassRole")]) == ""
    within = [yes("iam:PassRole", *needed)]
    assert passing(service, passes(service), start, boundary=within) == f"passes role/admin to {service.name}"


def hops(*trusts: tuple[str, Sequence[Statement], Sequence[Statement]]) -> Account:
    """An account with these roles: the name, whom it trusts, and what it holds."""
    made = Account()
    for name, by, held in trusts:
        made.role(name, *held, by=by)
    return made


def to(name: str) -> Statement:
    return yes("sts:AssumeRole", on=[role_arn(name)])


FROM_ROOT = (trust(ROOT),)


def test_two_hops_by_the_trust_of_the_account_and_the_policies_of_each() -> None:
    made = hops(("admin", FROM_ROOT, ALL.statements), ("mid", FROM_ROOT, [to("admin")]))
    made.user("alice", to("mid")).user("bob")
    assert made.way() == "assumes role/mid → assumes role/admin"
    assert made.way("user/bob") == ""
    # Without the right of the one in the middle the chain is none.
    cut = hops(("admin", FROM_ROOT, ALL.statements), ("mid", FROM_ROOT, [])).user("alice", to("mid"))
    assert cut.ways() == {}


def test_three_hops_by_trusts_that_name_and_trusts_of_the_account() -> None:
    made = hops(
        ("admin", (trust(f"AWS:{role_arn('c')}"),), ALL.statements),
        ("c", FROM_ROOT, []),
        ("b", (trust(f"AWS:{ALICE}"),), [to("c")]),
    ).user("alice")
    assert made.way() == "assumes role/b → assumes role/c → assumes role/admin"
    assert made.way("role/b") == "assumes role/c → assumes role/admin"


def test_a_right_of_a_group_is_a_hop_as_well() -> None:
    made = hops(("admin", FROM_ROOT, ALL.statements), ("mid", FROM_ROOT, [to("admin")]))
    made.user("alice", groups=("ops",)).user("bob").give("group/ops", to("mid"))
    assert made.way() == "assumes role/mid → assumes role/admin"
    assert made.way("user/bob") == ""
    assert made.give("group/ops", no("sts:AssumeRole", on=[role_arn("mid")]), name="deny").way() == ""


def test_trusts_in_a_ring_come_to_an_end() -> None:
    ring = [(name, FROM_ROOT, [to(after)]) for name, after in (("a", "b"), ("b", "c"), ("c", "a"))]
    alone = hops(*ring, ("admin", (trust(f"AWS:{BOB}"),), ALL.statements)).user("alice", to("a"))
    assert alone.ways() == {}
    oneself = hops(("a", (trust(f"AWS:{role_arn('a')}"), *FROM_ROOT), [to("a")])).user("alice", to("a"))
    assert oneself.ways() == {}
    # With a way out of the ring everybody in it has the shortest one.
    out = hops(*ring, ("admin", (trust(f"AWS:{role_arn('c')}"),), ALL.statements)).user("alice", to("a"))
    assert {name: len(way.steps) for name, way in out.ways().items()} == {
        "user/alice": 4,
        "role/a": 3,
        "role/b": 2,
        "role/c": 1,
    }


def shuffled(made: Account, seed: int) -> tuple[IamPolicies, IamUsers, IamRoles]:
    """The same account, with everything in another order."""
    order = random.Random(seed)
    policies, users, roles = made.facts()
    return (
        IamPolicies(A, tuple(order.sample(policies.policies, len(policies.policies)))),
        IamUsers(A, tuple(order.sample(users.users, len(users.users)))),
        IamRoles(A, tuple(order.sample(roles.roles, len(roles.roles)))),
    )


def told(facts: tuple[IamPolicies, IamUsers, IamRoles]) -> list[tuple[str, str, dict[str, str]]]:
    """What a report shows: the path and the edge to cut, in the order of the report."""
    found: list[Verdict] = [*one_step.run(*facts), *several_hops.run(*facts)]
    return [(one.on, one.saw, dict(one.values)) for one in found]


def test_paths_and_what_to_cut_do_not_hang_on_the_order_of_what_was_read() -> None:
    made = hops(
        ("admin", FROM_ROOT, ALL.statements),
        ("power", FROM_ROOT, ALL.statements),
        ("left", FROM_ROOT, [to("admin"), to("power")]),
        ("right", FROM_ROOT, [to("power")]),
    )
    made.user("alice", yes("sts:AssumeRole", on=[role_arn("left"), role_arn("right")]), groups=("ops", "dev"))
    made.user("bob", yes("iam:PutUserPolicy", on=[BOB]))
    # The same right twice, in two policies and by two groups.
    made.give("user/bob", yes("iam:PutUserPolicy", on=[BOB]), name="a-twin")
    made.give("group/ops", yes("iam:PutGroupPolicy")).give("group/dev", yes("iam:PutGroupPolicy"))
    made.give("user/alice", to("left"), name="a-twin")
    first = told(shuffled(made, 0))
    assert sum(bool(values) for *_, values in first) == 4
    for seed in range(1, 30):
        assert told(shuffled(made, seed)) == first
    arns = [one.arn for one in principals(*shuffled(made, 1))]
    assert arns == sorted(arns)
