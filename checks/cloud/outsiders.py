"""Which other accounts a policy lets in: those that are neither this one nor known to belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checks.cloud.of_aws import BALANCER_LOGS
from checks.cloud.openness import covered, narrows, says_nothing
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Condition, Policy, Statement, matches
from checks.model import Confidence
from checks.verdict import Verdict, expect, unknown

_ACCOUNT = re.compile(r"\d{12}")
_GONE = re.compile(r"A(?:IDA|ROA|GPA|IPA|NPA|NVA|SIA|KIA)[A-Z0-9]{12,}")
"""The id that stands in a policy for a user or role that is deleted: nobody can be it again."""
_CALLER = frozenset({"aws:principalaccount", "aws:principalarn", "kms:calleraccount"})
SOURCE = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceowner"})
"""Keys that say for whose resource a service acts."""
_BY_ACCOUNT = frozenset(
    {
        "aws:principalaccount",
        "aws:sourceaccount",
        "aws:sourceowner",
        "aws:vpceaccount",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
    }
)
_BY_ARN = frozenset({"aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"})
_BY_ORGANIZATION = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
    }
)
_EQUAL = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
TURNED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}
"""The operators that are true where another one is not."""


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody outside whom a statement lets in.

    `account` has 12 digits, or is empty where the name does not say which one. `certain` is False where a
    condition that is not understood may keep them out.
    """

    name: str
    account: str
    principal: str
    actions: tuple[str, ...]
    certain: bool

    @property
    def words(self) -> str:
        """One line for a report."""
        who = f"account {self.account}" if self.account else self.principal
        return f"{self.name} allows {', '.join(self.actions)} to {who}"

    @property
    def organization(self) -> bool:
        """Whether it is all accounts of an organization."""
        return self.principal.startswith("organization ")


