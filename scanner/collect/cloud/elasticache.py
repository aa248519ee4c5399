"""Collects caches, their members and their users: a list each."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.elasticache import (
    CacheCluster,
    CacheClusters,
    CacheGroup,
    CacheGroups,
    CacheUser,
    CacheUsers,
)
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, number, some, text
from scanner.collect.cloud.lists import listing

GROUPS = Call("elasticache", "DescribeReplicationGroups", (CacheGroups,), key="ReplicationGroups", page=100)
CLUSTERS = Call("elasticache", "DescribeCacheClusters", (CacheClusters,), key="CacheClusters", page=100)
USERS = Call("elasticache", "DescribeUsers", (CacheUsers,), key="Users", page=100)


def _group(place: Place, raw: Raw) -> CacheGroup:
    name = text(raw, "ReplicationGroupId")
    # AWS leaves the mode out of groups that are older than it, and all of them require TLS.
    mode = (
        text(raw, "TransitEncryptionMode", "required") if flag(raw, "TransitEncryptionEnabled", False) else ""
    )
    return CacheGroup(
        arn=text(raw, "ARN", place.arn("elasticache", f"replicationgroup:{name}")),
        id=name,
        region=place.region,
        engine=text(raw, "Engine", "redis"),
        transit=mode if flag(raw, "TransitEncryptionEnabled", False) else "",
        at_rest=flag(raw, "AtRestEncryptionEnabled", False),
        token=flag(raw, "AuthTokenEnabled", False),
        user_groups=tuple(sorted(map(str, some(raw, "UserGroupIds")))),
        backup_days=number(raw, "SnapshotRetentionLimit", 0),
        moves=text(raw, "AutomaticFailover") in ("enabled", "enabling"),
        zones=text(raw, "MultiAZ", "disabled") == "enabled",
    )


def _cluster(place: Place, raw: Raw) -> CacheCluster:
    name = text(raw, "CacheClusterId")
    return CacheCluster(
        arn=text(raw, "ARN", place.arn("elasticache", f"cluster:{name}")),
        id=name,
        region=place.region,
        engine=text(raw, "Engine"),
        version=text(raw, "EngineVersion"),
        group=text(raw, "ReplicationGroupId", ""),
        transit=flag(raw, "TransitEncryptionEnabled", False),
        minor_upgrades=flag(raw, "AutoMinorVersionUpgrade"),
    )


def _user(place: Place, raw: Raw) -> CacheUser:
    name = text(raw, "UserId")
    return CacheUser(
        arn=text(raw, "ARN", place.arn("elasticache", f"user:{name}")),
        id=name,
        region=place.region,
        name=text(raw, "UserName"),
        groups=tuple(sorted(map(str, some(raw, "UserGroupIds")))),
        password=text(group(raw, "Authentication"), "Type") not in ("no-password", "no-password-required"),
        on="on" in text(raw, "AccessString").split(),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("elasticache groups", GROUPS, _group, named="ReplicationGroupId")
    yield listing("elasticache clusters", CLUSTERS, _cluster, named="CacheClusterId")
    yield listing("elasticache users", USERS, _user, named="UserId")
