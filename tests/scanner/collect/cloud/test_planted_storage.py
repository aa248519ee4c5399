"""Buckets, disks, images, file systems and backups, as a scan finds them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.facts.cloud.ec2_snapshots import SnapshotShares
from checks.facts.cloud.fsx import FsxKeys, FsxSystems
from checks.facts.cloud.images import ImageShares
from checks.facts.cloud.s3 import BucketAcls
from checks.facts.cloud.s3_access_points import AccessPoints
from checks.facts.snapshot import decode, encode
from checks.model import Outcome
from scanner.collect.cloud import images, registry
from scanner.collect.cloud.calls import Call
from tests.lab.aws import Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_account import MAIN, OTHER
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

PLANTED = ("storage_s3", "storage_volumes", "storage_backup")
SERVICES = ("backup", "efs", "fsx", "glacier", "s3", "s3control")
REFUSED = (
    ("accessanalyzer", "ListFindings"),
    ("ec2", "DescribeImageAttribute"),
    ("efs", "DescribeBackupPolicy"),
    ("fsx", "DescribeFileSystems"),
    ("s3control", "GetAccessPoint"),
    ("s3control", "GetAccessPointPolicy"),
    ("s3control", "ListAccessPoints"),
)
"""Calls whose refusal takes a way of its own here; all others are refused in the tests of all calls."""


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED) as world:
        yield world


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)


def test_nothing_is_missing_and_nothing_crashes(world: World) -> None:
    # Where no analyzer watches, it is said that nobody knows whom snapshots are shared with.
    assert {(gap.fact, gap.where) for gap in world.snapshot.gaps} == {("SnapshotShares", MAIN)}
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []
    types = {fact.__name__: fact for fact in registry.facts()}
    assert decode(encode(world.snapshot), types) == world.snapshot


def test_there_is_enough_to_be_fooled_by(world: World) -> None:
    assert sum(one.bad for one in world.lab.planted) >= 50
    assert sum(not one.bad for one in world.lab.planted) >= 45
    assert sum(one.fools for one in world.lab.planted if not one.bad) >= 25


def test_all_that_is_declared_is_asked_and_nothing_else(world: World) -> None:
    world.collect()
    wanted = frozenset(n for d in world.demands for n in d.check.needs)
    asked = {(one.service, one.operation) for one in world.endpoint.asked if one.service in SERVICES}
    # Directory buckets are listed by the same path, at another host.
    asked = {(service, name.replace("ListDirectoryBuckets", "ListBuckets")) for service, name in asked}
    declared = {one for one in registry.allowed(wanted) if one[0] in SERVICES}
    # Where the list says where each bucket is, nobody asks.
    assert asked | {("s3", "GetBucketLocation")} == declared


def test_calls_for_single_things_are_few(world: World) -> None:
    world.collect(AccessPoints, FsxKeys, FsxSystems, ImageShares)
    asked = [one.operation for one in world.endpoint.asked]
    # The block of an access point matters where its policy is open and no network bounds it.
    assert asked.count("GetAccessPoint") == 5
    # A public image is everybody's already.
    assert asked.count("DescribeImageAttribute") == 5
    # Without file systems nobody asks whose the keys are.
    assert asked.count("ListAliases") == 1


def test_a_list_of_access_points_is_read_to_its_end(world: World) -> None:
    found = world.collect(AccessPoints).get(AccessPoints)
    assert isinstance(found, AccessPoints)
    assert len(found.points) == 9


def test_images_beyond_the_most_that_are_asked_are_a_gap(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MOST", 2)
    snapshot = world.collect(ImageShares)
    found = snapshot.get(ImageShares)
    assert isinstance(found, ImageShares)
    assert len(found.images) == 2
    [gap] = snapshot.gaps
    assert (gap.fact, gap.where) == ("ImageShares", MAIN)
    assert "3 older images were not asked" in gap.reason


def test_no_analyzer_is_no_proof_that_nothing_is_shared(world: World) -> None:
    snapshot = world.collect(SnapshotShares, regions=(MAIN,))
    found = snapshot.get(SnapshotShares)
    assert isinstance(found, SnapshotShares)
    assert found.regions == ()
    assert "no analyzer" in snapshot.gaps[0].reason
    world.endpoint.faults["accessanalyzer", "ListAnalyzers"] = Fault.DENIED
    refused = world.collect(SnapshotShares, regions=(OTHER,))
    assert [gap.needs for gap in refused.gaps] == ["access-analyzer:ListAnalyzers"]


def test_grants_are_to_the_owner_or_to_another(world: World) -> None:
    found = world.snapshot.get(BucketAcls)
    assert isinstance(found, BucketAcls)
    grantees = {one.name: {grant.grantee for grant in one.grants} for one in found.acls}
    assert grantees["storage-acl-ours"] == {"owner"}
    assert grantees["storage-acl-given"] == {"owner", "another"}
    assert grantees["storage-acl-open"] == {"owner", "everybody"}


@pytest.mark.parametrize(
    "call",
    [c for c in registry.calls(registry.facts()) if (c.service, c.operation) in REFUSED],
    ids=lambda call: call.label,
)
def test_a_refused_read_turns_nothing_green(world: World, call: Call) -> None:
    hit = {d.check.id for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)}
    assert hit
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    region = OTHER if call.service == "accessanalyzer" else MAIN
    needed = {n for d in world.demands if d.check.id in hit for n in d.check.needs}
    after = {f.id: f for f in world.judge(world.collect(*needed, regions=(region,))) if f.check in hit}
    assert {f.check for f in after.values() if f.outcome is Outcome.UNKNOWN} >= hit
    for old in world.findings:
        if old.check in hit and old.outcome is Outcome.FAIL and old.id in after:
            assert after[old.id].outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)
