"""Which accounts a policy lets in that nobody knows, and which services act for whom."""

from __future__ import annotations

from typing import Any

import pytest

from checks.cloud.deputies import confused
from checks.cloud.openness import effective, openings
from checks.cloud.outsiders import outsiders
from checks.cloud.overlaps import overlap
from checks.facts.cloud.policy import Policy, Statement
from scanner.collect.cloud.policies import parse

OWN = "111122223333"
SISTER = "222233334444"
THEM = "999988887777"
MORE = "888877776666"
ORG = "o-a1b2c3d4e5"
OTHERS = "o-zzzzzzzzzz"
KNOWN = frozenset({OWN, SISTER})
QUEUE = f"arn:aws:sqs:eu-west-1:{OWN}:jobs"
ROLE = f"arn:aws:iam::{THEM}:role/reader"
ROOT = f"arn:aws:iam::{THEM}:root"
Raw = dict[str, Any]


def allow(principal: Any = None, condition: Raw | None = None, **more: Any) -> Raw:
    """Lets that principal receive messages; `more` replaces parts of the statement."""
    parts = {"Action": "sqs:ReceiveMessage", "Resource": QUEUE, **more}
    if principal is not None:
        parts["Principal"] = principal
    if condition:
        parts["Condition"] = condition
    return {"Effect": "Allow", **parts}


def deny(condition: Raw | None = None, **more: Any) -> Raw:
    """Refuses everything of the queue to everybody."""
    parts = {"Action": "sqs:*", "Resource": "*", **more}
    if not {"Principal", "NotPrincipal"} & set(parts):
        parts["Principal"] = "*"
    if condition:
        parts["Condition"] = condition
    return {"Effect": "Deny", **parts}


def aws(*names: str) -> Raw:
    return {"AWS": list(names)}


def told(*statements: Raw, organization: str = ORG) -> list[tuple[str, bool]]:
    """Who is let in: the account or the principal's name, and whether that is certain."""
    found = outsiders(parse({"Statement": list(statements)}), OWN, KNOWN, organization)
    return [(one.account or one.principal, one.certain) for one in found]


NOBODY: list[tuple[str, bool]] = []
SURE = [(THEM, True)]
UNSURE = [(THEM, False)]

PRINCIPALS: list[tuple[str, Any, list[tuple[str, bool]]]] = [
    ("12 digits", aws(THEM), SURE),
    ("root", aws(ROOT), SURE),
    ("a role", aws(ROLE), SURE),
    ("a session", aws(f"arn:aws:sts::{THEM}:assumed-role/reader/me"), SURE),
    ("GovCloud", aws(f"arn:aws-us-gov:iam::{THEM}:root"), SURE),
    ("China", aws(f"arn:aws-cn:iam::{THEM}:user/li"), SURE),
    ("one's own", aws(OWN, f"arn:aws:iam::{OWN}:role/app"), NOBODY),
    ("a sister", aws(f"arn:aws:iam::{SISTER}:root"), NOBODY),
    ("a sister and a stranger", aws(SISTER, ROOT), SURE),
    ("two strangers", aws(ROOT, MORE), [(MORE, True), (THEM, True)]),
    ("any account's role", aws("arn:aws:iam::*:role/reader"), [("arn:aws:iam::*:role/reader", True)]),
    ("a deleted role", aws("AROAJQABLZS4A3QDU576Q"), NOBODY),
    ("an identity of CloudFront", aws("arn:aws:iam::cloudfront:user/CloudFront OAI E1"), NOBODY),
    ("load balancers of a region", aws("arn:aws:iam::156460612806:root"), NOBODY),
    ("a service", {"Service": "sns.amazonaws.com"}, NOBODY),
    ("a provider of another account", {"Federated": f"arn:aws:iam::{THEM}:saml-provider/x"}, SURE),
    ("one's own provider", {"Federated": f"arn:aws:iam::{OWN}:saml-provider/x"}, NOBODY),
    ("a provider of the web", {"Federated": "accounts.google.com"}, NOBODY),
    ("a canonical user", {"CanonicalUser": "79a59df900b949e5"}, [("the canonical user 79a59df900b9…", True)]),
    ("everybody, who is openness", "*", NOBODY),
    ("everybody and a stranger", aws("*", THEM), NOBODY),
]  # fmt: skip


@pytest.mark.parametrize(("principal", "who"), [p[1:] for p in PRINCIPALS], ids=[p[0] for p in PRINCIPALS])
def test_principals(principal: Any, who: list[tuple[str, bool]]) -> None:
    assert told(allow(principal)) == who


