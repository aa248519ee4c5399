"""Disks and snapshots: encrypted, and nobody else's."""

from __future__ import annotations

from checks import (
    Confidence,
    Disruption,
    Effort,
    Exploit,
    Exposure,
    Fix,
    Impact,
    Language,
    Severity,
    Snippet,
    Surface,
    Verdicts,
    Weakness,
    check,
    expect,
)
from checks.facts.cloud.ebs import EbsDefaults, EbsPublicSnapshots, EbsVolumes
from checks.facts.cloud.ec2_defaults import SnapshotBlocks


@check(
    "cloud.ebs.default-encryption",
    title="New disks are encrypted unasked",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Encrypt new disks by default in @{region}",
        do="Turn on encryption by default for EBS in the region. Disks that exist stay as they are; new "
        "disks and "
        "snapshots are encrypted, without a change to any program.",
        verify="aws ec2 get-ebs-encryption-by-default --region @{region}   # EbsEncryptionByDefault true",
        effort=Effort(setup=0.25, each=0.05),
        undo="aws ec2 disable-ebs-encryption-by-default",
        key="ebs:default-encryption @{account} @{region}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws ec2 enable-ebs-encryption-by-default --region @{region}",
                "aws ec2 disable-ebs-encryption-by-default --region @{region}",
            ),
            Snippet(
                Language.TERRAFORM,
                "# With the provider of region @{region}:\n"
                'resource "aws_ebs_encryption_by_default" "this" {\n  enabled = true\n}\n',
            ),
        ),
    ),
    refs=("https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html",),
)
def default_encryption(found: EbsDefaults) -> Verdicts:
    """Where somebody has to remember it, some disk is not encrypted."""
    for setting in found.settings:
        yield expect(
            setting.encrypted,
            on="EBS encryption by default",
            where=setting.region,
            saw="on" if setting.encrypted else "off",
            want="on",
            values={"account": found.account},
            cite=setting.region,
        )


@check(
    "cloud.ebs.volume-encryption",
    title="Disks are encrypted",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Replace disks that are not encrypted",
        do="Stop what writes to the disk, take a snapshot, make an encrypted volume from it in the same "
        "zone, attach "
        "that in place of the old one, start, and keep the old volume for a week.",
        verify="aws ec2 describe-volumes --region @{region} --volume-ids @{on} --query "
        "'Volumes[].Encrypted'   "
        "# true, or no such volume",
        effort=Effort(setup=0.5, each=1.0),
        disruption=Disruption.OUTAGE,
        undo="Attach the old volume again.",
        key="ebs:encrypt @{on}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "snapshot=$(aws ec2 create-snapshot --region @{region} --volume-id @{on} "
                "--query SnapshotId --output text) &&\n"
                'aws ec2 wait snapshot-completed --region @{region} --snapshot-ids "$snapshot" &&\n'
                "zone=$(aws ec2 describe-volumes --region @{region} --volume-ids @{on} "
                "--query 'Volumes[0].AvailabilityZone' --output text) &&\n"
                'aws ec2 create-volume --region @{region} --availability-zone "$zone" '
                '--snapshot-id "$snapshot" --encrypted',
                "# The old volume @{on} is untouched: attach it again and delete the new one.",
            ),
        ),
    ),
)
def volume_encryption(found: EbsVolumes) -> Verdicts:
    """A snapshot of a plain disk can be copied out of the account and read anywhere."""
    for volume in found.volumes:
        users = ", ".join(name for name in volume.instances if name) or "no instance"
        yield expect(
            volume.encrypted,
            on=volume.id,
            where=volume.region,
            saw=f"{'' if volume.encrypted else 'not '}encrypted, {volume.gib} GiB, on {users}",
            want="encrypted",
        )


@check(
    "cloud.ebs.public-snapshots",
    title="No snapshot of a disk is open to every AWS account",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Close public snapshot @{snapshot}",
        do="Take the permission for everybody away at once, then turn on the block of public snapshots for "
        "the region. "
        "Treat the contents of the disk as known to others: renew the credentials on it.",
        verify="aws ec2 describe-snapshot-attribute --region @{region} --snapshot-id @{snapshot} "
        "--attribute createVolumePermission   # no group all",
        effort=Effort(setup=0.5, each=0.25),
        undo="Take the block of the region back to what it was, and add the permission for everybody again: "
        "from then on every AWS account can copy the whole disk once more. Do it only where that is meant.",
        key="ebs:public-snapshot @{snapshot}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "# The state before; where another snapshot of the region has saved it, that one counts.\n"
                "test -s block.before.@{region}.txt ||\n"
                "aws ec2 get-snapshot-block-public-access-state --region @{region} --query State "
                "--output text > block.before.@{region}.txt &&\n"
                "aws ec2 modify-snapshot-attribute --region @{region} --snapshot-id @{snapshot} "
                "--attribute createVolumePermission --operation-type remove --group-names all &&\n"
                "aws ec2 enable-snapshot-block-public-access --region @{region} --state block-all-sharing",
                "# Careful: this lets every AWS account copy the whole disk again.\n"
                "test -s block.before.@{region}.txt &&\n"
                "aws ec2 disable-snapshot-block-public-access --region @{region} &&\n"
                "aws ec2 modify-snapshot-attribute --region @{region} --snapshot-id @{snapshot} "
                "--attribute createVolumePermission --operation-type add --group-names all &&\n"
                "if grep -q '^block-' block.before.@{region}.txt; then\n"
                "aws ec2 enable-snapshot-block-public-access --region @{region} "
                "--state $(cat block.before.@{region}.txt)\n"
                "fi",
            ),
        ),
    ),
    refs=("https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html",),
)
def public_snapshots(found: EbsPublicSnapshots, blocks: SnapshotBlocks) -> Verdicts:
    """A public snapshot is the whole disk for everybody, and there are people who collect them."""
    want = "none is public"
    state = {one.region: one.state for one in blocks.blocks}
    open_in = {snapshot.region for snapshot in found.snapshots}
    for region in found.regions:
        if region not in open_in:
            yield expect(True, on="snapshots", where=region, saw=want, want=want)
    for snapshot in found.snapshots:
        values = {"snapshot": snapshot.id}
        if state.get(snapshot.region) == "block-all-sharing":
            # The permission stays written in the snapshot and counts for nothing.
            saw = "marked as public, and the region blocks all public sharing"
            yield expect(True, on=snapshot.id, where=snapshot.region, saw=saw, want=want, values=values)
            continue
        known = snapshot.region in state
        doubt = "" if known else ", unless the region blocks all public sharing, which could not be read"
        yield expect(
            False,
            on=snapshot.id,
            where=snapshot.region,
            saw=f"every AWS account may restore it (of {snapshot.volume or 'an unknown volume'}){doubt}",
            want=want,
            confidence=Confidence.CONFIRMED if known else Confidence.LIKELY,
            exposure=Exposure.INTERNET_OPEN,
            exposure_evidence=f"{snapshot.id} may be restored by every AWS account{doubt}",
            values=values,
        )
