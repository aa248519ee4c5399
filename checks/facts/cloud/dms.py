"""Machines that move databases, and the ends that they move between."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Mover(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A replication instance: whether it has a public address, and what stands around it."""

    arn: str
    id: str
    region: str
    public: bool
    minor_upgrades: bool
    vpc: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]


class Movers(Fact, frozen=True, forbid_unknown_fields=True):
    """All replication instances."""

    account: str
    regions: tuple[str, ...]
    instances: tuple[Mover, ...]


class MoverEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source or target. `tls` is none, require, verify-ca or verify-full."""

    arn: str
    id: str
    region: str
    engine: str
    tls: str


class MoverEnds(Fact, frozen=True, forbid_unknown_fields=True):
    """All sources and targets."""

    account: str
    regions: tuple[str, ...]
    ends: tuple[MoverEnd, ...]
