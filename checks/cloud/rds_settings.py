"""Managed databases: what is left after a loss, and what is known of who asked for what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from checks.check import Check, check
from checks.cloud import rds_cluster_settings, releases
from checks.cloud.setting import repair, setting
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.rds_settings import RdsSettings, RdsSnapshots
from checks.facts.snapshot import Fact
from checks.fix import Disruption
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect

_MODIFY = "aws rds modify-db-instance --region @{region} --db-instance-identifier @{id}"
_SHOW = "aws rds describe-db-instances --region @{region} --db-instance-identifier @{id} --query"
_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_BestPractices.Security.html"
_LOGS = {"db2": "diag.log", "oracle": "alert", "postgres": "postgresql"}
"""What an engine calls the log of its errors where that is not `error`."""


def _alone(held: Callable[[Any], bool | None]) -> Callable[[Any], bool | None]:
    # What belongs to a cluster is set on the cluster, and told there once.
    return lambda one: None if one.cluster else held(one)


def _instance(  # noqa: PLR0917 - the columns of the table below
    name: str,
    held: Callable[[Any], bool | None],
    title: str,
    why: str,
    words: tuple[str, str],
    fix: tuple[str, ...],
) -> Check[[Fact]]:
    action, do, query, on, off, terraform = fix
    return setting(
        f"cloud.rds-settings.{name}",
        RdsSettings,
        held,
        title=title,
        why=why,
        severity=Severity.MEDIUM if name == "backups" else Severity.LOW,
        bad=words[0],
        good=words[1],
        values=lambda one: {"log": _LOGS.get(one.engine.partition("-")[0], "error")},
        fix=repair(
            action, do, f"{_SHOW} 'DBInstances[].{query}'", f"{_MODIFY} {on} --apply-immediately",
            f"{_MODIFY} {off} --apply-immediately",
            terraform=f"# In the aws_db_instance with identifier @{{id}}:\n{terraform}\n",
        ),
        refs=(_GUIDE,),
    )  # fmt: skip


INSTANCES = (
    _instance(
        "backups",
        _alone(lambda one: one.backup_days >= 7),
        "Databases are backed up for at least a week",
        "A mistake is often found days later; what is older than the oldest backup is gone.",
        ("kept for less than 7 days, or not at all", "kept for at least 7 days"),
        (
            "Keep backups of databases for a week or more",
            "Set the retention; the first backup is made at once and can slow a small database down.",
            "BackupRetentionPeriod",
            "--backup-retention-period 14",
            '--backup-retention-period "$FORMER_DAYS"',
            "backup_retention_period = 14",
        ),
    ),
    _instance(
        "deletion-protection",
        _alone(lambda one: one.protected),
        "Databases cannot be deleted by mistake",
        "One wrong line in a deployment deletes a database with its automatic backups.",
        ("can be deleted in one call", "protected from deletion"),
        (
            "Protect databases from deletion",
            "Turn on deletion protection.",
            "DeletionProtection",
            "--deletion-protection",
            "--no-deletion-protection",
            "deletion_protection = true",
        ),
    ),
    _instance(
        "zones",
        _alone(lambda one: one.zones),
        "Databases stand in two zones",
        "With one zone, a fault of a data centre stops the business until it is mended.",
        ("in one zone", "in two zones"),
        (
            "Give databases a second zone",
            "Turn Multi-AZ on; it doubles the price of the instance, and the change slows it for a while.",
            "MultiAZ",
            "--multi-az",
            "--no-multi-az",
            "multi_az = true",
        ),
    ),
    _instance(
        "logs",
        _alone(lambda one: bool(one.logs)),
        "Databases send their logs to CloudWatch",
        "What stays on the instance is deleted after days, and with the instance.",
        ("sends no logs", "sends logs"),
        (
            "Send the logs of databases to CloudWatch",
            "Export the log of errors, and those for audits where the engine keeps them.",
            "EnabledCloudwatchLogsExports",
            "--cloudwatch-logs-export-configuration EnableLogTypes=@{log}",
            "--cloudwatch-logs-export-configuration DisableLogTypes=@{log}",
            "enabled_cloudwatch_logs_exports = [@{log}]",
        ),
    ),
    _instance(
        "iam-sign-in",
        _alone(lambda one: one.iam if one.engine in ("postgres", "mysql", "mariadb") else None),
        "Databases can be signed in to with IAM",
        "Passwords of databases are shared, written down and never changed; tokens of IAM live for minutes.",
        ("passwords alone", "tokens of IAM too"),
        (
            "Let applications sign in to databases with IAM",
            "Turn it on, then make users for it and move the applications one by one.",
            "IAMDatabaseAuthenticationEnabled",
            "--enable-iam-database-authentication",
            "--no-enable-iam-database-authentication",
            "iam_database_authentication_enabled = true",
        ),
    ),
)


CLUSTERS = rds_cluster_settings.CLUSTERS


@check(
    "cloud.rds-settings.snapshot-sharing",
    title="Snapshots of databases are shared with nobody unknown",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=repair(
        "Stop sharing snapshot @{id}",
        "Take the accounts off. Whoever had access may have restored or copied it: treat what is in it as "
        "read.",
        "aws rds describe-db-snapshot-attributes --region @{region} --db-snapshot-identifier @{id}   # no "
        "values",
        "aws rds modify-db-snapshot-attribute --region @{region} --db-snapshot-identifier @{id} "
        "--attribute-name restore --values-to-remove @{shared}",
        "aws rds modify-db-snapshot-attribute --region @{region} --db-snapshot-identifier @{id} "
        "--attribute-name restore --values-to-add @{shared}",
        key="rds:snapshot @{on}",
        terraform="# In the aws_db_snapshot @{id}, without @{shared}:\n"
        "shared_accounts = var.known_accounts\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html",),
)
def snapshot_sharing(
    found: RdsSnapshots, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """Whoever a snapshot is shared with restores the whole database in an account of their own."""
    friends = trusted | {*known.accounts}
    for one in found.snapshots:
        strangers = [name for name in one.shared if name not in friends]
        everybody = "all" in strangers
        yield expect(
            not strangers,
            on=one.arn,
            where=one.region,
            saw=("everybody" if everybody else f"account {', '.join(strangers)}")
            if strangers
            else "nobody unknown",
            want="nobody unknown",
            severity=None if everybody or not strangers else Severity.HIGH,
            confidence=Confidence.CONFIRMED if everybody or known.whole else Confidence.LIKELY,
            exposure=(Exposure.INTERNET_OPEN if everybody else Exposure.INTERNET_LIMITED)
            if strangers
            else None,
            exposure_evidence=f"{one.id} is shared with {', '.join(strangers)}" if strangers else "",
            values={"id": one.id, "shared": strangers[0] if strangers else ""},
        )


snapshot_encryption = setting(
    "cloud.rds-settings.snapshot-encryption",
    RdsSnapshots,
    lambda one: one.encrypted,
    title="Snapshots of databases are encrypted",
    why="A plain snapshot can be made public in one call, and restored by everybody.",
    severity=Severity.LOW,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Replace plain snapshots by encrypted copies",
        "Copy the snapshot with a KMS key, then delete the plain one.",
        "aws rds describe-db-snapshots --region @{region} --db-snapshot-identifier @{id} --query "
        "'DBSnapshots[].Encrypted'",
        "aws rds copy-db-snapshot --region @{region} --source-db-snapshot-identifier @{id} "
        "--target-db-snapshot-identifier encrypted-copy --kms-key-id alias/aws/rds",
        "aws rds delete-db-snapshot --region @{region} --db-snapshot-identifier encrypted-copy",
        terraform='resource "aws_db_snapshot_copy" "encrypted" {\n  source_db_snapshot_identifier = @{id}\n'
        '  target_db_snapshot_identifier = "encrypted-copy"\n  kms_key_id                    = var.key_arn\n'
        "}\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html",),
)


@check(
    "cloud.rds-settings.supported-release",
    title="Databases run a release with support",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Upgrade database @{id} to a release with support",
        "Restore a snapshot as a copy, upgrade and test that, then upgrade the database itself in a quiet "
        "hour.",
        f"{_SHOW} 'DBInstances[].EngineVersion'",
        f'{_MODIFY} --engine-version "$NEW_VERSION" --allow-major-version-upgrade --no-apply-immediately',
        "# An upgrade cannot be undone: restore the snapshot from before it instead.\ntrue",
        hours=(1.0, 4.0),
        disruption=Disruption.OUTAGE,
        back="Restore the snapshot from before the upgrade.",
        key="rds:upgrade @{on}",
        terraform="# In the aws_db_instance with identifier @{id}:\n"
        "engine_version              = var.new_version\nallow_major_version_upgrade = true\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support.html",),
)
def supported_release(found: RdsSettings, *, now: datetime) -> Verdicts:
    """A release without support gets no more fixes, and AWS charges extra for keeping it."""
    for one in found.instances:
        if one.cluster:
            # Its cluster is judged, once.
            continue
        yield releases.judged(one.arn, one.engine, one.version, now, where=one.region, values={"id": one.id})


admin_name = setting(
    "cloud.rds-settings.admin-name",
    RdsSettings,
    lambda one: one.admin.lower() not in ("admin", "administrator", "postgres", "root", "sa", "awsuser"),
    title="The first user of a database has no usual name",
    why="Programs that guess passwords try the usual names first.",
    severity=Severity.INFO,
    bad=lambda one: f"named {one.admin}",
    good="a name of its own",
    fix=repair(
        "Work with users of their own in databases",
        "The name cannot be changed: make users for people and applications with what they need, and lock "
        "the first one "
        "away with a long password.",
        f"{_SHOW} 'DBInstances[].MasterUsername'",
        back="Use the first user again.",
        hours=(0.5, 0.5),
    ),
    refs=(_GUIDE,),
)
