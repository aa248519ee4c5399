"""Rights that are wider than what they are for."""

from __future__ import annotations

from collections.abc import Callable

from checks.check import Check, check, make_check
from checks.cloud.narrowing import open_to
from checks.cloud.rights import EVERYTHING, Principal, administrator, grants
from checks.cloud.setting import repair
from checks.facts.cloud.iam import IamPolicies, IamPolicy
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect

_LEAST = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"


Wide = Callable[[Principal, str, str], bool]
"""Whether a policy alone is too wide; the texts are its partition and its account."""


def _on_all(action: str, things: str) -> Wide:
    """Whether the action is allowed on all of these things, however their ARNs are written."""

    def wide(alone: Principal, partition: str, account: str) -> bool:
        every = f"arn:{partition}:{things.format(account=account)}"
        # Administrators are told by a check of their own.
        return not administrator(alone) and any(grant.on(every) for grant in grants(alone, action))

    return wide


def _made(  # noqa: PLR0917 - the columns of the table below
    name: str, wide: Wide, title: str, why: str, saw: str, severity: Severity
) -> Check[[IamPolicies]]:
    def judge(found: IamPolicies) -> Verdicts:
        for policy in found.policies:
            if policy.made_by == "aws" or not policy.holders:
                continue
            alone = Principal(policy.holders[0].arn, "", ((policy.name, policy.policy),), None)
            _, partition, _, _, account, *_ = policy.arn.split(":")
            bad = wide(alone, partition, account)
            yield expect(
                not bad,
                on=policy.arn,
                saw=f"{saw}, to {', '.join(h.name for h in policy.holders[:3])}" if bad else "bounded",
                want="bounded",
                values={"name": policy.name, "arn": policy.arn},
            )

    judge.__module__ = "checks.cloud.iam_rights"
    return make_check(
        judge,
        f"cloud.iam-rights.{name}",
        title=title,
        severity=severity,
        impact=Impact.SERIOUS,
        surface=Surface.CONTROL_PLANE,
        why=why,
        fix=repair(
            "Bound the rights in policy @{name}",
            "Name the resources that are needed instead of *, and add conditions where they exist; the last "
            "accessed "
            "services of the holders show what they use.",
            "aws iam get-account-authorization-details --filter LocalManagedPolicy User Role Group   # "
            "bounded",
            hours=(0.5, 1.0),
            back="Set the former version of the policy as its default again.",
            key="iam:bound @{arn}",
            terraform="# In the statement of policy @{name} that is too wide:\n"
            "actions   = var.actions_that_are_used\nresources = var.resources_that_are_needed\n",
        ),
        refs=(_LEAST,),
    )


def _all_but(alone: Principal, *_: str) -> bool:
    [document] = alone.documents
    return any(
        one.allow
        and one.not_actions
        and all(open_to(c, alone.asker) for c in one.conditions)
        and (one.not_resources or EVERYTHING in one.resources)
        for one in document.policy.statements
    )


def _whole_service(alone: Principal, partition: str, account: str) -> bool:
    [document] = alone.documents
    if administrator(alone):
        return False
    written = {a.lower() for one in document.policy.statements if one.allow for a in one.actions}
    return any(
        grant.on(
            f"arn:{partition}:{_THINGS.get(action, f'{action[:-2]}:*:{account}:*')}".format(account=account)
        )
        for action in sorted(written & _POWERFUL)
        for grant in grants(alone, action)
    )


_THINGS = {"s3:*": "s3:::*", "iam:*": "iam::{account}:*", "organizations:*": "organizations::{account}:*"}
"""How the ARNs of all things of a service are written, where they have no region or no account."""
_POWERFUL = frozenset(
    {"iam:*", "organizations:*", "kms:*", "secretsmanager:*", "sts:*", "s3:*", "ec2:*", "lambda:*"}
)

