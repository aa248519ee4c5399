"""Disks, their snapshots, machine images: plain and encrypted, kept and shared."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tests.lab.account_data import STRANGER
from tests.lab.account_storage import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

FAR_ORGANIZATION = "arn:aws:organizations::999988887777:organization/o-z9y8x7w6v5"


def plant(lab: Lab) -> None:
    """Builds them in two regions; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    _defaults(lab)
    _volumes(lab)
    _snapshots(lab)
    _shared_snapshots(lab)
    _images(lab)
    with_peers(lab, first)


def volume(lab: Lab, region: str = MAIN, *, encrypted: bool = True) -> str:
    """A disk; its id."""
    ec2 = lab.client("ec2", region)
    made = ec2.create_volume(AvailabilityZone=f"{region}a", Size=8, Encrypted=encrypted)
    return str(made["VolumeId"])


def snapshot(lab: Lab, of: str, region: str = MAIN) -> str:
    """A snapshot of that disk; its id."""
    return str(lab.client("ec2", region).create_snapshot(VolumeId=of)["SnapshotId"])


def publish(lab: Lab, one: str, region: str = MAIN) -> None:
    """Lets every account restore a snapshot."""
    lab.client("ec2", region).modify_snapshot_attribute(
        SnapshotId=one, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )


def _defaults(lab: Lab) -> None:
    check, on = "cloud.ebs.default-encryption", "EBS encryption by default"
    lab.client("ec2", OTHER).enable_ebs_encryption_by_default()
    lab.problem(check, on, "off in this region", region=MAIN)
    lab.clean(check, on, "on in the other one", region=OTHER, fools=True)
    for region, state in ((MAIN, "unblocked"), (OTHER, "block-all-sharing")):
        lab.answer("ec2", "GetSnapshotBlockPublicAccessState", {"State": state}, region=region)


def _volumes(lab: Lab) -> None:
    ec2 = lab.client("ec2", MAIN)
    plain, sealed = volume(lab, encrypted=False), volume(lab)
    far = volume(lab, OTHER, encrypted=False)
    check = "cloud.ebs.volume-encryption"
    lab.problem(check, plain, "plain, and nobody uses it", region=MAIN)
    lab.problem(check, far, "plain, where the default would encrypt new ones", region=OTHER, fools=True)
    lab.clean(check, sealed, "encrypted", region=MAIN)
    bare, old, taken, shot = (volume(lab) for _ in range(4))
    image = ec2.register_image(Name="storage-start", Architecture="x86_64", RootDeviceName="/dev/sda1")
    machine = ec2.run_instances(ImageId=image["ImageId"], MinCount=1, MaxCount=1)["Instances"][0]
    for number, one in enumerate((bare, old, taken, shot)):
        ec2.attach_volume(VolumeId=one, InstanceId=machine["InstanceId"], Device=f"/dev/sd{'fghi'[number]}")
    snapshot(lab, shot)
    results = [
        {
            "ResourceArn": f"arn:aws:ec2:{MAIN}:{lab.account}:volume/{one}",
            "ResourceType": "EBS",
            "LastBackupTime": {"$time": when},
        }
        for one, when in ((old, "2026-08-01T03:00:00Z"), (taken, "2026-11-22T03:00:00Z"))
    ]
    protected(lab, results)
    check = "cloud.backup.volumes"
    lab.problem(check, bare, "neither a backup nor a snapshot", region=MAIN)
    lab.problem(check, old, "its backups ended months ago", region=MAIN, fools=True)
    lab.clean(check, taken, "AWS Backup took it yesterday", region=MAIN)
    lab.clean(check, shot, "no backup, but a snapshot", region=MAIN, fools=True)


def protected(lab: Lab, more: list[dict[str, Any]]) -> None:
    """AWS Backup has taken these too, beside all that it was told of before."""
    try:
        known = lab.client("backup", MAIN).list_protected_resources()["Results"]
    except ClientError:
        known = []
    for one in known:
        one["LastBackupTime"] = {"$time": one["LastBackupTime"].isoformat()}
    lab.answer("backup", "ListProtectedResources", {"Results": [*known, *more]}, region=MAIN)
    lab.answer("backup", "ListProtectedResources", {"Results": []}, region=OTHER)


