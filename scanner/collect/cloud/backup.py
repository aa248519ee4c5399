"""Collects backup vaults with their policies, and which resources have backups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from checks.facts.cloud.backup import BackedUp, BackedUpResources, Vault, Vaults
from checks.facts.cloud.resource_policies import ResourcePolicy, VaultPolicies
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, number, text, time_or_never
from scanner.collect.cloud.lists import details, listing, policy_of
from scanner.collect.collector import Collected

VAULTS = Call("backup", "ListBackupVaults", (Vaults, VaultPolicies), key="BackupVaultList", page=1000)
POLICY = Call("backup", "GetBackupVaultAccessPolicy", (VaultPolicies,))
RESOURCES = Call("backup", "ListProtectedResources", (BackedUpResources,), key="Results", page=1000)


def _vault(place: Place, raw: Raw) -> Vault:
    return Vault(
        arn=text(raw, "BackupVaultArn"),
        name=text(raw, "BackupVaultName"),
        region=place.region,
        locked=flag(raw, "Locked", False),
        points=number(raw, "NumberOfRecoveryPoints", 0),
    )


def _more(place: Place, found: Sequence[Any]) -> Collected:
    return details(place, POLICY, found, _policy)


def _policy(place: Place, one: Vault) -> ResourcePolicy:
    return policy_of(place, POLICY, one, ("ResourceNotFoundException",), "Policy", BackupVaultName=one.name)


def _resource(place: Place, raw: Raw) -> BackedUp:
    last = time_or_never(raw, "LastBackupTime")
    return BackedUp(text(raw, "ResourceArn"), place.region, text(raw, "ResourceType", ""), last)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("backup vaults", VAULTS, _vault, named="BackupVaultArn", also=_more, calls=(POLICY,))
    yield listing("backed up resources", RESOURCES, _resource, named="ResourceArn")
