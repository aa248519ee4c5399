"""Collects managed databases, and the snapshots that somebody made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from checks.facts.cloud.rds import RdsInstance, RdsInstances, RdsTlsRules, TlsRule
from checks.facts.cloud.rds_settings import RdsSetting, RdsSettings, RdsSnapshot, RdsSnapshots
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, items, number, some, text
from scanner.collect.cloud.rds_tls import rules, setting_of
from scanner.collect.collector import Collected

INSTANCES = Call(
    "rds", "DescribeDBInstances", (RdsInstances, RdsSettings, RdsTlsRules), key="DBInstances", page=100
)
PARAMETERS = Call("rds", "DescribeDBParameters", (RdsTlsRules,), key="Parameters", page=100)
SNAPSHOTS = Call("rds", "DescribeDBSnapshots", (RdsSnapshots,), key="DBSnapshots", page=100)
SHARED = Call("rds", "DescribeDBSnapshotAttributes", (RdsSnapshots,))


def instances(place: Place) -> Collected:
    """The database instances."""
    listed = place.all_of(INSTANCES)
    own = Call("rds", INSTANCES.operation, (RdsInstances,))
    more = Call("rds", INSTANCES.operation, (RdsSettings,))
    found, lost = place.read(listed, own, "DBInstanceArn", partial(_instance, place.region))
    settings, unread = place.read(listed, more, "DBInstanceArn", partial(_setting, place))
    fact = RdsInstances(place.account, (place.region,), found)
    names = [i.arn for i in found]
    told = RdsSettings(place.account, (place.region,), settings)
    return (
        lost
        + unread
        + place.found(fact, INSTANCES, found, names=names)
        + place.found(told, INSTANCES, settings, names=[one.arn for one in settings])
        + _tls_rules(place, listed)
    )


def _tls_rules(place: Place, listed: Sequence[Raw]) -> Collected:
    """The rules of the databases that stand alone: those of a cluster follow the cluster's."""
    alone = [
        one for one in listed if not one.get("DBClusterIdentifier") and setting_of(text(one, "Engine", ""))
    ]
    own = Call("rds", INSTANCES.operation, (RdsTlsRules,))
    made, lost = place.read(alone, own, "DBInstanceArn", partial(_rule, place))
    return lost + rules(place, PARAMETERS, "DBParameterGroupName", [(one.group, one) for one in made])


def _rule(place: Place, raw: Raw) -> TlsRule:
    engine = text(raw, "Engine")
    # A database has exactly one parameter group.
    held = items(raw, "DBParameterGroups")
    if not held:
        raise UnreadableError("the answer does not hold a parameter group")
    return TlsRule(
        arn=text(raw, "DBInstanceArn"),
        id=text(raw, "DBInstanceIdentifier"),
        region=place.region,
        engine=engine,
        version=text(raw, "EngineVersion"),
        group=text(held[0], "DBParameterGroupName"),
        setting=setting_of(engine),
        value="",
    )


def _instance(region: str, raw: Raw) -> RdsInstance:
    return RdsInstance(
        arn=text(raw, "DBInstanceArn"),
        id=text(raw, "DBInstanceIdentifier"),
        region=region,
        engine=text(raw, "Engine"),
        public=flag(raw, "PubliclyAccessible"),
        encrypted=flag(raw, "StorageEncrypted"),
        minor_upgrades=flag(raw, "AutoMinorVersionUpgrade"),
        # The endpoint is not there while the instance is being made.
        port=number(group(raw, "Endpoint"), "Port", 0) or number(raw, "DbInstancePort", 0),
        groups=tuple(sorted(text(one, "VpcSecurityGroupId", "") for one in some(raw, "VpcSecurityGroups"))),
        cluster=text(raw, "DBClusterIdentifier", ""),
        vpc=text(group(raw, "DBSubnetGroup"), "VpcId", ""),
        subnets=tuple(
            sorted(text(one, "SubnetIdentifier") for one in some(group(raw, "DBSubnetGroup"), "Subnets"))
        ),
    )


def _setting(place: Place, raw: Raw) -> RdsSetting:
    subnets = some(group(raw, "DBSubnetGroup"), "Subnets")
    return RdsSetting(
        arn=text(raw, "DBInstanceArn"),
        id=text(raw, "DBInstanceIdentifier"),
        region=place.region,
        engine=text(raw, "Engine"),
        version=text(raw, "EngineVersion", ""),
        cluster=text(raw, "DBClusterIdentifier", ""),
        zones=flag(raw, "MultiAZ", False),
        backup_days=number(raw, "BackupRetentionPeriod", 0),
        protected=flag(raw, "DeletionProtection", False),
        iam=flag(raw, "IAMDatabaseAuthenticationEnabled", False),
        logs=tuple(sorted(map(str, some(raw, "EnabledCloudwatchLogsExports")))),
        authority=text(raw, "CACertificateIdentifier", ""),
        admin=text(raw, "MasterUsername", ""),
        encrypted=flag(raw, "StorageEncrypted", False),
        subnets=tuple(sorted(text(one, "SubnetIdentifier", "") for one in subnets)),
    )


def snapshots(place: Place) -> Collected:
    """The snapshots that somebody made, and with whom each is shared."""
    listed = place.all_of(SNAPSHOTS, SnapshotType="manual")
    named = sorted((text(one, "DBSnapshotArn"), one) for one in listed)
    jobs = [(place.where(arn), SHARED, partial(_shared, place, arn, raw)) for arn, raw in named]
    return Collected(facts=(RdsSnapshots(place.account, ()),)) + place.each(jobs)


def _shared(place: Place, arn: str, raw: Raw) -> Collected:
    name = text(raw, "DBSnapshotIdentifier")
    told = group(place.one(SHARED, DBSnapshotIdentifier=name), "DBSnapshotAttributesResult")
    shared = {
        str(value)
        for one in items(told, "DBSnapshotAttributes")
        if text(one, "AttributeName") == "restore"
        for value in some(one, "AttributeValues")
    }
    record = RdsSnapshot(arn, name, place.region, flag(raw, "Encrypted", False), tuple(sorted(shared)))
    return place.found(RdsSnapshots(place.account, (record,)), SHARED, (record,), where=arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("rds instances", True, (INSTANCES, PARAMETERS), instances)
    yield Collector("rds snapshots", True, (SNAPSHOTS, SHARED), snapshots)