def _snapshots(lab: Lab) -> None:
    plain, sealed = snapshot(lab, volume(lab, encrypted=False)), snapshot(lab, volume(lab))
    check = "cloud.ec2-snapshots.encryption"
    lab.problem(check, plain, "a plain copy", region=MAIN)
    lab.clean(check, sealed, "encrypted", region=MAIN)
    check = "cloud.ebs.public-snapshots"
    opened = snapshot(lab, volume(lab, encrypted=False))
    publish(lab, opened)
    lab.problem(check, opened, "every account restores it", region=MAIN)
    blocked = snapshot(lab, volume(lab, OTHER, encrypted=False), OTHER)
    publish(lab, blocked, OTHER)
    lab.clean(check, blocked, "marked as public, and the region blocks it", region=OTHER, fools=True)


def _shared_snapshots(lab: Lab) -> None:
    given, kept, both = (snapshot(lab, volume(lab, OTHER), OTHER) for _ in range(3))

    def finding(of: str, principal: str) -> dict[str, Any]:
        when = {"$time": "2026-11-22T00:00:00Z"}
        return {
            "id": f"{of}-{principal[-12:]}",
            "principal": {"AWS": principal},
            "action": ["ec2:ModifySnapshotAttribute"],
            "resource": f"arn:aws:ec2:{OTHER}:{lab.account}:snapshot/{of}",
            "resourceType": "AWS::EC2::Snapshot",
            "resourceOwnerAccount": lab.account,
            "isPublic": False,
            "status": "ACTIVE",
            "condition": {},
            **dict.fromkeys(("createdAt", "analyzedAt", "updatedAt"), when),
        }

    analyzer = {
        "arn": f"arn:aws:access-analyzer:{OTHER}:{lab.account}:analyzer/storage",
        "name": "storage",
        "type": "ACCOUNT",
        "status": "ACTIVE",
        "createdAt": {"$time": "2026-01-01T00:00:00Z"},
    }
    paused = {**analyzer, "arn": f"{analyzer['arn']}-paused", "status": "DISABLED"}
    lab.answer("accessanalyzer", "ListAnalyzers", {"analyzers": [paused, analyzer]}, region=OTHER)
    lab.answer("accessanalyzer", "ListAnalyzers", {"analyzers": []}, region=MAIN)
    told = [
        finding(given, STRANGER),
        finding(kept, lab.account),
        finding(both, lab.account),
        finding(both, f"arn:aws:iam::{STRANGER}:root"),
    ]
    lab.answer("accessanalyzer", "ListFindings", {"findings": told}, region=OTHER)
    check = "cloud.ec2-snapshots.shared"
    lab.problem(check, given, "a stranger may restore it", region=OTHER)
    lab.problem(check, both, "a stranger among those one knows", region=OTHER, fools=True)
    lab.clean(check, kept, "shared with a known account", region=OTHER, fools=True)


def _images(lab: Lab) -> None:
    ec2 = lab.client("ec2", MAIN)

    def image(name: str, **permission: Any) -> str:
        made = str(
            ec2.register_image(Name=name, Architecture="x86_64", RootDeviceName="/dev/sda1")["ImageId"]
        )
        if permission:
            ec2.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [permission]})
        return made

    opened, closed = image("storage-public", Group="all"), image("storage-private")
    given, ours = image("storage-given", UserId=STRANGER), image("storage-ours", UserId=lab.account)
    far = image("storage-far")
    lab.answer("ec2", "DescribeImageAttribute",
               {"ImageId": far, "LaunchPermissions": [{"OrganizationArn": FAR_ORGANIZATION}]},
               region=MAIN, about=far)  # fmt: skip
    check = "cloud.ec2.public-images"
    lab.problem(check, opened, "every account starts it", region=MAIN)
    lab.clean(check, closed, "private", region=MAIN)
    lab.clean(check, given, "shared, and not with everybody", region=MAIN, fools=True)
    check = "cloud.images.shared"
    lab.problem(check, given, "a stranger starts it", region=MAIN, fools=True)
    lab.problem(check, far, "every account of another organization", region=MAIN, fools=True)
    lab.clean(check, ours, "shared with the account itself", region=MAIN, fools=True)
    lab.clean(check, closed, "not shared", region=MAIN)
