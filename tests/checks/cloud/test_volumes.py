"""Disks, snapshots, images and file systems: what counts as public, as a backup, as refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks import Confidence, Outcome
from checks.cloud.backup import volumes
from checks.cloud.ebs import public_snapshots
from checks.cloud.ec2_snapshots import shared as shared_snapshots
from checks.cloud.efs import backup, tls_only
from checks.cloud.fsx import backups, zones
from checks.cloud.images import shared as shared_images
from checks.facts.cloud.backup import BackedUp, BackedUpResources
from checks.facts.cloud.ebs import EbsPublicSnapshots, EbsVolume, EbsVolumes
from checks.facts.cloud.ec2_defaults import SnapshotBlocks
from checks.facts.cloud.ec2_snapshots import OwnSnapshots, SnapshotShares
from checks.facts.cloud.efs import FileSystemBackup, FileSystemBackups
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.resource_policies import FileSystemPolicies, ResourcePolicy
from checks.facts.snapshot import Fact
from tests.checks.cloud.examples.records import STRANGER, A, R
from tests.checks.cloud.examples.storage import (
    HERE,
    IN_USE,
    KNOWN,
    NONE_TAKEN,
    fsx,
    published,
    shares,
    snapshots,
    started,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OUTSIDE = KnownAccounts(A, (A,), "", False)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("unblocked", Outcome.FAIL),
        # Only new sharing is refused: what is public already stays so.
        ("block-new-sharing", Outcome.FAIL),
        ("block-all-sharing", Outcome.PASS),
    ],
)
def test_only_the_block_of_all_sharing_closes_a_public_snapshot(state: str, outcome: Outcome) -> None:
    [verdict] = public_snapshots.run(*published(state))
    assert (verdict.outcome, verdict.confidence) == (outcome, Confidence.CONFIRMED)


def test_a_public_snapshot_behind_an_unread_block_is_open_in_all_likelihood() -> None:
    [verdict] = public_snapshots.run(published("")[0], SnapshotBlocks(A, ()))
    assert (verdict.outcome, verdict.confidence) == (Outcome.FAIL, Confidence.LIKELY)
    assert "could not be read" in verdict.saw


def test_a_region_without_public_snapshots_passes_and_an_unread_one_says_nothing() -> None:
    [verdict] = public_snapshots.run(EbsPublicSnapshots(A, HERE, ()), SnapshotBlocks(A, ()))
    assert (verdict.ok, verdict.where) == (True, R)
    assert list(public_snapshots.run(EbsPublicSnapshots(A, (), ()), SnapshotBlocks(A, ()))) == []


def taken(last: str) -> BackedUpResources:
    """AWS Backup has taken the volume then."""
    return BackedUpResources(A, HERE, (BackedUp(f"arn:aws:ec2:{R}:{A}:volume/vol-1", R, "EBS", last),))


NO_SNAPSHOTS = OwnSnapshots(A, HERE, ())
UNREAD_SNAPSHOTS = OwnSnapshots(A, (), ())
UNREAD_BACKUPS = BackedUpResources(A, (), ())


@pytest.mark.parametrize(
    ("backups_", "shots", "outcomes"),
    [
        (NONE_TAKEN, NO_SNAPSHOTS, [Outcome.FAIL]),
        (taken("2026-11-22T00:00:00Z"), NO_SNAPSHOTS, [Outcome.PASS]),
        (taken("2026-08-01T00:00:00Z"), NO_SNAPSHOTS, [Outcome.FAIL]),
        (taken("2026-08-01T00:00:00Z"), snapshots(), [Outcome.PASS]),
        (NONE_TAKEN, snapshots(), [Outcome.PASS]),
        (NONE_TAKEN, snapshots(volume="vol-2"), [Outcome.FAIL]),
        (NONE_TAKEN, snapshots(usable=False), [Outcome.FAIL]),
        (NONE_TAKEN, snapshots(started="2026-10-01T00:00:00Z"), [Outcome.FAIL]),
        # What was not read may hold the backup; what was read may already be one.
        (UNREAD_BACKUPS, NO_SNAPSHOTS, []),
        (NONE_TAKEN, UNREAD_SNAPSHOTS, []),
        (UNREAD_BACKUPS, snapshots(), [Outcome.PASS]),
        (taken("2026-11-22T00:00:00Z"), UNREAD_SNAPSHOTS, [Outcome.PASS]),
    ],
)
def test_a_backup_or_a_snapshot_is_enough(
    backups_: BackedUpResources, shots: OwnSnapshots, outcomes: list[Outcome]
) -> None:
    assert [one.outcome for one in volumes.run(IN_USE, backups_, shots, now=NOW)] == outcomes


def test_a_volume_that_nobody_uses_needs_no_backup() -> None:
    idle = EbsVolumes(A, HERE, (EbsVolume("vol-1", R, True, 8, ()),))
    assert list(volumes.run(idle, NONE_TAKEN, NO_SNAPSHOTS, now=NOW)) == []


@pytest.mark.parametrize(
    ("facts", "known", "outcome"),
    [
        (shares(STRANGER), KNOWN, Outcome.FAIL),
        (shares(A, STRANGER), KNOWN, Outcome.FAIL),
        (shares(A), KNOWN, Outcome.PASS),
        (shares(STRANGER), KnownAccounts(A, (A, STRANGER), "o-1", True), Outcome.PASS),
    ],
)
def test_snapshots_are_shared_with_friends_alone(
    facts: tuple[Fact, ...], known: KnownAccounts, outcome: Outcome
) -> None:
    [verdict] = shared_snapshots.run(facts[0], known)
    assert verdict.outcome is outcome


def test_sharing_that_nobody_watches_passes_nothing() -> None:
    assert list(shared_snapshots.run(SnapshotShares(A, (), ()), KNOWN)) == []
    [watched] = shared_snapshots.run(SnapshotShares(A, HERE, ()), KNOWN)
    assert (watched.ok, watched.where) == (True, R)


@pytest.mark.parametrize(
    ("facts", "known", "expected"),
    [
        (started(), KNOWN, (Outcome.PASS, Confidence.CONFIRMED)),
        (started(A), KNOWN, (Outcome.PASS, Confidence.CONFIRMED)),
        (started(STRANGER), KNOWN, (Outcome.FAIL, Confidence.CONFIRMED)),
        (started(STRANGER), OUTSIDE, (Outcome.FAIL, Confidence.LIKELY)),
        (started(organizations=("o-a1b2c3d4e5",)), KNOWN, (Outcome.PASS, Confidence.CONFIRMED)),
        (started(organizations=("o-z9y8x7w6v5",)), KNOWN, (Outcome.FAIL, Confidence.CONFIRMED)),
        (started(organizations=("o-a1b2c3d4e5",)), OUTSIDE, (Outcome.FAIL, Confidence.LIKELY)),
    ],
)
def test_images_are_shared_with_friends_alone(
    facts: tuple[Fact, ...], known: KnownAccounts, expected: tuple[Outcome, Confidence]
) -> None:
    [verdict] = shared_images.run(facts[0], known)
    assert (verdict.outcome, verdict.confidence) == expected


FS = "arn:fs"


@pytest.mark.parametrize(
    ("automatic", "last", "regions", "outcomes"),
    [
        (True, "", (), [Outcome.PASS]),
        (False, "", HERE, [Outcome.FAIL]),
        (False, "2026-11-22T00:00:00Z", HERE, [Outcome.PASS]),
        (False, "2026-09-01T00:00:00Z", HERE, [Outcome.FAIL]),
        (False, "", (), []),
    ],
)
def test_a_plan_of_ones_own_backs_up_a_file_system_too(
    automatic: bool, last: str, regions: tuple[str, ...], outcomes: list[Outcome]
) -> None:
    found = FileSystemBackups(A, (FileSystemBackup(FS, "fs-1", R, automatic),))
    resources = (BackedUp(FS, R, "EFS", last),) if last else ()
    verdicts = backup.run(found, BackedUpResources(A, regions, resources), now=NOW)
    assert [one.outcome for one in verdicts] == outcomes


PLAIN = Condition("Bool", "aws:SecureTransport", ("false",))


@pytest.mark.parametrize(
    ("actions", "conditions", "ok"),
    [
        (("*",), (PLAIN,), True),
        (("elasticfilesystem:*",), (PLAIN,), True),
        (("elasticfilesystem:Client*",), (PLAIN,), True),
        (("elasticfilesystem:ClientWrite",), (PLAIN,), False),
        (("*",), (), False),
        (("*",), (PLAIN, Condition("IpAddress", "aws:SourceIp", ("10.0.0.0/8",))), False),
        (("*",), (Condition("Bool", "aws:SecureTransport", ("true",)),), False),
        (("*",), (Condition("Null", "aws:SecureTransport", ("false",)),), False),
    ],
)
def test_only_a_whole_refusal_of_plain_mounts_counts(
    actions: tuple[str, ...], conditions: tuple[Condition, ...], ok: bool
) -> None:
    refusal = Statement(False, "D", ("*",), actions=actions, resources=("*",), conditions=conditions)
    policies = (ResourcePolicy(FS, "fs-1", R, Policy((refusal,))),)
    [verdict] = tls_only.run(FileSystemPolicies(A, policies))
    assert verdict.ok is ok


def test_what_is_made_to_be_lost_needs_no_backup() -> None:
    assert list(backups.run(fsx(kind="LUSTRE", layout="SCRATCH_2", days=0))) == []
    assert list(zones.run(fsx(kind="LUSTRE", layout="PERSISTENT_2"))) == []
    assert [one.ok for one in backups.run(fsx(days=6))] == [False]
    assert [one.ok for one in backups.run(fsx(days=6), days=5)] == [True]