@dataclass(frozen=True, slots=True, order=True)
class _Stranger:
    """Somebody that a statement names; `keys` are those of conditions that speak of the account."""

    principal: str
    account: str
    keys: tuple[str, ...]
    organization: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is everybody of the account."""
        return not self.principal.startswith("arn:") or self.principal.endswith(":root")


def outsiders(
    policy: Policy, own: str, known: frozenset[str] = frozenset(), organization: str = ""
) -> tuple[Outsider, ...]:
    """Those whom the policy lets in beyond `own` and the `known` accounts; not everybody, who is openness.

    A service of AWS is nobody's account. `organization` is one's own: a statement for it alone is not for
    outsiders; while it is not known (empty), any that is named may be one's own, and is not `certain`.
    """
    friends = known | {own} | BALANCER_LOGS
    denials = [one for one in policy.statements if not one.allow]
    found = []
    for number, one in enumerate(policy.statements, start=1):
        if not one.allow or any(_keeps_in(c, friends, organization) for c in one.conditions):
            continue
        actions = one.actions or tuple(f"all but {name}" for name in one.not_actions)
        for stranger in sorted(set(_strangers(one, friends, organization))):
            told = [_holds(c, stranger, organization) for c in one.conditions if not says_nothing(c)]
            shut = [_shut_out(denial, one, stranger, organization) for denial in denials]
            if False in told or True in shut:
                continue
            certain = (
                None not in told and None not in shut and bool(organization or not stranger.organization)
            )
            name = f"statement {one.sid or number}"
            found.append(Outsider(name, stranger.account, stranger.principal, actions, certain))
    return tuple(found)


def in_doubt(strangers: Sequence[Outsider], known: KnownAccounts) -> tuple[str, str]:
    """Why nobody can say whether these are outsiders, and the IAM action that would tell.

    Both are empty where it is known: there are none, all accounts of the organization were read or there is
    no organization, or one of them is an organization that is not one's own.
    """
    if known.whole or not strangers or (known.organization and any(one.organization for one in strangers)):
        return "", ""
    words = "; ".join(one.words for one in strangers)
    if known.organization:
        reason = f"which accounts belong to the organization {known.organization} could not be read"
        return f"{words}; {reason}", "organizations:ListAccounts"
    return (
        f"{words}; which organization the account is in could not be read",
        "organizations:DescribeOrganization",
    )


def told(
    strangers: Sequence[Outsider],
    known: KnownAccounts,
    *,
    on: str,
    values: Mapping[str, str],
    where: str = "",
    good: str = "no unknown account",
    want: str = "no unknown account",
) -> Verdict:
    """The verdict on a policy that lets these in: unknown where nobody can say whether they are outsiders."""
    reason, needs = in_doubt(strangers, known)
    if reason:
        return unknown(on, reason, needs=needs, where=where)
    certain = not strangers or any(one.certain for one in strangers)
    return expect(
        not strangers,
        on=on,
        where=where,
        saw="; ".join(one.words for one in strangers) or good,
        want=want,
        confidence=Confidence.CONFIRMED if certain else Confidence.LIKELY,
        values=values,
    )


def _strangers(statement: Statement, friends: frozenset[str], organization: str) -> Iterator[_Stranger]:
    """Each that is named and not a friend."""
    if "*" in statement.principals:
        # Everybody whom a condition narrows to an account that is not ours.
        if any(narrows(c) for c in statement.conditions):
            yield from _narrowed(statement, friends, organization)
        return
    for principal in statement.principals:
        kind, _, name = principal.partition(":")
        account = _account_of(name)
        known = account if _ACCOUNT.fullmatch(account) else ""
        # An identity of CloudFront is a distribution, and a provider of sign-ins may be of another account.
        theirs = kind == "AWS" and account not in friends | {"cloudfront"} and not _GONE.fullmatch(name)
        if theirs or (kind == "Federated" and known and known not in friends):
            yield _Stranger(name, known, tuple(sorted(_CALLER)))
        elif kind == "CanonicalUser":
            yield _Stranger(f"the canonical user {name[:12]}…", "", ())


def _narrowed(statement: Statement, friends: frozenset[str], organization: str) -> Iterator[_Stranger]:
    accounts = []
    organizations = []
    for condition in statement.conditions:
        key = condition.key.lower()
        if not narrows(condition):
            continue
        keys = tuple(sorted(next((group for group in (_CALLER, SOURCE) if key in group), {key})))
        for value in condition.values:
            account = value if key in _BY_ACCOUNT else _account_of(value) if key in _BY_ARN else ""
            if _ACCOUNT.fullmatch(account) and account not in friends:
                accounts.append(_Stranger(f"account {account}", account, keys))
            name = value.partition("/")[0] if key in _BY_ORGANIZATION else organization
            if name != organization and "${" not in name:
                organizations.append(_Stranger(f"organization {name}", "", (key,), name))
    yield from accounts or organizations


def _account_of(name: str) -> str:
    parts = name.split(":")
    return parts[4] if len(parts) >= 6 else name


def _keeps_in(  # noqa: PLR0911 - one question for each kind of key
    condition: Condition, friends: frozenset[str], organization: str
) -> bool:
    """Whether an allowance with this condition lets in friends alone."""
    operator = condition.operator.lower()
    if operator.startswith("forallvalues:") or operator.endswith("ifexists"):
        return False
    operator, key, values = operator.rpartition(":")[2], condition.key.lower(), condition.values
    if operator not in _EQUAL or not values:
        return False
    if narrows(condition) and any("${" in value for value in values):
        # `${aws:ResourceOrgID}` and its like: whoever belongs to the owner of the resource.
        return True
    if key in _BY_ORGANIZATION:
        return bool(organization) and all(value.partition("/")[0] == organization for value in values)
    if key in _BY_ACCOUNT:
        return all(value in friends for value in values)
    if key in _BY_ARN:
        return all(value.count(":") >= 5 and _account_of(value) in friends for value in values)
    return False


def _holds(condition: Condition, stranger: _Stranger, organization: str) -> bool | None:
    """Whether a condition is true for what that stranger asks; None where it is not known."""
    written, key, values = condition.operator.lower(), condition.key.lower(), condition.values
    operator = written.rpartition(":")[2].removesuffix("ifexists")
    turned = operator in TURNED
    if key == "aws:principalisawsservice" and operator == "bool":
        is_service = set(stranger.keys) == SOURCE
        return {value.lower() for value in values} == {str(is_service).lower()}
    if TURNED.get(operator, operator) not in _EQUAL or (turned and written.startswith("foranyvalue:")):
        return None
    same: bool | None = None
    if key in _BY_ORGANIZATION:
        named = {value.partition("/")[0] for value in values}
        optional = written.startswith("forallvalues:") or written.endswith("ifexists")
        if stranger.organization:
            same = stranger.organization in named
        elif named == {organization} and (turned or not optional):
            same = False
    elif key in stranger.keys and stranger.account:
        same = any(_means(value, stranger, by_arn=key in _BY_ARN) for value in values)
    return None if same is None else same != turned


def _means(value: str, stranger: _Stranger, *, by_arn: bool) -> bool:
    if not by_arn:
        return matches(value, stranger.account)
    parts = value.split(":")
    if len(parts) < 6:
        return matches(value, stranger.principal)
    return matches(parts[4], stranger.account) and (stranger.whole or matches(value, stranger.principal))


def _shut_out(denial: Statement, allowed: Statement, stranger: _Stranger, organization: str) -> bool | None:
    """Whether a denial takes back all that a statement gives a stranger; None where it is not known."""
    if not _is_meant(denial, stranger) or not covered(denial, allowed):
        return False
    told = [False if says_nothing(c) else _holds(c, stranger, organization) for c in denial.conditions]
    return False if False in told else None if None in told else True


def _is_meant(denial: Statement, stranger: _Stranger) -> bool:
    if denial.not_principals:
        spared = {_account_of(name.partition(":")[2]) for name in denial.not_principals}
        return "*" not in denial.not_principals and (stranger.account or stranger.principal) not in spared
    for principal in denial.principals:
        name = principal.partition(":")[2]
        whole = bool(_ACCOUNT.fullmatch(name)) or name.endswith(":root")
        if principal == "*" or name == stranger.principal:
            return True
        if whole and stranger.account and _account_of(name) == stranger.account:
            return True
    return False
