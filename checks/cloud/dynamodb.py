"""DynamoDB tables: who reads them, and whether a mistake can be undone."""

from __future__ import annotations

from checks.cloud.resource_policies import family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.dynamodb import TableBackups, Tables
from checks.model import Impact, Severity

POLICIES = family("dynamodb")

continuous_backup = setting(
    "cloud.dynamodb.continuous-backup",
    TableBackups,
    lambda one: one.continuous,
    title="Tables can be restored to any second",
    why="A faulty job or an intruder empties a table in minutes; without this there is nothing to go back "
    "to.",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    bad="no continuous backup",
    good="continuous backup",
    fix=repair(
        "Back up tables continuously",
        "Turn on point-in-time recovery; it works at once and without a pause.",
        "aws dynamodb describe-continuous-backups --region @{region} --table-name @{name} "
        "--query ContinuousBackupsDescription.PointInTimeRecoveryDescription   # ENABLED",
        "aws dynamodb update-continuous-backups --region @{region} --table-name @{name} "
        "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        "aws dynamodb update-continuous-backups --region @{region} --table-name @{name} "
        "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=false",
        terraform="# In the aws_dynamodb_table with name @{name}:\npoint_in_time_recovery {\n  enabled = "
        "true\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",),
)
deletion_protection = setting(
    "cloud.dynamodb.deletion-protection",
    Tables,
    lambda one: one.protected,
    title="Tables cannot be deleted by mistake",
    why="One wrong line in a deployment deletes a table with everything in it.",
    severity=Severity.LOW,
    bad="can be deleted in one call",
    good="protected from deletion",
    fix=repair(
        "Protect tables from deletion",
        "Turn on deletion protection.",
        "aws dynamodb describe-table --region @{region} --table-name @{name} "
        "--query Table.DeletionProtectionEnabled   # true",
        "aws dynamodb update-table --region @{region} --table-name @{name} --deletion-protection-enabled",
        "aws dynamodb update-table --region @{region} --table-name @{name} --no-deletion-protection-enabled",
        terraform="# In the aws_dynamodb_table with name @{name}:\ndeletion_protection_enabled = true\n",
    ),
    refs=("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html",),
)
own_key = setting(
    "cloud.dynamodb.own-key",
    Tables,
    lambda one: bool(one.key),
    title="Tables are encrypted under a key of the account",
    why="Under a key of one's own, reading a table is a second right, which can be taken away and is "
    "recorded.",
    severity=Severity.LOW,
    bad="under AWS's own key",
    good="under a key in KMS",
    fix=repair(
        "Encrypt tables under a key of your own",
        "Make a KMS key, let the roles that use the table decrypt with it, and set it on the table.",
        "aws dynamodb describe-table --region @{region} --table-name @{name} --query Table.SSEDescription",
        "aws dynamodb update-table --region @{region} --table-name @{name} "
        '--sse-specification "Enabled=true,SSEType=KMS,KMSMasterKeyId=$KEY_ARN"',
        "aws dynamodb update-table --region @{region} --table-name @{name} --sse-specification Enabled=false",
    ),
    refs=("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html",),
)
