"""Collects virtual networks, their access lists and flow logs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.routes import AclWayOut, AclWaysOut
from checks.facts.cloud.vpc import AclEntry, FlowLog, FlowLogs, NetworkAcl, NetworkAcls, Vpc, Vpcs
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, items, number, some, text
from scanner.collect.collector import Collected

VPCS = Call("ec2", "DescribeVpcs", (Vpcs,), key="Vpcs", page=1000)
ACLS = Call("ec2", "DescribeNetworkAcls", (NetworkAcls, AclWaysOut), key="NetworkAcls", page=1000)
FLOW_LOGS = Call("ec2", "DescribeFlowLogs", (FlowLogs,), key="FlowLogs", page=1000)

_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


def vpcs(place: Place) -> Collected:
    """The virtual networks."""
    found, lost = place.read(place.all_of(VPCS), VPCS, "VpcId", partial(_vpc, place.region))
    fact = Vpcs(place.account, (place.region,), found)
    return lost + place.found(fact, VPCS, found, names=[v.id for v in found])


def acls(place: Place) -> Collected:
    """The network access lists."""
    listed = place.all_of(ACLS)
    found, lost = place.read(listed, ACLS, "NetworkAclId", partial(_acl, place.region))
    out, _ = place.read(listed, ACLS, "NetworkAclId", partial(_way_out, place.region))
    fact = NetworkAcls(place.account, (place.region,), found)
    outward = AclWaysOut(place.account, (place.region,), out)
    names = [a.id for a in found]
    return lost + place.found(fact, ACLS, found, names=names) + place.found(outward, ACLS, out, names=names)


def flow_logs(place: Place) -> Collected:
    """The flow logs."""
    found, lost = place.read(place.all_of(FLOW_LOGS), FLOW_LOGS, "FlowLogId", partial(_log, place.region))
    fact = FlowLogs(place.account, (place.region,), found)
    return lost + place.found(fact, FLOW_LOGS, found, names=[f.id for f in found])


def _vpc(region: str, raw: Raw) -> Vpc:
    return Vpc(text(raw, "VpcId"), region, flag(raw, "IsDefault"))


def _acl(region: str, raw: Raw) -> NetworkAcl:
    entries = (_entry(one) for one in items(raw, "Entries") if not flag(one, "Egress"))
    return NetworkAcl(
        id=text(raw, "NetworkAclId"),
        region=region,
        vpc=text(raw, "VpcId", ""),
        default=flag(raw, "IsDefault"),
        subnets=tuple(sorted(text(one, "SubnetId") for one in some(raw, "Associations"))),
        ingress=tuple(sorted(entries, key=lambda e: (e.number, e.cidr))),
    )


def _way_out(region: str, raw: Raw) -> AclWayOut:
    entries = (_entry(one) for one in items(raw, "Entries") if flag(one, "Egress"))
    ordered = sorted(entries, key=lambda e: (e.number, e.cidr))
    return AclWayOut(text(raw, "NetworkAclId"), region, tuple(ordered))


def _entry(raw: Raw) -> AclEntry:
    ports = group(raw, "PortRange")
    told = text(raw, "Protocol")
    return AclEntry(
        number=number(raw, "RuleNumber"),
        allow=text(raw, "RuleAction") == "allow",
        protocol=_PROTOCOLS.get(told, told),
        low=number(ports, "From", 0),
        high=number(ports, "To", 65535),
        cidr=text(raw, "CidrBlock", "") or text(raw, "Ipv6CidrBlock"),
    )


def _log(region: str, raw: Raw) -> FlowLog:
    return FlowLog(
        id=text(raw, "FlowLogId"),
        region=region,
        resource=text(raw, "ResourceId"),
        active=text(raw, "FlowLogStatus") == "ACTIVE",
        # Only there once a delivery was tried.
        delivered=text(raw, "DeliverLogsStatus", "SUCCESS") != "FAILED",
        traffic=text(raw, "TrafficType", "ALL"),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("vpc networks", True, (VPCS,), vpcs)
    yield Collector("vpc access lists", True, (ACLS,), acls)
    yield Collector("vpc flow logs", True, (FLOW_LOGS,), flow_logs)
