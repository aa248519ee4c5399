"""Services that a policy lets in for whoever uses them: confused deputies."""

from __future__ import annotations

import re

from checks.cloud.openness import covered, narrows
from checks.cloud.outsiders import SOURCE, TURNED
from checks.facts.cloud.policy import Condition, Policy, Statement

_SERVICE = re.compile(
    r"(?P<name>[a-z0-9-]+)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.(?:amazonaws\.com(?:\.cn)?|amazon\.com)"
)
_ACTING = frozenset(
    {
        "apigateway", "bedrock", "budgets", "cloudfront", "cloudtrail", "cloudwatch",
        "codestar-notifications",
        "cognito-idp", "config", "elasticloadbalancing", "events", "iot", "logs", "s3", "secretsmanager",
        "ses", "sns", "sqs",
    }
)  # fmt: skip
"""Services that act on behalf of the resources of any customer."""
_SOURCES = SOURCE | {"aws:sourceorgid", "aws:sourceorgpaths"}


def confused(policy: Policy) -> tuple[str, ...]:
    """Statements that let a service in for whoever uses it, without saying for whose resource.

    Only services that act for other customers count; `sns.amazonaws.com` without `aws:SourceArn` or
    `aws:SourceAccount` sends what a topic of anybody tells it to. A condition on one of them has to name
    somebody: an ARN with any account does not.
    """
    denials = [one for one in policy.statements if not one.allow]
    found = []
    for number, one in enumerate(policy.statements, start=1):
        services = sorted(p.removeprefix("Service:") for p in one.principals if p.startswith("Service:"))
        acting = [name for name in services if _acts(name)]
        if not one.allow or not acting or any(_names_source(c) for c in one.conditions):
            continue
        if not any(_refuses(denial, one, acting) for denial in denials):
            found.append(f"statement {one.sid or number}: {', '.join(acting)}")
    return tuple(found)


def _acts(name: str) -> bool:
    found = _SERVICE.fullmatch(name.lower())
    return name == "*" or (found is not None and found["name"] in _ACTING)


def _names_source(condition: Condition) -> bool:
    return condition.key.lower() in _SOURCES and narrows(condition)


def _refuses(denial: Statement, allowed: Statement, services: list[str]) -> bool:
    """Whether a denial refuses these services for every source but some that it names."""
    meant = "*" in denial.principals or {f"Service:{name}" for name in services} <= set(denial.principals)
    if not meant or len(denial.conditions) != 1 or not covered(denial, allowed):
        return False
    [one] = denial.conditions
    operator = one.operator.lower().removesuffix("ifexists")
    turned = Condition(TURNED.get(operator, ""), one.key, one.values)
    return _names_source(turned)
