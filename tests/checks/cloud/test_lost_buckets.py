"""Names and sites that lead to buckets: what is lost, and what was only not read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks import Outcome
from checks.catalogue import load
from checks.facts.cloud.cloudfront import Distribution, Distributions
from checks.facts.cloud.route53 import BucketTargets, NameRecord, NameRecords
from checks.facts.cloud.s3 import Bucket, Buckets
from checks.facts.snapshot import Fact, Gap, Snapshot
from checks.model import Kind, Severity, Target
from tests.checks.cloud.examples.records import A, R, fact, good

SITE = fact(Distributions, good(Distribution, origins=("site.s3.eu-west-1.amazonaws.com",)))
NAME = NameRecords(
    A,
    (NameRecord("Z1", "example.com.", "www.example.com.", "A", (), "s3-website-eu-west-1.amazonaws.com."),),
)
SITES, NAMES = "cloud.cloudfront.lost-bucket", "cloud.route53-names.lost-bucket"
CHECKS = load().checks
REFUSED = "s3:ListAllMyBuckets"


def judged(check: str, *facts: Fact, gaps: tuple[Gap, ...] = ()) -> list[tuple[Outcome, str]]:
    """What a scan says that has seen these facts, and was refused those."""
    seen = Snapshot(
        Target(Kind.AWS, "prod", "aws://prod/"),
        "2026-11-01T00:00:00Z",
        (f"aws:{A}",),
        facts={type(one).__name__: one for one in facts},
        gaps=gaps,
    )
    demand = Demand(CHECKS[check], {}, Severity.HIGH, {}, "b", "p")
    found = evaluate([demand], seen, now=datetime(2026, 11, 1, tzinfo=UTC))
    return [(one.outcome, one.needs) for one in found]


def test_a_refused_list_of_buckets_loses_none() -> None:
    gap = Gap("Buckets", "s3 ListBuckets: denied", "", REFUSED)
    assert judged(SITES, SITE, gaps=(gap,)) == [(Outcome.UNKNOWN, REFUSED)]
    gap = Gap("BucketTargets", "s3 GetBucketLocation: denied", "www.example.com", "s3:GetBucketLocation")
    assert judged(NAMES, NAME, BucketTargets(A, ()), gaps=(gap,)) == [
        (Outcome.UNKNOWN, "s3:GetBucketLocation")
    ]
    gap = Gap("BucketTargets", "route53 ListHostedZones: denied", "", "route53:ListHostedZones")
    assert judged(NAMES, gaps=(gap, Gap("NameRecords", gap.reason, "", gap.needs))) == [
        (Outcome.UNKNOWN, "route53:ListHostedZones")
    ]


@pytest.mark.parametrize(
    ("buckets", "outcome"),
    [
        (Buckets(A, (Bucket("arn:aws:s3:::site", "site", R),)), Outcome.PASS),
        # Of another region than those asked for, or of one that was not told: here it is all the same.
        (Buckets(A, (), ("site",)), Outcome.PASS),
        (Buckets(A, (), ("other",)), Outcome.FAIL),
        (Buckets(A, ()), Outcome.FAIL),
    ],
)
def test_a_bucket_in_another_region_is_not_lost(buckets: Buckets, outcome: Outcome) -> None:
    assert [one for one, _ in judged(SITES, SITE, buckets)] == [outcome]
