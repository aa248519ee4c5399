"""Collects which accounts belong together, and the guardrails of the organization."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checks.facts.cloud.guardrails import CentralRoot, Guardrails
from checks.facts.cloud.organization import KnownAccounts
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, group, some, text
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

ORGANIZATION = Call("organizations", "DescribeOrganization", (KnownAccounts, Guardrails, CentralRoot))
ACCOUNTS = Call("organizations", "ListAccounts", (KnownAccounts,), key="Accounts")
POLICIES = Call("organizations", "ListPolicies", (Guardrails,), key="Policies")
TARGETS = Call("organizations", "ListTargetsForPolicy", (Guardrails,), key="Targets")
ROOT_RIGHTS = Call("iam", "ListOrganizationsFeatures", (CentralRoot,))
_SEEN = Call("organizations", "DescribeOrganization", (Guardrails, CentralRoot))
"""What a refusal to describe the organization hides: of the accounts one's own is known all the same."""
_NONE = "AWSOrganizationsNotInUseException"
_NOT_TRUSTED = frozenset(
    {
        "ServiceAccessNotEnabled",
        "ServiceAccessNotEnabledException",
        "OrganizationNotInAllFeaturesMode",
        "OrganizationNotInAllFeaturesModeException",
    }
)
"""How IAM answers where nobody has turned on that it may act for the organization."""


def organization(place: Place) -> Collected:
    """The accounts of the organization, and what its management account demands of them all."""
    try:
        told = group(place.one(ORGANIZATION), "Organization")
    except NotRead as error:
        return _known(place, {}, whole=error.refused.code == _NONE) + _without(place, error)
    return _accounts(place, told) + _demands(place, told)


def _accounts(place: Place, told: Raw) -> Collected:
    # Every check about other accounts would be unknown without this: it says how much it knows instead.
    if not place.wants(ACCOUNTS):
        return Collected()
    try:
        ids = [text(one, "Id") for one in place.all_of(ACCOUNTS)]
    except (NotRead, UnreadableError):
        return _known(place, told, whole=False)
    return _known(place, told, *ids, whole=True)


def _known(place: Place, told: Raw, *ids: str, whole: bool) -> Collected:
    every = tuple(sorted({place.account, *ids}))
    fact = KnownAccounts(place.account, every, str(told.get("Id") or ""), whole)
    return place.found(fact, ACCOUNTS if ids else ORGANIZATION, where="")


def _without(place: Place, error: NotRead) -> Collected:
    if error.refused.code == _NONE:
        reason = "the account is in no organization"
        return place.absent(Guardrails, reason) + place.absent(CentralRoot, reason)
    return place.lost(_SEEN, error.refused, "")


def _demands(place: Place, told: Raw) -> Collected:
    if not place.wants(_SEEN):
        return Collected()
    if told.get("MasterAccountId") != place.account:
        reason = "this is not the management account of its organization"
        return place.absent(Guardrails, reason) + place.absent(CentralRoot, reason)
    found = Collected()
    for call, read in ((POLICIES, _guardrails), (ROOT_RIGHTS, _root)):
        try:
            found += read(place, told) if place.wants(call) else Collected()
        except NotRead as error:
            found += place.lost(error.call, error.refused, "")
        except UnreadableError as error:
            found += place.lost(call, Refused(Because.UNREADABLE, str(error)), "")
    return found


def _guardrails(place: Place, told: Raw) -> Collected:
    own: Sequence[Raw] = ()
    whole = text(told, "FeatureSet") == "ALL"
    if whole:
        listed = place.all_of(POLICIES, Filter="SERVICE_CONTROL_POLICY")
        own = [one for one in listed if not one.get("AwsManaged")]
    # A policy that is attached to nothing limits nobody.
    attached = [text(one, "Name") for one in own if place.all_of(TARGETS, PolicyId=text(one, "Id"))]
    fact = Guardrails(
        account=place.account,
        organization=text(told, "Id"),
        all_features=whole,
        policies=tuple(sorted(attached)),
        loose=tuple(sorted({text(one, "Name") for one in own} - set(attached))),
    )
    return place.found(fact, POLICIES, where="")


def _root(place: Place, told: Raw) -> Collected:
    try:
        features = [str(one) for one in some(place.one(ROOT_RIGHTS), "EnabledFeatures")]
    except NotRead as error:
        if error.refused.code not in _NOT_TRUSTED:
            raise
        features = []
    fact = CentralRoot(place.account, text(told, "Id"), "RootCredentialsManagement" in features)
    return place.found(fact, ROOT_RIGHTS, where="")


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    calls = (ORGANIZATION, ACCOUNTS, POLICIES, TARGETS, ROOT_RIGHTS)
    yield Collector("organization", False, calls, organization)
