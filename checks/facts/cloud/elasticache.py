"""Caches (Redis, Valkey, Memcached) and who may use them."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class CacheGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A replication group. `transit` is `required`, `preferred` (the clear is answered too) or empty.

    `token` says that one password guards it, `user_groups` name those who may sign in instead of that.
    `moves` says that another member takes over by itself, `zones` that one stands in another zone.
    """

    arn: str
    id: str
    region: str
    engine: str
    transit: str
    at_rest: bool
    token: bool
    user_groups: tuple[str, ...]
    backup_days: int
    moves: bool
    zones: bool


class CacheGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """All replication groups."""

    account: str
    regions: tuple[str, ...]
    groups: tuple[CacheGroup, ...]


class CacheCluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cache cluster; `group` is the replication group that it is a member of, if it is."""

    arn: str
    id: str
    region: str
    engine: str
    version: str
    group: str
    transit: bool
    minor_upgrades: bool


class CacheClusters(Fact, frozen=True, forbid_unknown_fields=True):
    """All cache clusters, members of replication groups too."""

    account: str
    regions: tuple[str, ...]
    clusters: tuple[CacheCluster, ...]


class CacheUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user of caches: the groups that it is in, and whether it needs a password.

    `on` says that it may sign in at all, as its access string tells.
    """

    arn: str
    id: str
    region: str
    name: str
    groups: tuple[str, ...]
    password: bool
    on: bool


class CacheUsers(Fact, frozen=True, forbid_unknown_fields=True):
    """All users of caches."""

    account: str
    regions: tuple[str, ...]
    users: tuple[CacheUser, ...]
