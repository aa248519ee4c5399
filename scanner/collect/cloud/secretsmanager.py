"""Collects secrets by name and age, and whom their policies let in; never a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from checks.facts.cloud.resource_policies import ResourcePolicy, SecretPolicies
from checks.facts.cloud.secretsmanager import StoredSecret, StoredSecrets
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, text, time_or_never
from scanner.collect.cloud.lists import details, listing, policy_of
from scanner.collect.collector import Collected

LIST = Call("secretsmanager", "ListSecrets", (StoredSecrets, SecretPolicies), key="SecretList", page=100)
POLICY = Call("secretsmanager", "GetResourcePolicy", (SecretPolicies,))


def _secret(place: Place, raw: Raw) -> StoredSecret:
    primary = text(raw, "PrimaryRegion", "")
    return StoredSecret(
        arn=text(raw, "ARN"),
        name=text(raw, "Name"),
        region=place.region,
        rotates=flag(raw, "RotationEnabled", False),
        managed=bool(text(raw, "OwningService", "")),
        made=time_or_never(raw, "CreatedDate"),
        changed=time_or_never(raw, "LastChangedDate"),
        used=time_or_never(raw, "LastAccessedDate"),
        copy_of="" if primary == place.region else primary,
    )


def _more(place: Place, found: Sequence[Any]) -> Collected:
    return details(place, POLICY, found, _policy)


def _policy(place: Place, one: StoredSecret) -> ResourcePolicy:
    return policy_of(place, POLICY, one, (), "ResourcePolicy", SecretId=one.arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("secretsmanager secrets", LIST, _secret, named="ARN", also=_more, calls=(POLICY,))
