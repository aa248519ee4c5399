"""Managed databases."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class RdsInstance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A database instance. `public` says that its name resolves to a public address from outside.

    `cluster` is the cluster that it belongs to, `vpc` and `subnets` are where it stands or may move to.
    """

    arn: str
    id: str
    region: str
    engine: str
    public: bool
    encrypted: bool
    minor_upgrades: bool
    port: int
    groups: tuple[str, ...]
    cluster: str = ""
    vpc: str = ""
    subnets: tuple[str, ...] = ()


class RdsInstances(Fact, frozen=True, forbid_unknown_fields=True):
    """All database instances."""

    account: str
    regions: tuple[str, ...]
    instances: tuple[RdsInstance, ...]


class TlsRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the parameter group of a database or cluster says of connections in the clear.

    `group` is the parameter group, `setting` the parameter that decides for its engine, and `value` what
    somebody gave it: empty where the engine's own default holds.
    """

    arn: str
    id: str
    region: str
    engine: str
    version: str
    group: str
    setting: str
    value: str


class RdsTlsRules(Fact, frozen=True, forbid_unknown_fields=True):
    """The rule of each database that stands alone and whose engine has one."""

    account: str
    rules: tuple[TlsRule, ...]
