"""Whether the internet reaches a managed store that has a public address: all walls considered together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.cloud.reach import Reach, reach
from checks.facts.cloud.ec2 import Interface, PrefixLists, SecurityGroups
from checks.facts.cloud.routes import AclWaysOut, RouteTables
from checks.facts.cloud.vpc import NetworkAcls
from checks.model import Exposure, Severity
from checks.verdict import Verdict, expect, unknown

WANT = "not reached from the internet"


@dataclass(frozen=True, slots=True)
class Store:
    """A store: whether it has a public address, and what stands around it.

    `subnets` are all that it may be in: it moves between them without a word. `what` names it in a report.
    """

    on: str
    id: str
    region: str
    what: str
    public: bool
    vpc: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Walls:
    """The network of an account, and the regions of which all of it was read."""

    network: Reach
    read: frozenset[str]

    def judge(  # noqa: PLR0911 - one answer for each wall
        self, one: Store, values: Mapping[str, str], *, limited: Severity | None = None
    ) -> Verdict | None:
        """The verdict on one store; None where a gap of its region already says that it is unknown.

        With `limited`, a public address that only some networks reach fails with that severity: the next
        rule opens it. Without, it passes.
        """
        if not one.public:
            return expect(True, on=one.on, where=one.region, saw="no public address", want=WANT)
        if one.region not in self.read:
            return None
        if not one.subnets or not one.ports:
            return unknown(one.on, "a public address; its subnets or port are not told yet", where=one.region)
        ways = {name: self._routed(name, one.vpc) for name in one.subnets}
        routed = [name for name, way in ways.items() if way]
        if not routed and None in ways.values():
            return unknown(
                one.on, "a public address; the route table of its subnet is not told", where=one.region
            )
        if not routed:
            saw = "a public address, but none of its subnets has a route to an internet gateway"
            return expect(True, on=one.on, where=one.region, saw=saw, want=WANT)
        for subnet in routed:
            reached = self.network.open_ports(_interface(one, subnet), one.ports)
            if reached:
                way = f"{reached[0].port} is reached from {reached[0].source}"
                return expect(
                    False,
                    on=one.on,
                    where=one.region,
                    saw=f"{one.what} with a public address; {way}",
                    want=WANT,
                    exposure=Exposure.INTERNET_OPEN,
                    exposure_evidence=f"{one.id} has a public address, {subnet} a route to an internet "
                    f"gateway, and its access list and security groups let {reached[0].port} in from "
                    f"{reached[0].source}",
                    values=values,
                )
        hidden = self._hidden(one)
        if hidden:
            return unknown(one.on, f"a public address; {hidden} could not be looked into", where=one.region)
        walls = "its security groups and access lists do not let the whole internet in"
        if limited is None:
            return expect(True, on=one.on, where=one.region, saw=f"a public address; {walls}", want=WANT)
        return expect(
            False,
            on=one.on,
            where=one.region,
            saw=f"{one.what} with a public address; {walls}",
            want="no public address",
            severity=limited,
            exposure=Exposure.INTERNET_LIMITED,
            exposure_evidence=f"{one.id} has a public address and a route to an internet gateway; {walls}",
            values=values,
        )

    def _routed(self, subnet: str, vpc: str) -> bool | None:
        """Whether a subnet has a way to the internet; None for one of a network that is not told."""
        table = self.network.table(subnet, vpc)
        return None if table is None else table.internet4 or table.internet6

    def _hidden(self, one: Store) -> str:
        """What stands before the store and was not read: groups and lists that another account owns."""
        if not one.groups:
            return "its security groups"
        strange = {name for name in one.groups if name not in self.network.groups}
        strange |= {f"the access list of {name}" for name in one.subnets if name not in self.network.acl_of}
        named = {
            name
            for group in one.groups
            for rule in self.network.groups.get(group, ())
            for name in rule.prefix_lists
        }
        return ", ".join(sorted(strange | (named - set(self.network.lists))))


def walls(
    groups: SecurityGroups, lists: PrefixLists, routes: RouteTables, acls: NetworkAcls, out: AclWaysOut
) -> Walls:
    """The network, made ready."""
    read = set(groups.regions) & set(lists.regions) & set(routes.regions) & set(acls.regions)
    return Walls(reach(groups, lists, routes, acls, out), frozenset(read & set(out.regions)))


def _interface(one: Store, subnet: str) -> Interface:
    # Which address it is does not matter, nor does any list of interfaces name the store.
    told = "its public address"
    return Interface(one.id, one.region, one.vpc, subnet, one.groups, "", "store", (told,), (told,))
