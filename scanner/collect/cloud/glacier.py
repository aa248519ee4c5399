"""Collects archive vaults and whom their policies let in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.policy import Policy
from checks.facts.cloud.resource_policies import ArchivePolicies, ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import group, text
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected

LIST = Call("glacier", "ListVaults", (ArchivePolicies,), key="VaultList")
POLICY = Call("glacier", "GetVaultAccessPolicy", (ArchivePolicies,))


def vaults(place: Place) -> Collected:
    """The vaults with their policies."""
    named = sorted(
        (text(one, "VaultARN"), text(one, "VaultName")) for one in place.all_of(LIST, accountId="-")
    )
    empty = Collected(facts=(ArchivePolicies(place.account, ()),))
    things = [(place.where(arn), POLICY, partial(_policy, place, arn, name)) for arn, name in named]
    return empty + place.each(things)


def _policy(place: Place, arn: str, name: str) -> Collected:
    try:
        told = place.one(POLICY, accountId="-", vaultName=name)
        written = text(group(told, "policy"), "Policy", "")
    except NotRead as error:
        if error.refused.code != "ResourceNotFoundException":
            raise
        written = ""
    record = ResourcePolicy(arn, name, place.region, parse(written) if written else Policy())
    return place.found(ArchivePolicies(place.account, (record,)), POLICY, (record,), where=arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("glacier vaults", True, (LIST, POLICY), vaults)
