"""Virtual networks, their access lists and their flow logs."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Vpc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A virtual network; `default` if AWS made it with the account."""

    id: str
    region: str
    default: bool


class Vpcs(Fact, frozen=True, forbid_unknown_fields=True):
    """All virtual networks."""

    account: str
    regions: tuple[str, ...]
    vpcs: tuple[Vpc, ...]


class AclEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry for traffic coming in. `protocol` is tcp, udp, another number, or `-1` for all.

    `low` to `high` are ports; 0 to 65535 where the entry names none.
    """

    number: int
    allow: bool
    protocol: str
    low: int
    high: int
    cidr: str


class NetworkAcl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An access list with its ingress entries in rule order; the last, unwritten entry denies all."""

    id: str
    region: str
    vpc: str
    default: bool
    subnets: tuple[str, ...]
    ingress: tuple[AclEntry, ...]


class NetworkAcls(Fact, frozen=True, forbid_unknown_fields=True):
    """All network access lists."""

    account: str
    regions: tuple[str, ...]
    acls: tuple[NetworkAcl, ...]


class FlowLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flow log. `resource` is what it watches, `traffic` ACCEPT, REJECT or ALL.

    `active` is its state, `delivered` False where AWS reports that the delivery fails.
    """

    id: str
    region: str
    resource: str
    active: bool
    delivered: bool
    traffic: str


class FlowLogs(Fact, frozen=True, forbid_unknown_fields=True):
    """All flow logs; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    logs: tuple[FlowLog, ...]
