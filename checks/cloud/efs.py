"""Shared file systems: who mounts them, and what is left after a loss."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud.ages import days_since
from checks.cloud.openness import covers
from checks.cloud.resource_policies import family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.backup import BackedUpResources
from checks.facts.cloud.efs import FileSystemBackups, FileSystems
from checks.facts.cloud.policy import Statement
from checks.facts.cloud.resource_policies import FileSystemPolicies
from checks.fix import Disruption
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect

POLICIES = family("efs")

encryption = setting(
    "cloud.efs.encryption",
    FileSystems,
    lambda one: one.encrypted,
    title="File systems are encrypted",
    why="A copy of a plain file system is readable for everybody who gets at it.",
    severity=Severity.MEDIUM,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Replace file system @{name} by an encrypted one",
        "A file system cannot be encrypted later: make a new one, copy with DataSync, mount it in place of "
        "the old one, "
        "and keep the old one, unmounted, for a week.",
        "aws efs describe-file-systems --region @{region} --file-system-id @{name} "
        "--query 'FileSystems[].Encrypted'   # true for the new one",
        "aws efs create-file-system --region @{region} --encrypted --creation-token encrypted-copy",
        'aws efs delete-file-system --region @{region} --file-system-id "$NEW_ID"',
        hours=(1.0, 4.0),
        disruption=Disruption.OUTAGE,
        back="Mount the old file system again.",
        key="efs:encrypt @{on}",
        terraform="# Beside the aws_efs_file_system @{name}, which cannot be encrypted later:\n"
        'resource "aws_efs_file_system" "encrypted" {\n  encrypted = true\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/efs/latest/ug/encryption.html",),
)


@check(
    "cloud.efs.backup",
    title="File systems are backed up every day",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Back up file systems every day",
        "Turn on automatic backups: AWS Backup then takes one every day and keeps it for 35 days.",
        "aws efs describe-backup-policy --region @{region} --file-system-id @{name}   # ENABLED",
        "aws efs put-backup-policy --region @{region} --file-system-id @{name} --backup-policy "
        "Status=ENABLED",
        "aws efs put-backup-policy --region @{region} --file-system-id @{name} --backup-policy "
        "Status=DISABLED",
        terraform='resource "aws_efs_backup_policy" "daily" {\n  file_system_id = @{name}\n'
        '  backup_policy {\n    status = "ENABLED"\n  }\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/efs/latest/ug/awsbackup.html",),
)
def backup(found: FileSystemBackups, taken: BackedUpResources, *, days: int = 7, now: datetime) -> Verdicts:
    """Whoever may write can delete or encrypt every file; only a backup elsewhere brings them back."""
    last = {one.arn: one.last for one in taken.resources}
    want = f"automatic backup, or a backup of the last {days} days"
    for one in found.backups:
        age = days_since(last.get(one.arn, ""), now)
        # A plan of one's own takes file systems whose automatic backup is off.
        recent = age is not None and age <= days
        if not one.automatic and not recent and one.region not in taken.regions:
            continue
        saw = "no automatic backup" + ("" if age is None else f", last backup {age} days ago")
        yield expect(
            one.automatic or recent,
            on=one.arn,
            where=one.region,
            saw="backed up every day" if one.automatic else saw,
            want=want,
            values={"name": one.name},
        )


@check(
    "cloud.efs.tls-only",
    title="File systems are mounted over TLS only",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Refuse mounts of file systems without TLS",
        "Add a statement to the policy that denies everything when aws:SecureTransport is false, after the "
        "clients mount "
        "with the option tls.",
        "aws efs describe-file-system-policy --region @{region} --file-system-id @{name} --query Policy "
        "--output text   # denies without SecureTransport",
        back="Put the former policy back.",
        terraform="# In the policy of the aws_efs_file_system_policy of @{name}, beside the statements "
        'that let clients in:\nstatement {\n  sid       = "RefusePlainMounts"\n  effect    = "Deny"\n'
        '  actions   = ["*"]\n  resources = [@{on}]\n  principals {\n    type        = "AWS"\n'
        '    identifiers = ["*"]\n  }\n  condition {\n    test     = "Bool"\n'
        '    variable = "aws:SecureTransport"\n    values   = ["false"]\n  }\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/efs/latest/ug/enforcing-encryption-in-transit.html",),
)
def tls_only(found: FileSystemPolicies) -> Verdicts:
    """Without TLS the files and their names cross the network in the clear."""
    for one in found.policies:
        ok = any(_refuses_plain(statement) for statement in one.policy.statements)
        yield expect(
            ok,
            on=one.arn,
            where=one.region,
            saw="plain mounts are refused" if ok else "plain mounts are let in",
            want="plain mounts are refused",
            values={"name": one.name},
        )


def _refuses_plain(statement: Statement) -> bool:
    if statement.allow or "*" not in statement.principals or len(statement.conditions) != 1:
        return False
    # Nothing is mounted without this one. The policy of a file system is about that file system.
    if not covers(statement.actions, ["elasticfilesystem:ClientMount"], fold=True):
        return False
    [condition] = statement.conditions
    return (
        condition.key.lower() == "aws:securetransport"
        and condition.operator.lower() in ("bool", "boolifexists")
        and [value.lower() for value in condition.values] == ["false"]
    )
