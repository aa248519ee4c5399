"""Database clusters: who signs in and how, what is recorded, and what is left after a fault."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud import releases
from checks.cloud.rds_tls import tls_only
from checks.cloud.setting import repair, setting
from checks.facts.cloud.rds_clusters import RdsCluster, RdsClusterSettings, RdsClusterTlsRules
from checks.fix import Disruption
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect

_MODIFY = "aws rds modify-db-cluster --region @{region} --db-cluster-identifier @{id}"
_SHOW = "aws rds describe-db-clusters --region @{region} --db-cluster-identifier @{id} --query"
_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.html"

TLS_ONLY = (tls_only("cloud.rds-clusters.tls-only", RdsClusterTlsRules, "Database clusters", cluster=True),)


def _with_iam(one: RdsCluster) -> bool | None:
    # DocumentDB has it by user, not by cluster; Neptune has no other way to know who asks.
    return None if one.engine == "docdb" else one.iam


iam_sign_in = setting(
    "cloud.rds-clusters.iam-sign-in",
    RdsClusterSettings,
    _with_iam,
    title="Database clusters can be signed in to with IAM",
    why="Passwords are shared, written down and never changed; Neptune without IAM asks nobody who they are.",
    severity=Severity.LOW,
    bad=lambda one: "everybody on the network may query it" if one.engine == "neptune" else "passwords alone",
    good="tokens of IAM",
    fix=repair(
        "Let applications sign in to cluster @{id} with IAM",
        "Turn it on, then make users for it and move the applications one by one. At Neptune every request "
        "has to be signed from then on: change the clients first.",
        f"{_SHOW} 'DBClusters[].IAMDatabaseAuthenticationEnabled'   # true",
        f"{_MODIFY} --enable-iam-database-authentication --apply-immediately",
        f"{_MODIFY} --no-enable-iam-database-authentication --apply-immediately",
        hours=(1.0, 1.0),
        key="rds:cluster-iam @{on}",
        terraform="# In the aws_rds_cluster (or aws_neptune_cluster) with cluster_identifier @{id}:\n"
        "iam_database_authentication_enabled = true\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html",),
)

zones = setting(
    "cloud.rds-clusters.zones",
    RdsClusterSettings,
    # The copy of a global cluster may have no member at all; it is filled when it is needed.
    lambda one: one.zones if one.members else None,
    title="Database clusters stand in several zones",
    why="With all members in one zone, a fault of a data centre stops the business until it is mended.",
    severity=Severity.LOW,
    bad=lambda one: f"{one.members} member{'s' if one.members > 1 else ''} in one zone",
    good="members in several zones",
    fix=repair(
        "Give cluster @{id} a member in a second zone",
        "Add a reader in another zone; the cluster moves to it by itself when the writer fails.",
        f"{_SHOW} 'DBClusters[].MultiAZ'   # true",
        f"ENGINE=$({_SHOW} 'DBClusters[0].Engine' --output text) &&\n"
        "aws rds create-db-instance --region @{region} --db-cluster-identifier @{id} "
        '--db-instance-identifier "$READER" --engine "$ENGINE" --db-instance-class "$CLASS" '
        '--availability-zone "$SECOND_ZONE"',
        'aws rds delete-db-instance --region @{region} --db-instance-identifier "$READER"',
        hours=(0.25, 0.5),
        back="Delete the reader.",
        terraform="# Or aws_docdb_cluster_instance, aws_neptune_cluster_instance:\n"
        'resource "aws_rds_cluster_instance" "reader" {\n  cluster_identifier = @{id}\n'
        "  identifier         = var.reader\n  engine             = var.engine\n"
        "  instance_class     = var.class\n  availability_zone  = var.second_zone\n}\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html",
    ),
)


@check(
    "cloud.rds-clusters.logs",
    title="Database clusters send their logs to CloudWatch",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Send the logs of cluster @{id} to CloudWatch",
        "Export what the engine has. DocumentDB and Neptune also have to be told in the parameter group to "
        "write it (audit_logs, neptune_enable_audit_log), MySQL with server_audit_logging.",
        f"{_SHOW} 'DBClusters[].EnabledCloudwatchLogsExports'   # names logs",
        f"{_MODIFY} --cloudwatch-logs-export-configuration EnableLogTypes=@{{log}} --apply-immediately",
        f"{_MODIFY} --cloudwatch-logs-export-configuration DisableLogTypes=@{{log}} --apply-immediately",
        terraform="# In the aws_rds_cluster (or aws_docdb_cluster, aws_neptune_cluster) with "
        "cluster_identifier @{id};\n# aws_neptune_cluster calls it enable_cloudwatch_logs_exports:\n"
        "enabled_cloudwatch_logs_exports = [@{log}]\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_LogAccess.html",),
)
def logs(found: RdsClusterSettings) -> Verdicts:
    """What stays on the members is deleted after days, and with it the trace of whoever was in there."""
    for one in found.clusters:
        yield expect(
            bool(one.logs),
            on=one.arn,
            where=one.region,
            saw=f"sends {', '.join(one.logs)}" if one.logs else "sends no logs",
            want="sends logs",
            values={"id": one.id, "log": "postgresql" if "postgresql" in one.engine else "audit"},
        )


@check(
    "cloud.rds-clusters.supported-release",
    title="Database clusters run a release with support",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Upgrade cluster @{id} to a release with support",
        "Clone the cluster, upgrade and test the clone, then upgrade the cluster itself in a quiet hour.",
        f"{_SHOW} 'DBClusters[].EngineVersion'",
        "aws rds create-db-cluster-snapshot --region @{region} --db-cluster-identifier @{id} "
        '--db-cluster-snapshot-identifier "$BEFORE" &&\n'
        f'{_MODIFY} --engine-version "$NEW_VERSION" --allow-major-version-upgrade --no-apply-immediately',
        "# An upgrade cannot be undone: restore the snapshot from before it instead.\ntrue",
        hours=(1.0, 4.0),
        disruption=Disruption.OUTAGE,
        back="Restore the snapshot from before the upgrade.",
        key="rds:upgrade @{on}",
        terraform="# In the aws_rds_cluster (or aws_docdb_cluster, aws_neptune_cluster) with "
        "cluster_identifier @{id}:\nengine_version              = var.new_version\n"
        "allow_major_version_upgrade = true\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/extended-support.html",),
)
def supported_release(found: RdsClusterSettings, *, now: datetime) -> Verdicts:
    """A release without support gets no more fixes, and AWS charges extra for keeping it."""
    for one in found.clusters:
        if one.engine not in releases.ENDS:
            continue
        yield releases.judged(one.arn, one.engine, one.version, now, where=one.region, values={"id": one.id})
