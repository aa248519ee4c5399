"""IAM users, their keys, and how much they may do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from checks import (
    Effort,
    Exploit,
    Fix,
    Impact,
    Language,
    Severity,
    Snippet,
    Surface,
    Verdict,
    Verdicts,
    check,
    expect,
)
from checks.cloud.administrators import administrator_by
from checks.facts.cloud.iam import CredentialReport, IamPolicies, IamUsers, ReportKey, ReportUser


@check(
    "cloud.iam.console-mfa",
    title="Everybody with a console password has a second factor",
    severity=Severity.HIGH,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Enforce a second factor for console users",
        do="Have each user register a security key or an authenticator app, then deny everything without a "
        "second factor by policy. Take the password away from users that are machines.",
        verify="aws iam list-mfa-devices --user-name @{user}   # at least one device",
        effort=Effort(setup=1.0, each=0.25),
        undo="Detach the policy that denies requests without a second factor.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "# Where the user is a machine or gone, take the console password away:\n"
                "aws iam delete-login-profile --user-name @{user}",
                "aws iam create-login-profile --user-name @{user} --password-reset-required "
                "--password 'CHOOSE-ONE'",
            ),
            Snippet(
                Language.TERRAFORM,
                'resource "aws_iam_group_policy" "second_factor" {\n  name  = "second-factor"\n'
                "  group = var.people # a group with @{user} in it, once a device is registered\n"
                '  policy = jsonencode({\n    Version = "2012-10-17"\n    Statement = [{\n'
                '      Effect    = "Deny"\n      NotAction = ["iam:ListMFADevices", "iam:EnableMFADevice", '
                '"iam:CreateVirtualMFADevice", "iam:ResyncMFADevice"]\n      Resource  = "*"\n'
                '      Condition = { Bool = { "aws:MultiFactorAuthPresent" = "false" } }\n    }]\n  })\n}\n',
            ),
        ),
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html",),
)
def console_mfa(report: CredentialReport) -> Verdicts:
    """A console password alone is phished or guessed from anywhere; the second factor is what stops it."""
    for user in report.users:
        if user.password:
            yield expect(
                user.mfa,
                on=user.arn,
                saw="password and second factor" if user.mfa else "password alone",
                want="second factor",
                values={"user": user.name},
            )


@check(
    "cloud.iam.key-age",
    title="Access keys are renewed in time",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Renew old access keys, or replace them by roles",
        do="Give the workload a role where it can have one. Else make a second key, move the workload to "
        "it, watch the last use of the old one, deactivate it, and delete it a week later.",
        verify="aws iam list-access-keys --user-name @{user}   # no old key is Active",
        effort=Effort(setup=0.5, each=0.75),
        undo="aws iam update-access-key --status Active brings a deactivated key back.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "# The id of the old key is in the first answer; nothing is deleted here.\n"
                "aws iam list-access-keys --user-name @{user}\n"
                "aws iam create-access-key --user-name @{user}\n"
                "aws iam update-access-key --user-name @{user} --status Inactive "
                '--access-key-id "$OLD_KEY_ID"',
                'aws iam update-access-key --user-name @{user} --status Active --access-key-id "$OLD_KEY_ID"',
            ),
        ),
    ),
)
def key_age(report: CredentialReport, *, days: int = 90, now: datetime) -> Verdicts:
    """A key that is never renewed is good for ever to whoever found it in a repository or a backup."""
    for user, key in _active_keys(report):
        age = _days(key.rotated or user.created, now)
        yield expect(
            age <= days,
            on=f"{user.arn} key {key.number}",
            saw=f"{age} days old",
            want=f"at most {days} days",
            values={"user": user.name},
            cite=user.arn,
        )


@check(
    "cloud.iam.unused-credentials",
    title="Credentials that nobody uses are switched off",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Switch off credentials that nobody uses",
        do="Ask the owner, then deactivate the key or delete the console password; delete the user after a "
        "while without complaints.",
        verify="aws iam list-access-keys --user-name @{user}; aws iam get-login-profile --user-name @{user} "
        "  # Inactive, or NoSuchEntity",
        effort=Effort(setup=0.5, each=0.25),
        undo="Activate the key again, or make a new console password.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws iam list-access-keys --user-name @{user}\n"
                'aws iam update-access-key --user-name @{user} --status Inactive --access-key-id "$KEY_ID"\n'
                "# For a console password instead:\n"
                "# aws iam delete-login-profile --user-name @{user}",
                'aws iam update-access-key --user-name @{user} --status Active --access-key-id "$KEY_ID"',
            ),
        ),
    ),
)
def unused_credentials(report: CredentialReport, *, days: int = 45, now: datetime) -> Verdicts:
    """Nobody notices when a forgotten credential is used by somebody else."""
    limit = (days, now)
    for user in report.users:
        if user.password:
            yield _idle(user, "password", user.password_used, user.password_changed or user.created, limit)
    for user, key in _active_keys(report):
        yield _idle(user, f"key {key.number}", key.used, key.rotated or user.created, limit)


@check(
    "cloud.iam.user-policies",
    title="Users get their rights through groups",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Move rights from users to groups",
        do="Make a group for the task, attach the same policies to it, add the user, then detach the "
        "policies from the user. Nothing changes for the user when it is done in this order.",
        verify="aws iam list-attached-user-policies --user-name @{user}; aws iam list-user-policies "
        "--user-name @{user}   # both empty",
        effort=Effort(setup=0.5, each=0.25),
        undo="Attach the policies to the user again.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws iam list-attached-user-policies --user-name @{user}\n"
                "aws iam list-user-policies --user-name @{user}\n"
                'aws iam attach-group-policy --group-name "$GROUP" --policy-arn "$POLICY_ARN"\n'
                'aws iam add-user-to-group --group-name "$GROUP" --user-name @{user}\n'
                'aws iam detach-user-policy --user-name @{user} --policy-arn "$POLICY_ARN"',
                'aws iam attach-user-policy --user-name @{user} --policy-arn "$POLICY_ARN"',
            ),
            Snippet(
                Language.TERRAFORM,
                'resource "aws_iam_group_policy_attachment" "task" {\n  group      = var.group\n'
                '  policy_arn = var.policy_arn\n}\n\nresource "aws_iam_user_group_membership" "task" {\n'
                "  user   = @{user}\n  groups = [var.group]\n}\n"
                "# After that, take the policies and attachments of the user itself out of the code.\n",
            ),
        ),
    ),
)
def user_policies(found: IamUsers) -> Verdicts:
    """Rights given one by one are forgotten when people change jobs."""
    for user in found.users:
        yield expect(
            not user.direct,
            on=user.arn,
            saw=user.direct or "no policy of its own",
            want="policies through groups only",
            values={"user": user.name},
        )


@check(
    "cloud.iam.full-administrator",
    title="Full administration is not handed out by policy",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Take the policies that allow everything away from @{kind} @{holder}",
        do="See with the last-accessed services of the holder what is used, write a policy for that, attach "
        "it, and detach this one. Keep one break-glass role, with a second factor and an alarm.",
        verify="aws iam list-entities-for-policy --policy-arn @{policy}   # without @{holder}",
        effort=Effort(setup=1.0, each=2.0),
        undo="Attach the policy again.",
        key="iam:full-administrator @{kind}/@{holder} @{account}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "# Which services the holder really uses: give the JobId to "
                "get-service-last-accessed-details.\n"
                "aws iam generate-service-last-accessed-details --arn @{arn}\n"
                "# Once a narrower policy is attached:\n"
                "aws iam detach-@{kind}-policy --@{kind}-name @{holder} --policy-arn @{policy}",
                "aws iam attach-@{kind}-policy --@{kind}-name @{holder} --policy-arn @{policy}",
            ),
            Snippet(
                Language.TERRAFORM,
                "# In the aws_iam_user_policy_attachment, aws_iam_group_policy_attachment or\n"
                "# aws_iam_role_policy_attachment of @{policy} to @{kind} @{holder}:\n"
                "policy_arn = var.narrower_policy_arn\n",
            ),
        ),
    ),
)
def full_administrator(found: IamPolicies, *, aws_policy_on_roles: bool = False) -> Verdicts:
    """Whoever takes over a holder of such a policy owns the account."""
    for policy in found.policies:
        if policy.made_by == "inline":
            continue
        for holder in policy.holders:
            # A role is the place for the administrator policy of AWS: it gives credentials for hours only.
            meant = policy.made_by == "aws" and holder.name.startswith("role/") and not aws_policy_on_roles
            yield administrator_by(found, policy, holder, meant)


@check(
    "cloud.iam.inline-administrator",
    title="Full administration is not hidden in inline policies",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Take the policies that allow everything away from @{kind} @{holder}",
        do="See with the last-accessed services of the holder what is used, attach a managed policy for "
        "that, and delete this inline one.",
        verify="aws iam list-@{kind}-policies --@{kind}-name @{holder}   # without @{policy}",
        effort=Effort(setup=1.0, each=2.0),
        undo="Put the saved document back.",
        key="iam:full-administrator @{kind}/@{holder} @{account}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws iam get-@{kind}-policy --@{kind}-name @{holder} --policy-name @{policy} "
                "--query PolicyDocument > saved-policy.json\n"
                "test -s saved-policy.json && "
                "aws iam delete-@{kind}-policy --@{kind}-name @{holder} --policy-name @{policy}",
                "aws iam put-@{kind}-policy --@{kind}-name @{holder} --policy-name @{policy} "
                "--policy-document file://saved-policy.json",
            ),
            Snippet(
                Language.TERRAFORM,
                "# In the aws_iam_user_policy, aws_iam_group_policy or aws_iam_role_policy @{policy} of\n"
                "# @{kind} @{holder}:\npolicy = data.aws_iam_policy_document.what_is_used.json\n",
            ),
        ),
    ),
)
def inline_administrator(found: IamPolicies) -> Verdicts:
    """An inline policy shows in no list of policies, so nobody sees that it allows everything."""
    for policy in found.policies:
        if policy.made_by == "inline":
            for holder in policy.holders:
                yield administrator_by(found, policy, holder, False)


def _active_keys(report: CredentialReport) -> Iterable[tuple[ReportUser, ReportKey]]:
    for user in report.users:
        for key in user.keys:
            if key.active:
                yield user, key


def _idle(user: ReportUser, what: str, used: str, since: str, limit: tuple[int, datetime]) -> Verdict:
    days, now = limit
    idle = _days(used or since, now)
    return expect(
        idle <= days,
        on=f"{user.arn} {what}",
        saw=f"last used {idle} days ago" if used else f"never used in {idle} days",
        want=f"used within {days} days",
        values={"user": user.name},
        cite=user.arn,
    )


def _days(moment: str, now: datetime) -> int:
    return (now - datetime.fromisoformat(moment)).days
