"""More of managed databases: how they are kept, watched and upgraded."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class RdsSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A database instance or cluster. `cluster` is the cluster that an instance belongs to.

    `subnets` are those that it may be in, `backup_days` 0 for no backups, `logs` what it sends to
    CloudWatch, `authority` its certificate authority, `admin` the name of its first user.
    """

    arn: str
    id: str
    region: str
    engine: str
    version: str
    cluster: str
    zones: bool
    backup_days: int
    protected: bool
    iam: bool
    logs: tuple[str, ...]
    authority: str
    admin: str
    encrypted: bool
    subnets: tuple[str, ...]


class RdsSettings(Fact, frozen=True, forbid_unknown_fields=True):
    """The settings of all database instances."""

    account: str
    regions: tuple[str, ...]
    instances: tuple[RdsSetting, ...]


class RdsClusters(Fact, frozen=True, forbid_unknown_fields=True):
    """The settings of all database clusters (Aurora, DocumentDB, Neptune)."""

    account: str
    regions: tuple[str, ...]
    clusters: tuple[RdsSetting, ...]


class RdsSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot that somebody made: encrypted or not, and with whom it is shared (`all`, or accounts)."""

    arn: str
    id: str
    region: str
    encrypted: bool
    shared: tuple[str, ...]


class RdsSnapshots(Fact, frozen=True, forbid_unknown_fields=True):
    """The snapshots of instances that somebody made."""

    account: str
    snapshots: tuple[RdsSnapshot, ...]
