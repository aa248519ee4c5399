"""The snapshots of disks that an account keeps, and whom they are shared with."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class OwnSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot; `usable` is False where it failed, `started` when it was taken."""

    id: str
    region: str
    volume: str
    encrypted: bool
    usable: bool
    started: str


class OwnSnapshots(Fact, frozen=True, forbid_unknown_fields=True):
    """All snapshots that the account owns; `regions` are those whose whole list is in here."""

    account: str
    regions: tuple[str, ...]
    snapshots: tuple[OwnSnapshot, ...]


class SnapshotShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot that other accounts can restore, and the ids of those accounts."""

    id: str
    region: str
    accounts: tuple[str, ...]


class SnapshotShares(Fact, frozen=True, forbid_unknown_fields=True):
    """The snapshots that are shared with single accounts, in the regions where an analyzer watches that."""

    account: str
    regions: tuple[str, ...]
    shares: tuple[SnapshotShare, ...]
