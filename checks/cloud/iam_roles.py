"""Roles: whom they trust, and which of them nobody needs."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud.ages import days_since
from checks.cloud.openness import openings
from checks.cloud.outsiders import in_doubt, outsiders, told
from checks.cloud.setting import repair
from checks.facts.cloud.iam import IamRoles
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Statement
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_EDIT = (
    "aws iam get-role --role-name @{name} --query Role.AssumeRolePolicyDocument > trust.before.json &&\n"
    "# Edit trust.after.json.\n"
    "cp trust.before.json trust.after.json &&\n${EDITOR:-vi} trust.after.json &&\n"
    "aws iam update-assume-role-policy --role-name @{name} --policy-document file://trust.after.json"
)
_BACK = "aws iam update-assume-role-policy --role-name @{name} --policy-document file://trust.before.json"
_READ = "aws iam get-role --role-name @{name} --query Role.AssumeRolePolicyDocument"
_OIDC = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html"
_DEPUTY = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"


@check(
    "cloud.iam-roles.trust-everybody",
    title="No role trusts everybody",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    fix=repair(
        "Close role @{name} to the public",
        "Name the accounts, roles or services that may take on the role; look in CloudTrail (AssumeRole) "
        "for who has.",
        f"{_READ}   # no *",
        _EDIT,
        _BACK,
        hours=(0.5, 0.5),
        key="iam:trust @{on}",
        terraform="# In the assume_role_policy of the aws_iam_role with name @{name}, in place of "
        'everybody:\nprincipals {\n  type        = "AWS"\n  identifiers = var.known_arns\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",),
)
def trust_everybody(found: IamRoles) -> Verdicts:
    """Whoever has an AWS account, which anybody can open, takes on the role and has its rights."""
    for role in found.roles:
        ways = openings(role.trust)
        yield expect(
            not ways,
            on=role.arn,
            saw="; ".join(way.words for way in ways) or "only those who are named",
            want="only those who are named",
            confidence=Confidence.CONFIRMED if any(w.certain for w in ways) else Confidence.LIKELY,
            exposure=Exposure.INTERNET_OPEN if ways else None,
            exposure_evidence=f"{role.name} trusts everybody" if ways else "",
            values={"name": role.name},
        )


@check(
    "cloud.iam-roles.trusted-outsiders",
    title="Roles trust no account that nobody knows",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Check which accounts role @{name} trusts",
        "Ask whose the account is and what it is for. Where nobody knows, take it out; else name it in the "
        "option "
        "`trusted` of this check.",
        f"{_READ}   # no unknown account",
        _EDIT,
        _BACK,
        hours=(0.5, 0.5),
        key="iam:trust @{on}",
        terraform="# In the assume_role_policy of the aws_iam_role with name @{name}, without the "
        'account that nobody knows:\nprincipals {\n  type        = "AWS"\n  identifiers = var.known_arns\n'
        "}\n",
    ),
    refs=(_DEPUTY,),
)
def trusted_outsiders(
    found: IamRoles, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """The other account decides who takes on the role, and nobody here sees who that is."""
    friends = trusted | {*known.accounts}
    for role in found.roles:
        strangers = outsiders(role.trust, found.account, friends, known.organization)
        yield told(strangers, known, on=role.arn, values={"name": role.name})


@check(
    "cloud.iam-roles.external-id",
    title="Roles for other companies ask for an external id",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Ask for an external id at role @{name}",
        "Have the other company give you an external id of your own, and demand it in the trust: "
        "StringEquals on "
        "sts:ExternalId.",
        f"{_READ}   # sts:ExternalId",
        _EDIT,
        _BACK,
        hours=(0.5, 0.5),
        key="iam:trust @{on}",
        terraform="# In the assume_role_policy of the aws_iam_role with name @{name}, in the statement "
        'for the other company:\ncondition {\n  test     = "StringEquals"\n  variable = "sts:ExternalId"\n'
        "  values   = [var.external_id]\n}\n",
    ),
    refs=(_DEPUTY,),
)
def external_id(found: IamRoles, known: KnownAccounts) -> Verdicts:
    """Without one, another customer of that company can have it take on your role instead of theirs."""
    for role in found.roles:
        strangers = outsiders(role.trust, found.account, frozenset(known.accounts), known.organization)
        if not strangers:
            continue
        bare = [one for one in role.trust.statements if one.allow and not _asks_for_id(one)]
        names = {f"statement {one.sid or n}" for n, one in enumerate(role.trust.statements, 1) if one in bare}
        loose = [one for one in strangers if one.name in names]
        # Accounts of one's own need no such id, and which those are was not read.
        reason, needs = in_doubt(loose, known)
        if reason:
            yield unknown(role.arn, reason, needs=needs)
            continue
        yield expect(
            not loose,
            on=role.arn,
            saw="; ".join(one.words for one in loose) or "an external id is asked for",
            want="an external id is asked for",
            values={"name": role.name},
        )


def _asks_for_id(statement: Statement) -> bool:
    return any(
        c.key.lower() == "sts:externalid"
        and c.operator.lower() in ("stringequals", "stringlike")
        and not any("*" in value for value in c.values)
        for c in statement.conditions
    )


@check(
    "cloud.iam-roles.oidc-subject",
    title="Roles for pipelines and sites say for which one",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Say whose tokens role @{name} takes",
        "Compare the provider's `sub` with your own repository, branch or service account (StringEquals), "
        "and `aud` with "
        "your own audience.",
        f"{_READ}   # a condition on :sub",
        _EDIT,
        _BACK,
        hours=(0.5, 0.5),
        key="iam:trust @{on}",
        terraform="# In the assume_role_policy of the aws_iam_role with name @{name}, in the statement "
        'for the provider:\ncondition {\n  test     = "StringEquals"\n  variable = "${var.issuer}:sub"\n'
        '  values   = [var.own_subject]\n}\ncondition {\n  test     = "StringEquals"\n'
        '  variable = "${var.issuer}:aud"\n  values   = [var.own_audience]\n}\n',
    ),
    refs=(_OIDC,),
)
def oidc_subject(found: IamRoles) -> Verdicts:
    """A provider signs for everybody who uses it: without `sub` any repository there takes on the role."""
    for role in found.roles:
        statements = [one for one in role.trust.statements if one.allow and _federated(one)]
        if statements:
            loose = [one for one in statements if not _names_subject(one)]
            providers = sorted({name for one in loose for name in _federated(one)})
            yield expect(
                not loose,
                on=role.arn,
                saw=f"any token of {', '.join(providers)}" if loose else "tokens of a named subject",
                want="tokens of a named subject",
                values={"name": role.name},
            )


def _federated(statement: Statement) -> list[str]:
    names = [p.removeprefix("Federated:") for p in statement.principals if p.startswith("Federated:")]
    # SAML providers sign for one's own directory alone.
    return [name.partition("oidc-provider/")[2] or name for name in names if ":saml-provider/" not in name]


def _names_subject(statement: Statement) -> bool:
    for condition in statement.conditions:
        key, operator = condition.key.lower(), condition.operator.lower()
        if operator.endswith("ifexists") or operator.startswith("forallvalues:"):
            continue
        if not key.endswith((":sub", ":amr", ":app_id", ":user_id")) and not key.endswith(":aud"):
            continue
        cognito = key.startswith("cognito-identity.amazonaws.com:aud")
        if (key.endswith(":aud") and not cognito) or "not" in operator or not condition.values:
            continue
        if all(_bounded(value) for value in condition.values):
            return True
    return False


def _bounded(value: str) -> bool:
    """Whether a subject pattern names somebody: `repo:*` and `repo:*/*` do not."""
    plain = value.split(":", 1)[1] if value.startswith(("repo:", "project_path:", "organization:")) else value
    return bool(plain.strip("*?/:")) and not plain.startswith("*")


@check(
    "cloud.iam-roles.unused",
    title="Roles that nobody uses are gone",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Delete roles that nobody uses",
        "Ask the owner of the role; first deny it everything for two weeks, then delete it.",
        "aws iam get-role --role-name @{name} --query Role.RoleLastUsed",
        "aws iam put-role-policy --role-name @{name} --policy-name unused --policy-document @{denial}",
        "aws iam delete-role-policy --role-name @{name} --policy-name unused",
        back="Delete the policy `unused`.",
        terraform="# For two weeks; then take the role out of the code:\n"
        'resource "aws_iam_role_policy" "unused" {\n  name   = "unused"\n  role   = @{name}\n'
        "  policy = @{denial}\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage_delete.html",),
)
def unused(found: IamRoles, *, days: int = 90, now: datetime) -> Verdicts:
    """Nobody notices when an intruder takes on a role that everybody has forgotten."""
    for role in found.roles:
        age = days_since(role.used or role.created, now)
        # Identity Center makes its roles and takes them away; nobody else can.
        if role.linked or role.path.startswith("/aws-reserved/") or age is None:
            continue
        never = f"not used in the {age} days that it is there"
        yield expect(
            age <= days,
            on=role.arn,
            saw=f"last used {age} days ago" if role.used else never,
            want=f"used within {days} days",
            values={"name": role.name, "denial": _DENY},
        )


_DENY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
