"""Whom a policy lets in: everybody, or somebody that its conditions name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from checks.cloud.addresses import opened
from checks.cloud.overlaps import overlap
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
        "aws:calledvia",
        "aws:calledviafirst",
        "aws:calledvialast",
        "aws:currenttime",
        "aws:epochtime",
        "aws:multifactorauthage",
        "aws:multifactorauthpresent",
        "aws:principaltype",
        "aws:referer",
        "aws:requestedregion",
        "aws:securetransport",
        "aws:tagkeys",
        "aws:useragent",
        "aws:viaawsservice",
        "kms:grantisforawsresource",
        "kms:viaservice",
        "lambda:functionurlauthtype",
        "lambda:invokedviafunctionurl",
        "s3:tlsversion",
        "ses:feedbackaddress",
        "ses:fromaddress",
        "ses:fromdisplayname",
        "ses:recipients",
        "s3:x-amz-acl",
    }
)
"""Keys that everybody can satisfy: they say how and when, or what a stranger says of himself."""
_BY_NETWORK = frozenset({"elasticfilesystem:accessedviamounttarget"})
"""Keys that say yes for whoever comes by the account's own network, which the internet is not."""
_YES_OR_NO = _BY_NETWORK | {"aws:principalisawsservice"}
"""Keys that say with a yes who asks, or from where."""
_OF_ONESELF = ("aws:principaltag/", "aws:requesttag/")
"""Tags that whoever asks has given himself in his own account."""
_OWNER = {
    "aws:principalaccount": "${aws:resourceaccount}",
    "aws:principalorgid": "${aws:resourceorgid}",
    "aws:resourceaccount": "${aws:principalaccount}",
    "aws:resourceorgid": "${aws:principalorgid}",
}
"""Variables by which a policy says that who asks belongs to the owner of the resource."""
_BUCKET = re.compile(r"arn:[a-z-]+:s3:[^:]*:[^:]*:[^:*?/]+")
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
_KNOWN = (
    _EQUALS
    | _DIFFERS.keys()
    | {"bool", "null", "binaryequals"}
    | {f"{kind}{how}" for kind in ("numeric", "date") for how in ("equals", "notequals")}
    | {
        f"{kind}{how}than{more}"
        for kind in ("numeric", "date")
        for how in ("less", "greater")
        for more in ("", "equals")
    }
)
"""Every operator that there is."""
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
        if not one.allow or not _everybody(one) or any(narrows(c) for c in one.conditions):
            continue
        if any(takes_back(denial, one) for denial in denials):
            continue
        clear = all(understood(c) for c in one.conditions)
        found.append(
            Opening(
                name=f"statement {one.sid or number}",
                actions=one.actions or tuple(f"all but {name}" for name in one.not_actions),
                certain=clear and not any(_may_take_back(denial, one) for denial in denials),
                conditions=tuple(f"{c.operator} {c.key}" for c in one.conditions),
            )
        )
    return tuple(found)


def effective(policy: Policy, arn: str) -> Policy:
    """What a policy says about the resource that it stands on, where it can be about nothing else.

    A statement about another resource does nothing there, and `*` means this one.
    """
    kept = []
    for one in policy.statements:
        named = not one.resources or any(matches(pattern, arn) for pattern in one.resources)
        if named and not any(matches(pattern, arn) for pattern in one.not_resources):
            kept.append(msgspec.structs.replace(one, resources=(arn,), not_resources=()))
    return Policy(tuple(kept))


def covers(patterns: Sequence[str], names: Sequence[str], *, fold: bool = False) -> bool:
    """Whether every name is matched by one of the patterns; `fold` ignores case, as actions do."""
    known = [p.lower() for p in patterns] if fold else list(patterns)
    asked = [n.lower() for n in names] if fold else list(names)
    return all(any(matches(pattern, name) for pattern in known) for name in asked)


