"""Who is an outsider where it could not be read which accounts belong to the organization."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from checks import Outcome
from checks.cloud import iam_roles, kinesis, s3_data
from checks.cloud.ses import POLICIES
from checks.facts.cloud.iam import IamRole, IamRoles
from checks.facts.cloud.kinesis import StreamPolicies
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.resource_policies import ResourcePolicy, SendingPolicies
from checks.facts.cloud.s3 import Bucket, BucketPolicies, BucketPolicy, Buckets
from checks.verdict import Verdict
from tests.checks.cloud.examples.records import STRANGER, A, R

ORG, OTHER_ORG = "o-a1b2c3d4e5", "o-zzzzzzzzzz"
REFUSED = KnownAccounts(A, (A,), "", False)
"""Neither the organization nor its accounts could be read."""
MEMBER = KnownAccounts(A, (A,), ORG, False)
"""The organization is known, its accounts are not: how most members see it."""
ALONE = KnownAccounts(A, (A,), "", True)
"""The account is in no organization."""
LISTED = KnownAccounts(A, (A, STRANGER), ORG, True)
DESCRIBE, LIST = "organizations:DescribeOrganization", "organizations:ListAccounts"
ARN = f"arn:aws:ses:{R}:{A}:identity/example.com"
Judge = Callable[[Policy, KnownAccounts], Iterable[Verdict]]


def stream(policy: Policy, known: KnownAccounts) -> Iterable[Verdict]:
    return kinesis.outsiders.run(StreamPolicies(A, (ResourcePolicy(ARN, "s", R, policy),)), known)


def bucket(policy: Policy, known: KnownAccounts) -> Iterable[Verdict]:
    one = Bucket("arn:aws:s3:::data", "data", R)
    return s3_data.foreign_accounts.run(
        Buckets(A, (one,)), BucketPolicies(A, (BucketPolicy(one.arn, policy),)), known
    )


def trusted(policy: Policy) -> IamRoles:
    role = IamRole(f"arn:aws:iam::{A}:role/r", "r", "/", policy, "2026-01-01T00:00:00Z", "", "", ())
    return IamRoles(A, (role,))


def role(policy: Policy, known: KnownAccounts) -> Iterable[Verdict]:
    return iam_roles.trusted_outsiders.run(trusted(policy), known)


def identifier(policy: Policy, known: KnownAccounts) -> Iterable[Verdict]:
    return iam_roles.external_id.run(trusted(policy), known)


def sender(policy: Policy, known: KnownAccounts) -> Iterable[Verdict]:
    return POLICIES[1].run(SendingPolicies(A, (ResourcePolicy(ARN, "example.com", R, policy),)), known)


JUDGES = (stream, bucket, role, sender)


def to(principal: str, *conditions: Condition) -> Policy:
    return Policy(
        (Statement(True, "S", (principal,), actions=("*",), resources=("*",), conditions=conditions),)
    )


def of(organization: str) -> Policy:
    return to("*", Condition("StringEquals", "aws:PrincipalOrgID", (organization,)))


ACCOUNT = to(f"AWS:arn:aws:iam::{STRANGER}:root")


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize(
    ("policy", "known", "outcome", "needs"),
    [
        (ACCOUNT, REFUSED, Outcome.UNKNOWN, DESCRIBE),
        (ACCOUNT, MEMBER, Outcome.UNKNOWN, LIST),
        (ACCOUNT, ALONE, Outcome.FAIL, ""),
        (ACCOUNT, LISTED, Outcome.PASS, ""),
        (of(ORG), REFUSED, Outcome.UNKNOWN, DESCRIBE),
        (of(ORG), MEMBER, Outcome.PASS, ""),
        # An organization that is not one's own needs no list of accounts.
        (of(OTHER_ORG), MEMBER, Outcome.FAIL, ""),
        (of(ORG), ALONE, Outcome.FAIL, ""),
        # One's own account is known whatever was refused.
        (to(f"AWS:arn:aws:iam::{A}:root"), REFUSED, Outcome.PASS, ""),
        (Policy(), REFUSED, Outcome.PASS, ""),
    ],
)
def test_an_outsider_is_told_apart_only_where_the_organization_is_known(
    judge: Judge, policy: Policy, known: KnownAccounts, outcome: Outcome, needs: str
) -> None:
    [verdict] = judge(policy, known)
    assert (verdict.outcome, verdict.needs) == (outcome, needs)
    if outcome is Outcome.UNKNOWN:
        assert "could not be read" in verdict.reason
        assert STRANGER in verdict.reason or ORG in verdict.reason


@pytest.mark.parametrize("judge", JUDGES)
def test_a_trusted_account_is_no_doubt(judge: Judge) -> None:
    friends = KnownAccounts(A, (A, STRANGER), "", False)
    [verdict] = judge(ACCOUNT, friends)
    assert verdict.outcome is Outcome.PASS


def test_what_is_open_to_everybody_fails_whoever_belongs_to_the_organization() -> None:
    opened = to("*")
    [by_policy] = kinesis.public.run(StreamPolicies(A, (ResourcePolicy(ARN, "s", R, opened),)))
    [by_trust] = iam_roles.trust_everybody.run(trusted(opened))
    assert (by_policy.outcome, by_trust.outcome) == (Outcome.FAIL, Outcome.FAIL)


@pytest.mark.parametrize(
    ("asked", "known", "outcome", "needs"),
    [
        (False, REFUSED, Outcome.UNKNOWN, DESCRIBE),
        (False, MEMBER, Outcome.UNKNOWN, LIST),
        (False, ALONE, Outcome.FAIL, ""),
        (True, REFUSED, Outcome.PASS, ""),
        (True, ALONE, Outcome.PASS, ""),
    ],
)
def test_an_external_id_is_asked_of_those_who_are_no_accounts_of_ones_own(
    asked: bool, known: KnownAccounts, outcome: Outcome, needs: str
) -> None:
    word = (Condition("StringEquals", "sts:ExternalId", ("word",)),) if asked else ()
    [verdict] = identifier(to(f"AWS:arn:aws:iam::{STRANGER}:root", *word), known)
    assert (verdict.outcome, verdict.needs) == (outcome, needs)
