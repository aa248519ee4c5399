"""Vaults of AWS Backup, its plans, and what it has taken."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Vault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vault: `locked` against deletion of what is in it, `points` the number of backups there."""

    arn: str
    name: str
    region: str
    locked: bool
    points: int


class Vaults(Fact, frozen=True, forbid_unknown_fields=True):
    """All vaults."""

    account: str
    regions: tuple[str, ...]
    vaults: tuple[Vault, ...]


class BackedUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resource that has a backup, and when the last one was made."""

    arn: str
    region: str
    kind: str
    last: str


class BackedUpResources(Fact, frozen=True, forbid_unknown_fields=True):
    """The resources that AWS Backup has taken; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    resources: tuple[BackedUp, ...]
