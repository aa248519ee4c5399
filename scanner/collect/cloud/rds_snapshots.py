"""Collects the snapshots of database clusters that somebody made, and with whom each is shared."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.rds_snapshots import ClusterSnapshot, ClusterSnapshots
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, items, some, text
from scanner.collect.collector import Collected

SNAPSHOTS = Call("rds", "DescribeDBClusterSnapshots", (ClusterSnapshots,), key="DBClusterSnapshots", page=100)
SHARED = Call("rds", "DescribeDBClusterSnapshotAttributes", (ClusterSnapshots,))


def snapshots(place: Place) -> Collected:
    """The snapshots, which are asked for one by one: no list says with whom they are shared.

    Automatic snapshots cannot be shared, so they are left out.
    """
    listed = place.all_of(SNAPSHOTS, SnapshotType="manual")
    named = sorted(((text(one, "DBClusterSnapshotArn"), one) for one in listed), key=lambda pair: pair[0])
    jobs = [(place.where(arn), SHARED, partial(_shared, place, arn, raw)) for arn, raw in named]
    return Collected(facts=(ClusterSnapshots(place.account, ()),)) + place.each(jobs)


def _shared(place: Place, arn: str, raw: Raw) -> Collected:
    name = text(raw, "DBClusterSnapshotIdentifier")
    told = group(place.one(SHARED, DBClusterSnapshotIdentifier=name), "DBClusterSnapshotAttributesResult")
    shared = {
        str(value)
        for one in items(told, "DBClusterSnapshotAttributes")
        if text(one, "AttributeName") == "restore"
        for value in some(one, "AttributeValues")
    }
    record = ClusterSnapshot(
        arn, name, place.region, text(raw, "Engine", ""), flag(raw, "StorageEncrypted"), tuple(sorted(shared))
    )
    return place.found(ClusterSnapshots(place.account, (record,)), SHARED, (record,), where=arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("rds cluster snapshots", True, (SNAPSHOTS, SHARED), snapshots)
