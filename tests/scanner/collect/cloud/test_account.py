"""The planted account as a whole: what is found, what is not flagged, and what refusals do to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from baselines.evaluate import evaluate
from baselines.load import library
from baselines.resolve import needs, resolve
from checks.catalogue import load
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.route53 import BucketTargets
from checks.facts.snapshot import decode, encode
from checks.model import Kind, Outcome
from scanner.collect.cloud import registry
from scanner.collect.cloud.calls import Call
from tests.lab.aws import MAIN, REGIONS, Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

EVERY = registry.facts()
DENIED = (
    ("iam", "GetAccountAuthorizationDetails"),
    ("iam", "GetCredentialReport"),
    ("s3", "GetBucketPolicy"),
    ("s3control", "GetPublicAccessBlock"),
    ("ec2", "DescribeSecurityGroups"),
    ("ec2", "DescribeRouteTables"),
    ("ec2", "DescribeInstances"),
    ("rds", "DescribeDBInstances"),
    ("kms", "GetKeyPolicy"),
    ("lambda", "GetPolicy"),
    ("sqs", "GetQueueAttributes"),
    ("cloudtrail", "GetTrailStatus"),
    ("guardduty", "ListDetectors"),
)
"""Thirteen kinds of read that auditors are refused in practice."""


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    known = library()
    demands = resolve(known["aws-strict"], "level-2", load(), known)
    with planted_world(moto.url, demands=tuple(demands)) as world:
        yield world


def test_the_account_is_as_large_as_it_should_be(world: World) -> None:
    bad = [one for one in world.lab.planted if one.bad]
    assert len(bad) >= 150
    assert len(world.lab.planted) - len(bad) >= 80
    assert sum(one.fools for one in bad) >= 10
    assert sum(one.fools for one in world.lab.planted if not one.bad) >= 20


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)


def test_every_check_finds_something_planted(world: World) -> None:
    planted = {one.check for one in world.lab.planted if one.bad}
    failing = {f.check for f in world.findings if f.outcome is Outcome.FAIL}
    told = Counter(f.check for f in world.findings)
    # What an account has once is one or the other; here it is as it should be.
    once = {one.check for one in world.lab.planted if not one.bad and told[one.check] == 1}
    assert sorted({d.check.id for d in world.demands} - planted - failing - once) == []
    assert len(once - planted) < 20


def test_nothing_is_an_error(world: World) -> None:
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []


def test_what_is_unknown_is_only_what_the_account_does_not_know_itself(world: World) -> None:
    hidden = [(gap.fact, gap.where) for gap in world.snapshot.gaps]
    assert hidden == [("SnapshotShares", MAIN)], "no analyzer is active there"


def test_ten_scans_of_an_unchanged_account_find_the_same(world: World) -> None:
    whole = world.collect(*EVERY)
    first = encode(whole)
    assert {encode(world.collect(*EVERY)) for _ in range(9)} == {first}
    types = {fact.__name__: fact for fact in EVERY}
    again = decode(first, types)
    assert again == whole
    assert world.judge(again) == world.findings


def test_thirteen_refused_reads_turn_nothing_green(world: World) -> None:
    for denied in DENIED:
        world.endpoint.faults[denied] = Fault.DENIED
    snapshot = world.collect(*EVERY)
    after = {f.id: f for f in world.judge(snapshot)}
    assert {f.check for f in after.values()} == {d.check.id for d in world.demands}, "no check vanishes"
    needed = {gap.needs for gap in snapshot.gaps}
    for call in registry.calls(EVERY):
        if (call.service, call.operation) in DENIED:
            assert call.iam in needed, call
    unknown = {f.check for f in after.values() if f.outcome is Outcome.UNKNOWN}
    for old in world.findings:
        new = after.get(old.id)
        if new is None:
            assert old.check in unknown, (old.check, old.on)
        elif old.outcome is Outcome.FAIL:
            assert new.outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)


def test_only_what_was_declared_is_asked_and_all_of_it(world: World) -> None:
    world.collect(*EVERY)
    asked = {(one.service, one.operation) for one in world.endpoint.asked}
    assert asked == registry.allowed(EVERY)


_REGION = re.compile(rb"<BucketRegion>[^<]*</BucketRegion>")
TELLS_ITSELF = ("organizations DescribeOrganization", "organizations ListAccounts")
"""The fact of the known accounts says of itself that it is not whole."""
PROVES = ("s3 GetBucketLocation", BucketTargets)
"""That S3 refuses a bucket shows that it is there."""


@pytest.mark.parametrize("call", list(registry.calls(EVERY)), ids=lambda call: call.label)
def test_a_refused_read_hides_what_it_decides_and_passes_nothing(world: World, call: Call) -> None:
    hit = [d for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)]
    wanted = needs(hit, Kind.AWS) | set(call.facts)
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    if call.label == "s3 GetBucketLocation":
        # It is asked only for buckets whose region the list does not tell.
        world.endpoint.rewrite["s3", "ListBuckets"] = lambda body: _REGION.sub(b"", body)
    snapshot = world.collect(*wanted, regions=() if call is registry.REGIONS else REGIONS)
    named = {gap.fact for gap in snapshot.gaps if gap.needs == call.iam}
    hidden = set(call.facts) - {KnownAccounts} if call.label in TELLS_ITSELF else set(call.facts)
    if (call.label, *call.facts) == PROVES:
        hidden = set()
    assert named == {fact.__name__ for fact in hidden}, "the gaps name the action, on these facts alone"
    before = {f.id: f for f in world.findings if f.check in {d.check.id for d in hit}}
    after = {f.id: f for f in evaluate(hit, snapshot, now=world.now)}
    unknown = {f.check for f in after.values() if f.outcome is Outcome.UNKNOWN}
    for identifier, old in before.items():
        new = after.get(identifier)
        if old.outcome is Outcome.FAIL:
            assert new is None or new.outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)
        assert new is not None or old.check in unknown, (old.check, old.on)
    assert {d.check.id for d in hit} == {f.check for f in after.values()}, "no check vanishes"
    told = {d.check.id for d in hit if not hidden.isdisjoint(d.check.needs)}
    assert told <= unknown, "every check that needs it says so"
