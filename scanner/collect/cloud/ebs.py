"""Collects disks, their snapshots that everybody can restore, and encryption by default."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.ebs import (
    EbsDefault,
    EbsDefaults,
    EbsPublicSnapshots,
    EbsSnapshot,
    EbsVolume,
    EbsVolumes,
)
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, items, number, some, text
from scanner.collect.collector import Collected

DEFAULT = Call("ec2", "GetEbsEncryptionByDefault", (EbsDefaults,))
VOLUMES = Call("ec2", "DescribeVolumes", (EbsVolumes,), key="Volumes", page=1000)
SNAPSHOTS = Call("ec2", "DescribeSnapshots", (EbsPublicSnapshots,), key="Snapshots", page=1000)
SHARING = Call("ec2", "DescribeSnapshotAttribute", (EbsPublicSnapshots,))


def default(place: Place) -> Collected:
    """Whether new disks are encrypted unasked."""
    record = EbsDefault(place.region, flag(place.one(DEFAULT), "EbsEncryptionByDefault"))
    return place.found(EbsDefaults(place.account, (record,)), DEFAULT, (record,))


def volumes(place: Place) -> Collected:
    """The disks."""
    found, lost = place.read(place.all_of(VOLUMES), VOLUMES, "VolumeId", partial(_volume, place.region))
    fact = EbsVolumes(place.account, (place.region,), found)
    return lost + place.found(fact, VOLUMES, found, names=[v.id for v in found])


def public_snapshots(place: Place) -> Collected:
    """The own snapshots that everybody can restore: listed as such, and confirmed one by one."""
    listed = place.all_of(SNAPSHOTS, OwnerIds=["self"], RestorableByUserIds=["all"])
    found, lost = place.read(listed, SNAPSHOTS, "SnapshotId", partial(_snapshot, place.region))
    empty = EbsPublicSnapshots(place.account, (place.region,), ())
    whole = lost + place.found(empty, SNAPSHOTS, found, names=[s.id for s in found])
    return whole + place.each([(place.where(s.id), SHARING, partial(_shared, place, s)) for s in found])


def _shared(place: Place, snapshot: EbsSnapshot) -> Collected:
    answer = place.one(SHARING, SnapshotId=snapshot.id, Attribute="createVolumePermission")
    permissions = items(answer, "CreateVolumePermissions")
    if not any(text(one, "Group", "") == "all" for one in permissions):
        return Collected()
    fact = EbsPublicSnapshots(place.account, (place.region,), (snapshot,))
    return place.found(fact, SHARING, (snapshot,), where=snapshot.id)


def _volume(region: str, raw: Raw) -> EbsVolume:
    return EbsVolume(
        id=text(raw, "VolumeId"),
        region=region,
        encrypted=flag(raw, "Encrypted"),
        gib=number(raw, "Size", 0),
        instances=tuple(sorted(text(one, "InstanceId", "") for one in some(raw, "Attachments"))),
    )


def _snapshot(region: str, raw: Raw) -> EbsSnapshot:
    return EbsSnapshot(
        id=text(raw, "SnapshotId"),
        region=region,
        volume=text(raw, "VolumeId", ""),
        encrypted=flag(raw, "Encrypted"),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("ebs default", True, (DEFAULT,), default)
    yield Collector("ebs volumes", True, (VOLUMES,), volumes)
    yield Collector("ebs snapshots", True, (SNAPSHOTS, SHARING), public_snapshots)
