"""What identity policies allow for certain: denials, boundaries, conditions, patterns."""

from __future__ import annotations

import pytest

from checks.cloud.rights import Principal, administrator, grants, principals
from checks.facts.cloud.iam import Holder, IamPolicies, IamPolicy, IamRoles, IamUser, IamUsers
from checks.facts.cloud.policy import Condition, Policy, Statement
from tests.checks.cloud.examples.records import A

ALICE = f"arn:aws:iam::{A}:user/alice"
APP = f"arn:aws:iam::{A}:role/app"
ADMIN = f"arn:aws:iam::{A}:role/admin"
PASS = "iam:PassRole"
EC2 = "ec2.amazonaws.com"
LAMBDA = "lambda.amazonaws.com"


def yes(
    *actions: str,
    on: tuple[str, ...] = ("*",),
    when: tuple[Condition, ...] = (),
    but: tuple[str, ...] = (),
    beside: tuple[str, ...] = (),
) -> Statement:
    """Allows actions (or all `but` some) on resources (or all `beside` some)."""
    return Statement(
        True,
        actions=actions,
        not_actions=but,
        resources=() if beside else on,
        not_resources=beside,
        conditions=when,
    )


def no(*actions: str, on: tuple[str, ...] = ("*",), when: tuple[Condition, ...] = ()) -> Statement:
    return Statement(False, actions=actions, resources=on, conditions=when)


def holder(*statements: Statement, arn: str = ALICE, bounds: Policy | None = None) -> Principal:
    name = arn.partition(f"{A}:")[2]
    return Principal(arn, name, (("p", Policy(statements)),), bounds)


def may(who: Principal, action: str, arn: str, service: str = "") -> bool:
    return any(one.on(arn, service) if service else one.on(arn) for one in grants(who, action))


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ((yes("iam:PassRole"),), True),
        ((yes("iam:pass*"),), True),
        ((yes("IAM:P?ssRole"),), True),
        ((yes("*"),), True),
        ((yes("iam:Put*"),), False),
        ((yes(but=("s3:*",)),), True),
        ((yes(but=("iam:*",)),), False),
        ((yes(PASS, on=(ADMIN,)),), True),
        ((yes(PASS, on=(APP,)),), False),
        ((yes(PASS, on=(f"arn:aws:iam::{A}:role/a*",)),), True),
        ((yes(PASS, beside=(APP,)),), True),
        ((yes(PASS, beside=(ADMIN,)),), False),
        ((yes(PASS), no(PASS)), False),
        ((yes(PASS), no("iam:*")), False),
        ((yes(PASS), no(PASS, on=(ADMIN,))), False),
        ((yes(PASS), no(PASS, on=(APP,))), True),
        ((yes(PASS), no("s3:*")), True),
        ((yes(PASS), Statement(False, actions=(PASS,), not_resources=(APP,))), False),
        ((yes(PASS), Statement(False, actions=(PASS,), not_resources=(ADMIN,))), True),
        ((yes(PASS), Statement(False, not_actions=("s3:*",), resources=("*",))), False),
        ((yes(PASS), Statement(False, not_actions=("iam:*",), resources=("*",))), True),
    ],
)
def test_patterns_and_denials(statements: tuple[Statement, ...], allowed: bool) -> None:
    assert may(holder(*statements), PASS, ADMIN) is allowed


def when(operator: str, key: str, *values: str) -> tuple[Condition, ...]:
    return (Condition(operator, key, values),)


