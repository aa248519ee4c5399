"""Whether the internet reaches an interface: address, route, access list and security group together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from checks.cloud.addresses import ALL, Spans, opened_spans, spans, together, within, without
from checks.facts.cloud.ec2 import Interface, PrefixLists, Rule, SecurityGroups
from checks.facts.cloud.routes import AclWaysOut, RouteTable, RouteTables
from checks.facts.cloud.vpc import AclEntry, NetworkAcls

_ANSWERS = 50_000
"""A port that clients ask from as they come: where answers to it get out, answers to everybody do."""
_EVERYBODY = {4: "0.0.0.0/0", 6: "::/0"}


@dataclass(frozen=True, slots=True)
class Reached:
    """A port that the internet reaches (`tcp/22`): from where, at which address, and over what.

    `groups` are the security groups that let it in.
    """

    port: str
    address: str
    source: str
    evidence: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Way:
    """From where a port is reached over one IP version, by which groups, and where its answers get out."""

    words: str
    groups: tuple[str, ...]
    answers: int


@dataclass(frozen=True)
class Reach:
    """The network of an account, made ready for questions about single interfaces."""

    groups: Mapping[str, Sequence[Rule]]
    lists: Mapping[str, Sequence[str]]
    routes: Mapping[str, RouteTable]
    """By subnet: the table that it names."""
    main: Mapping[str, RouteTable]
    """By network: the table of the subnets that name none."""
    inward: Mapping[str, Sequence[AclEntry]]
    outward: Mapping[str, Sequence[AclEntry]]
    acl_of: Mapping[str, str]
    _passed: dict[tuple[str, bool, int], Mapping[int, Spans]] = field(default_factory=dict, compare=False)

    def table(self, subnet: str, vpc: str) -> RouteTable | None:
        """The route table of a subnet; None where it was not told, as that of another account's."""
        return self.routes.get(subnet, self.main.get(vpc))

    def open_ports(
        self, one: Interface, ports: Iterable[int], *, grouped: bool = True
    ) -> tuple[Reached, ...]:
        """Which of these TCP ports of the interface the internet reaches.

        `grouped` is False for what has no security groups at all, as old network load balancers.
        """
        table = self.table(one.subnet, one.vpc)
        if table is None:
            return ()
        addresses = {
            4: one.public4 if table.internet4 else (),
            6: one.public6 if table.internet6 else (),
        }
        found = []
        for port in sorted(set(ports)) if any(addresses.values()) else ():
            for version in (4, 6):
                way = self._way(one, port, version, grouped=grouped) if addresses[version] else None
                if way:
                    found.append(self._reached(one, table, port, addresses[version][0], way))
                    break
        return tuple(found)

    def why_not(self, one: Interface) -> str:
        """Why the internet does not reach it at all, where that is so by its address or route."""
        if not one.public4 and not one.public6:
            return "no public address"
        table = self.table(one.subnet, one.vpc)
        if table is None:
            return ""
        if (table.internet4 and one.public4) or (table.internet6 and one.public6):
            return ""
        led = (one.public4 and table.default4) or (one.public6 and table.default6)
        where = f"leads to {led}" if led else "has no way out"
        return f"no route to an internet gateway: {_named(table, one.subnet)} {where}"

    def hidden(self, one: Interface) -> str:
        """What stands before an interface and was not told, so that nothing can be said about it."""
        if not one.public4 and not one.public6:
            return ""
        if self.table(one.subnet, one.vpc) is None:
            return f"the route table of {one.subnet or 'its subnet'}"
        if self.why_not(one):
            return ""
        unread = [] if one.subnet in self.acl_of else [f"the access list of {one.subnet}"]
        unread += sorted(name for name in one.groups if name not in self.groups)
        named = {n for g in one.groups for rule in self.groups.get(g, ()) for n in rule.prefix_lists}
        return ", ".join(unread + sorted(named - set(self.lists)))

    def _reached(self, one: Interface, table: RouteTable, port: int, address: str, way: _Way) -> Reached:
        groups = f" and {', '.join(way.groups)}" if way.groups else ""
        let = "let" if way.groups else "lets"
        evidence = (
            f"{one.id} has {address}; {_named(table, one.subnet)} leads to an internet gateway; "
            f"{self.acl_of[one.subnet]}{groups} {let} tcp/{port} in from {way.words}"
        )
        if way.answers != _ANSWERS:
            evidence += f"; answers get out to port {way.answers}, and an attacker asks from there"
        return Reached(f"tcp/{port}", address, way.words, evidence, way.groups)

    def _way(self, one: Interface, port: int, version: int, *, grouped: bool) -> _Way | None:
        letting = {group: self._cidrs(group, port, version) for group in one.groups}
        cidrs = [cidr for found in letting.values() for cidr in found] if grouped else [_EVERYBODY[version]]
        acl = self.acl_of.get(one.subnet)
        if acl is None or not cidrs:
            return None
        let = within(spans(cidrs, version), self._through(acl, port, inward=True)[version])
        for answers in _ports_out(self.outward.get(acl, ())):
            out = within(let, self._through(acl, answers, inward=False)[version])
            opened = opened_spans(out, ()) if version == 4 else opened_spans((), out)
            if opened:
                by = tuple(group for group, found in letting.items() if found)
                return _Way(opened.words, by, answers)
        return None

    def _cidrs(self, group: str, port: int, version: int) -> list[str]:
        """The networks of a version that a group lets in at a TCP port."""
        return [
            cidr
            for rule in self.groups.get(group, ())
            if rule.protocol in ("tcp", "-1") and rule.low <= port <= rule.high
            for cidr in (*rule.cidrs, *(c for name in rule.prefix_lists for c in self.lists.get(name, ())))
            if (":" in cidr) is (version == 6)
        ]

    def _through(self, acl: str, port: int, *, inward: bool) -> Mapping[int, Spans]:
        key = (acl, inward, port)
        if key not in self._passed:
            self._passed[key] = allowed((self.inward if inward else self.outward).get(acl, ()), port)
        return self._passed[key]


