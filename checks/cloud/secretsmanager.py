"""Secrets in Secrets Manager: who gets them, and how old they are."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud.ages import days_since
from checks.cloud.resource_policies import family
from checks.cloud.setting import repair
from checks.facts.cloud.secretsmanager import StoredSecrets
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable

POLICIES = family("secretsmanager")


@check(
    "cloud.secretsmanager.rotation",
    title="Secrets are changed in time",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Change old secrets, and let them rotate",
        "Turn on rotation with a function of AWS where the secret is a database's; else change it by hand "
        "in its system "
        "and here on the same day.",
        "aws secretsmanager describe-secret --region @{region} --secret-id @{on} "
        "--query '[RotationEnabled,LastChangedDate]'",
        "aws secretsmanager rotate-secret --region @{region} --secret-id @{on} "
        '--rotation-lambda-arn "$FUNCTION_ARN" --rotation-rules AutomaticallyAfterDays=90',
        "aws secretsmanager cancel-rotate-secret --region @{region} --secret-id @{on}",
        hours=(1.0, 0.5),
        terraform='resource "aws_secretsmanager_secret_rotation" "quarterly" {\n'
        "  secret_id           = @{on}\n  rotation_lambda_arn = var.function_arn\n  rotation_rules {\n"
        "    automatically_after_days = 90\n  }\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html",),
)
def rotation(found: StoredSecrets, *, days: int = 90, now: datetime) -> Verdicts:
    """A secret that never changes is good for ever to whoever once saw it: a leaver, a backup, a log."""
    for one in found.secrets:
        if one.copy_of:
            yield not_applicable(one.arn, f"a copy of the secret in {one.copy_of}", where=one.region)
            continue
        age = days_since(one.changed or one.made, now)
        # Some services only keep their secret here: AWS changes it where it rotates.
        by_aws = one.managed and one.rotates
        ok = by_aws or (age is not None and age <= days)
        yield expect(
            ok,
            on=one.arn,
            where=one.region,
            saw="rotated by AWS" if by_aws else f"changed {age} days ago" if age is not None else "no date",
            want=f"changed within {days} days",
        )


@check(
    "cloud.secretsmanager.unused",
    title="Secrets that nobody fetches are gone",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Delete secrets that nobody fetches",
        "Ask the owner; then delete the secret with its recovery window, and take the right away in the "
        "system it is for.",
        "aws secretsmanager describe-secret --region @{region} --secret-id @{on} --query DeletedDate",
        "aws secretsmanager delete-secret --region @{region} --secret-id @{on} --recovery-window-in-days 30",
        "aws secretsmanager restore-secret --region @{region} --secret-id @{on}",
        back="Within the window the secret can be restored.",
    ),
    refs=("https://docs.aws.amazon.com/secretsmanager/latest/userguide/best-practices.html",),
)
def unused(found: StoredSecrets, *, days: int = 90, now: datetime) -> Verdicts:
    """A forgotten secret still opens what it is for, and nobody notices who uses it."""
    for one in found.secrets:
        if one.managed or one.copy_of:
            kept = f"a copy of the secret in {one.copy_of}" if one.copy_of else "kept by a service of AWS"
            yield not_applicable(one.arn, kept, where=one.region)
            continue
        age = days_since(one.used or one.made, now)
        if age is not None:
            yield expect(
                age <= days,
                on=one.arn,
                where=one.region,
                saw=f"last fetched {age} days ago"
                if one.used
                else f"not fetched in the {age} days that it is there",
                want=f"fetched within {days} days",
            )
