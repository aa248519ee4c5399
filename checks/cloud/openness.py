"""Whom a policy lets in: everybody, or somebody that its conditions name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.cloud.addresses import opened
from checks.facts.cloud.policy import Condition, Policy, Statement, matches

_WHO = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)
"""Keys that say who asks, or from where."""
_NOT_WHO = frozenset(
    {
        "aws:securetransport",
        "aws:referer",
        "aws:useragent",
        "aws:currenttime",
        "aws:epochtime",
        "s3:tlsversion",
    }
)
"""Keys that everybody can satisfy."""
_ARNS = frozenset({"aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"})
_PATHS = frozenset({"aws:principalorgpaths", "aws:sourceorgpaths"})
_EQUALS = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
)
_DIFFERS = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
}
_WITH_WILDCARDS = frozenset({"stringlike", "arnlike", "arnequals"})


@dataclass(frozen=True, slots=True)
class Opening:
    """A statement that lets everybody in: its name, what it allows, and the conditions that do not help.

    `certain` is False where a condition is not understood and may narrow who gets in.
    """

    name: str
    actions: tuple[str, ...]
    certain: bool
    conditions: tuple[str, ...]

    @property
    def words(self) -> str:
        """One line for a report."""
        tail = f" under {', '.join(self.conditions)}" if self.conditions else ""
        return f"{self.name} allows {', '.join(self.actions)} to everybody{tail}"


def openings(policy: Policy) -> tuple[Opening, ...]:
    """The statements that let everybody in and that no denial takes back."""
    denials = [one for one in policy.statements if not one.allow]
    found = []
    for number, one in enumerate(policy.statements, start=1):
        if not one.allow or not _everybody(one) or any(_narrows(c) for c in one.conditions):
            continue
        if any(_takes_back(denial, one) for denial in denials):
            continue
        found.append(
            Opening(
                name=f"statement {one.sid or number}",
                actions=one.actions or tuple(f"all but {name}" for name in one.not_actions),
                certain=all(c.key.lower() in _WHO | _NOT_WHO for c in one.conditions),
                conditions=tuple(f"{c.operator} {c.key}" for c in one.conditions),
            )
        )
    return tuple(found)


def covers(patterns: Sequence[str], names: Sequence[str], *, fold: bool = False) -> bool:
    """Whether every name is matched by one of the patterns; `fold` ignores case, as actions do."""
    known = [p.lower() for p in patterns] if fold else list(patterns)
    asked = [n.lower() for n in names] if fold else list(names)
    return all(any(matches(pattern, name) for pattern in known) for name in asked)


def _everybody(statement: Statement) -> bool:
    # Everybody but a few is everybody.
    return "*" in statement.principals or bool(statement.not_principals)


def _takes_back(denial: Statement, allowed: Statement) -> bool:
    # A denial to all but a few that it names leaves those few.
    spares_few = bool(denial.not_principals) and "*" not in denial.not_principals
    if not ("*" in denial.principals or spares_few) or denial.not_actions or denial.not_resources:
        return False
    actions = allowed.actions or ("*",)
    resources = allowed.resources or ("*",)
    if not covers(denial.actions, actions, fold=True) or not covers(denial.resources, resources):
        return False
    return all(_names_exceptions(c) for c in denial.conditions)


def _names_exceptions(condition: Condition) -> bool:
    """Whether a denial with this condition spares only somebody who is named."""
    operator, _ = _operator(condition.operator)
    if operator in _DIFFERS:
        return _narrows(Condition(_DIFFERS[operator], condition.key, condition.values))
    is_service = condition.key.lower() == "aws:principalisawsservice"
    return is_service and operator == "bool" and _lower(condition.values) == {"false"}


def _narrows(condition: Condition) -> bool:
    """Whether an allowance with this condition lets in only somebody who is named."""
    key = condition.key.lower()
    operator, optional = _operator(condition.operator)
    if optional:
        # Holds when the request lacks the key, and a request from anywhere does.
        return False
    if key == "aws:principalisawsservice":
        return operator == "bool" and _lower(condition.values) == {"true"}
    if key not in _WHO or operator not in _EQUALS or not condition.values:
        return False
    if key == "aws:sourceip":
        return operator == "ipaddress" and not _any_internet(condition.values)
    return all(_fixed(key, operator, value) for value in condition.values)


def _operator(written: str) -> tuple[str, bool]:
    """The plain operator, and whether a request without the key satisfies it."""
    name = written.lower()
    for_all = name.startswith("forallvalues:")
    name = name.rpartition(":")[2]
    return name.removesuffix("ifexists"), for_all or name.endswith("ifexists")


def _fixed(key: str, operator: str, value: str) -> bool:
    if "${" in value:
        return False
    if operator not in _WITH_WILDCARDS or not set("*?") & set(value):
        return True
    if key in _PATHS:
        # In a path it is the organisation that says who; below it wildcards are fine.
        organisation, slash, _ = value.partition("/")
        return bool(slash) and not set("*?") & set(organisation)
    # In an ARN it is the account that says who; behind it wildcards are fine.
    parts = value.split(":")
    return key in _ARNS and len(parts) >= 6 and parts[4].isdigit()


def _any_internet(cidrs: Sequence[str]) -> bool:
    try:
        return bool(opened(cidrs))
    except ValueError:
        return True


def _lower(values: Sequence[str]) -> set[str]:
    return {value.lower() for value in values}
