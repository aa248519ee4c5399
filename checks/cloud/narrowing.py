"""Which conditions of identity and trust policies stop a thief of credentials, and which stop nobody.

Everything here is about one who already has the credentials of a user or role of the account: where such
a request comes from and whether there was a second factor narrows; what every request can say does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from checks.cloud.addresses import opened
from checks.facts.cloud.policy import Condition, matches

SERVICE = "iam:passedtoservice"
_EQUAL = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
_DIFFERENT = frozenset(
    {"stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike"}
)
_ANY_REQUEST = frozenset({"aws:useragent", "aws:referer"})
_MFA = "aws:multifactorauthpresent"
_MFA_AGE = "aws:multifactorauthage"
_STRONG = ("AdministratorAccess", "IAMFullAccess")
"""Policies of AWS whose attachment is enough."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the ARN, the account, and the name of a user (empty for a role)."""

    arn: str
    account: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class _Test:
    """A condition with its operator taken apart; `lax` is one that a request without the key meets."""

    operator: str
    key: str
    values: tuple[str, ...]
    lax: bool

    def any_is(self, text: str) -> bool:
        """Whether one of the values is or matches the text."""
        return any(matches(value, text) for value in self.values)

    def says(self, word: str) -> bool:
        """Whether it holds a yes or no against this word."""
        return self.operator == "bool" and {value.lower() for value in self.values} == {word}


def open_to(condition: Condition, who: Asker) -> bool:
    """Whether an allowance with this condition holds for the asker, wherever the credentials are used."""
    test = _read(condition)
    judge = _ALLOWS.get(test.key)
    return judge(test, who) if judge else False


def trusts(condition: Condition, who: Asker) -> bool:
    """The same in the trust policy of a role. An external id is no secret from one's own account."""
    test = _read(condition)
    return test.key == "sts:externalid" or open_to(condition, who)


def passes(condition: Condition, account: str) -> bool:
    """Whether a service of AWS meets the condition of a trust when this account makes it work."""
    test = _read(condition)
    if test.operator not in _EQUAL:
        return False
    if test.key == "aws:sourceaccount":
        return test.any_is(account)
    if test.key == "aws:sourcearn":
        return any(_whole_account(value, account) for value in test.values)
    return test.key in ("aws:sourceorgid", "aws:principalorgid")


def shuts_out(condition: Condition, who: Asker) -> bool:
    """Whether a denial with this condition holds for the asker, wherever the credentials are used."""
    test = _read(condition)
    judge = _DENIES.get(test.key)
    return judge(test, who) if judge else False


def services(conditions: Sequence[Condition], service: str) -> bool:
    """Whether the conditions on the service that a role is passed to are met by this service."""
    for condition in conditions:
        test = _read(condition)
        if test.key != SERVICE:
            continue
        if test.operator in _EQUAL:
            met = test.any_is(service)
        elif test.operator in _DIFFERENT:
            met = not test.any_is(service)
        else:
            met = False
        if not met:
            return False
    return True


def others(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The conditions that are not about the service that a role is passed to."""
    return tuple(one for one in conditions if one.key.lower() != SERVICE)


def _read(condition: Condition) -> _Test:
    name = condition.operator.lower()
    # With no value in the request, "all of them" holds.
    lax = name.startswith("forallvalues:") or name.endswith("ifexists")
    plain = name.rpartition(":")[2].removesuffix("ifexists")
    return _Test(plain, condition.key.lower(), condition.values, lax)


def _is_asker(test: _Test, who: Asker) -> bool:
    if test.operator in _DIFFERENT:
        return not test.any_is(who.arn)
    return test.operator in _EQUAL and test.any_is(who.arn)


def _own_account(test: _Test, who: Asker) -> bool:
    return test.operator in _EQUAL and test.any_is(who.account)


def _own_name(test: _Test, who: Asker) -> bool:
    return bool(who.user) and test.operator in _EQUAL and test.any_is(who.user)


def _everywhere(test: _Test, _: Asker) -> bool:
    return test.operator == "ipaddress" and _wide(test.values)


def _attaches(test: _Test, _: Asker) -> bool:
    """Whether a strong policy of AWS may be among those that are attached."""
    strong = [
        f"arn:{part}:iam::aws:policy/{name}" for part in ("aws", "aws-cn", "aws-us-gov") for name in _STRONG
    ]
    if test.operator in _DIFFERENT:
        return any(not test.any_is(one) for one in strong[:2])
    return test.operator in _EQUAL and any(test.any_is(one) for one in strong)


def _any_organization(test: _Test, _: Asker) -> bool:
    # Of one's own identities in a policy of one's own: it can only be one's own organization.
    return test.operator in _EQUAL


_ALLOWS: Mapping[str, Callable[[_Test, Asker], bool]] = {
    "aws:securetransport": lambda test, _: test.says("true"),
    # Long-lived keys of a user say nothing about a second factor.
    _MFA: lambda test, who: test.lax and test.says("true") and bool(who.user),
    "aws:sourceip": _everywhere,
    "aws:principalarn": _is_asker,
    "aws:principalaccount": _own_account,
    "aws:resourceaccount": _own_account,
    "aws:username": _own_name,
    "aws:principalorgid": _any_organization,
    "aws:resourceorgid": _any_organization,
    "iam:policyarn": _attaches,
    **dict.fromkeys(_ANY_REQUEST, lambda test, _: test.operator in _EQUAL),
}
"""By key: when an allowance stops nobody."""


def _without_factor(test: _Test, who: Asker) -> bool:
    # Without "IfExists" the denial misses long-lived keys, whose requests lack the key.
    return test.says("false") and (test.lax or not who.user)


def _unknown_factor(test: _Test, who: Asker) -> bool:
    null = test.operator == "null" and {value.lower() for value in test.values} == {"true"}
    return null and bool(who.user)


def _elsewhere(test: _Test, _: Asker) -> bool:
    return test.operator == "notipaddress" and not _wide(test.values)


def _other_network(test: _Test, _: Asker) -> bool:
    return test.operator in _DIFFERENT and not any(set("*") >= set(value) for value in test.values)


_DENIES: Mapping[str, Callable[[_Test, Asker], bool]] = {
    _MFA: lambda test, who: _without_factor(test, who) or _unknown_factor(test, who),
    _MFA_AGE: _unknown_factor,
    "aws:sourceip": _elsewhere,
    "aws:sourcevpc": _other_network,
    "aws:sourcevpce": _other_network,
    "aws:viaawsservice": lambda test, _: test.says("false"),
    "aws:principalarn": _is_asker,
    "aws:principalaccount": _own_account,
    "aws:username": _own_name,
    # Bounded by what the denial demands, which is the point of a boundary.
    "iam:permissionsboundary": lambda test, _: test.operator in _DIFFERENT,
}
"""By key: when a denial stops whoever has stolen the credentials."""


def _whole_account(pattern: str, account: str) -> bool:
    """Whether a source ARN stands for everything of its kind in the account."""
    parts = pattern.split(":", 5)
    return pattern == "*" or (len(parts) == 6 and matches(parts[4], account) and parts[5].endswith("*"))


def _wide(cidrs: Sequence[str]) -> bool:
    try:
        return bool(opened(cidrs))
    except ValueError:
        return False
