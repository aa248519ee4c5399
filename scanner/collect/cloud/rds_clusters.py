"""Collects database clusters: Aurora, DocumentDB and Neptune, which all answer to the same call."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.rds import TlsRule
from checks.facts.cloud.rds_clusters import RdsCluster, RdsClusterSettings, RdsClusterTlsRules
from checks.facts.cloud.rds_settings import RdsClusters, RdsSetting
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, number, some, text
from scanner.collect.cloud.lists import whole
from scanner.collect.cloud.rds_tls import rules, setting_of
from scanner.collect.collector import Collected

CLUSTERS = Call(
    "rds",
    "DescribeDBClusters",
    (RdsClusters, RdsClusterSettings, RdsClusterTlsRules),
    key="DBClusters",
    page=100,
)
PARAMETERS = Call("rds", "DescribeDBClusterParameters", (RdsClusterTlsRules,), key="Parameters", page=100)


def clusters(place: Place) -> Collected:
    """The clusters, and whether each refuses connections in the clear."""
    listed = place.all_of(CLUSTERS)
    found = Collected()
    for fact, make in ((RdsClusters, _kept), (RdsClusterSettings, _cluster)):
        records, lost = place.read(
            listed, Call("rds", CLUSTERS.operation, (fact,)), "DBClusterArn", partial(make, place)
        )
        found += lost + whole(place, CLUSTERS, fact, records)
    with_rule = [one for one in listed if setting_of(text(one, "Engine", ""))]
    own = Call("rds", CLUSTERS.operation, (RdsClusterTlsRules,))
    made, lost = place.read(with_rule, own, "DBClusterArn", partial(_rule, place))
    return (
        found + lost + rules(place, PARAMETERS, "DBClusterParameterGroupName", [(r.group, r) for r in made])
    )


def _kept(place: Place, raw: Raw) -> RdsSetting:
    return RdsSetting(
        arn=text(raw, "DBClusterArn"),
        id=text(raw, "DBClusterIdentifier"),
        region=place.region,
        engine=text(raw, "Engine"),
        version=text(raw, "EngineVersion", ""),
        cluster="",
        zones=flag(raw, "MultiAZ", False),
        backup_days=number(raw, "BackupRetentionPeriod", 0),
        protected=flag(raw, "DeletionProtection", False),
        iam=flag(raw, "IAMDatabaseAuthenticationEnabled", False),
        logs=tuple(sorted(map(str, some(raw, "EnabledCloudwatchLogsExports")))),
        authority="",
        admin=text(raw, "MasterUsername", ""),
        encrypted=flag(raw, "StorageEncrypted", False),
        subnets=(),
    )


def _cluster(place: Place, raw: Raw) -> RdsCluster:
    return RdsCluster(
        arn=text(raw, "DBClusterArn"),
        id=text(raw, "DBClusterIdentifier"),
        region=place.region,
        engine=text(raw, "Engine"),
        version=text(raw, "EngineVersion"),
        members=len(some(raw, "DBClusterMembers")),
        # AWS leaves out what an engine does not have.
        zones=flag(raw, "MultiAZ", False),
        iam=flag(raw, "IAMDatabaseAuthenticationEnabled", False),
        logs=tuple(sorted(map(str, some(raw, "EnabledCloudwatchLogsExports")))),
    )


def _rule(place: Place, raw: Raw) -> TlsRule:
    engine = text(raw, "Engine")
    return TlsRule(
        arn=text(raw, "DBClusterArn"),
        id=text(raw, "DBClusterIdentifier"),
        region=place.region,
        engine=engine,
        version=text(raw, "EngineVersion"),
        group=text(raw, "DBClusterParameterGroup"),
        setting=setting_of(engine),
        value="",
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("rds clusters", True, (CLUSTERS, PARAMETERS), clusters)
