"""Collects route tables, subnets and peerings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from ipaddress import ip_network

from checks.cloud.addresses import ALL, Spans, opened_spans, spans, together, within, without
from checks.facts.cloud.routes import Peering, Peerings, RouteTable, RouteTables, Subnet, Subnets
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, some, text
from scanner.collect.cloud.lists import listing
from scanner.collect.collector import Collected

TABLES = Call("ec2", "DescribeRouteTables", (RouteTables,), key="RouteTables", page=100)
SUBNETS = Call("ec2", "DescribeSubnets", (Subnets,), key="Subnets", page=1000)


PEERINGS = Call("ec2", "DescribeVpcPeeringConnections", (Peerings,), key="VpcPeeringConnections", page=1000)

_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "InstanceId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)


def _table(place: Place, raw: Raw) -> RouteTable:
    routes = some(raw, "Routes")
    links = some(raw, "Associations")
    peers = {
        (_destination(one), text(one, "VpcPeeringConnectionId", ""))
        for one in routes
        if text(one, "VpcPeeringConnectionId", "") and _active(one)
    }
    (internet4, default4), (internet6, default6) = (_way_out(routes, version) for version in (4, 6))
    return RouteTable(
        id=text(raw, "RouteTableId"),
        region=place.region,
        vpc=text(raw, "VpcId"),
        main=any(flag(one, "Main", False) for one in links),
        subnets=tuple(sorted(text(one, "SubnetId", "") for one in links if one.get("SubnetId"))),
        internet4=internet4,
        internet6=internet6,
        peers=tuple(sorted({cidr for cidr, _ in peers} - {""})),
        default4=default4,
        default6=default6,
        peerings=tuple(sorted((cidr, name) for cidr, name in peers if cidr)),
    )


def _way_out(routes: Sequence[Raw], version: int) -> tuple[bool, str]:
    """Whether a wide part of the internet is routed to an internet gateway, and if not, to what.

    The narrowest route that holds an address decides, also one that leads nowhere any more.
    """
    told = [
        (ip_network(cidr, strict=False), _target(one))
        for one in routes
        if (cidr := _destination(one)) and (":" in cidr) is (version == 6)
    ]
    undecided, led = ALL[version], dict[str, Spans]()
    for network, target in sorted(told, key=lambda pair: -pair[0].prefixlen):
        here = within(undecided, spans([str(network)], version))
        undecided = without(undecided, here)
        led[target] = together(led.get(target, ()), here)
    wide = [target for target, held in sorted(led.items()) if _wide(held, version)]
    gateways = [held for target, held in led.items() if target.startswith("igw-")]
    if _wide(together((), tuple(piece for held in gateways for piece in held)), version):
        return True, ""
    if any(one.get("DestinationPrefixListId") and _target(one).startswith("igw-") for one in routes):
        raise UnreadableError("it leads to an internet gateway by a prefix list, which is not read")
    return False, ", ".join(wide)


def _wide(held: Spans, version: int) -> bool:
    return bool(opened_spans(held, ()) if version == 4 else opened_spans((), held))


def _destination(raw: Raw) -> str:
    return text(raw, "DestinationCidrBlock", "") or text(raw, "DestinationIpv6CidrBlock", "")


def _active(raw: Raw) -> bool:
    return text(raw, "State", "active") == "active"


def _target(raw: Raw) -> str:
    """What a route leads to: its gateway by id, or `a blackhole` where that is gone."""
    if not _active(raw):
        return "a blackhole"
    return next((name for key in _TARGETS if (name := text(raw, key, ""))), "nothing that is known")


def _subnet(place: Place, raw: Raw) -> Subnet:
    return Subnet(
        id=text(raw, "SubnetId"),
        region=place.region,
        vpc=text(raw, "VpcId"),
        public=flag(raw, "MapPublicIpOnLaunch"),
        six=flag(raw, "AssignIpv6AddressOnCreation", False),
    )


def peerings(place: Place) -> Collected:
    """The peerings that are live; one that was refused or deleted leads nowhere."""
    listed = [one for one in place.all_of(PEERINGS) if text(group(one, "Status"), "Code", "") == "active"]
    found, lost = place.read(listed, PEERINGS, "VpcPeeringConnectionId", partial(_peering, place.region))
    fact = Peerings(place.account, (place.region,), found)
    return lost + place.found(fact, PEERINGS, found, names=[one.id for one in found])


def _peering(region: str, raw: Raw) -> Peering:
    sides = [group(raw, side) for side in ("AccepterVpcInfo", "RequesterVpcInfo")]
    cidrs = {text(one, "CidrBlock", "") for side in sides for one in some(side, "CidrBlockSet")}
    cidrs |= {text(one, "Ipv6CidrBlock", "") for side in sides for one in some(side, "Ipv6CidrBlockSet")}
    cidrs |= {text(side, "CidrBlock", "") for side in sides}
    return Peering(text(raw, "VpcPeeringConnectionId"), region, tuple(sorted(cidrs - {""})))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("route tables", TABLES, _table, named="RouteTableId")
    yield listing("subnets", SUBNETS, _subnet, named="SubnetId")
    yield Collector("peerings", True, (PEERINGS,), peerings)
