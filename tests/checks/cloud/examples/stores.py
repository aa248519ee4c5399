"""Examples of the checks of databases, caches, warehouses, streams, brokers and managed machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from checks.facts.cloud.dms import Mover, MoverEnd, MoverEnds, Movers
from checks.facts.cloud.ec2 import Ec2Instances, Instance, PrefixLists, Rule, SecurityGroup, SecurityGroups
from checks.facts.cloud.elasticache import (
    CacheCluster,
    CacheClusters,
    CacheGroup,
    CacheGroups,
    CacheUser,
    CacheUsers,
)
from checks.facts.cloud.kinesis import Deliveries, Delivery, Stream, StreamPolicies, Streams
from checks.facts.cloud.mq import Broker, Brokers
from checks.facts.cloud.msk import KafkaCluster, KafkaClusters
from checks.facts.cloud.opensearch import Domain, Domains
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Policy, Statement
from checks.facts.cloud.rds import RdsInstance, RdsInstances, RdsTlsRules, TlsRule
from checks.facts.cloud.rds_clusters import RdsCluster, RdsClusterSettings, RdsClusterTlsRules
from checks.facts.cloud.rds_settings import RdsSetting, RdsSettings
from checks.facts.cloud.rds_snapshots import ClusterSnapshot, ClusterSnapshots
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
from checks.facts.cloud.resource_policies import ResourcePolicy
from checks.facts.cloud.routes import AclWayOut, AclWaysOut, RouteTable, RouteTables, Subnet, Subnets
from checks.facts.cloud.ssm import (
    DocumentShareBlock,
    DocumentShareBlocks,
    ManagedInstance,
    ManagedInstances,
    PatchState,
    PatchStates,
    SessionLog,
    SessionLogs,
)
from checks.facts.cloud.vpc import AclEntry, NetworkAcl, NetworkAcls
from checks.facts.snapshot import Fact

Facts = tuple[Fact, ...]
A = "111122223333"
STRANGER = "999988887777"
R = "eu-west-1"
HERE = (R,)
WORLD = "0.0.0.0/0"
OFFICE = "198.51.100.0/24"
KNOWN = KnownAccounts(A, (A, "222233334444"), "o-a1b2c3d4e5", True)
_ALL = AclEntry(100, True, "-1", 0, 65535, WORLD)


def network(
    cidr: str = WORLD,
    *,
    port: int = 0,
    routed: bool = True,
    lists: tuple[str, ...] = (),
    denied: bool = False,
) -> Facts:
    """The walls around `subnet-1` and `sg-1`: groups, lists, routes, access lists in and out."""
    low, high = (port, port) if port else (0, 65535)
    rule = Rule("tcp", low, high, (cidr,) if cidr else (), lists)
    entry = AclEntry(90, False, "tcp", 0, 65535, WORLD)
    entries = (entry, _ALL) if denied else (_ALL,)
    return (
        SecurityGroups(A, HERE, (SecurityGroup("sg-1", R, "vpc-1", "db", (rule,), ()),)),
        PrefixLists(A, HERE, ()),
        RouteTables(A, HERE, (RouteTable("rtb-1", R, "vpc-1", True, (), routed, False, ()),)),
        NetworkAcls(A, HERE, (NetworkAcl("acl-1", R, "vpc-1", True, ("subnet-1",), entries),)),
        AclWaysOut(A, HERE, (AclWayOut("acl-1", R, (_ALL,)),)),
    )


SUBNETS = Subnets(A, HERE, (Subnet("subnet-1", R, "vpc-1", False),))
GOOD: Mapping[type, Any] = {
    Broker: Broker(
        f"arn:aws:mq:{R}:{A}:broker:b:b-1", "b-1", "b", R, "ACTIVEMQ", "5.18", False, True, True, True, True,
        False, ("subnet-1",), ("sg-1",),
    ),
    CacheCluster: CacheCluster("arn:cc", "c-001", R, "redis", "7.1.0", "c", True, True),
    CacheGroup: CacheGroup("arn:c", "c", R, "redis", "required", True, False, ("team",), 7, True, True),
    CacheUser: CacheUser("arn:u", "u-1", R, "app", ("team",), True, True),
    ClusterSnapshot: ClusterSnapshot("arn:cs", "cs", R, "aurora-postgresql", True, ()),
    Delivery: Delivery("arn:d", "d", R, "DirectPut", True),
    DocumentShareBlock: DocumentShareBlock(R, True),
    Domain: Domain(
        "arn:es", "es", R, "", True, "Policy-Min-TLS-1-2-PFS-2023-10", True, True, True, True, False,
        "OpenSearch_2.19",
    ),
    KafkaCluster: KafkaCluster(
        "arn:k", "k", R, False, "3.9.x", False, "TLS", True, ("IAM",), False, ("S3",), ("subnet-1",),
        ("sg-1",),
    ),
    ManagedInstance: ManagedInstance("i-1", R, "EC2Instance", True, "2026-11-22T00:00:00Z"),
    Mover: Mover("arn:m", "m", R, False, True, "vpc-1", ("subnet-1",), ("sg-1",)),
    MoverEnd: MoverEnd("arn:e", "e", R, "postgres", "require"),
    PatchState: PatchState("i-1", R, "2026-11-20T00:00:00Z", 0, 0, 0, 0, 0),
    RdsCluster: RdsCluster(
        "arn:cl", "cl", R, "aurora-postgresql", "16.4", 2, True, True, ("postgresql",)
    ),
    RdsInstance: RdsInstance(
        f"arn:aws:rds:{R}:{A}:db:db", "db", R, "postgres", True, True, True, 5432, ("sg-1",), "", "vpc-1",
        ("subnet-1",),
    ),
    RdsSetting: RdsSetting(
        "arn:db", "db", R, "postgres", "16.3", "", True, 14, True, True, (), "rds-ca-rsa2048-g1", "owner",
        True, (),
    ),
    SessionLog: SessionLog(R, "", "sessions", ""),
    Stream: Stream("arn:st", "st", R, True, 168),
    TlsRule: TlsRule("arn:db", "db", R, "postgres", "14.9", "own", "rds.force_ssl", "1"),
    Warehouse: Warehouse(
        f"arn:aws:redshift:{R}:{A}:cluster:w", "w", R, True, True, True, True, "owner", 5439, 14,
        ("sg-1",), "subnets", "own",
    ),
    WarehouseLog: WarehouseLog("arn:w", "w", R, True),
    WarehouseParameters: WarehouseParameters("own", R, True, True),
    WarehouseSnapshot: WarehouseSnapshot("arn:ws", "ws", R, True, ()),
    WarehouseSubnetGroup: WarehouseSubnetGroup("subnets", R, "vpc-1", ("subnet-1",)),
}  # fmt: skip
"""A record of each kind in which everything is as it should be."""


def good(kind: type, /, **changes: Any) -> Any:
    """The good record of that kind, but for these fields."""
    return msgspec.structs.replace(GOOD[kind], **changes)


def fact(of: type[Fact], *records: Any) -> Fact:
    """A fact with these records, read in the region of the examples."""
    [listed] = [name for name in of.__struct_fields__ if name not in ("account", "regions")]
    regions = {"regions": HERE} if "regions" in of.__struct_fields__ else {}
    made: Fact = of(**{"account": A, **regions, listed: records})
    return made


def pair(of: type[Fact], kind: type, /, *also: Fact, **bad: Any) -> tuple[Facts, Facts]:
    """Facts with one record: once with these fields bad, and once as it should be; then other facts."""
    return (fact(of, good(kind, **bad)), *also), (fact(of, good(kind)), *also)


def instance(**changes: Any) -> Ec2Instances:
    """One running instance."""
    one = Instance("i-1", R, "", "running", "vpc-1", "subnet-1", "", "", True, "required")
    return Ec2Instances(A, HERE, (msgspec.structs.replace(one, **changes),))


def stream_policy(*principals: str) -> StreamPolicies:
    """A stream that lets these in."""
    policy = Policy((Statement(True, "S", principals, actions=("kinesis:GetRecords",), resources=("*",)),))
    return StreamPolicies(A, (ResourcePolicy(f"arn:aws:kinesis:{R}:{A}:stream/st", "st", R, policy),))


USERS = fact(CacheUsers, good(CacheUser))
MEMBERS = fact(CacheClusters, good(CacheCluster))
WAREHOUSE = fact(Warehouses, good(Warehouse))
PARAMETERS = fact(WarehouseParameterGroups, good(WarehouseParameters))
MACHINES = fact(ManagedInstances, good(ManagedInstance))


def reached(
    of: type[Fact], kind: type, *between: Fact, after: Facts = (), **fields: Any
) -> tuple[Facts, Facts]:
    """A store with a public address behind walls: once open to everybody, once without a route."""
    store = fact(of, good(kind, public=True, **fields))
    return (store, *between, *network(), *after), (store, *between, *network(routed=False), *after)


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.dms.minor-upgrades": pair(Movers, Mover, minor_upgrades=False),
    "cloud.dms.public": reached(Movers, Mover),
    "cloud.dms.tls": pair(MoverEnds, MoverEnd, tls="none"),
    "cloud.elasticache.authentication": pair(CacheGroups, CacheGroup, USERS, MEMBERS, user_groups=()),
    "cloud.elasticache.backups": pair(CacheGroups, CacheGroup, backup_days=0),
    "cloud.elasticache.encryption": pair(CacheGroups, CacheGroup, at_rest=False),
    "cloud.elasticache.minor-upgrades": pair(CacheClusters, CacheCluster, minor_upgrades=False),
    "cloud.elasticache.supported-release": pair(CacheClusters, CacheCluster, version="5.0.6"),
    "cloud.elasticache.transit-encryption": pair(CacheGroups, CacheGroup, MEMBERS, transit="preferred"),
    "cloud.elasticache.zones": pair(CacheGroups, CacheGroup, zones=False),
    "cloud.kinesis.delivery-encryption": pair(Deliveries, Delivery, encrypted=False),
    "cloud.kinesis.encryption": pair(Streams, Stream, encrypted=False),
    "cloud.kinesis.outsiders": (
        (stream_policy(f"AWS:arn:aws:iam::{STRANGER}:root"), KNOWN),
        (stream_policy("AWS:arn:aws:iam::222233334444:root"), KNOWN),
    ),
    "cloud.kinesis.public": ((stream_policy("*"),), (stream_policy(f"AWS:arn:aws:iam::{A}:root"),)),
    "cloud.kinesis.retention": pair(Streams, Stream, hours=24),
    "cloud.mq.logs": pair(Brokers, Broker, audit=False),
    "cloud.mq.minor-upgrades": pair(Brokers, Broker, minor_upgrades=False),
    "cloud.mq.own-key": pair(Brokers, Broker, own_key=False),
    "cloud.mq.public": reached(Brokers, Broker, after=(SUBNETS,)),
    "cloud.mq.supported-release": pair(Brokers, Broker, version="5.15.16"),
    "cloud.mq.zones": pair(Brokers, Broker, alone=True),
    "cloud.msk.authentication": pair(KafkaClusters, KafkaCluster, nobody=True),
    "cloud.msk.logs": pair(KafkaClusters, KafkaCluster, logs=()),
    "cloud.msk.public": reached(KafkaClusters, KafkaCluster, after=(SUBNETS,)),
    "cloud.msk.supported-release": pair(KafkaClusters, KafkaCluster, version="2.8.1"),
    "cloud.msk.tls": pair(KafkaClusters, KafkaCluster, clients="TLS_PLAINTEXT"),
    "cloud.opensearch.supported-release": pair(Domains, Domain, version="Elasticsearch_6.7"),
    "cloud.rds-clusters.iam-sign-in": pair(RdsClusterSettings, RdsCluster, iam=False),
    "cloud.rds-clusters.logs": pair(RdsClusterSettings, RdsCluster, logs=()),
    "cloud.rds-clusters.supported-release": pair(RdsClusterSettings, RdsCluster, version="11.21"),
    "cloud.rds-clusters.tls-only": pair(RdsClusterTlsRules, TlsRule, value="0"),
    "cloud.rds-clusters.zones": pair(RdsClusterSettings, RdsCluster, zones=False),
    "cloud.rds-snapshots.cluster-encryption": pair(ClusterSnapshots, ClusterSnapshot, encrypted=False),
    "cloud.rds-snapshots.cluster-sharing": pair(ClusterSnapshots, ClusterSnapshot, KNOWN, shared=("all",)),
    "cloud.rds.authority": pair(RdsSettings, RdsSetting, authority="rds-ca-2019"),
    "cloud.rds.reachable": reached(RdsInstances, RdsInstance),
    "cloud.rds.tls-only": pair(RdsTlsRules, TlsRule, value=""),
    "cloud.redshift-snapshots.encryption": pair(WarehouseSnapshots, WarehouseSnapshot, encrypted=False),
    "cloud.redshift-snapshots.sharing": pair(
        WarehouseSnapshots, WarehouseSnapshot, KNOWN, shared=(STRANGER,)
    ),
    "cloud.redshift.admin-name": pair(Warehouses, Warehouse, admin="awsuser"),
    "cloud.redshift.audit-log": pair(WarehouseLogs, WarehouseLog, on=False),
    "cloud.redshift.backups": pair(Warehouses, Warehouse, backup_days=1),
    "cloud.redshift.encryption": pair(Warehouses, Warehouse, encrypted=False),
    "cloud.redshift.public": reached(
        Warehouses, Warehouse, fact(WarehouseSubnetGroups, good(WarehouseSubnetGroup))
    ),
    "cloud.redshift.query-log": (
        (
            fact(Warehouses, good(Warehouse)),
            fact(WarehouseParameterGroups, good(WarehouseParameters, activity=False)),
        ),
        (fact(Warehouses, good(Warehouse)), PARAMETERS),
    ),
    "cloud.redshift.tls-only": (
        (
            fact(Warehouses, good(Warehouse)),
            fact(WarehouseParameterGroups, good(WarehouseParameters, tls=False)),
        ),
        (fact(Warehouses, good(Warehouse)), PARAMETERS),
    ),
    "cloud.redshift.upgrades": pair(Warehouses, Warehouse, upgrades=False),
    "cloud.redshift.vpc-routing": pair(Warehouses, Warehouse, routed=False),
    "cloud.ssm.managed": ((instance(), fact(ManagedInstances)), (instance(), MACHINES)),
    "cloud.ssm.patches": (
        (MACHINES, fact(PatchStates, good(PatchState, security=3, missing=3))),
        (MACHINES, fact(PatchStates, good(PatchState))),
    ),
    "cloud.ssm.session-logs": pair(SessionLogs, SessionLog, MACHINES, log_group=""),
    "cloud.ssm.share-block": pair(DocumentShareBlocks, DocumentShareBlock, blocked=False),
}
