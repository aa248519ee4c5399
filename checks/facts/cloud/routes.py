"""Routes and subnets: what has a way to the internet."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.vpc import AclEntry
from checks.facts.snapshot import Fact


class RouteTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A route table: `internet4` and `internet6` say whether it leads to the internet by a gateway.

    `main` is that of subnets which name none. `peers` are networks that it sends into peerings. `default4`
    and `default6` name what stands in the place of the gateway: `nat-…`, `eigw-…`, `a blackhole`; empty
    where there is no way out at all. `peerings` are pairs of such a network and its connection.
    """

    id: str
    region: str
    vpc: str
    main: bool
    subnets: tuple[str, ...]
    internet4: bool
    internet6: bool
    peers: tuple[str, ...]
    default4: str = ""
    default6: str = ""
    peerings: tuple[tuple[str, str], ...] = ()


class RouteTables(Fact, frozen=True, forbid_unknown_fields=True):
    """All route tables; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    tables: tuple[RouteTable, ...]


class Subnet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subnet; `public` if what starts in it gets a public IPv4 address by itself, `six` an IPv6 one."""

    id: str
    region: str
    vpc: str
    public: bool
    six: bool = False


class Subnets(Fact, frozen=True, forbid_unknown_fields=True):
    """All subnets."""

    account: str
    regions: tuple[str, ...]
    subnets: tuple[Subnet, ...]


class Peering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A live connection of two networks, each with its address ranges."""

    id: str
    region: str
    cidrs: tuple[str, ...]


class Peerings(Fact, frozen=True, forbid_unknown_fields=True):
    """All live peerings, with the ranges of both sides; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    peerings: tuple[Peering, ...]


class AclWayOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The entries of an access list for traffic going out, in rule order."""

    id: str
    region: str
    egress: tuple[AclEntry, ...]


class AclWaysOut(Fact, frozen=True, forbid_unknown_fields=True):
    """What the network access lists let out; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    acls: tuple[AclWayOut, ...]
