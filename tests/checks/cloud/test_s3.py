"""Buckets: what decides whether somebody gets in."""

from __future__ import annotations

import pytest

from checks import Confidence, Exposure, Outcome, Verdict
from checks.cloud.s3 import bucket_block, public_access, tls_only
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.s3 import (
    AccountPublicAccess,
    BucketOwnership,
    BucketPolicies,
    BucketPublicAccess,
    Grant,
)
from tests.checks.cloud.examples.beginnings import ARN, PUBLIC, TLS_ONLY, A, Facts, bucket

EVERYBODY = Grant("everybody", "READ")


def judge(facts: Facts) -> list[Verdict]:
    return list(public_access.run(*facts))


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (bucket(PUBLIC), Outcome.FAIL),
        (bucket(PUBLIC, held=True), Outcome.PASS),
        (bucket(PUBLIC, account=True), Outcome.PASS),
        (bucket(Policy(), EVERYBODY), Outcome.FAIL),
        (bucket(Policy(), Grant("any-aws-account", "WRITE")), Outcome.FAIL),
        (bucket(Policy(), Grant("log-delivery", "WRITE"), Grant("owner", "FULL_CONTROL")), Outcome.PASS),
        (bucket(Policy(), EVERYBODY, held=True), Outcome.PASS),
        (bucket(Policy(), EVERYBODY, account=True), Outcome.PASS),
        (bucket(Policy(), EVERYBODY, owner="BucketOwnerEnforced"), Outcome.PASS),
        (bucket(Policy(), EVERYBODY, owner="BucketOwnerPreferred"), Outcome.FAIL),
        (bucket(PUBLIC, owner="BucketOwnerEnforced"), Outcome.FAIL),
    ],
)
def test_policy_acl_ownership_and_block_together(facts: Facts, outcome: Outcome) -> None:
    [verdict] = judge(facts)
    assert verdict.outcome is outcome
    assert verdict.on == ARN
    if outcome is Outcome.FAIL:
        assert verdict.exposure is Exposure.INTERNET_OPEN
        assert "everybody" in verdict.exposure_evidence or "anybody" in verdict.exposure_evidence


def without(facts: Facts, at: int, empty: object) -> Facts:
    return (*facts[:at], empty, *facts[at + 1 :])  # type: ignore[arg-type]


def test_an_unread_account_block_decides_only_what_it_would_close() -> None:
    unread = AccountPublicAccess(A, ())
    [doubt] = judge(without(bucket(PUBLIC), 1, unread))
    assert doubt.outcome is Outcome.UNKNOWN
    assert doubt.needs == "s3:GetAccountPublicAccessBlock"
    [held] = judge(without(bucket(PUBLIC, held=True), 1, unread))
    assert held.outcome is Outcome.PASS
    [closed] = judge(without(bucket(), 1, unread))
    assert closed.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("at", "empty"), [(2, BucketPublicAccess(A, ())), (3, BucketPolicies(A, ())), (5, BucketOwnership(A, ()))]
)
def test_what_is_unread_of_a_bucket_never_passes_it(at: int, empty: object) -> None:
    for facts in (bucket(), bucket(PUBLIC), bucket(Policy(), EVERYBODY)):
        assert not any(verdict.ok for verdict in judge(without(facts, at, empty)))


def test_an_open_acl_stands_whatever_the_policy_would_say() -> None:
    [verdict] = judge(without(bucket(Policy(), EVERYBODY), 3, BucketPolicies(A, ())))
    assert verdict.outcome is Outcome.FAIL


def test_conditions_that_are_not_understood_make_it_likely_only() -> None:
    condition = Condition("StringEquals", "s3:ExistingObjectTag/public", ("yes",))
    statement = Statement(True, "T", ("*",), actions=("s3:GetObject",), conditions=(condition,))
    [verdict] = judge(bucket(Policy((statement,))))
    assert (verdict.outcome, verdict.confidence) == (Outcome.FAIL, Confidence.LIKELY)
    [sure] = judge(bucket(PUBLIC))
    assert sure.confidence is Confidence.CONFIRMED


def test_a_block_counts_at_either_level() -> None:
    [verdict] = bucket_block(*bucket(account=True)[2:0:-1])  # type: ignore[arg-type]
    assert verdict.ok
    unread = AccountPublicAccess(A, ())
    [doubt] = bucket_block(bucket()[2], unread)  # type: ignore[arg-type]
    assert doubt.outcome is Outcome.UNKNOWN


def statement(**changes: object) -> Policy:
    [whole] = TLS_ONLY.statements
    fields = {name: getattr(whole, name) for name in whole.__struct_fields__}
    return Policy((Statement(**{**fields, **changes}),))


@pytest.mark.parametrize(
    ("policy", "ok"),
    [
        (TLS_ONLY, True),
        (statement(actions=("*",), resources=("*",)), True),
        (statement(resources=(ARN,)), False),
        (statement(resources=(f"{ARN}/*",)), False),
        (statement(resources=(f"{ARN}*",)), True),
        (statement(actions=("s3:GetObject",)), False),
        (statement(principals=("AWS:111122223333",)), False),
        (statement(allow=True), False),
        (statement(conditions=()), False),
        (statement(conditions=(Condition("Bool", "aws:SecureTransport", ("true",)),)), False),
        (statement(conditions=(Condition("Bool", "AWS:securetransport", ("False",)),)), True),
        (statement(conditions=(Condition("NumericLessThan", "s3:TlsVersion", ("1.2",)),)), False),
        (statement(conditions=(Condition("NumericLessThanIfExists", "s3:TlsVersion", ("1.2",)),)), True),
        (
            statement(
                conditions=(
                    Condition("Bool", "aws:SecureTransport", ("false",)),
                    Condition("StringEquals", "aws:SourceVpce", ("vpce-1",)),
                )
            ),
            False,
        ),
        (
            Policy((*statement(resources=(ARN,)).statements, *statement(resources=(f"{ARN}/*",)).statements)),
            True,
        ),
    ],
)
def test_only_a_whole_refusal_of_plain_http_counts(policy: Policy, ok: bool) -> None:
    [verdict] = tls_only(*bucket(policy)[0:4:3])  # type: ignore[arg-type]
    assert verdict.ok is ok
