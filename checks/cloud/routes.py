"""Subnets that give out public addresses, and routes into other networks."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, ip_network

from checks.check import check
from checks.cloud.setting import repair
from checks.facts.cloud.routes import Peerings, RouteTables, Subnets
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect


@check(
    "cloud.routes.automatic-addresses",
    title="Subnets give out no public addresses by themselves",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Give out no public addresses by default",
        "Turn the setting off; what needs a public address gets one by name, or better a load balancer in "
        "front.",
        "aws ec2 describe-subnets --region @{region} --subnet-ids @{on} --query "
        "'Subnets[].MapPublicIpOnLaunch'   # false",
        "aws ec2 modify-subnet-attribute --region @{region} --subnet-id @{on} --no-map-public-ip-on-launch",
        "aws ec2 modify-subnet-attribute --region @{region} --subnet-id @{on} --map-public-ip-on-launch",
        terraform="# In the aws_subnet @{on}:\nmap_public_ip_on_launch = false\n",
    ),
    refs=("https://docs.aws.amazon.com/vpc/latest/userguide/subnet-public-ip.html",),
)
def automatic_addresses(found: Subnets, routes: RouteTables) -> Verdicts:
    """What is started there in a hurry is on the internet before anybody has thought about it."""
    named = {subnet: table for table in routes.tables for subnet in table.subnets}
    main = {table.vpc: table for table in routes.tables if table.main}
    for one in found.subnets:
        table = named.get(one.id, main.get(one.vpc))
        way = f"; {table.id} leads to an internet gateway" if table and table.internet4 else ""
        away = "; it has no route to an internet gateway" if table and not table.internet4 else ""
        yield expect(
            not one.public,
            on=one.id,
            where=one.region,
            saw=f"what starts here gets a public address{way or away}"
            if one.public
            else "no public address by itself",
            want="no public address by itself",
            # Without a route the address is of no use until somebody adds one.
            severity=Severity.INFO if away else None,
        )


@check(
    "cloud.routes.peering",
    title="Routes into peerings lead to what is needed alone",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Narrow the routes into peerings",
        "Replace the wide route by one to the subnets that are needed on the other side.",
        "aws ec2 describe-route-tables --region @{region} --route-table-ids @{on} --query "
        "'RouteTables[].Routes'",
        'aws ec2 create-route --region @{region} --route-table-id @{on} --destination-cidr-block "$SUBNET" '
        "--vpc-peering-connection-id @{peering} &&\n"
        "aws ec2 delete-route --region @{region} --route-table-id @{on} --destination-cidr-block @{wide}",
        "aws ec2 create-route --region @{region} --route-table-id @{on} --destination-cidr-block @{wide} "
        "--vpc-peering-connection-id @{peering}",
        hours=(0.5, 0.25),
        terraform='# In place of the aws_route of @{on} to @{wide}:\nresource "aws_route" "needed" {\n'
        "  route_table_id            = @{on}\n  destination_cidr_block    = var.subnet\n"
        "  vpc_peering_connection_id = @{peering}\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html",),
)
def peering(found: RouteTables, peerings: Peerings, *, prefix: int = 20, small: int = 24) -> Verdicts:
    """A route to the whole of another network lets an intruder there reach everything here."""
    sides = {one.id: one.cidrs for one in peerings.peerings}
    for table in found.tables:
        if table.peers and table.region in peerings.regions:
            wide = {
                cidr: name for cidr, name in table.peerings if _wide(cidr, sides.get(name), prefix, small)
            }
            yield expect(
                not wide,
                on=table.id,
                where=table.region,
                saw=f"routes to {', '.join(wide or table.peers)}"
                + (": all of the other side" if wide else ""),
                want=f"routes to parts of the other network, of /{prefix} or smaller",
                values={
                    "wide": next(iter(wide), ""),
                    "peering": next(iter(wide.values()), ""),
                },
            )


def _wide(cidr: str, sides: Sequence[str] | None, prefix: int, small: int) -> bool:
    """Whether a route is wide, or takes in all of a network that has parts worth telling apart.

    IPv6 is left out: what is wide there is a convention of each network.
    """
    route = ip_network(cidr, strict=False)
    if not isinstance(route, IPv4Network):
        return False
    networks = [ip_network(one, strict=False) for one in sides or ()]
    whole = (one for one in networks if isinstance(one, IPv4Network) and one.prefixlen < small)
    return route.prefixlen < prefix or any(route.supernet_of(one) for one in whole)