def reach(
    groups: SecurityGroups, lists: PrefixLists, routes: RouteTables, acls: NetworkAcls, out: AclWaysOut
) -> Reach:
    """The network, made ready."""
    return Reach(
        groups={one.id: one.ingress for one in groups.groups},
        lists={one.id: one.cidrs for one in lists.lists},
        routes={subnet: table for table in routes.tables for subnet in table.subnets},
        main={table.vpc: table for table in routes.tables if table.main},
        inward={one.id: one.ingress for one in acls.acls},
        outward={one.id: one.egress for one in out.acls},
        acl_of={subnet: one.id for one in acls.acls for subnet in one.subnets},
    )


def allowed(entries: Sequence[AclEntry], port: int) -> Mapping[int, Spans]:
    """From where an access list lets TCP through at a port: the first entry that matches decides."""
    let: dict[int, Spans] = {4: (), 6: ()}
    undecided = dict(ALL)
    for entry in entries:
        if entry.protocol not in ("tcp", "-1") or not entry.low <= port <= entry.high:
            continue
        for version in (4, 6):
            here = within(undecided[version], spans([entry.cidr], version))
            if entry.allow:
                let[version] = together(let[version], here)
            undecided[version] = without(undecided[version], here)
    return let


def _ports_out(entries: Sequence[AclEntry]) -> list[int]:
    """The ports at which a list may change its mind: who attacks chooses the port that he asks from."""
    told = [one for one in entries if one.protocol == "tcp"]
    edges = {1, *(port for one in told for port in (one.low - 1, one.low, one.high, one.high + 1))}
    return [_ANSWERS, *sorted(port for port in edges if 0 < port <= 65535 and port != _ANSWERS)]


def _named(table: RouteTable, subnet: str) -> str:
    return table.id if subnet in table.subnets else f"{table.id} (the main table, as {subnet} names none)"