CONDITIONS: list[tuple[Any, Raw, list[tuple[str, bool]]]] = [
    # Of a stranger who is named.
    (aws(THEM), {"StringEquals": {"aws:PrincipalOrgID": ORG}}, NOBODY),
    (aws(THEM), {"stringequals": {"AWS:PRINCIPALORGID": ORG}}, NOBODY),
    (aws(THEM), {"StringEquals": {"aws:PrincipalOrgID": OTHERS}}, UNSURE),
    (aws(THEM), {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}}, UNSURE),
    (aws(THEM), {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/*"}}, NOBODY),
    (aws(THEM), {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/*"}}, UNSURE),
    (aws(THEM), {"StringEquals": {"aws:PrincipalAccount": THEM}}, SURE),
    (aws(THEM), {"StringEquals": {"aws:PrincipalAccount": SISTER}}, NOBODY),
    (aws(THEM, MORE), {"StringEquals": {"aws:PrincipalAccount": [SISTER, MORE]}}, [(MORE, True)]),
    (aws(THEM), {"StringEquals": {"kms:CallerAccount": OWN}}, NOBODY),
    (aws(THEM), {"StringNotEquals": {"aws:PrincipalAccount": THEM}}, NOBODY),
    (aws(ROOT), {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{THEM}:role/app-*"}}, SURE),
    (aws(ROLE), {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{THEM}:role/app-*"}}, NOBODY),
    (aws(THEM), {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}, SURE),
    (aws(THEM), {"Bool": {"aws:SecureTransport": "true"}}, SURE),
    (aws(THEM), {"Bool": {"aws:MultiFactorAuthPresent": True}}, SURE),
    (aws(THEM), {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, SURE),
    (aws(THEM), {"StringEquals": {"aws:PrincipalTag/team": "blue"}}, SURE),
    (aws(THEM), {"StringEquals": {"aws:SourceVpce": "vpce-1"}}, UNSURE),
    (aws(THEM), {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, UNSURE),
    (aws(THEM), {"StringEquals": {"sts:ExternalId": "x"}}, UNSURE),
    (aws(THEM), {"StringMatches": {"aws:PrincipalOrgID": ORG}}, UNSURE),
    (aws(THEM), {"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, NOBODY),
    # Of everybody, whom a condition narrows.
    ("*", {"StringEquals": {"aws:SourceAccount": THEM}}, SURE),
    ("*", {"StringEquals": {"aws:SourceAccount": [OWN, THEM]}}, SURE),
    ("*", {"StringEquals": {"aws:SourceAccount": OWN}}, NOBODY),
    ("*", {"StringEquals": {"aws:SourceOwner": OWN}}, NOBODY),
    ("*", {"StringEqualsIfExists": {"aws:SourceAccount": THEM}}, NOBODY),
    ("*", {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{THEM}:*"}}, SURE),
    ("*", {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{SISTER}:*"}}, NOBODY),
    ("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}, NOBODY),
    ("*", {"ArnEquals": {"aws:PrincipalArn": f"arn:aws-cn:iam::{THEM}:root"}}, SURE),
    ("*", {"StringEquals": {"aws:PrincipalAccount": [THEM, MORE]}}, [(MORE, True), (THEM, True)]),
    ("*", {"StringEquals": {"kms:CallerAccount": THEM, "kms:ViaService": "s3.amazonaws.com"}}, SURE),
    ("*", {"StringEquals": {"kms:CallerAccount": OWN}}, NOBODY),
    ("*", {"StringEquals": {"aws:PrincipalOrgID": ORG}}, NOBODY),
    ("*", {"StringEquals": {"aws:PrincipalOrgID": OTHERS}}, [(f"organization {OTHERS}", True)]),
    ("*", {"StringEquals": {"aws:PrincipalOrgID": [ORG, OTHERS]}}, [(f"organization {OTHERS}", True)]),
    ("*", {"StringEquals": {"aws:PrincipalOrgID": OTHERS, "aws:PrincipalAccount": OWN}}, NOBODY),
    (
        "*",
        {"StringEquals": {"aws:PrincipalAccount": [THEM, MORE]}, "ArnLike": {"aws:PrincipalArn": f"{ROLE}*"}},
        SURE,
    ),
    ("*", {"StringEquals": {"aws:SourceVpce": "vpce-1"}}, NOBODY),
    ("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}, NOBODY),
]  # fmt: skip


@pytest.mark.parametrize(("principal", "condition", "who"), CONDITIONS)
def test_conditions(principal: Any, condition: Raw, who: list[tuple[str, bool]]) -> None:
    assert told(allow(principal, condition)) == who


DENIALS: list[tuple[str, Raw, list[tuple[str, bool]]]] = [
    ("everybody", deny(), NOBODY),
    ("the account", deny(Principal=aws(THEM)), NOBODY),
    ("its root", deny(Principal=aws(ROOT)), NOBODY),
    ("the role itself", deny(Principal=aws(ROLE)), NOBODY),
    ("another role of it", deny(Principal=aws(f"{ROLE}2")), SURE),
    ("another account", deny(Principal=aws(MORE)), SURE),
    ("all but oneself", deny(NotPrincipal=aws(OWN)), NOBODY),
    ("all but the stranger", deny(NotPrincipal=aws(ROOT, OWN)), SURE),
    ("all but everybody", deny(NotPrincipal="*"), SURE),
    ("action in other letters", deny(Action="SQS:receivemessage"), NOBODY),
    ("action by a wildcard", deny(Action="sqs:Receive*"), NOBODY),
    ("another action", deny(Action="sqs:DeleteMessage"), SURE),
    ("all actions but another", deny(Action=None, NotAction="sqs:DeleteMessage"), NOBODY),
    ("all actions but this one", deny(Action=None, NotAction="sqs:Rec*"), SURE),
    ("another queue", deny(Resource=f"{QUEUE}-2"), SURE),
    ("all queues but another", deny(Resource=None, NotResource=f"{QUEUE}-2"), NOBODY),
    ("all queues but this one", deny(Resource=None, NotResource="*:jobs"), SURE),
    ("without a resource", deny(Resource=None), NOBODY),
    ("outside of one's organization", deny({"StringNotEquals": {"aws:PrincipalOrgID": ORG}}), NOBODY),
    ("the same, if it exists", deny({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG}}), NOBODY),
    (
        "but services",
        deny(
            {"StringNotEquals": {"aws:PrincipalOrgID": ORG}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
        ),
        NOBODY,
    ),
    ("outside of another one", deny({"StringNotEquals": {"aws:PrincipalOrgID": OTHERS}}), UNSURE),
    ("within one's organization", deny({"StringEquals": {"aws:PrincipalOrgID": ORG}}), SURE),
    ("all but own accounts", deny({"StringNotEquals": {"aws:PrincipalAccount": [OWN, SISTER]}}), NOBODY),
    (
        "all but the stranger's account",
        deny({"StringNotEquals": {"aws:PrincipalAccount": [OWN, THEM]}}),
        SURE,
    ),
    ("all but the role", deny({"ArnNotLike": {"aws:PrincipalArn": ROLE}}), SURE),
    ("all but another role", deny({"ArnNotLike": {"aws:PrincipalArn": f"{ROLE}2"}}), NOBODY),
    ("the stranger's account", deny({"StringEquals": {"aws:PrincipalAccount": THEM}}), NOBODY),
    ("plain HTTP", deny({"Bool": {"aws:SecureTransport": "false"}}), SURE),
    ("elsewhere than the office", deny({"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}), UNSURE),
    (
        "paths of no organization too",
        deny({"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": f"{ORG}/*"}}),
        NOBODY,
    ),
    (
        "paths, but who has none is not denied",
        deny({"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": f"{ORG}/*"}}),
        UNSURE,
    ),
]


@pytest.mark.parametrize(("denial", "who"), [d[1:] for d in DENIALS], ids=[d[0] for d in DENIALS])
def test_denials(denial: Raw, who: list[tuple[str, bool]]) -> None:
    cleaned = {key: value for key, value in denial.items() if value is not None}
    assert told(allow(aws(ROLE)), cleaned) == who
    assert told(cleaned, allow(aws(ROLE))) == who


def test_what_a_service_does_for_strangers_is_denied_by_the_source() -> None:
    opened = allow("*", {"StringEquals": {"aws:SourceAccount": [OWN, THEM]}})
    assert told(opened, deny({"StringNotEquals": {"aws:SourceAccount": OWN}})) == NOBODY
    assert told(opened, deny({"StringNotEquals": {"aws:PrincipalOrgID": ORG}})) == NOBODY
    for_people = deny(
        {"StringNotEquals": {"aws:SourceAccount": OWN}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    )
    assert told(opened, for_people) == SURE


def test_not_action_and_not_resource_let_in_too() -> None:
    assert told(allow(aws(THEM), Action=[], NotAction="sqs:DeleteQueue")) == SURE
    assert told(allow(aws(THEM), Resource=[], NotResource=f"{QUEUE}-2")) == SURE
    [one] = outsiders(parse({"Statement": allow(aws(THEM), Action=[], NotAction="sqs:Delete*")}), OWN)
    assert one.words == f"statement 1 allows all but sqs:Delete* to account {THEM}"


def test_an_organization_is_not_certain_while_ones_own_is_not_known() -> None:
    everybody_of = allow("*", {"StringEquals": {"aws:PrincipalOrgID": ORG}})
    assert told(everybody_of, organization="") == [(f"organization {ORG}", False)]
    denied = deny({"StringNotEquals": {"aws:PrincipalOrgID": ORG}})
    assert told(allow(aws(THEM)), denied, organization="") == UNSURE


def test_a_statement_about_another_resource_does_nothing() -> None:
    policy = parse({"Statement": [allow(aws(THEM), Resource=f"{QUEUE}-2"), allow(aws(MORE), Resource="*")]})
    found = outsiders(effective(policy, QUEUE), OWN)
    assert [one.account for one in found] == [MORE]
    opened = parse({"Statement": [allow("*", Resource="*"), deny(Resource=QUEUE)]})
    assert openings(opened)
    assert not openings(effective(opened, QUEUE))
    spared = parse({"Statement": allow("*", Resource=[], NotResource="*:jobs")})
    assert not openings(effective(spared, QUEUE))
    nameless = parse({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}})
    assert openings(effective(nameless, QUEUE))


SOURCES: list[tuple[Raw, bool]] = [
    ({}, True),
    ({"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{OWN}:*"}}, False),
    ({"StringEquals": {"aws:SourceAccount": OWN}}, False),
    ({"StringEquals": {"AWS:SourceOwner": OWN}}, False),
    ({"StringEquals": {"aws:SourceOrgID": ORG}}, False),
    ({"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::pictures"}}, False),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:pictures"}}, False),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:*"}}, True),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:alerts"}}, True),
    ({"ArnLike": {"aws:SourceArn": "*"}}, True),
    ({"StringLike": {"aws:SourceAccount": "*"}}, True),
    ({"StringEqualsIfExists": {"aws:SourceAccount": OWN}}, True),
    ({"StringNotEquals": {"aws:SourceAccount": THEM}}, True),
    ({"Bool": {"aws:SecureTransport": "true"}}, True),
]


@pytest.mark.parametrize(("condition", "loose"), SOURCES)
def test_services_that_act_for_a_named_source(condition: Raw, loose: bool) -> None:
    policy = parse({"Statement": allow({"Service": "sns.amazonaws.com"}, condition)})
    assert bool(confused(policy)) is loose
    assert outsiders(policy, OWN) == ()


@pytest.mark.parametrize(
    ("service", "acts"),
    [
        ("sns.amazonaws.com", True),
        ("logs.eu-west-1.amazonaws.com", True),
        ("events.amazonaws.com.cn", True),
        ("cognito-idp.amazonaws.com", True),
        ("*", True),
        ("ec2.amazonaws.com", False),
        ("lambda.amazonaws.com", False),
    ],
)
def test_services_that_act_for_others(service: str, acts: bool) -> None:
    assert bool(confused(parse({"Statement": allow({"Service": service})}))) is acts


def test_a_denial_may_name_the_source_instead() -> None:
    opened = allow({"Service": "sns.amazonaws.com"})
    elsewhere = {"StringNotEquals": {"aws:SourceAccount": OWN}}
    for denial, loose in (
        (deny(elsewhere), False),
        (deny(elsewhere, Principal={"Service": "sns.amazonaws.com"}), False),
        (deny(elsewhere, Principal={"Service": "s3.amazonaws.com"}), True),
        (deny(elsewhere, Action="sqs:SendMessage"), True),
        (deny({"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}), True),
        (deny({"Bool": {"aws:SecureTransport": "false"}}), True),
    ):
        assert bool(confused(parse({"Statement": [opened, denial]}))) is loose, denial


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("a*", "*b", True),
        ("a*", "b*", False),
        ("s3:Get*", "s3:*Object", True),
        ("s3:Get*", "s3:Put*", False),
        ("a?c", "ab*", True),
        ("a?", "a", False),
        ("*a*", "b?b", True),
        ("*a", "b*b", False),
    ],
)
def test_patterns_that_have_a_text_in_common(one: str, other: str, common: bool) -> None:
    assert overlap(one, other) is common
    assert overlap(other, one) is common


def test_hostile_patterns_take_no_time() -> None:
    assert not overlap("a*" * 300 + "b", "*a" * 300 + "c")
    assert outsiders(Policy((Statement(True, principals=("AWS:" + ":" * 5000,), actions=("*",)),)), OWN)
