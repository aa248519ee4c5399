"""Buckets: who writes, who is let in beyond the policy, and what an unread setting leaves open."""

from __future__ import annotations

import msgspec
import pytest

from checks import Confidence, Exposure, Outcome, Verdict
from checks.cloud.s3_access_points import let_in, public
from checks.cloud.s3_acls import foreign_grants, switched_off
from checks.cloud.s3_data import foreign_accounts, public_write, trail_bucket_open
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.s3 import (
    AccountPublicAccess,
    BucketOwnership,
    BucketPublicAccess,
    Grant,
)
from tests.checks.cloud.examples.beginnings import ARN, PUBLIC, Facts, bucket
from tests.checks.cloud.examples.meaning import ONE_TRAIL
from tests.checks.cloud.examples.records import STRANGER, A, R, allow
from tests.checks.cloud.examples.storage import ANOTHER, KNOWN, granted, owned, point

WRITE = Grant("everybody", "WRITE")


def letting(*actions: str, all_but: tuple[str, ...] = ()) -> Policy:
    """Everybody may do this."""
    return Policy((Statement(True, "S", ("*",), actions=actions, not_actions=all_but, resources=("*",)),))


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (bucket(letting("s3:GetObject")), Outcome.PASS),
        (bucket(letting("s3:List*", "s3:Get*")), Outcome.PASS),
        (bucket(letting("s3:PutObject")), Outcome.FAIL),
        (bucket(letting("S3:PUTOBJECT")), Outcome.FAIL),
        (bucket(letting("s3:*Object")), Outcome.FAIL),
        (bucket(letting("s3:Delete*")), Outcome.FAIL),
        (bucket(letting("s3:PutBucketAcl")), Outcome.FAIL),
        (bucket(letting("*")), Outcome.FAIL),
        (bucket(letting(all_but=("s3:DeleteBucket",))), Outcome.FAIL),
        (bucket(letting(all_but=("s3:Put*", "s3:Delete*"))), Outcome.PASS),
        (bucket(letting("s3:PutObject"), held=True), Outcome.PASS),
        (bucket(letting("s3:PutObject"), account=True), Outcome.PASS),
        (bucket(Policy(), WRITE), Outcome.FAIL),
        (bucket(Policy(), Grant("any-aws-account", "WRITE_ACP")), Outcome.FAIL),
        (bucket(Policy(), Grant("everybody", "READ")), Outcome.PASS),
        (bucket(Policy(), WRITE, owner="BucketOwnerEnforced"), Outcome.PASS),
        (bucket(Policy(), Grant("log-delivery", "WRITE"), ANOTHER), Outcome.PASS),
    ],
)
def test_whatever_changes_objects_is_writing(facts: Facts, outcome: Outcome) -> None:
    [verdict] = public_write.run(*facts)
    assert verdict.outcome is outcome
    assert verdict.exposure is (Exposure.INTERNET_OPEN if outcome is Outcome.FAIL else None)


UNREAD = AccountPublicAccess(A, ())


def test_an_unread_account_block_leaves_writers_unknown() -> None:
    found, _, *rest = bucket(letting("s3:PutObject"))
    [verdict] = public_write.run(found, UNREAD, *rest)
    assert (verdict.outcome, verdict.needs) == (Outcome.UNKNOWN, "s3:GetAccountPublicAccessBlock")
    found, _, *rest = bucket(letting("s3:PutObject"), held=True)
    assert [one.ok for one in public_write.run(found, UNREAD, *rest)] == [True]


def trail(facts: Facts) -> list[Verdict]:
    """The verdicts on a bucket that a trail writes to."""
    return list(trail_bucket_open.run(facts[0], ONE_TRAIL, *facts[1:]))


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (bucket(PUBLIC), Outcome.FAIL),
        (bucket(PUBLIC, account=True), Outcome.PASS),
        (bucket(Policy(), Grant("everybody", "READ")), Outcome.FAIL),
        (bucket(Policy(), Grant("everybody", "READ"), owner="BucketOwnerEnforced"), Outcome.PASS),
        (bucket(Policy()), Outcome.PASS),
    ],
)
def test_the_bucket_of_a_trail_is_closed_in_policy_and_acl(facts: Facts, outcome: Outcome) -> None:
    assert [one.outcome for one in trail(facts)] == [outcome]


def test_the_bucket_of_a_trail_is_never_open_or_closed_by_what_was_not_read() -> None:
    found, account, _, policies, acls, owners = bucket(PUBLIC)
    assert trail((found, account, BucketPublicAccess(A, ()), policies, acls, owners)) == []
    [doubt] = trail((found, UNREAD, *bucket(PUBLIC)[2:]))
    assert doubt.outcome is Outcome.UNKNOWN
    assert (
        list(trail_bucket_open.run(found, msgspec.structs.replace(ONE_TRAIL, trails=()), *bucket(PUBLIC)[1:]))
        == []
    )