@pytest.mark.parametrize(
    ("conditions", "user", "role"),
    [
        (when("Bool", "aws:MultiFactorAuthPresent", "true"), False, False),
        # Long-lived keys of a user say nothing of a second factor, and "IfExists" forgives that.
        (when("BoolIfExists", "aws:MultiFactorAuthPresent", "true"), True, False),
        (when("NumericLessThan", "aws:MultiFactorAuthAge", "3600"), False, False),
        (when("IpAddress", "aws:SourceIp", "198.51.100.0/24"), False, False),
        (when("IpAddress", "aws:SourceIp", "0.0.0.0/0"), True, True),
        (when("IpAddress", "aws:SourceIp", "0.0.0.0/1", "128.0.0.0/1"), True, True),
        (when("StringEquals", "aws:SourceVpce", "vpce-1"), False, False),
        (when("Bool", "aws:SecureTransport", "true"), True, True),
        (when("StringLike", "aws:UserAgent", "*terraform*"), True, True),
        (when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{A}:user/*"), True, False),
        (when("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{A}:user/*"), False, True),
        (when("StringEquals", "aws:PrincipalAccount", A), True, True),
        (when("StringEquals", "aws:username", "alice"), True, False),
        (when("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"), True, True),
        (when("StringEquals", "aws:ResourceTag/team", "x"), False, False),
        (when("StringEquals", "made:Up", "x"), False, False),
        (
            (
                *when("Bool", "aws:SecureTransport", "true"),
                *when("Bool", "aws:MultiFactorAuthPresent", "true"),
            ),
            False,
            False,
        ),
    ],
)
def test_a_condition_counts_where_it_stops_a_thief(
    conditions: tuple[Condition, ...], user: bool, role: bool
) -> None:
    statement = yes("iam:CreateUser", when=conditions)
    assert may(holder(statement), "iam:CreateUser", "*") is user
    assert may(holder(statement, arn=APP), "iam:CreateUser", "*") is role


@pytest.mark.parametrize(
    ("conditions", "user", "role"),
    [
        ((), False, False),
        (when("BoolIfExists", "aws:MultiFactorAuthPresent", "false"), False, False),
        # Without "IfExists" it misses keys of users: their requests do not have the key at all.
        (when("Bool", "aws:MultiFactorAuthPresent", "false"), True, False),
        (when("Null", "aws:MultiFactorAuthAge", "true"), False, True),
        (when("NotIpAddress", "aws:SourceIp", "198.51.100.0/24"), False, False),
        (when("NotIpAddress", "aws:SourceIp", "0.0.0.0/0"), True, True),
        (
            (
                *when("NotIpAddress", "aws:SourceIp", "198.51.100.0/24"),
                *when("Bool", "aws:ViaAWSService", "false"),
            ),
            False,
            False,
        ),
        (when("StringNotEquals", "aws:SourceVpce", "vpce-1"), False, False),
        (when("Bool", "aws:SecureTransport", "false"), True, True),
        (when("StringNotEquals", "aws:RequestedRegion", "eu-west-1"), True, True),
        (when("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{A}:role/*"), False, True),
        (when("StringNotEquals", "iam:PermissionsBoundary", f"arn:aws:iam::{A}:policy/b"), False, False),
    ],
)
def test_a_denial_counts_where_a_thief_meets_it(
    conditions: tuple[Condition, ...], user: bool, role: bool
) -> None:
    statements = (yes("iam:*"), no("iam:*", when=conditions))
    assert may(holder(*statements), "iam:CreateUser", "*") is user
    assert may(holder(*statements, arn=APP), "iam:CreateUser", "*") is role


@pytest.mark.parametrize(
    ("statements", "ec2", "other", "any_service"),
    [
        ((yes(PASS),), True, True, True),
        ((yes(PASS, when=when("StringEquals", "iam:PassedToService", EC2)),), True, False, False),
        ((yes(PASS, when=when("StringLike", "iam:PassedToService", "*.amazonaws.com")),), True, True, True),
        ((yes(PASS, when=when("StringNotEquals", "iam:PassedToService", EC2)),), False, True, True),
        (
            (yes(PASS), no(PASS, when=when("StringNotEquals", "iam:PassedToService", EC2))),
            True,
            False,
            False,
        ),
        ((yes(PASS), no(PASS, when=when("StringEquals", "iam:PassedToService", EC2))), False, True, True),
        (
            (
                yes(
                    PASS,
                    when=(
                        *when("StringEquals", "iam:PassedToService", EC2),
                        *when("Bool", "aws:SecureTransport", "true"),
                    ),
                ),
            ),
            True,
            False,
            False,
        ),
    ],
)
def test_a_role_is_passed_to_some_services(
    statements: tuple[Statement, ...], ec2: bool, other: bool, any_service: bool
) -> None:
    who = holder(*statements)
    assert (may(who, PASS, APP, EC2), may(who, PASS, APP, LAMBDA), may(who, PASS, APP)) == (
        ec2,
        other,
        any_service,
    )


@pytest.mark.parametrize(
    ("bounds", "app", "admin"),
    [
        ((yes("*"),), True, True),
        ((yes("s3:*"),), False, False),
        ((yes(PASS, on=(APP,)),), True, False),
        ((yes("*"), no(PASS, on=(ADMIN,))), True, False),
        ((yes("*", when=when("Bool", "aws:MultiFactorAuthPresent", "true")),), False, False),
        ((), False, False),
    ],
)
def test_a_boundary_is_a_limit_of_actions_and_resources(
    bounds: tuple[Statement, ...], app: bool, admin: bool
) -> None:
    who = holder(yes("*"), bounds=Policy(bounds))
    assert (may(who, PASS, APP), may(who, PASS, ADMIN)) == (app, admin)


def test_a_variable_stands_for_the_user_that_asks() -> None:
    own = yes("iam:CreateAccessKey", on=(f"arn:aws:iam::{A}:user/${{aws:username}}",))
    assert may(holder(own), "iam:CreateAccessKey", ALICE)
    assert not may(holder(own), "iam:CreateAccessKey", f"arn:aws:iam::{A}:user/bob")
    assert not may(holder(own, arn=APP), "iam:CreateAccessKey", ALICE)


@pytest.mark.parametrize(
    ("statements", "is_one"),
    [
        ((yes("*"),), True),
        ((yes("iam:*"),), True),
        ((yes("s3:*"),), False),
        ((yes(but=("ec2:*",)),), True),
        ((yes(but=("iam:*", "organizations:*")),), False),
        ((yes("*"), no("iam:*")), False),
        ((yes("*"), no("s3:*", on=("arn:aws:s3:::logs/*",))), True),
        ((yes("*"), no("organizations:LeaveOrganization")), True),
        ((yes("*", when=when("Bool", "aws:MultiFactorAuthPresent", "true")),), False),
        ((yes("*", when=when("Bool", "aws:SecureTransport", "true")),), True),
        ((yes("*", on=("arn:aws:s3:::logs",)),), False),
        ((yes("*", beside=("arn:aws:s3:::logs",)),), True),
    ],
)
def test_an_administrator_may_do_what_decides(statements: tuple[Statement, ...], is_one: bool) -> None:
    assert administrator(holder(*statements)) is is_one


def test_groups_give_and_deny_and_a_boundary_is_known_without_a_policy_of_ones_own() -> None:
    group = Holder("group/all", f"arn:aws:iam::{A}:group/all")
    found = (
        IamPolicy("arn:give", "give", "account", Policy((yes("*"),)), (group,)),
        IamPolicy("arn:deny", "deny", "account", Policy((no("iam:*"),)), (group,)),
        IamPolicy("arn:bounds", "bounds", "account", Policy((yes("s3:*"),)), ()),
    )
    users = (
        IamUser(ALICE, "alice", ("all",), (), "arn:bounds"),
        IamUser(f"{ALICE}x", "alicex", ("all",), (), "arn:gone"),
        IamUser(f"{ALICE}y", "alicey", ("all",), ()),
    )
    alice, unsure, free = principals(IamPolicies(A, found), IamUsers(A, users), IamRoles(A, ()))
    assert may(alice, "s3:GetObject", "*")
    assert not may(alice, "ec2:RunInstances", "*")
    assert may(free, "ec2:RunInstances", "*")
    assert not may(free, "iam:CreateUser", "*")
    assert (alice.whole, unsure.whole, free.whole) == (True, False, True)
    assert free.managed == {"arn:give", "arn:deny"}


def test_a_boundary_limits_what_a_trust_gives_to_a_role_but_not_to_a_user() -> None:
    bounds = Policy((yes("s3:*"),))
    assert holder(arn=APP, bounds=bounds).denied("sts:AssumeRole", ADMIN)
    assert not holder(bounds=bounds).denied("sts:AssumeRole", ADMIN)
    assert holder(no("sts:*")).denied("sts:AssumeRole", ADMIN)
    assert not holder(no("sts:*", on=(APP,))).denied("sts:AssumeRole", ADMIN)
