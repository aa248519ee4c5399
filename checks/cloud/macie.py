"""Macie: whether somebody knows where personal data lies."""

from __future__ import annotations

from checks.cloud.setting import repair, setting
from checks.facts.cloud.detection import DataDiscoveries
from checks.model import Severity

enabled = setting(
    "cloud.macie.enabled",
    DataDiscoveries,
    lambda one: one.enabled,
    on="region",
    title="Personal data in buckets is looked for",
    why="Nobody can guard personal data of which they do not know in which bucket it lies.",
    severity=Severity.INFO,
    bad=lambda one: "Macie is paused" if one.paused else "Macie is not turned on",
    good="Macie looks",
    fix=repair(
        "Look for personal data in buckets",
        "Turn Macie on with automated discovery where the account has personal data; it has a price by "
        "bucket and volume.",
        "aws macie2 get-macie-session --region @{on} --query status   # ENABLED",
        "# The second one wakes up one that is paused.\n"
        "aws macie2 enable-macie --region @{on} ||\n"
        "aws macie2 update-macie-session --region @{on} --status ENABLED",
        "aws macie2 update-macie-session --region @{on} --status PAUSED",
        back="Pause it; disabling it deletes what it has found.",
        key="macie:on @{account}",
        terraform="# With a provider of region @{on}; an account that is paused is imported first:\n"
        'resource "aws_macie2_account" "on" {\n  status = "ENABLED"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/macie/latest/user/getting-started.html",),
)
