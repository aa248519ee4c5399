"""Examples of buckets, snapshots, images, access points and file systems."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.cloud.backup import BackedUpResources
from checks.facts.cloud.ebs import EbsPublicSnapshots, EbsSnapshot, EbsVolume, EbsVolumes
from checks.facts.cloud.ec2_defaults import ShareBlock, SnapshotBlocks
from checks.facts.cloud.ec2_snapshots import OwnSnapshot, OwnSnapshots, SnapshotShare, SnapshotShares
from checks.facts.cloud.efs import FileSystemBackup, FileSystemBackups
from checks.facts.cloud.fsx import FsxKey, FsxKeys, FsxSystem, FsxSystems
from checks.facts.cloud.images import ImageShare, ImageShares
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.s3 import BucketAcl, BucketAcls, BucketOwner, BucketOwnership, Grant
from checks.facts.cloud.s3_access_points import AccessPoint, AccessPoints
from checks.facts.snapshot import Fact
from tests.checks.cloud.examples.beginnings import ARN, bucket
from tests.checks.cloud.examples.records import STRANGER, A, R, allow

Facts = tuple[Fact, ...]


def owned(setting: str) -> BucketOwnership:
    """One bucket with that ownership of objects."""
    return BucketOwnership(A, (BucketOwner(ARN, setting),))


def granted(*grants: Grant) -> BucketAcls:
    """One bucket with these grants."""
    return BucketAcls(A, (BucketAcl(ARN, grants),))


ANOTHER = Grant("another", "READ")

HERE = (R,)
NONE_TAKEN = BackedUpResources(A, HERE, ())
IN_USE = EbsVolumes(A, HERE, (EbsVolume("vol-1", R, True, 8, ("i-1",)),))
KNOWN = KnownAccounts(A, (A,), "o-a1b2c3d4e5", True)


def snapshots(**changes: object) -> OwnSnapshots:
    """One snapshot, three days old at the time of the examples."""
    one = OwnSnapshot("snap-1", R, "vol-1", True, True, "2026-11-20T00:00:00Z")
    return OwnSnapshots(A, HERE, (msgspec.structs.replace(one, **changes),))


def published(state: str) -> Facts:
    """One snapshot that is marked as public, in a region with that block."""
    public = EbsPublicSnapshots(A, HERE, (EbsSnapshot("snap-1", R, "vol-1", False),))
    return public, SnapshotBlocks(A, (ShareBlock(R, state),))


def shares(*accounts: str) -> Facts:
    """One snapshot that these accounts may restore."""
    return SnapshotShares(A, HERE, (SnapshotShare("snap-1", R, accounts),)), KNOWN


def started(*accounts: str, organizations: tuple[str, ...] = ()) -> Facts:
    """One image that these may start."""
    return ImageShares(A, (ImageShare("ami-1", R, "golden", accounts, organizations),)), KNOWN


def file_system(automatic: bool) -> Facts:
    """One file system without a backup but for the automatic one."""
    return FileSystemBackups(A, (FileSystemBackup("arn:fs", "fs-1", R, automatic),)), NONE_TAKEN


def point(*principals: str, vpc: str = "", shut: bool = False, owner: str = A) -> AccessPoints:
    """One access point that lets these in."""
    arn = f"arn:aws:s3:{R}:{A}:accesspoint/door"
    return AccessPoints(
        A, (AccessPoint(arn, "door", R, ARN.rpartition(":")[2], owner, vpc, shut, allow(*principals)),)
    )


FSX = f"arn:aws:fsx:{R}:{A}:file-system/fs-1"


def fsx(**changes: object) -> FsxSystems:
    """One file system in two zones, with backups."""
    one = FsxSystem(FSX, "fs-1", R, "WINDOWS", "MULTI_AZ_1", 7)
    return FsxSystems(A, HERE, (msgspec.structs.replace(one, **changes),))


def under(own: bool) -> FsxKeys:
    """One file system under that kind of key."""
    return FsxKeys(A, HERE, (FsxKey(FSX, "fs-1", R, own),))


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.backup.volumes": (
        (IN_USE, NONE_TAKEN, OwnSnapshots(A, HERE, ())),
        (IN_USE, NONE_TAKEN, snapshots()),
    ),
    "cloud.ebs.public-snapshots": (published("unblocked"), published("block-all-sharing")),
    "cloud.ec2-snapshots.encryption": ((snapshots(encrypted=False),), (snapshots(),)),
    "cloud.ec2-snapshots.shared": (shares(STRANGER), shares(A)),
    "cloud.efs.backup": (file_system(automatic=False), file_system(automatic=True)),
    "cloud.fsx.backups": ((fsx(days=0),), (fsx(),)),
    "cloud.fsx.own-key": ((under(own=False),), (under(own=True),)),
    "cloud.fsx.zones": ((fsx(layout="SINGLE_AZ_2"),), (fsx(),)),
    "cloud.images.shared": (started(STRANGER), started(A, organizations=("o-a1b2c3d4e5",))),
    "cloud.s3-access-points.let-in": (
        (point(f"AWS:arn:aws:iam::{STRANGER}:root"), KNOWN),
        (point(f"AWS:arn:aws:iam::{A}:root"), KNOWN),
    ),
    "cloud.s3-access-points.public": (
        (point("*"), *bucket()[1:3]),
        (point("*"), *bucket(held=True)[1:3]),
    ),
    "cloud.s3-acls.switched-off": ((owned("ObjectWriter"),), (owned("BucketOwnerEnforced"),)),
    "cloud.s3-acls.foreign-grants": (
        (granted(ANOTHER), owned("ObjectWriter")),
        (granted(ANOTHER), owned("BucketOwnerEnforced")),
    ),
}
