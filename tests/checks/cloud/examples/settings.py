"""Examples of the checks of single settings."""

from __future__ import annotations

from collections.abc import Mapping

from checks.facts.cloud.acm import IssuedCertificate, IssuedCertificates
from checks.facts.cloud.backup import Vault, Vaults
from checks.facts.cloud.cloudfront import Distribution, Distributions
from checks.facts.cloud.cognito import UserPool, UserPools
from checks.facts.cloud.detection import (
    Analyzer,
    Analyzers,
    DataDiscoveries,
    DataDiscovery,
    Detector,
    Detectors,
    Hub,
    Hubs,
    Recorder,
    Recorders,
)
from checks.facts.cloud.dynamodb import Table, TableBackup, TableBackups, Tables
from checks.facts.cloud.ec2_defaults import (
    ImageBlocks,
    MetadataDefault,
    MetadataDefaults,
    SerialConsole,
    SerialConsoles,
    ShareBlock,
    SnapshotBlocks,
)
from checks.facts.cloud.ecr import Repositories, Repository
from checks.facts.cloud.ecs import Task, Tasks
from checks.facts.cloud.efs import FileSystem, FileSystems
from checks.facts.cloud.eks import Cluster, Clusters
from checks.facts.cloud.elb import BalancerSetting, BalancerSettings, Listener, Listeners
from checks.facts.cloud.functions import Function, Functions, FunctionUrl, FunctionUrls
from checks.facts.cloud.logs import LogGroup, LogGroups
from checks.facts.cloud.opensearch import Domain, Domains
from checks.facts.cloud.rds_settings import RdsClusters, RdsSetting, RdsSettings, RdsSnapshot, RdsSnapshots
from checks.facts.cloud.s3_data import BucketLog, BucketLogs, BucketVersioning, BucketVersions
from checks.facts.cloud.secretsmanager import StoredSecret, StoredSecrets
from checks.facts.cloud.sns import Subscription, Subscriptions, Topic, Topics
from checks.facts.cloud.sqs import Queue, Queues
from checks.facts.cloud.ssm import Parameter, Parameters
from tests.checks.cloud.examples.records import Facts, both

OLD = "2025-01-01T00:00:00Z"

EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.access-analyzer.external": both(Analyzers, Analyzer, external=False),
    "cloud.acm.expiry": both(IssuedCertificates, IssuedCertificate, ends="2026-12-01T00:00:00Z"),
    "cloud.acm.key-length": both(IssuedCertificates, IssuedCertificate, key="RSA_1024"),
    "cloud.backup.vault-lock": both(Vaults, Vault, locked=False),
    "cloud.cloudfront.firewall": both(Distributions, Distribution, firewall=""),
    "cloud.cloudfront.open-buckets": both(Distributions, Distribution, open_buckets=("b.s3.amazonaws.com",)),
    "cloud.cloudfront.plain-http": both(Distributions, Distribution, plain=("*",)),
    "cloud.cloudfront.plain-origins": both(Distributions, Distribution, plain_origins=("o.example",)),
    "cloud.cloudfront.tls": both(Distributions, Distribution, tls="TLSv1"),
    "cloud.cognito.deletion-protection": both(UserPools, UserPool, protected=False),
    "cloud.cognito.passwords": both(UserPools, UserPool, password_length=6),
    "cloud.cognito.second-factor": both(UserPools, UserPool, mfa="OFF"),
    "cloud.cognito.threat-protection": both(UserPools, UserPool, threats=False),
    "cloud.config.recording": both(Recorders, Recorder, recording=False),
    "cloud.dynamodb.continuous-backup": both(TableBackups, TableBackup, continuous=False),
    "cloud.dynamodb.deletion-protection": both(Tables, Table, protected=False),
    "cloud.dynamodb.own-key": both(Tables, Table, key=""),
    "cloud.ec2-defaults.image-block": both(ImageBlocks, ShareBlock, state="unblocked"),
    "cloud.ec2-defaults.metadata-tokens": both(MetadataDefaults, MetadataDefault, tokens=""),
    "cloud.ec2-defaults.serial-console": both(SerialConsoles, SerialConsole, enabled=True),
    "cloud.ec2-defaults.snapshot-block": both(SnapshotBlocks, ShareBlock, state="unblocked"),
    "cloud.ecr.fixed-tags": both(Repositories, Repository, fixed=False),
    "cloud.ecs.host-network": both(Tasks, Task, host=True, root=("c",)),
    "cloud.ecs.logs": both(Tasks, Task, unlogged=("c",)),
    "cloud.ecs.privileged": both(Tasks, Task, privileged=("c",)),
    "cloud.ecs.read-only": both(Tasks, Task, writable=("c",)),
    "cloud.ecs.root-user": both(Tasks, Task, root=("c",)),
    "cloud.ecs.secrets": both(Tasks, Task, secrets=("c/DB_PASSWORD",)),
    "cloud.efs.encryption": both(FileSystems, FileSystem, encrypted=False),
    "cloud.eks.logs": both(Clusters, Cluster, logs=("api",)),
    "cloud.eks.public-endpoint": both(Clusters, Cluster, cidrs=("0.0.0.0/1", "128.0.0.0/1")),
    "cloud.eks.secrets-key": both(Clusters, Cluster, secrets=False),
    "cloud.eks.supported-release": both(Clusters, Cluster, version="1.29"),
    "cloud.elb.access-logs": both(BalancerSettings, BalancerSetting, logs=False),
    "cloud.elb.deletion-protection": both(BalancerSettings, BalancerSetting, protected=False),
    "cloud.elb.invalid-headers": both(BalancerSettings, BalancerSetting, drops_invalid=False),
    "cloud.elb.plain-http": both(Listeners, Listener, protocol="HTTP", port=80, policy=""),
    "cloud.elb.risky-ports": both(Listeners, Listener, kind="network", protocol="TCP", port=3389, policy=""),
    "cloud.elb.tls-policy": both(Listeners, Listener, policy="ELBSecurityPolicy-2016-08"),
    "cloud.functions.environment-key": both(Functions, Function, key=""),
    "cloud.functions.environment-secrets": both(Functions, Function, secrets=("DB_PASSWORD",)),
    "cloud.functions.runtime": both(Functions, Function, runtime="python3.8"),
    "cloud.functions.url-origins": both(FunctionUrls, FunctionUrl, origins=("*",)),
    "cloud.guardduty.enabled": both(Detectors, Detector, enabled=False),
    "cloud.guardduty.protections": both(Detectors, Detector, off=("S3_DATA_EVENTS",)),
    "cloud.logs.own-key": both(LogGroups, LogGroup, key=""),
    "cloud.logs.retention": both(LogGroups, LogGroup, days=0),
    "cloud.macie.enabled": both(DataDiscoveries, DataDiscovery, enabled=False),
    "cloud.opensearch.audit-logs": both(Domains, Domain, audit=False),
    "cloud.opensearch.between-nodes": both(Domains, Domain, between=False),
    "cloud.opensearch.encryption": both(Domains, Domain, at_rest=False),
    "cloud.opensearch.fine-grained": both(Domains, Domain, fine=False),
    "cloud.opensearch.https": both(Domains, Domain, tls="Policy-Min-TLS-1-0-2019-07"),
    "cloud.opensearch.updates": both(Domains, Domain, update=True),
    "cloud.rds-settings.admin-name": both(RdsSettings, RdsSetting, admin="postgres"),
    "cloud.rds-settings.backups": both(RdsSettings, RdsSetting, backup_days=1),
    "cloud.rds-settings.cluster-backups": both(RdsClusters, RdsSetting, backup_days=1),
    "cloud.rds-settings.cluster-deletion-protection": both(RdsClusters, RdsSetting, protected=False),
    "cloud.rds-settings.cluster-encryption": both(RdsClusters, RdsSetting, encrypted=False),
    "cloud.rds-settings.deletion-protection": both(RdsSettings, RdsSetting, protected=False),
    "cloud.rds-settings.iam-sign-in": both(RdsSettings, RdsSetting, iam=False),
    "cloud.rds-settings.logs": both(RdsSettings, RdsSetting, logs=()),
    "cloud.rds-settings.snapshot-encryption": both(RdsSnapshots, RdsSnapshot, encrypted=False),
    "cloud.rds-settings.supported-release": both(RdsSettings, RdsSetting, version="11.22"),
    "cloud.rds-settings.zones": both(RdsSettings, RdsSetting, zones=False),
    "cloud.s3-data.access-logs": both(BucketLogs, BucketLog, target=""),
    "cloud.s3-data.mfa-delete": both(BucketVersioning, BucketVersions, mfa=False),
    "cloud.s3-data.versioning": both(BucketVersioning, BucketVersions, kept=False),
    "cloud.secretsmanager.rotation": both(StoredSecrets, StoredSecret, changed=OLD),
    "cloud.secretsmanager.unused": both(StoredSecrets, StoredSecret, used=OLD),
    "cloud.securityhub.enabled": both(Hubs, Hub, enabled=False),
    "cloud.sns.encryption": both(Topics, Topic, key=""),
    "cloud.sns.plain-http": both(Subscriptions, Subscription, protocol="http"),
    "cloud.sqs.encryption": both(Queues, Queue, encrypted=False),
    "cloud.ssm.plain-secrets": both(Parameters, Parameter, secure=False),
}
