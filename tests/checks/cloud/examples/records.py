"""Records in which everything is as it should be, and facts made of them."""

from __future__ import annotations

from typing import Any

import msgspec

from checks.facts.cloud.acm import IssuedCertificate
from checks.facts.cloud.alarms import Alarm
from checks.facts.cloud.backup import Vault
from checks.facts.cloud.cloudfront import Distribution
from checks.facts.cloud.cognito import UserPool
from checks.facts.cloud.detection import Analyzer, DataDiscovery, Detector, Hub, Recorder
from checks.facts.cloud.dynamodb import Table, TableBackup
from checks.facts.cloud.ec2_defaults import MetadataDefault, SerialConsole, ShareBlock
from checks.facts.cloud.ecr import Repository
from checks.facts.cloud.ecs import Task
from checks.facts.cloud.efs import FileSystem, FileSystemBackup
from checks.facts.cloud.eks import Cluster
from checks.facts.cloud.elb import BalancerSetting, Listener
from checks.facts.cloud.functions import Function, FunctionUrl
from checks.facts.cloud.logs import LogGroup
from checks.facts.cloud.opensearch import Domain
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.rds_settings import RdsSetting, RdsSnapshot
from checks.facts.cloud.routes import Subnet
from checks.facts.cloud.s3_data import BucketLog, BucketVersions
from checks.facts.cloud.secretsmanager import StoredSecret
from checks.facts.cloud.sns import Subscription, Topic
from checks.facts.cloud.sqs import Queue
from checks.facts.cloud.ssm import Document, Parameter
from checks.facts.snapshot import Fact

A = "111122223333"
STRANGER = "999988887777"
R = "eu-west-1"
N = "2026-11-01T00:00:00Z"
Facts = tuple[Fact, ...]

GOOD: dict[type, Any] = {
    Alarm: Alarm("arn:a", "a", R, "ns/m", True, ("arn:t",)),
    Analyzer: Analyzer(R, True),
    BalancerSetting: BalancerSetting("arn:lb", "lb", R, True, True, True),
    BucketLog: BucketLog("arn:aws:s3:::data", "data", R, "logs"),
    BucketVersions: BucketVersions("arn:aws:s3:::data", "data", R, True, True),
    Cluster: Cluster(
        "arn:c", "c", R, "1.34", True, ("198.51.100.0/24",), ("api", "audit", "authenticator"), True
    ),
    DataDiscovery: DataDiscovery(R, True),
    Detector: Detector(R, "d", True, ()),
    Distribution: Distribution(
        "arn:d", "D1", "d.example", (), "TLSv1.2_2021", True, "acl", ("o.example",), (), ()
    ),
    Document: Document("arn:doc", "doc", R, ()),
    Domain: Domain("arn:es", "es", R, "", True, "Policy-Min-TLS-1-2-2019-07", True, True, True, True, False),
    FileSystem: FileSystem("arn:fs", "fs-1", R, True),
    FileSystemBackup: FileSystemBackup("arn:fs", "fs-1", R, True),
    Function: Function("arn:f", "f", R, "python3.13", "arn:r", "vpc-1", "arn:k", (), ()),
    FunctionUrl: FunctionUrl("arn:f", "f", R, True, ("https://example.com",)),
    Hub: Hub(R, True),
    IssuedCertificate: IssuedCertificate(
        "arn:c", "example.com", R, "ISSUED", "2027-06-01T00:00:00Z", "RSA_2048", True, True
    ),
    Listener: Listener(
        "arn:l", "lb", R, "application", True, 443, "HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06", False
    ),
    LogGroup: LogGroup("arn:g", "g", R, 365, "arn:k"),
    MetadataDefault: MetadataDefault(R, "required"),
    Parameter: Parameter("arn:p", "/db/password", R, True, True),
    Queue: Queue("arn:aws:sqs:eu-west-1:111122223333:q", "q", R, True, True),
    RdsSetting: RdsSetting(
        "arn:db", "db", R, "postgres", "16.3", "", True, 14, True, True, ("postgresql",), "rds-ca-rsa2048-g1",
        "owner", True, ("subnet-1",),
    ),
    RdsSnapshot: RdsSnapshot("arn:s", "s", R, True, ()),
    Recorder: Recorder(R, True, True, True, True, True, "SUCCESS"),
    Repository: Repository("arn:repo", "repo", R, True, True, ""),
    SerialConsole: SerialConsole(R, False),
    ShareBlock: ShareBlock(R, "block-new-sharing"),
    StoredSecret: StoredSecret("arn:sec", "sec", R, True, False, N, N, N),
    Subnet: Subnet("subnet-1", R, "vpc-1", False),
    Subscription: Subscription("arn:sub", R, "arn:t", "https", A, True),
    Table: Table("arn:t", "t", R, "arn:k", True),
    TableBackup: TableBackup("arn:t", "t", R, True),
    Task: Task("arn:task", "task", R, False, (), (), (), (), ()),
    Topic: Topic("arn:t", "t", R, "key"),
    UserPool: UserPool("arn:p", "p", "p", R, "ON", 12, False, True, True),
    Vault: Vault("arn:v", "v", R, True, 3),
}  # fmt: skip
"""A record of each kind in which everything is as it should be."""


def fact(kind: type[Fact], *records: Any) -> Fact:
    """A fact with these records, read in the region of the examples."""
    names = [name for name in kind.__struct_fields__ if name not in ("account", "regions")]
    assert len(names) == 1, kind
    regions = {"regions": (R,)} if "regions" in kind.__struct_fields__ else {}
    made: Fact = kind(**{"account": A, **regions, names[0]: records})
    return made


def good(kind: type, /, **changes: Any) -> Any:
    """The good record of that kind, but for these fields."""
    return msgspec.structs.replace(GOOD[kind], **changes)


def both(of: type[Fact], kind: type, /, **bad: Any) -> tuple[Facts, Facts]:
    """Facts with one record: once with these fields bad, and once as it should be."""
    return (fact(of, good(kind, **bad)),), (fact(of, good(kind)),)


def allow(
    *principals: str, actions: tuple[str, ...] = ("*",), conditions: tuple[Condition, ...] = ()
) -> Policy:
    """A policy with one statement that allows."""
    return Policy(
        (Statement(True, "S", principals, actions=actions, resources=("*",), conditions=conditions),)
    )
