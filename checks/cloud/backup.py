"""Backups: whether there are any, who gets at them, and whether an intruder can delete them."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud.ages import days_since
from checks.cloud.resource_policies import family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.backup import BackedUpResources, Vaults
from checks.facts.cloud.ebs import EbsVolumes
from checks.facts.cloud.ec2_snapshots import OwnSnapshots
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect

POLICIES = family("backup")

vault_lock = setting(
    "cloud.backup.vault-lock",
    Vaults,
    lambda one: one.locked if one.points else None,
    title="Backups cannot be deleted before their time",
    why="Whoever takes over an administrator deletes the backups first; a lock keeps even administrators "
    "from it.",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    bad="backups can be deleted",
    good="locked",
    fix=repair(
        "Lock backup vaults",
        "Lock the vault with the shortest and the longest time that backups are to be kept. In governance "
        "mode (without a "
        "day from which it cannot be changed) the lock can still be taken off by those who have that right.",
        "aws backup describe-backup-vault --region @{region} --backup-vault-name @{name} --query Locked   # "
        "true",
        "aws backup put-backup-vault-lock-configuration --region @{region} --backup-vault-name @{name} "
        "--min-retention-days 7 --max-retention-days 400",
        "aws backup delete-backup-vault-lock-configuration --region @{region} --backup-vault-name @{name}",
        terraform='resource "aws_backup_vault_lock_configuration" "lock" {\n  backup_vault_name  = @{name}\n'
        "  min_retention_days = 7\n  max_retention_days = 400\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",),
)


@check(
    "cloud.backup.volumes",
    title="Volumes in use have a recent backup",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Back up volumes",
        "Put the volumes, by a tag, under a plan of AWS Backup with daily backups, and copy them into "
        "another account.",
        "aws backup list-protected-resources --region @{region} "
        "--query \"Results[?ResourceType=='EBS'].ResourceArn\"   # holds the volume",
        "aws backup start-backup-job --region @{region} --backup-vault-name Default --resource-arn @{arn} "
        '--iam-role-arn "$BACKUP_ROLE_ARN"',
        "aws backup delete-recovery-point --region @{region} --backup-vault-name Default "
        '--recovery-point-arn "$RECOVERY_POINT_ARN"',
        terraform='resource "aws_backup_plan" "daily" {\n  name = "daily"\n  rule {\n'
        '    rule_name         = "daily"\n    target_vault_name = "Default"\n'
        '    schedule          = "cron(0 3 * * ? *)"\n    lifecycle {\n      delete_after = '
        "35\n    }\n  }\n}\n"
        'resource "aws_backup_selection" "volumes" {\n  name         = "volumes"\n'
        "  plan_id      = aws_backup_plan.daily.id\n  iam_role_arn = var.backup_role_arn\n"
        "  resources    = [@{arn}]\n}\n",
        hours=(1.0, 0.1),
        back="Delete the recovery point.",
        key="backup:plan @{account}",
    ),
    refs=("https://docs.aws.amazon.com/aws-backup/latest/devguide/about-backup-plans.html",),
)
def volumes(
    found: EbsVolumes,
    taken: BackedUpResources,
    snapshots: OwnSnapshots,
    *,
    days: int = 7,
    now: datetime,
) -> Verdicts:
    """What is on a volume and nowhere else is gone with it: by a fault, by a mistake, or for ransom."""
    last = {one.arn.rpartition("/")[2]: one.last for one in taken.resources if ":volume/" in one.arn}
    for shot in snapshots.snapshots:
        if shot.usable:
            last[shot.volume] = max(last.get(shot.volume, ""), shot.started)
    for one in found.volumes:
        age = days_since(last.get(one.id, ""), now)
        recent = age is not None and age <= days
        whole = one.region in taken.regions and one.region in snapshots.regions
        if not one.instances or not (recent or whole):
            continue
        yield expect(
            recent,
            on=one.id,
            where=one.region,
            saw="no backup and no snapshot" if age is None else f"last backup {age} days ago",
            want=f"a backup or snapshot of the last {days} days",
            values={
                "account": found.account,
                "arn": f"arn:aws:ec2:{one.region}:{found.account}:volume/{one.id}",
            },
        )
