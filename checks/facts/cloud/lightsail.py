"""Lightsail: machines, databases and buckets outside of one's own networks."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class LightPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports of a machine that its firewall opens, and for whom."""

    protocol: str
    low: int
    high: int
    cidrs: tuple[str, ...]


class LightMachine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A machine with its public addresses, by version of IP; empty where it has none."""

    arn: str
    name: str
    region: str
    address: str
    address6: str
    ports: tuple[LightPort, ...]


class LightMachines(Fact, frozen=True, forbid_unknown_fields=True):
    """All machines."""

    account: str
    regions: tuple[str, ...]
    machines: tuple[LightMachine, ...]


class LightDatabase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A database, and whether the internet reaches it."""

    arn: str
    name: str
    region: str
    public: bool


class LightDatabases(Fact, frozen=True, forbid_unknown_fields=True):
    """All databases."""

    account: str
    regions: tuple[str, ...]
    databases: tuple[LightDatabase, ...]


class LightBucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket: whether everybody may read it (`public`), or single objects may be given away.

    `blocked` says that the account's own Block Public Access holds for it.
    """

    arn: str
    name: str
    region: str
    public: bool
    overrides: bool
    blocked: bool


class LightBuckets(Fact, frozen=True, forbid_unknown_fields=True):
    """All buckets."""

    account: str
    regions: tuple[str, ...]
    buckets: tuple[LightBucket, ...]
