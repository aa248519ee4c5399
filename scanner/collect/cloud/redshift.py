"""Collects data warehouses, with what only single calls say of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from checks.facts.cloud.redshift import (
    Warehouse,
    WarehouseLog,
    WarehouseLogs,
    WarehouseParameterGroups,
    WarehouseParameters,
    Warehouses,
    WarehouseSnapshot,
    WarehouseSnapshots,
    WarehouseSubnetGroup,
    WarehouseSubnetGroups,
)
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, items, number, some, text
from scanner.collect.cloud.lists import details, listing, whole
from scanner.collect.collector import Collected

CLUSTERS = Call(
    "redshift",
    "DescribeClusters",
    (Warehouses, WarehouseLogs, WarehouseParameterGroups, WarehouseSubnetGroups),
    key="Clusters",
    page=100,
)
SUBNETS = Call(
    "redshift", "DescribeClusterSubnetGroups", (WarehouseSubnetGroups,), key="ClusterSubnetGroups", page=100
)
PARAMETERS = Call(
    "redshift", "DescribeClusterParameters", (WarehouseParameterGroups,), key="Parameters", page=100
)
LOGS = Call("redshift", "DescribeLoggingStatus", (WarehouseLogs,))
SNAPSHOTS = Call("redshift", "DescribeClusterSnapshots", (WarehouseSnapshots,), key="Snapshots", page=100)


def _cluster(place: Place, raw: Raw) -> Warehouse:
    name = text(raw, "ClusterIdentifier")
    parameters = items(raw, "ClusterParameterGroups")
    if not parameters:
        raise UnreadableError("the answer does not hold a parameter group")
    return Warehouse(
        arn=place.arn("redshift", f"cluster:{name}"),
        id=name,
        region=place.region,
        public=flag(raw, "PubliclyAccessible"),
        encrypted=flag(raw, "Encrypted"),
        upgrades=flag(raw, "AllowVersionUpgrade"),
        routed=flag(raw, "EnhancedVpcRouting", False),
        admin=text(raw, "MasterUsername"),
        port=number(group(raw, "Endpoint"), "Port", 0),
        backup_days=number(raw, "AutomatedSnapshotRetentionPeriod"),
        groups=tuple(sorted(text(one, "VpcSecurityGroupId") for one in some(raw, "VpcSecurityGroups"))),
        subnet_group=text(raw, "ClusterSubnetGroupName", ""),
        parameters=text(parameters[0], "ParameterGroupName"),
    )


def _more(place: Place, found: Sequence[Warehouse]) -> Collected:
    known = Collected()
    if place.wants(SUBNETS) and any(one.public for one in found):
        raw = place.all_of(SUBNETS)
        groups, lost = place.read(raw, SUBNETS, "ClusterSubnetGroupName", partial(_subnet_group, place))
        known += lost + whole(place, SUBNETS, WarehouseSubnetGroups, groups)
    names = sorted({one.parameters for one in found})
    jobs = [(place.where(name), PARAMETERS, partial(_parameters, place, name)) for name in names]
    known += place.each(jobs) if place.wants(PARAMETERS) else Collected()
    return known + details(place, LOGS, found, _log)


def _subnet_group(place: Place, raw: Raw) -> WarehouseSubnetGroup:
    subnets = tuple(sorted(text(one, "SubnetIdentifier") for one in items(raw, "Subnets")))
    return WarehouseSubnetGroup(
        text(raw, "ClusterSubnetGroupName"), place.region, text(raw, "VpcId"), subnets
    )


def _parameters(place: Place, name: str) -> Collected:
    listed = place.all_of(PARAMETERS, ParameterGroupName=name)
    values = {text(one, "ParameterName"): text(one, "ParameterValue", "") for one in listed}
    if "require_ssl" not in values:
        raise UnreadableError("the answer does not hold require_ssl")
    record = WarehouseParameters(
        name=name,
        region=place.region,
        tls=values["require_ssl"].lower() == "true",
        activity=values.get("enable_user_activity_logging", "").lower() == "true",
    )
    return whole(place, PARAMETERS, WarehouseParameterGroups, (record,))


def _log(place: Place, one: Warehouse) -> WarehouseLog:
    told = place.one(LOGS, ClusterIdentifier=one.id)
    return WarehouseLog(one.arn, one.id, place.region, flag(told, "LoggingEnabled"))


def _snapshot(place: Place, raw: Raw) -> WarehouseSnapshot:
    name, cluster = text(raw, "SnapshotIdentifier"), text(raw, "ClusterIdentifier", "")
    return WarehouseSnapshot(
        arn=text(raw, "SnapshotArn", place.arn("redshift", f"snapshot:{cluster}/{name}")),
        id=name,
        region=place.region,
        encrypted=flag(raw, "Encrypted"),
        shared=tuple(sorted(text(one, "AccountId") for one in some(raw, "AccountsWithRestoreAccess"))),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing(
        "redshift clusters",
        CLUSTERS,
        _cluster,
        also=_more,
        named="ClusterIdentifier",
        calls=(SUBNETS, PARAMETERS, LOGS),
    )
    asked = {"SnapshotType": "manual"}
    yield listing("redshift snapshots", SNAPSHOTS, _snapshot, asked=asked, named="SnapshotIdentifier")
