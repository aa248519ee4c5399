"""Snapshots of disks: encrypted, and shared with nobody whom one does not know."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair, setting
from checks.facts.cloud.ec2_snapshots import OwnSnapshots, SnapshotShares
from checks.facts.cloud.organization import KnownAccounts
from checks.model import Confidence, Impact, Severity, Surface
from checks.verdict import Verdicts, expect

encryption = setting(
    "cloud.ec2-snapshots.encryption",
    OwnSnapshots,
    lambda one: one.encrypted,
    on="id",
    title="Snapshots of disks are encrypted",
    why="A plain snapshot can be shared with any account and read there; one under a key of the account "
    "cannot without the key.",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Replace snapshots that are not encrypted",
        "Make an encrypted copy of each that is still needed, and delete the plain one once the copy is "
        "complete. Turn on encryption by default first, so that no new ones come up.",
        "aws ec2 describe-snapshots --region @{region} --owner-ids self "
        "--filters Name=encrypted,Values=false --query 'Snapshots[].SnapshotId'   # without @{id}",
        "copy=$(aws ec2 copy-snapshot --region @{region} --source-region @{region} "
        "--source-snapshot-id @{id} --encrypted --query SnapshotId --output text) &&\n"
        'aws ec2 wait snapshot-completed --region @{region} --snapshot-ids "$copy"',
        "# The plain snapshot @{id} is untouched; this takes the copy away.\n"
        'aws ec2 delete-snapshot --region @{region} --snapshot-id "$copy"',
        back="Delete the copy; keep the plain one until then.",
    ),
    refs=("https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",),
)


@check(
    "cloud.ec2-snapshots.shared",
    title="Snapshots of disks are shared with no account that nobody knows",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Check whom snapshot @{id} is shared with",
        "Ask whose the account is. Where nobody knows, take the permission away; else name the account in "
        "the option `trusted` of this check. What was on the disk may have been copied.",
        "aws ec2 describe-snapshot-attribute --region @{region} --snapshot-id @{id} "
        "--attribute createVolumePermission   # no unknown account",
        "aws ec2 modify-snapshot-attribute --region @{region} --snapshot-id @{id} "
        "--attribute createVolumePermission --operation-type remove --user-ids @{stranger}",
        "aws ec2 modify-snapshot-attribute --region @{region} --snapshot-id @{id} "
        "--attribute createVolumePermission --operation-type add --user-ids @{stranger}",
        back="Add the permission again.",
        hours=(0.5, 0.25),
        key="ebs:shared-snapshot @{id}",
    ),
    refs=("https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html",),
)
def shared(found: SnapshotShares, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()) -> Verdicts:
    """Whoever may restore a snapshot has the whole disk, with every file and password on it."""
    friends = trusted | {found.account, *known.accounts}
    want = "no unknown account"
    for region in sorted({*found.regions} - {one.region for one in found.shares}):
        yield expect(True, on="snapshots", where=region, saw="none is shared", want=want, cite=region)
    for one in found.shares:
        strangers = [name for name in one.accounts if name not in friends]
        yield expect(
            not strangers,
            on=one.id,
            where=one.region,
            saw=f"account {', '.join(strangers or one.accounts)} may restore it",
            want=want,
            confidence=Confidence.CONFIRMED if known.whole or not strangers else Confidence.LIKELY,
            values={"id": one.id, "stranger": strangers[0] if strangers else ""},
        )
