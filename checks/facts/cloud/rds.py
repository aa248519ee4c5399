"""Managed databases."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class RdsInstance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A database instance. `public` says that its name resolves to a public address from outside."""

    arn: str
    id: str
    region: str
    engine: str
    public: bool
    encrypted: bool
    minor_upgrades: bool
    port: int
    groups: tuple[str, ...]


class RdsInstances(Fact, frozen=True, forbid_unknown_fields=True):
    """All database instances."""

    account: str
    regions: tuple[str, ...]
    instances: tuple[RdsInstance, ...]
