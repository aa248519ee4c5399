"""What is set on clusters of databases: the table from which `rds_settings` takes its checks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checks.check import Check
from checks.cloud.setting import repair, setting
from checks.facts.cloud.rds_settings import RdsClusters
from checks.facts.snapshot import Fact
from checks.fix import Disruption
from checks.model import Severity

_CLUSTER = "aws rds modify-db-cluster --region @{region} --db-cluster-identifier @{id}"
_SHOW_CLUSTER = "aws rds describe-db-clusters --region @{region} --db-cluster-identifier @{id} --query"
_IN_CLUSTER = (
    "# In the aws_rds_cluster (or aws_docdb_cluster, aws_neptune_cluster) with cluster_identifier @{id}:\n"
)
_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_BestPractices.Security.html"


def _cluster(  # noqa: PLR0917 - the columns of the table below
    name: str, held: Callable[[Any], bool], title: str, why: str, words: tuple[str, str], fix: tuple[str, ...]
) -> Check[[Fact]]:
    action, do, query, on, off, terraform = fix
    return setting(
        f"cloud.rds-settings.cluster-{name}",
        RdsClusters,
        held,
        title=title,
        why=why,
        severity=Severity.MEDIUM if name in ("encryption", "backups") else Severity.LOW,
        bad=words[0],
        good=words[1],
        fix=repair(
            action,
            do,
            f"{_SHOW_CLUSTER} 'DBClusters[].{query}'",
            f"{_CLUSTER} {on}" if on else "",
            f"{_CLUSTER} {off}" if off else "",
            terraform=terraform,
            hours=(0.25, 0.1) if on else (1.0, 4.0),
            disruption=Disruption.NONE if on else Disruption.OUTAGE,
        ),
        refs=(_GUIDE,),
    )


CLUSTERS = (
    _cluster(
        "encryption",
        lambda one: one.encrypted,
        "Database clusters are encrypted",
        "A snapshot of a plain cluster can be shared and restored by whoever may copy it.",
        ("not encrypted", "encrypted"),
        (
            "Replace cluster @{id} by an encrypted one",
            "Restore a snapshot of it with a KMS key as a new cluster, and move the applications.",
            "StorageEncrypted",
            "",
            "",
            '# Beside the aws_rds_cluster @{id}:\nresource "aws_rds_cluster" "encrypted" {\n'
            "  cluster_identifier  = var.encrypted_id\n  engine              = var.engine\n"
            "  snapshot_identifier = var.snapshot\n  storage_encrypted   = true\n"
            "  kms_key_id          = var.key_arn\n}\n",
        ),
    ),
    _cluster(
        "backups",
        lambda one: one.backup_days >= 7,
        "Database clusters are backed up for at least a week",
        "A mistake is often found days later; what is older than the oldest backup is gone.",
        ("kept for less than 7 days", "kept for at least 7 days"),
        (
            "Keep backups of clusters for a week or more",
            "Set the retention.",
            "BackupRetentionPeriod",
            "--backup-retention-period 14",
            '--backup-retention-period "$FORMER_DAYS"',
            f"{_IN_CLUSTER}backup_retention_period = 14\n",
        ),
    ),
    _cluster(
        "deletion-protection",
        lambda one: one.protected,
        "Database clusters cannot be deleted by mistake",
        "One wrong line in a deployment deletes a cluster with its automatic backups.",
        ("can be deleted in one call", "protected from deletion"),
        (
            "Protect clusters from deletion",
            "Turn on deletion protection.",
            "DeletionProtection",
            "--deletion-protection",
            "--no-deletion-protection",
            f"{_IN_CLUSTER}deletion_protection = true\n",
        ),
    ),
)
