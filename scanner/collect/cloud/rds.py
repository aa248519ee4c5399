"""Collects managed databases."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.rds import RdsInstance, RdsInstances
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, number, some, text
from scanner.collect.collector import Collected

INSTANCES = Call("rds", "DescribeDBInstances", (RdsInstances,), key="DBInstances", page=100)


def instances(place: Place) -> Collected:
    """The database instances."""
    found, lost = place.read(
        place.all_of(INSTANCES), INSTANCES, "DBInstanceArn", partial(_instance, place.region)
    )
    fact = RdsInstances(place.account, (place.region,), found)
    return lost + place.found(fact, INSTANCES, found, names=[i.arn for i in found])


def _instance(region: str, raw: Raw) -> RdsInstance:
    return RdsInstance(
        arn=text(raw, "DBInstanceArn"),
        id=text(raw, "DBInstanceIdentifier"),
        region=region,
        engine=text(raw, "Engine"),
        public=flag(raw, "PubliclyAccessible"),
        encrypted=flag(raw, "StorageEncrypted"),
        minor_upgrades=flag(raw, "AutoMinorVersionUpgrade"),
        # The endpoint is not there while the instance is being made.
        port=number(group(raw, "Endpoint"), "Port", 0) or number(raw, "DbInstancePort", 0),
        groups=tuple(sorted(text(one, "VpcSecurityGroupId", "") for one in some(raw, "VpcSecurityGroups"))),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("rds instances", True, (INSTANCES,), instances)
