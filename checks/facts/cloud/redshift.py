"""Data warehouses."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Warehouse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cluster of Redshift. `subnet_group` names where it may stand, `parameters` its parameter group.

    `routed` says that what it loads and unloads goes through the VPC; `port` is 0 while it is being made.
    """

    arn: str
    id: str
    region: str
    public: bool
    encrypted: bool
    upgrades: bool
    routed: bool
    admin: str
    port: int
    backup_days: int
    groups: tuple[str, ...]
    subnet_group: str
    parameters: str


class Warehouses(Fact, frozen=True, forbid_unknown_fields=True):
    """All clusters."""

    account: str
    regions: tuple[str, ...]
    clusters: tuple[Warehouse, ...]


class WarehouseSubnetGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The subnets that the clusters of one subnet group may stand in, and their network."""

    name: str
    region: str
    vpc: str
    subnets: tuple[str, ...]


class WarehouseSubnetGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """The subnet groups of clusters with a public address."""

    account: str
    groups: tuple[WarehouseSubnetGroup, ...]


class WarehouseParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter group that is in use: whether it refuses the clear, and whether it records queries."""

    name: str
    region: str
    tls: bool
    activity: bool


class WarehouseParameterGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """The parameter groups that are in use."""

    account: str
    groups: tuple[WarehouseParameters, ...]


class WarehouseLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a cluster writes its audit log; `arn` and `id` are those of the cluster."""

    arn: str
    id: str
    region: str
    on: bool


class WarehouseLogs(Fact, frozen=True, forbid_unknown_fields=True):
    """The audit log of each cluster."""

    account: str
    logs: tuple[WarehouseLog, ...]


class WarehouseSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot that somebody made: encrypted or not, and the accounts that may restore it."""

    arn: str
    id: str
    region: str
    encrypted: bool
    shared: tuple[str, ...]


class WarehouseSnapshots(Fact, frozen=True, forbid_unknown_fields=True):
    """The snapshots that somebody made."""

    account: str
    regions: tuple[str, ...]
    snapshots: tuple[WarehouseSnapshot, ...]
