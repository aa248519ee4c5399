"""Ways to an administrator: single steps, chains, what cuts them, and how much work it is to find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from checks import Outcome
from checks.cloud import rights, steps
from checks.cloud.escalation import Way, ways
from checks.cloud.iam_escalation import one_step, several_hops
from checks.facts.cloud.iam import Holder, IamPolicies, IamPolicy, IamRole, IamRoles, IamUser, IamUsers
from checks.facts.cloud.policy import Condition, Policy, Statement, matches
from tests.checks.cloud.examples.records import A

ALICE = f"arn:aws:iam::{A}:user/alice"
BOB = f"arn:aws:iam::{A}:user/bob"
ROOT = f"AWS:arn:aws:iam::{A}:root"
OTHER = "AWS:arn:aws:iam::999988887777:root"
ALL = Policy((Statement(True, actions=("*",), resources=("*",)),))
ADMINS = f"arn:aws:iam::{A}:group/admins"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{A}:role/{name}"


def when(operator: str, key: str, *values: str) -> tuple[Condition, ...]:
    return (Condition(operator, key, values),)


def yes(*actions: str, on: Sequence[str] = ("*",), when: tuple[Condition, ...] = ()) -> Statement:
    return Statement(True, actions=actions, resources=tuple(on), conditions=when)


def no(*actions: str, on: Sequence[str] = ("*",), when: tuple[Condition, ...] = ()) -> Statement:
    return Statement(False, actions=actions, resources=tuple(on), conditions=when)


def trust(*principals: str, when: tuple[Condition, ...] = (), allow: bool = True) -> Statement:
    return Statement(allow, principals=principals, actions=("sts:AssumeRole",), conditions=when)


@dataclass
class Account:
    """An account with the role `admin`, the group `admins`, and what a test puts in."""

    policies: list[IamPolicy] = field(default_factory=list)
    users: list[IamUser] = field(default_factory=list)
    roles: list[IamRole] = field(default_factory=list)

    def user(self, name: str, *held: Statement, groups: tuple[str, ...] = (), boundary: str = "") -> Account:
        arn = f"arn:aws:iam::{A}:user/{name}"
        self.users.append(IamUser(arn, name, groups, (), boundary))
        return self.give(f"user/{name}", *held)

    def role(
        self,
        name: str,
        *held: Statement,
        by: Sequence[Statement] = (),
        boundary: str = "",
        profile: bool = False,
        path: str = "/",
    ) -> Account:
        one = IamRole(
            role_arn(name),
            name,
            path,
            Policy(tuple(by)),
            "2024-01-01T00:00:00Z",
            "",
            boundary,
            ("p",) if profile else (),
        )
        self.roles.append(one)
        return self.give(f"role/{name}", *held)

    def give(self, holder: str, *held: Statement, made_by: str = "inline", name: str = "p") -> Account:
        if held:
            one = Holder(holder, f"arn:aws:iam::{A}:{holder}")
            arn = f"arn:aws:iam::{A}:policy/{name}" if made_by == "account" else f"{one.arn}/{name}"
            self.policies.append(IamPolicy(arn, name, made_by, Policy(held), (one,)))
        return self

    def bounds(self, name: str, *held: Statement) -> Account:
        arn = f"arn:aws:iam::{A}:policy/{name}"
        self.policies.append(IamPolicy(arn, name, "account", Policy(held), ()))
        return self

    def facts(self) -> tuple[IamPolicies, IamUsers, IamRoles]:
        return (
            IamPolicies(A, tuple(self.policies)),
            IamUsers(A, tuple(self.users)),
            IamRoles(A, tuple(self.roles)),
        )

    def ways(self) -> dict[str, Way]:
        return {one.who.name: one for one in ways(*self.facts())}

    def way(self, who: str = "user/alice") -> str:
        """The way as a report shows it; empty for none."""
        found = self.ways().get(who)
        return " → ".join(step.words for step in found.steps) if found else ""


def account(*, by: Sequence[Statement] = (trust("Service:lambda.amazonaws.com"),)) -> Account:
    made = Account().role("admin", *ALL.statements, by=by)
    return made.give("group/admins", *ALL.statements)


LAMBDA = ("lambda:CreateFunction", "lambda:InvokeFunction")


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ((yes("iam:AttachUserPolicy"),), "attaches a policy to itself"),
        ((yes("iam:Put*"),), "writes a policy for itself"),
        ((yes("IAM:PUTUSERPOLICY", on=[ALICE]),), "writes a policy for itself"),
        ((yes("iam:PutUserPolicy", on=[BOB]),), ""),
        (
            (yes("iam:PutUserPolicy", on=[f"arn:aws:iam::{A}:user/${{aws:username}}"]),),
            "writes a policy for itself",
        ),
        ((Statement(True, not_actions=("s3:*",), resources=(ALICE,)),), "attaches a policy to itself"),
        (
            (Statement(True, actions=("iam:PutUserPolicy",), not_resources=(BOB,)),),
            "writes a policy for itself",
        ),
        ((Statement(True, actions=("iam:PutUserPolicy",), not_resources=(ALICE,)),), ""),
        ((yes("iam:AddUserToGroup"),), "joins group/admins"),
        ((yes("iam:AddUserToGroup", on=[f"arn:aws:iam::{A}:group/readers"]),), ""),
        ((yes("iam:UpdateAssumeRolePolicy"),), "lets itself into role/admin"),
        ((yes("iam:PassRole", *LAMBDA),), "passes role/admin to Lambda"),
        ((yes("iam:PassRole"), yes(LAMBDA[0])), ""),
        ((yes(*LAMBDA),), ""),
        ((yes("iam:PassRole", "ec2:RunInstances"),), ""),
        ((yes("s3:*"),), ""),
        # Conditions that stop nobody, and ones that do.
        (
            (yes("iam:PutUserPolicy", when=when("Bool", "aws:SecureTransport", "true")),),
            "writes a policy for itself",
        ),
        (
            (yes("iam:PutUserPolicy", when=when("BoolIfExists", "aws:MultiFactorAuthPresent", "true")),),
            "writes a policy for itself",
        ),
        (
            (yes("iam:PutUserPolicy", when=when("IpAddress", "aws:SourceIp", "0.0.0.0/0")),),
            "writes a policy for itself",
        ),
        ((yes("iam:PutUserPolicy", when=when("Bool", "aws:MultiFactorAuthPresent", "true")),), ""),
        ((yes("iam:PutUserPolicy", when=when("IpAddress", "aws:SourceIp", "198.51.100.0/24")),), ""),
        ((yes("iam:PutUserPolicy", when=when("StringEquals", "iam:PermissionsBoundary", "b")),), ""),
        (
            (
                yes(
                    "iam:AttachUserPolicy",
                    when=when("ArnLike", "iam:PolicyARN", "arn:aws:iam::aws:policy/*"),
                ),
            ),
            "attaches a policy to itself",
        ),
        (
            (
                yes(
                    "iam:AttachUserPolicy",
                    when=when("ArnEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
                ),
            ),
            "",
        ),
        # Roles are passed to one service, or by path.
        (
            (
                yes("iam:PassRole", when=when("StringEquals", "iam:PassedToService", "lambda.amazonaws.com")),
                yes(*LAMBDA),
            ),
            "passes role/admin to Lambda",
        ),
        (
            (
                yes("iam:PassRole", when=when("StringEquals", "iam:PassedToService", "ec2.amazonaws.com")),
                yes(*LAMBDA),
            ),
            "",
        ),
        ((yes("iam:PassRole", on=[role_arn("service/*")]), yes(*LAMBDA)), ""),
        (
            (yes("iam:PassRole", on=[f"arn:aws:iam::{A}:role/*"]), yes(*LAMBDA)),
            "passes role/admin to Lambda",
        ),
        ((yes("iam:PassRole", *LAMBDA), no("iam:PassRole", on=[role_arn("admin")])), ""),
        (
            (yes("iam:PassRole", *LAMBDA), no("iam:PassRole", on=[role_arn("other")])),
            "passes role/admin to Lambda",
        ),
        (
            (
                yes("iam:PassRole", *LAMBDA),
                no(
                    "iam:PassRole",
                    when=when("StringNotEquals", "iam:PassedToService", "ec2.amazonaws.com"),
                ),
            ),
            "",
        ),
        ((yes("iam:PassRole", *LAMBDA), no("lambda:CreateFunction")), ""),
    ],
)
def test_one_step(statements: tuple[Statement, ...], words: str) -> None:
    assert account().user("alice", *statements).way() == words


def test_a_group_gives_the_step_and_a_group_denies_it() -> None:
    made = account().user("alice", groups=("ops",)).give("group/ops", yes("iam:PutUserPolicy"))
    assert made.way() == "writes a policy for itself"
    assert made.give("group/ops", no("iam:Put*"), name="deny").way() == ""


def test_whoever_may_write_for_its_own_group_writes_for_itself() -> None:
    made = account().user("alice", yes("iam:PutGroupPolicy", on=[f"arn:aws:iam::{A}:group/ops"]))
    assert made.way() == ""
    made = account().user(
        "alice", yes("iam:PutGroupPolicy", on=[f"arn:aws:iam::{A}:group/ops"]), groups=("ops",)
    )
    assert made.way() == "writes a policy for its group ops"


@pytest.mark.parametrize(
    ("bounds", "more", "words"),
    [
        ((yes("iam:*"), yes("s3:*")), (), "writes a policy for itself"),
        ((yes("iam:PutUserPolicy", "s3:*"),), (), ""),
        ((yes("s3:*"),), (), ""),
        (
            (yes("iam:PutUserPolicy", "iam:DeleteUserPermissionsBoundary"),),
            (yes("iam:DeleteUserPermissionsBoundary"),),
            "writes a policy for itself",
        ),
        (
            (yes("iam:PutUserPolicy", "iam:CreatePolicyVersion"),),
            (yes("iam:CreatePolicyVersion"),),
            "writes a policy for itself",
        ),
        (
            (yes("*"), no("iam:PutUserPolicy", "iam:*PermissionsBoundary")),
            (yes("iam:DeleteUserPermissionsBoundary"),),
            "",
        ),
    ],
)
def test_a_boundary_holds_unless_it_can_be_moved(
    bounds: tuple[Statement, ...], more: tuple[Statement, ...], words: str
) -> None:
    made = account().bounds("limit", *bounds)
    made.user("alice", yes("iam:PutUserPolicy"), *more, boundary=f"arn:aws:iam::{A}:policy/limit")
    assert made.way() == words


@pytest.mark.parametrize(
    ("by", "held", "words"),
    [
        ((trust(ROOT),), (yes("sts:AssumeRole"),), "assumes role/admin"),
        ((trust(f"AWS:{A}"),), (yes("sts:AssumeRole", on=[role_arn("admin")]),), "assumes role/admin"),
        ((trust(ROOT),), (), ""),
        ((trust(ROOT),), (yes("sts:AssumeRole", on=[role_arn("other")]),), ""),
        ((trust(ROOT),), (yes("sts:*"), no("sts:AssumeRole", on=[role_arn("admin")])), ""),
        ((trust(f"AWS:{ALICE}"),), (), "assumes role/admin"),
        ((trust(f"AWS:{BOB}"),), (yes("sts:AssumeRole"),), ""),
        ((trust(f"AWS:{ALICE}"),), (no("sts:*"),), ""),
        ((trust("*"),), (), "assumes role/admin"),
        ((trust(OTHER),), (yes("sts:AssumeRole"),), ""),
        ((trust("Service:ec2.amazonaws.com"),), (yes("sts:AssumeRole"),), ""),
        ((trust(f"Federated:arn:aws:iam::{A}:saml-provider/x"),), (yes("sts:AssumeRole*"),), ""),
        # Conditions of the trust.
        (
            (trust(ROOT, when=when("Bool", "aws:MultiFactorAuthPresent", "true")),),
            (yes("sts:AssumeRole"),),
            "",
        ),
        (
            (trust(ROOT, when=when("StringEquals", "sts:ExternalId", "word")),),
            (yes("sts:AssumeRole"),),
            "assumes role/admin",
        ),
        (
            (trust(ROOT, when=when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{A}:role/ops-*")),),
            (yes("sts:AssumeRole"),),
            "",
        ),
        (
            (trust(ROOT, when=when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{A}:user/a*")),),
            (yes("sts:AssumeRole"),),
            "assumes role/admin",
        ),
        # A denial within the trust, and a statement about something else.
        ((trust(ROOT), trust(f"AWS:{ALICE}", allow=False)), (yes("sts:AssumeRole"),), ""),
        (
            (trust(ROOT), trust(f"AWS:{BOB}", allow=False)),
            (yes("sts:AssumeRole"),),
            "assumes role/admin",
        ),
        (
            (Statement(True, principals=(ROOT,), actions=("sts:TagSession",)),),
            (yes("sts:*"),),
            "",
        ),
    ],
)
def test_roles_are_taken_on_as_their_trust_says(
    by: Sequence[Statement], held: tuple[Statement, ...], words: str
) -> None:
    made = account(by=by).user("alice", *held).user("bob")
    assert made.way() == words


@pytest.mark.parametrize(
    ("conditions", "passed"),
    [
        ((), True),
        # What every role for a service should say, and what does not keep its own account out.
        (when("StringEquals", "aws:SourceAccount", A), True),
        (when("ArnLike", "aws:SourceArn", f"arn:aws:lambda:*:{A}:function:*"), True),
        (when("ArnEquals", "aws:SourceArn", f"arn:aws:lambda:eu-west-1:{A}:function:one"), False),
        (when("StringEquals", "aws:SourceAccount", "999988887777"), False),
    ],
)
def test_the_conditions_of_a_role_for_a_service(conditions: tuple[Condition, ...], passed: bool) -> None:
    made = account(by=[trust("Service:lambda.amazonaws.com", when=conditions)])
    made.user("alice", yes("iam:PassRole", *LAMBDA))
    assert bool(made.way()) is passed


def test_a_role_for_machines_needs_a_profile_or_somebody_who_makes_one() -> None:
    by = [trust("Service:ec2.amazonaws.com")]
    held = yes("iam:PassRole", "ec2:RunInstances")
    assert account(by=by).user("alice", held).way() == ""
    makes = yes("iam:AddRoleToInstanceProfile")
    assert account(by=by).user("alice", held, makes).way() == "passes role/admin to EC2"
    profiled = Account().role("admin", *ALL.statements, by=by, profile=True).user("alice", held)
    assert profiled.way() == "passes role/admin to EC2"


def test_a_chain_over_roles_and_users_is_shown_whole_and_shortest() -> None:
    made = account(by=[trust(f"AWS:{role_arn('deploy')}")])
    made.role("deploy", by=[trust(f"AWS:{BOB}")])
    made.role("detour", yes("sts:AssumeRole"), by=[trust(ROOT)])
    made.user("bob").user("alice", yes("iam:CreateAccessKey", on=[BOB]), yes("sts:AssumeRole"))
    assert made.way() == "makes an access key of user/bob → assumes role/deploy → assumes role/admin"
    assert made.way("user/bob") == "assumes role/deploy → assumes role/admin"
    assert made.way("role/deploy") == "assumes role/admin"
    assert made.way("role/detour") == ""
    cut = account(by=[trust(f"AWS:{role_arn('deploy')}")])
    cut.role("deploy", no("sts:AssumeRole"), by=[trust(f"AWS:{BOB}")]).user("bob")
    assert cut.ways() == {}


def test_rights_are_written_into_a_role_that_can_be_taken_on() -> None:
    held = yes("iam:PutRolePolicy", on=[role_arn("app")]), yes("sts:AssumeRole", on=[role_arn("app")])
    made = account().role("app", by=[trust(ROOT)]).user("alice", *held)
    assert made.way() == "writes a policy for role/app → assumes role/app"
    # Neither where the role cannot be taken on nor where a boundary limits it.
    assert account().role("app", by=[trust(OTHER)]).user("alice", *held).way() == ""
    bound = account().bounds("limit", yes("s3:*"))
    bound.role("app", by=[trust(ROOT)], boundary=f"arn:aws:iam::{A}:policy/limit").user("alice", *held)
    assert bound.way() == ""


def test_a_policy_of_its_own_is_rewritten_but_not_one_of_aws() -> None:
    held = yes("iam:CreatePolicyVersion")
    made = account().user("alice").give("user/alice", held, made_by="account", name="mine")
    assert made.way() == "writes a new version of a policy that it holds (mine)"
    assert account().user("alice", held).way() == ""


def test_an_administrator_is_no_escalation_and_roles_of_services_do_not_count() -> None:
    made = account().user("root-like", yes("iam:*"), groups=("admins",))
    made.role("linked", yes("iam:*"), path="/aws-service-role/x.amazonaws.com/", by=[trust(ROOT)])
    made.user("alice", yes("sts:AssumeRole"))
    assert made.ways() == {}


def test_what_is_judged_and_what_is_not_known() -> None:
    made = account(by=[trust(ROOT)])
    made.user("alice", yes("iam:PutUserPolicy")).user("bob", yes("iam:CreateAccessKey", on=[ALICE]))
    made.user("carol").user("dave", boundary=f"arn:aws:iam::{A}:policy/gone")
    policies, users, roles = made.facts()
    facts = IamPolicies(A, policies.policies, ("user/carol",)), users, roles

    def told(verdicts: object) -> dict[str, Outcome]:
        return {v.on.rpartition("/")[2]: v.outcome for v in verdicts}  # type: ignore[attr-defined]

    unknown = {"carol": Outcome.UNKNOWN, "dave": Outcome.UNKNOWN}
    assert told(one_step(*facts)) == {"alice": Outcome.FAIL, "bob": Outcome.PASS, **unknown}
    assert told(several_hops(*facts)) == {"bob": Outcome.FAIL, **unknown}


def big(number: int) -> Account:
    """Roles in chains that trust the account, three policies for two roles, half of them alike."""
    made = account(by=[trust(ROOT)])
    broad = [f"{service}:{verb}*" for service in ("s3", "ec2", "rds", "sqs") for verb in ("Get", "List")]
    for at in range(number):
        name = f"r{at:04}"
        # Each may take on the next one, every fourth all of a path, and each says so with a wildcard.
        targets = [role_arn(f"r{at + 1:04}*")] if at % 4 else [role_arn(f"r{at + 1:04}"), role_arn("x/*")]
        made.role(name, yes("sts:AssumeRole", on=targets), by=[trust(ROOT)])
        if at % 2:
            made.give(f"role/{name}", yes(*broad), made_by="account", name=f"shared-{at}")
    return made.give(f"role/r{number - 1:04}", yes("sts:AssumeRole", on=[role_arn("admin")]), name="end")


def test_two_thousand_roles_and_three_thousand_policies_are_bounded_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = 0

    def counting(pattern: str, text: str) -> bool:
        nonlocal counted
        counted += 1
        return matches(pattern, text)

    monkeypatch.setattr(rights, "matches", counting)
    monkeypatch.setattr(steps, "matches", counting)
    number = 2000
    made = big(number)
    assert len(made.policies) >= 3000
    found = made.ways()
    assert len(found) == number
    assert len(found["role/r0000"].steps) == number
    assert counted < 100 * number


def test_a_thousand_who_may_take_on_all_are_found_without_asking_each_about_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = account(by=[trust(ROOT)])
    for at in range(1000):
        made.role(f"r{at:04}", yes("sts:AssumeRole"), by=[trust(ROOT)])
    counted = 0

    def counting(pattern: str, text: str) -> bool:
        nonlocal counted
        counted += 1
        return matches(pattern, text)

    monkeypatch.setattr(rights, "matches", counting)
    monkeypatch.setattr(steps, "matches", counting)
    assert {one.words for one in made.ways().values()} == {
        f"role/r{at:04} → assumes role/admin" for at in range(1000)
    }
    assert counted < 50_000
