"""Collects the machines that move databases, and their sources and targets."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.dms import Mover, MoverEnd, MoverEnds, Movers
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, some, text
from scanner.collect.cloud.lists import listing

INSTANCES = Call("dms", "DescribeReplicationInstances", (Movers,), key="ReplicationInstances", page=100)
ENDS = Call("dms", "DescribeEndpoints", (MoverEnds,), key="Endpoints", page=100)


def _instance(place: Place, raw: Raw) -> Mover:
    where = group(raw, "ReplicationSubnetGroup")
    return Mover(
        arn=text(raw, "ReplicationInstanceArn"),
        id=text(raw, "ReplicationInstanceIdentifier"),
        region=place.region,
        public=flag(raw, "PubliclyAccessible"),
        minor_upgrades=flag(raw, "AutoMinorVersionUpgrade"),
        vpc=text(where, "VpcId", ""),
        subnets=tuple(sorted(text(one, "SubnetIdentifier") for one in some(where, "Subnets"))),
        groups=tuple(sorted(text(one, "VpcSecurityGroupId") for one in some(raw, "VpcSecurityGroups"))),
    )


def _end(place: Place, raw: Raw) -> MoverEnd:
    return MoverEnd(
        arn=text(raw, "EndpointArn"),
        id=text(raw, "EndpointIdentifier"),
        region=place.region,
        engine=text(raw, "EngineName"),
        tls=text(raw, "SslMode", "none"),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("dms instances", INSTANCES, _instance, named="ReplicationInstanceArn")
    yield listing("dms endpoints", ENDS, _end, named="EndpointArn")