@pytest.mark.parametrize(
    ("grants", "ownership", "outcomes"),
    [
        ((ANOTHER,), "ObjectWriter", [Outcome.FAIL]),
        ((ANOTHER,), "BucketOwnerPreferred", [Outcome.FAIL]),
        ((ANOTHER,), "BucketOwnerEnforced", [Outcome.PASS]),
        ((Grant("owner", "FULL_CONTROL"), Grant("log-delivery", "WRITE")), "ObjectWriter", [Outcome.PASS]),
        ((Grant("everybody", "READ"),), "ObjectWriter", [Outcome.PASS]),
        ((ANOTHER,), "", []),
        ((), "", [Outcome.PASS]),
    ],
)
def test_a_grant_counts_where_acls_are_in_force(
    grants: tuple[Grant, ...], ownership: str, outcomes: list[Outcome]
) -> None:
    owners = owned(ownership) if ownership else BucketOwnership(A, ())
    assert [one.outcome for one in foreign_grants.run(granted(*grants), owners)] == outcomes


@pytest.mark.parametrize("setting", ["ObjectWriter", "BucketOwnerPreferred"])
def test_acls_are_off_only_when_the_owner_is_enforced(setting: str) -> None:
    [verdict] = switched_off.run(owned(setting))
    assert (verdict.ok, setting in verdict.saw) == (False, True)


@pytest.mark.parametrize(
    ("policy", "known", "expected"),
    [
        (allow(f"AWS:{STRANGER}"), KNOWN, (Outcome.FAIL, Confidence.CONFIRMED)),
        (
            allow(f"AWS:{STRANGER}"),
            KnownAccounts(A, (A,), "", False),
            (Outcome.UNKNOWN, Confidence.CONFIRMED),
        ),
        (
            allow(f"AWS:{STRANGER}"),
            KnownAccounts(A, (A, STRANGER), "o-1", True),
            (Outcome.PASS, Confidence.CONFIRMED),
        ),
        (allow("Service:cloudtrail.amazonaws.com"), KNOWN, (Outcome.PASS, Confidence.CONFIRMED)),
    ],
)
def test_who_is_foreign(policy: Policy, known: KnownAccounts, expected: tuple[Outcome, Confidence]) -> None:
    found, _, _, policies, *_ = bucket(policy)
    [verdict] = foreign_accounts.run(found, policies, known)
    assert (verdict.outcome, verdict.confidence) == expected


def test_a_trusted_account_is_not_foreign() -> None:
    found, _, _, policies, *_ = bucket(allow(f"AWS:{STRANGER}"))
    [verdict] = foreign_accounts.run(found, policies, KNOWN, trusted=frozenset({STRANGER}))
    assert verdict.ok
    [through] = let_in.run(point(f"AWS:{STRANGER}"), KNOWN, trusted=frozenset({STRANGER}))
    assert through.ok


@pytest.mark.parametrize(
    ("points", "blocks", "outcome"),
    [
        (point("*"), bucket(), Outcome.FAIL),
        (point("*"), bucket(held=True), Outcome.PASS),
        (point("*"), bucket(account=True), Outcome.PASS),
        (point("*", shut=True), bucket(), Outcome.PASS),
        (point("*", vpc="vpc-1"), bucket(), Outcome.PASS),
        (point(f"AWS:{A}"), bucket(), Outcome.PASS),
        # The blocks of this account say nothing about a bucket of another.
        (point("*", owner=STRANGER), bucket(held=True, account=True), Outcome.UNKNOWN),
        (point("*", owner=STRANGER, shut=True), bucket(), Outcome.PASS),
    ],
)
def test_every_block_before_an_access_point_counts(points: object, blocks: Facts, outcome: Outcome) -> None:
    [verdict] = public.run(points, *blocks[1:3])
    assert verdict.outcome is outcome
    assert verdict.where == R


def test_an_access_point_before_unread_blocks_is_unknown() -> None:
    account, blocks = bucket()[1:3]
    for facts in ((UNREAD, blocks), (account, BucketPublicAccess(A, ()))):
        [verdict] = public.run(point("*"), *facts)
        assert verdict.outcome is Outcome.UNKNOWN
        [closed] = public.run(point(f"AWS:{A}"), *facts)
        assert closed.ok


def test_a_condition_that_narrows_closes_an_access_point() -> None:
    organisation = (Condition("StringEquals", "aws:PrincipalOrgID", ("o-a1b2c3d4e5",)),)
    [one] = point("*").points
    narrowed = type(one)(one.arn, one.name, R, one.bucket, A, "", False, allow("*", conditions=organisation))
    [verdict] = public.run(type(point("*"))(A, (narrowed,)), *bucket()[1:3])
    assert verdict.ok
    assert ARN.endswith(one.bucket)
