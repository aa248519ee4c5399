"""Whom a policy lets in."""

from __future__ import annotations

import pytest

from checks.cloud.openness import openings
from checks.facts.cloud.policy import Condition, Policy, Statement, matches

B = "arn:aws:s3:::data"


def allow(*conditions: Condition, principals: tuple[str, ...] = ("*",)) -> Statement:
    return Statement(
        True, "S", principals, actions=("s3:GetObject",), resources=(f"{B}/*",), conditions=conditions
    )


def deny(*conditions: Condition, actions: tuple[str, ...] = ("s3:*",), resource: str = f"{B}/*") -> Statement:
    return Statement(False, "D", ("*",), actions=actions, resources=(resource,), conditions=conditions)


def c(operator: str, key: str, *values: str) -> Condition:
    return Condition(operator, key, values)


@pytest.mark.parametrize(
    "condition",
    [
        c("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3"),
        c("StringEquals", "AWS:PRINCIPALORGID", "o-a1b2c3"),
        c("StringLike", "aws:PrincipalOrgID", "o-a1b2c3"),
        c("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3/r-1/ou-1/"),
        c("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3/r-1/ou-1/*", "o-a1b2c3/*"),
        c("StringEquals", "aws:SourceVpce", "vpce-1"),
        c("StringEquals", "aws:SourceVpc", "vpc-1"),
        c("StringEquals", "aws:SourceAccount", "111122223333"),
        c("ArnLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:111122223333:*"),
        c("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/*"),
        c("IpAddress", "aws:SourceIp", "198.51.100.0/24", "2001:db8::/48"),
        c("Bool", "aws:PrincipalIsAWSService", "true"),
    ],
)
def test_conditions_that_name_somebody(condition: Condition) -> None:
    assert openings(Policy((allow(condition),))) == ()


@pytest.mark.parametrize(
    "condition",
    [
        c("StringEqualsIfExists", "aws:PrincipalOrgID", "o-a1b2c3"),
        c("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", "o-a1b2c3/*"),
        c("StringLike", "aws:PrincipalOrgID", "*"),
        c("StringLike", "aws:PrincipalOrgID", "o-*"),
        c("StringNotEquals", "aws:PrincipalOrgID", "o-a1b2c3"),
        c("StringLike", "aws:SourceVpce", "vpce-*"),
        c("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/r-1/*"),
        c("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*"),
        c("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*"),
        c("ArnLike", "aws:PrincipalArn", "*"),
        c("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
        c("IpAddress", "aws:SourceIp", "0.0.0.0/1", "128.0.0.0/1"),
        c("IpAddress", "aws:SourceIp", "198.51.100.0/24", "::/0"),
        c("IpAddress", "aws:SourceIp", "not-an-address"),
        c("NotIpAddress", "aws:SourceIp", "198.51.100.0/24"),
        c("IpAddressIfExists", "aws:SourceIp", "198.51.100.0/24"),
        c("Null", "aws:PrincipalOrgID", "false"),
        c("Bool", "aws:SecureTransport", "true"),
        c("StringLike", "aws:Referer", "https://example.org/*"),
        c("StringEquals", "aws:PrincipalOrgID"),
    ],
)
def test_conditions_that_name_nobody(condition: Condition) -> None:
    [found] = openings(Policy((allow(condition),)))
    assert found.certain
    assert condition.operator in found.words


def test_a_denial_to_all_but_a_few_leaves_those_few() -> None:
    def but(*names: str) -> Statement:
        return Statement(False, "D", (), names, actions=("s3:*",), resources=(f"{B}/*",))

    assert openings(Policy((allow(), but("AWS:arn:aws:iam::111122223333:role/reader")))) == ()
    assert openings(Policy((allow(), but("*"))))


def test_a_condition_that_is_not_understood_is_said() -> None:
    [found] = openings(Policy((allow(c("StringEquals", "s3:ExistingObjectTag/public", "yes")),)))
    assert not found.certain


def test_one_condition_that_names_somebody_is_enough() -> None:
    both = (c("Bool", "aws:SecureTransport", "true"), c("StringEquals", "aws:SourceVpce", "vpce-1"))
    assert openings(Policy((allow(*both),))) == ()


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        (allow(principals=("AWS:111122223333",)), 0),
        (allow(principals=("Service:cloudfront.amazonaws.com",)), 0),
        (allow(principals=("AWS:111122223333", "*")), 1),
        (Statement(True, not_principals=("AWS:111122223333",), actions=("s3:*",), resources=("*",)), 1),
        (Statement(True, principals=("*",), not_actions=("s3:Delete*",), resources=("*",)), 1),
        (Statement(True, actions=("*",), resources=("*",)), 0),
        (deny(), 0),
    ],
)
def test_who_is_everybody(statement: Statement, count: int) -> None:
    assert len(openings(Policy((statement,)))) == count


@pytest.mark.parametrize(
    ("denial", "open_still"),
    [
        (deny(), False),
        (deny(c("StringNotEquals", "aws:PrincipalOrgID", "o-a1b2c3")), False),
        (deny(c("StringNotEqualsIfExists", "aws:SourceVpce", "vpce-1")), False),
        (deny(c("NotIpAddress", "aws:SourceIp", "198.51.100.0/24")), False),
        (
            deny(
                c("StringNotEquals", "aws:SourceVpce", "vpce-1"),
                c("Bool", "aws:PrincipalIsAWSService", "false"),
            ),
            False,
        ),
        (deny(actions=("S3:getobject",)), False),
        (deny(c("Bool", "aws:SecureTransport", "false")), True),
        (deny(c("NotIpAddress", "aws:SourceIp", "0.0.0.0/0")), True),
        (deny(c("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3")), True),
        (deny(actions=("s3:PutObject",)), True),
        (deny(resource=f"{B}/private/*"), True),
    ],
)
def test_what_a_denial_takes_back(denial: Statement, open_still: bool) -> None:
    assert bool(openings(Policy((allow(), denial)))) is open_still


@pytest.mark.parametrize(
    ("pattern", "text", "match"),
    [
        ("*", "", True),
        ("*", "s3:GetObject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get*", "s3:PutObject", False),
        ("s3:Get?bject", "s3:GetObject", True),
        ("?", "", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("s3:Get*", "s3:*", False),
        ("s3:*", "s3:Get*", True),
        ("s3:?", "s3:*", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_patterns(pattern: str, text: str, match: bool) -> None:
    assert matches(pattern, text) is match


def test_a_hostile_pattern_takes_no_time() -> None:
    assert not matches("a*" * 2000 + "b", "a" * 4000)
