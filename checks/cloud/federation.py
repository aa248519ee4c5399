"""Whether people sign in where the company manages them, and not with passwords of IAM."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud.ages import days_until
from checks.cloud.setting import repair
from checks.facts.cloud.federation import IdentityCenters, SamlProviders
from checks.facts.cloud.iam import CredentialReport, IamRoles
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect

_OF_CENTER = "/aws-reserved/sso.amazonaws.com/"
"""The path of roles that Identity Center made in the account for the people who sign in there."""


@check(
    "cloud.federation.people",
    title="People sign in through an identity provider",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Let people sign in through your identity provider",
        "Connect your directory to IAM Identity Center, give groups permission sets for this account, and "
        "take the console passwords of IAM users away one by one once their owners sign in the new way. "
        "Keep two for emergencies, each with a security key.",
        "aws iam generate-credential-report && aws iam get-credential-report --query Content "
        "--output text | base64 -d | cut -d, -f1,4   # true for emergency users alone",
        "# Whose password is left, and who has signed in lately:\n"
        "aws iam list-users --query 'Users[].[UserName,PasswordLastUsed]' --output table",
        "# Nothing was changed.\ntrue",
        back="Give the IAM user a console password again.",
        hours=(8.0, 0.5),
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",),
)
def people(
    report: CredentialReport,
    saml: SamlProviders,
    centers: IdentityCenters,
    roles: IamRoles,
    *,
    emergency: int = 2,
    now: datetime,
) -> Verdicts:
    """Whoever leaves the company keeps a password of IAM until somebody remembers this account."""
    users = [user.name for user in report.users if user.password]
    ways = [*_by_center(centers, roles), *_by_saml(saml, roles, now)]
    who = f"{len(users)} IAM users with a console password" if users else "no IAM user with a password"
    yield expect(
        not users or (bool(ways) and len(users) <= emergency),
        on="console users",
        saw=f"{who}, {', '.join(ways) or 'no identity provider for people'}",
        want=f"an identity provider, and at most {emergency} users for emergencies",
    )


def _by_center(centers: IdentityCenters, roles: IamRoles) -> list[str]:
    active = any(one.active for one in centers.instances)
    # Its roles say so too where the account does not see the instance of its organization.
    return ["Identity Center"] if active or any(r.path.startswith(_OF_CENTER) for r in roles.roles) else []


def _by_saml(saml: SamlProviders, roles: IamRoles, now: datetime) -> list[str]:
    """The SAML providers that are valid and that a role trusts; those for pipelines sign in no people."""
    trusted = {
        name
        for role in roles.roles
        for statement in role.trust.statements
        if statement.allow
        for name in statement.principals
    }
    return [
        f"SAML provider {one.arn.rpartition('/')[2]}"
        for one in saml.providers
        if f"Federated:{one.arn}" in trusted and (days_until(one.ends, now) or 0) >= 0
    ]
