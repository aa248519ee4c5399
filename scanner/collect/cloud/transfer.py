"""Collects file servers of Transfer Family; the list does not say what they speak."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.transfer import FileServer, FileServers
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import group, some, text
from scanner.collect.collector import Collected

LIST = Call("transfer", "ListServers", (FileServers,), key="Servers", page=100)
SERVER = Call("transfer", "DescribeServer", (FileServers,))


def servers(place: Place) -> Collected:
    """The file servers."""
    ids = sorted(text(one, "ServerId") for one in place.all_of(LIST))
    empty = Collected(facts=(FileServers(place.account, (place.region,), ()),))
    return empty + place.each([(place.where(one), SERVER, partial(_server, place, one)) for one in ids])


def _server(place: Place, identifier: str) -> Collected:
    raw = group(place.one(SERVER, ServerId=identifier), "Server")
    network = group(raw, "EndpointDetails")
    kind = text(raw, "EndpointType", "PUBLIC")
    fixed = kind == "VPC" and bool(some(network, "AddressAllocationIds"))
    record = FileServer(
        arn=text(raw, "Arn"),
        id=identifier,
        region=place.region,
        # What AWS takes where nobody chose: SFTP, and the oldest policy.
        protocols=tuple(sorted(str(one) for one in some(raw, "Protocols"))) or ("SFTP",),
        public="yes" if kind == "PUBLIC" else "groups" if fixed else "no",
        groups=tuple(sorted(str(one) for one in some(network, "SecurityGroupIds"))),
        policy=text(raw, "SecurityPolicyName", "TransferSecurityPolicy-2018-11"),
        logged=bool(some(raw, "StructuredLogDestinations") or text(raw, "LoggingRole", "")),
    )
    fact = FileServers(place.account, (place.region,), (record,))
    return place.found(fact, SERVER, (record,), where=record.arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("transfer servers", True, (LIST, SERVER), servers)
