"""Snapshots of database clusters."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class ClusterSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot that somebody made: encrypted or not, and with whom it is shared (`all`, or accounts)."""

    arn: str
    id: str
    region: str
    engine: str
    encrypted: bool
    shared: tuple[str, ...]


class ClusterSnapshots(Fact, frozen=True, forbid_unknown_fields=True):
    """The snapshots of clusters that somebody made."""

    account: str
    snapshots: tuple[ClusterSnapshot, ...]
