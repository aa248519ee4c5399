"""Names in Route 53: the records of public zones, how the zones are kept, and what records point at."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class NameRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record of a public zone: its kind (`A`, `CNAME`, …) and values, or what it is an `alias` of.

    `name` is as Route 53 writes it, with the dot at its end; `zone` is the id of the zone, and `apex` the
    zone's own name.
    """

    zone: str
    apex: str
    name: str
    kind: str
    values: tuple[str, ...] = ()
    alias: str = ""


class NameRecords(Fact, frozen=True, forbid_unknown_fields=True):
    """The records of public zones that say where a name leads: addresses, other names, name servers."""

    account: str
    records: tuple[NameRecord, ...]


class ZoneLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public zone, and whether its queries are logged."""

    arn: str
    id: str
    name: str
    logged: bool


class ZoneLogs(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether the queries of public zones are logged."""

    account: str
    zones: tuple[ZoneLog, ...]


class ZoneSigning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public zone and the state of its signatures: `SIGNING`, `NOT_SIGNING`, or what is wrong."""

    arn: str
    id: str
    name: str
    state: str


class ZoneSignings(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether public zones are signed (DNSSEC)."""

    account: str
    zones: tuple[ZoneSigning, ...]


class OwnAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed public address that the account holds in a region."""

    region: str
    address: str


class ElasticAddresses(Fact, frozen=True, forbid_unknown_fields=True):
    """The elastic addresses of the account in the regions where a record points into."""

    account: str
    regions: tuple[str, ...]
    addresses: tuple[OwnAddress, ...]


class StaticAddresses(Fact, frozen=True, forbid_unknown_fields=True):
    """The addresses of Lightsail (fixed ones and those of instances) in the same regions."""

    account: str
    regions: tuple[str, ...]
    addresses: tuple[OwnAddress, ...]


class EnvironmentName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name under which Elastic Beanstalk serves an environment of the account."""

    region: str
    name: str


class EnvironmentNames(Fact, frozen=True, forbid_unknown_fields=True):
    """The names of environments in the regions where a record points at one."""

    account: str
    regions: tuple[str, ...]
    names: tuple[EnvironmentName, ...]


class BucketTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket that a record points at: `own`, `free` (nobody has it), or `closed` (somebody has it)."""

    name: str
    state: str


class BucketTargets(Fact, frozen=True, forbid_unknown_fields=True):
    """The buckets that records point at."""

    account: str
    buckets: tuple[BucketTarget, ...]
