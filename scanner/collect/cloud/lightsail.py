"""Collects machines, databases and buckets of Lightsail, which some regions do not have."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.lightsail import (
    LightBucket,
    LightBuckets,
    LightDatabase,
    LightDatabases,
    LightMachine,
    LightMachines,
    LightPort,
)
from checks.facts.snapshot import Absence
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, items, number, some, text
from scanner.collect.cloud.lists import listing, whole
from scanner.collect.collector import Collected
from scanner.transport.aws_offers import offered

MACHINES = Call("lightsail", "GetInstances", (LightMachines,), key="instances")
DATABASES = Call("lightsail", "GetRelationalDatabases", (LightDatabases,), key="relationalDatabases")
BUCKETS = Call("lightsail", "GetBuckets", (LightBuckets,), key="buckets")


def _machine(place: Place, raw: Raw) -> LightMachine:
    ports = some(group(raw, "networking"), "ports")
    return LightMachine(
        arn=text(raw, "arn"),
        name=text(raw, "name"),
        region=place.region,
        address=text(raw, "publicIpAddress", ""),
        # Those of IPv6 are all public.
        address6=next((str(one) for one in some(raw, "ipv6Addresses")), ""),
        ports=tuple(_port(one) for one in ports if text(one, "accessDirection", "inbound") == "inbound"),
    )


def _port(raw: Raw) -> LightPort:
    cidrs = [str(one) for key in ("cidrs", "ipv6Cidrs") for one in some(raw, key)]
    every = text(raw, "protocol") == "all"
    return LightPort(
        protocol=text(raw, "protocol"),
        low=0 if every else number(raw, "fromPort"),
        high=65535 if every else number(raw, "toPort"),
        cidrs=tuple(sorted(cidrs)),
    )


def _database(place: Place, raw: Raw) -> LightDatabase:
    return LightDatabase(
        text(raw, "arn"), text(raw, "name"), place.region, public=flag(raw, "publiclyAccessible", False)
    )


def buckets(place: Place) -> Collected:
    """The buckets; the list says whether the account's Block Public Access holds for them."""
    found: list[Raw] = []
    blocked = False
    asked: dict[str, object] = {}
    while True:
        answer = place.one(BUCKETS, "", **asked)
        blocked = blocked or flag(group(answer, "accountLevelBpaSync"), "bpaImpactsLightsail", False)
        page = items(answer, BUCKETS.key)
        found += page
        token = text(answer, "nextPageToken", "")
        if not token or not page:
            break
        asked["pageToken"] = token
    records, lost = place.read(found, BUCKETS, "name", partial(_bucket, place, blocked))
    return lost + whole(place, BUCKETS, LightBuckets, records)


def _bucket(place: Place, blocked: bool, raw: Raw) -> LightBucket:
    rules = group(raw, "accessRules")
    return LightBucket(
        arn=text(raw, "arn"),
        name=text(raw, "name"),
        region=place.region,
        public=text(rules, "getObject", "private") == "public",
        overrides=flag(rules, "allowPublicOverrides", False),
        blocked=blocked,
    )


def _where_offered(collector: Collector) -> Collector:
    """The collector, but that there is nothing of the kind where the region has no Lightsail."""

    def run(place: Place) -> Collected:
        if offered("lightsail", place.region):
            return collector.run(place)
        reason = "Lightsail is not offered in this region"
        names = sorted(fact.__name__ for fact in collector.facts & place.wanted)
        return Collected(absences=tuple(Absence(name, reason, place.region) for name in names))

    return Collector(collector.name, True, collector.calls, run)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield _where_offered(listing("lightsail machines", MACHINES, _machine, named="name"))
    yield _where_offered(listing("lightsail databases", DATABASES, _database, named="name"))
    yield _where_offered(Collector("lightsail buckets", True, (BUCKETS,), buckets))