def _everybody(statement: Statement) -> bool:
    # Everybody but a few is everybody.
    return "*" in statement.principals or bool(statement.not_principals)


def takes_back(denial: Statement, allowed: Statement) -> bool:
    """Whether a denial leaves nobody of those whom the other statement lets in, but for some it names."""
    # A denial to all but a few that it names leaves those few.
    spares_few = bool(denial.not_principals) and "*" not in denial.not_principals
    if not ("*" in denial.principals or spares_few) or not covered(denial, allowed):
        return False
    return all(_names_exceptions(c) for c in denial.conditions)


def _may_take_back(denial: Statement, allowed: Statement) -> bool:
    """Whether a denial of everybody depends on something that is not understood."""
    return (
        "*" in denial.principals
        and covered(denial, allowed)
        and any(not understood(c) for c in denial.conditions)
    )


def covered(denial: Statement, allowed: Statement) -> bool:
    """Whether a denial is about every action and resource of what is allowed.

    A statement without resources, as the policies of some services have them, is about all of them.
    """
    actions, resources = allowed.actions or ("*",), allowed.resources or ("*",)
    if denial.not_actions:
        lowered = [name.lower() for name in denial.not_actions]
        done = not any(overlap(spared, name.lower()) for spared in lowered for name in actions)
    else:
        done = covers(denial.actions, actions, fold=True)
    if denial.not_resources:
        spares = any(overlap(spared, name) for spared in denial.not_resources for name in resources)
        return done and not spares
    return done and covers(denial.resources or ("*",), resources)


def understood(condition: Condition) -> bool:
    """Whether it is known what a condition does: it says who, or nothing about who.

    An operator that nobody knows is not taken as one that narrows, nor as one that does not.
    """
    key = condition.key.lower()
    operator, _ = _operator(condition.operator)
    if operator not in _KNOWN:
        return False
    return key in _WHO | _NOT_WHO | _YES_OR_NO or key.startswith(_OF_ONESELF)


def says_nothing(condition: Condition) -> bool:
    """Whether everybody can satisfy the condition."""
    return understood(condition) and condition.key.lower() not in _WHO | _YES_OR_NO


def _names_exceptions(condition: Condition) -> bool:
    """Whether a denial with this condition spares only somebody who is named."""
    operator, _ = _operator(condition.operator)
    if condition.operator.lower().startswith("foranyvalue:"):
        # Without the key no value differs: who is in no organization is not denied.
        return False
    if operator in _DIFFERS:
        return narrows(Condition(_DIFFERS[operator], condition.key, condition.values))
    asked = condition.key.lower() in _YES_OR_NO
    return asked and operator == "bool" and _lower(condition.values) == {"false"}


def narrows(condition: Condition) -> bool:
    """Whether an allowance with this condition lets in only somebody who is named."""
    key = condition.key.lower()
    operator, optional = _operator(condition.operator)
    if optional:
        # Holds when the request lacks the key, and a request from anywhere does.
        return False
    if key in _YES_OR_NO:
        return operator == "bool" and _lower(condition.values) == {"true"}
    if operator in _EQUALS and _OWNER.get(key) and _lower(condition.values) == {_OWNER[key]}:
        return True
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
    if key == "aws:userid":
        # The id of a role or user says who; the name of the session behind it does not matter.
        return value[0] == "A" and not set("*?") & set(value.partition(":")[0])
    # In an ARN it is the account that says who; behind it wildcards are fine. The name of a bucket is
    # nobody else's, and its ARN has no account.
    parts = value.split(":")
    if key not in _ARNS or len(parts) < 6:
        return False
    return parts[4].isdigit() or bool(_BUCKET.fullmatch(value))


def _any_internet(cidrs: Sequence[str]) -> bool:
    try:
        return bool(opened(cidrs))
    except ValueError:
        return True


def _lower(values: Sequence[str]) -> set[str]:
    return {value.lower() for value in values}