WIDE = (
    _made(
        "pass-any-role",
        _on_all("iam:PassRole", "iam::{account}:role/*"),
        "Roles are passed by name",
        "Whoever may pass any role has the rights of the strongest one, by way of a service that runs what "
        "they say.",
        "iam:PassRole on every role",
        Severity.MEDIUM,
    ),
    _made(
        "assume-any-role",
        _on_all("sts:AssumeRole", "iam::{account}:role/*"),
        "Roles are taken on by name",
        "With every role in reach, the trust of each role is the only thing that stops an intruder, here "
        "and elsewhere.",
        "sts:AssumeRole on every role",
        Severity.MEDIUM,
    ),
    _made(
        "decrypt-everything",
        _on_all("kms:Decrypt", "kms:*:{account}:key/*"),
        "Keys are used by name",
        "Whoever may decrypt with every key takes away what the keys were to keep apart.",
        "kms:Decrypt with every key",
        Severity.MEDIUM,
    ),
    _made(
        "read-every-secret",
        _on_all("secretsmanager:GetSecretValue", "secretsmanager:*:{account}:secret:*"),
        "Secrets are read by name",
        "One leaked key of such a holder gives all passwords of the account.",
        "secretsmanager:GetSecretValue of every secret",
        Severity.MEDIUM,
    ),
    _made(
        "all-but",
        _all_but,
        "No policy allows everything but a list",
        "What AWS adds next year is allowed on the day it appears, and the list leaves open what nobody "
        "thought of.",
        "everything but a list",
        Severity.MEDIUM,
    ),
    _made(
        "whole-service",
        _whole_service,
        "No policy gives all of a powerful service",
        "All of such a service includes the few calls with which its holder gets everything else.",
        "every action of a powerful service",
        Severity.LOW,
    ),
)
"""One check for each right that is wider than it should be."""


def _of_aws(policy: IamPolicy, name: str) -> bool:
    # A policy of one's own may have any name.
    return policy.made_by == "aws" and policy.name == name


@check(
    "cloud.iam-rights.support-role",
    title="Somebody can open a case with AWS",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Make a role for AWS support",
        "Make a role with the policy AWSSupportAccess that those who handle incidents may take on.",
        "aws iam list-entities-for-policy --policy-arn arn:aws:iam::aws:policy/AWSSupportAccess",
        'aws iam attach-role-policy --role-name "$ROLE" --policy-arn '
        "arn:aws:iam::aws:policy/AWSSupportAccess",
        'aws iam detach-role-policy --role-name "$ROLE" --policy-arn '
        "arn:aws:iam::aws:policy/AWSSupportAccess",
        hours=(0.5, 0.0),
        terraform='resource "aws_iam_role_policy_attachment" "support" {\n  role       = var.role\n'
        '  policy_arn = "arn:aws:iam::aws:policy/AWSSupportAccess"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/awssupport/latest/user/accessing-support.html",),
)
def support_role(found: IamPolicies) -> Verdicts:
    """In an incident it is too late to find out that nobody but root may talk to AWS."""
    holders = [h.name for one in found.policies if _of_aws(one, "AWSSupportAccess") for h in one.holders]
    yield expect(
        bool(holders),
        on="AWSSupportAccess",
        saw=", ".join(holders) or "nobody has it",
        want="somebody has it",
    )


@check(
    "cloud.iam-rights.cloudshell",
    title="Nobody has all of CloudShell",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Take full CloudShell from @{holder}",
        "Give a policy of your own that leaves out file upload and download (cloudshell:GetFileUploadUrls, "
        "cloudshell:GetFileDownloadUrls) where a shell is needed.",
        "aws iam list-entities-for-policy --policy-arn arn:aws:iam::aws:policy/AWSCloudShellFullAccess   # "
        "nobody",
        "aws iam detach-@{kind}-policy --@{kind}-name @{holder} --policy-arn "
        "arn:aws:iam::aws:policy/AWSCloudShellFullAccess",
        "aws iam attach-@{kind}-policy --@{kind}-name @{holder} --policy-arn "
        "arn:aws:iam::aws:policy/AWSCloudShellFullAccess",
        key="iam:cloudshell @{holder}",
        terraform="# In the aws_iam_user_policy_attachment, aws_iam_group_policy_attachment or\n"
        "# aws_iam_role_policy_attachment of @{kind} @{holder}, a policy without file transfer:\n"
        "policy_arn = var.shell_policy_arn\n",
    ),
    refs=("https://docs.aws.amazon.com/cloudshell/latest/userguide/sec-auth-with-identities.html",),
)
def cloudshell(found: IamPolicies) -> Verdicts:
    """A shell with the rights of its user, and a way out for files, is how data leaves."""
    for one in found.policies:
        if _of_aws(one, "AWSCloudShellFullAccess"):
            for holder in one.holders:
                kind, _, name = holder.name.partition("/")
                yield expect(
                    False,
                    on=f"{one.arn} on {holder.name}",
                    saw=f"given to {holder.name}",
                    want="given to nobody",
                    values={"kind": kind, "holder": name},
                    cite=one.arn,
                )
    if not any(_of_aws(one, "AWSCloudShellFullAccess") and one.holders for one in found.policies):
        yield expect(True, on="AWSCloudShellFullAccess", saw="given to nobody", want="given to nobody")
