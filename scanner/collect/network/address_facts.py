"""The facts of one live address: how its ports answered, what speaks on them, and its card on the link."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from checks.facts.network import OpenPort, OpenPorts, PortAnswers, PortRange
from checks.facts.network.datagrams import UdpAnswers
from checks.facts.network.link import LinkAddress
from checks.facts.network.ssh import SshHostKeys
from checks.facts.snapshot import Absence, Fact, Gap, Snapshot, source
from checks.model import Kind, Target
from scanner.collect.collector import Collected, snapshot
from scanner.collect.network.access import Course
from scanner.collect.network.ask.every import QUESTIONS, SERVICE_FACTS
from scanner.collect.network.datagrams import UdpSwept
from scanner.collect.network.look import Looked
from scanner.collect.network.talk import Address
from scanner.collect.network.udp_payloads import USUAL_UDP
from scanner.transport.packets_swept import CLOSED, FILTERED, OPEN, SILENT

NO_TIME = "more time, or a route"


@dataclass(frozen=True)
class AddressFacts:
    """What the sweeps say of one address, as facts and gaps; `udp` is None where UDP was not asked at all."""

    course: Course
    looked: Looked
    wanted: frozenset[type[Fact]]
    address: Address
    at: str
    udp: UdpSwept | None = None

    def answers(self, in_between: str = "") -> Collected:
        """How its TCP ports answered; `in_between` is why something else seems to answer in its place."""
        swept = self.looked.swept(self.address)
        access = self.course.access
        if swept is None:
            over = "its ports were not asked: the time was over"
            return Collected(gaps=(Gap("PortAnswers", over if access.ports else "no TCP port was asked"),))
        closed = tuple(PortRange(*one) for one in swept.ranges(CLOSED))
        silent = tuple(PortRange(*one) for one in swept.ranges(SILENT, FILTERED))
        opened = swept.count(OPEN)
        fact = PortAnswers(access.vantage, swept.asked, opened, closed, silent, in_between)
        counts = f"{opened} open, {swept.count(CLOSED)} closed, {swept.count(SILENT, FILTERED)} silent"
        said = f"{swept.asked} TCP ports asked: {counts}"
        if in_between:
            said += f"; {in_between}"
        return Collected((fact,), sources=(source(PortAnswers, self._how, self.at, said),))

    def open_ports(self, ports: tuple[OpenPort, ...]) -> Collected:
        """The open ports, and what speaks on them."""
        swept = self.looked.swept(self.address)
        fact = OpenPorts(
            address=str(self.address),
            vantage=self.course.access.vantage,
            mode=self.looked.modes.get(self.address, "connect"),
            asked=swept.asked if swept else 0,
            filtered=swept.count(SILENT, FILTERED) if swept else 0,
            ports=ports,
        )
        lines = "\n".join(_line(port) for port in ports) or "no port is open"
        return Collected((fact,), sources=(source(OpenPorts, self._how, self.at, lines),))

    def datagrams(self) -> Collected:
        """How its UDP ports answered."""
        if self.udp is None:
            reason = "UDP was not asked"
            return Collected(gaps=(Gap("UdpAnswers", reason, needs="UDP ports in the scope"),))
        fact = self.udp.answers(self.course.access.vantage)
        counts = f"{len(fact.open)} open, {len(fact.closed)} closed, {len(fact.silent)} silent"
        how = f'a datagram to each of the UDP ports asked of {self.address}, from "{fact.vantage}"'
        said = f"{len(fact.asked)} UDP ports asked: {counts}"
        found = Collected((fact,), sources=(source(UdpAnswers, how, self.at, said),))
        if self.udp.unasked:
            told = Gap("UdpAnswers", f"{len(self.udp.unasked)} UDP ports were not asked", needs=NO_TIME)
            found += Collected(gaps=(told,))
        return found

    def link(self) -> Collected:
        """The card behind the address, where the scanner is on the same link."""
        mac = self.course.macs.get(self.address) or self.looked.macs.get(self.address, "")
        if not mac:
            reason = "no MAC is seen of it: it is behind a router, or the scanner itself"
            return Collected(absences=(Absence("LinkAddress", reason),))
        swept = self.looked.swept(self.address)
        vendor = self.course.vendors.of(mac)
        fact = LinkAddress(str(self.address), mac, vendor, bool(swept and swept.answered))
        how = f'the neighbours of "{self.course.access.vantage}" on its link'
        said = f"{self.address} is at {mac} ({vendor or 'nobody knows who made it'})"
        return Collected((fact,), sources=(source(LinkAddress, how, self.at, said),))

    def cut_short(self) -> Collected:
        """Gaps for the TCP ports that were not asked."""
        swept = self.looked.swept(self.address)
        if not self.course.access.ports:
            only_tcp = {f for f in SERVICE_FACTS & self.wanted if not _UDP_PORTS[f]}
            names = sorted(f.__name__ for f in only_tcp)
            reason = "no TCP port was asked"
            return Collected(gaps=tuple(Gap(name, reason, needs="ports in the scope") for name in names))
        missing = len(self.course.access.ports) - (swept.asked if swept else 0)
        if missing <= 0:
            return Collected()
        reason = f"{missing} of {len(self.course.access.ports)} ports were not asked"
        names = sorted(f.__name__ for f in (SERVICE_FACTS & self.wanted) | {OpenPorts, PortAnswers})
        return Collected(gaps=tuple(Gap(name, reason, needs=NO_TIME) for name in names))

    def not_assessed(self, reason: str, besides: Collection[type[Fact]] = ()) -> Collected:
        """Gaps for everything that questions would have decided."""
        names = sorted(f.__name__ for f in (SERVICE_FACTS & self.wanted) | set(besides))
        return Collected(gaps=tuple(Gap(name, reason) for name in names))

    def services(self, found: Collected) -> Collected:
        """What the questions of all ports gave, one fact of each kind; an empty one for what is not there.

        A topic of which no port was found is an empty fact only where every port on which it usually is
        was asked and answered; one that failed everywhere is only its gaps.
        """
        named: dict[type[Fact], list[Fact]] = {}
        for fact in found.facts:
            named.setdefault(type(fact), []).append(fact)
        joined = tuple(_joined(group) for kind, group in named.items() if kind in self.wanted)
        failed = {gap.fact for gap in found.gaps}
        missing = [
            kind
            for kind in sorted(SERVICE_FACTS & self.wanted, key=lambda k: k.__name__)
            if kind.__name__ not in failed and kind not in named
        ]
        untold = {kind: gaps for kind in SERVICE_FACTS & self.wanted if (gaps := self._untold_udp(kind))}
        empty = tuple(_empty(kind, self.address) for kind in missing if kind not in untold)
        gaps = found.gaps + tuple(gap for kind in sorted(untold, key=str) for gap in untold[kind])
        return Collected(joined + empty, gaps, found.absences, found.sources)

    def _untold_udp(self, kind: type[Fact]) -> tuple[Gap, ...]:
        """Why the UDP ports on which this topic usually is say nothing of it."""
        name = kind.__name__
        usual = sorted(set(_UDP_PORTS[kind]))
        if not usual:
            return ()
        if self.udp is None:
            return (Gap(name, "UDP was not asked", needs="UDP ports in the scope"),)
        told = {*self.udp.open, *self.udp.closed}
        silent, gaps = set(self.udp.silent), []
        for port in usual:
            if port in silent:
                reason = "no answer: open or filtered, nobody can tell"
                gaps.append(Gap(name, reason, f"udp/{port}", "an answer, or a look from the host itself"))
            elif port not in told:
                gaps.append(Gap(name, "this UDP port was not asked", f"udp/{port}", NO_TIME))
        return tuple(gaps)

    @property
    def _how(self) -> str:
        mode = "a SYN" if self.looked.modes.get(self.address) == "syn" else "a connection"
        return f'{mode} to each of the ports asked of {self.address}, from "{self.course.access.vantage}"'

    def snapshot(self, target: Target, parts: Sequence[Collected]) -> Snapshot:
        """The snapshot of the address with these parts."""
        address, access = self.address, self.course.access
        whole = sum(parts, Collected())
        one = Target(
            kind=Kind.NETWORK,
            name=str(address),
            spec=f"net:{address}",
            zone=target.zone,
            value=target.value,
            owner=target.owner,
            parent=target.spec,
        )
        names = list(access.own_identities) if address.is_loopback else _key_names(whole.facts)
        mac = self.course.macs.get(address) or self.looked.macs.get(address, "")
        names += [f"mac:{mac}"] if mac else []
        names.append(f"address:{target.zone or access.vantage}/{address}")
        reason = "one address is no network; the snapshot of the network has this"
        every = [*parts, Collected(absences=(Absence("NetworkCoverage", reason),))]
        identities = tuple(dict.fromkeys(names))
        return snapshot(one, every, at=self.at, identities=identities, addresses=(str(address),))


_UDP_PORTS: Mapping[type[Fact], tuple[int, ...]] = MappingProxyType(
    {
        kind: tuple(
            number
            for number, name in USUAL_UDP.items()
            for question in QUESTIONS
            if kind in question.facts and question.applies(OpenPort(number, "udp", service=name))
        )
        for kind in SERVICE_FACTS
    }
)
"""The UDP ports on which the questions about a topic usually find it; none where it speaks TCP only."""


def _key_names(facts: Iterable[Fact]) -> list[str]:
    # A server may have shown two kinds of key; the one that it prefers stands for it.
    first: dict[str, str] = {}
    for key in (key for fact in facts if isinstance(fact, SshHostKeys) for key in fact.keys):
        first.setdefault(key.port, key.fingerprint)
    # Several keys on one address are several machines behind it, or one that is hard to tell.
    keys = set(first.values())
    return [f"ssh-host-key:{key}" for key in keys] if len(keys) == 1 else []


def _joined(group: list[Fact]) -> Fact:
    """One fact of several of its kind, each about one port: their tuples one after the other."""
    first = group[0]
    values = {name: getattr(first, name) for name in first.__struct_fields__}
    for name, value in values.items():
        if isinstance(value, tuple):
            values[name] = tuple(item for fact in group for item in getattr(fact, name))
    return type(first)(**values)


def _empty(kind: type[Fact], address: Address) -> Fact:
    """The fact that there is nothing of its kind."""
    return kind(
        **{
            field.name: str(address) if field.name == "address" else ()
            for field in msgspec.structs.fields(kind)
        }
    )


def ranges(ports: Iterable[int]) -> tuple[PortRange, ...]:
    """These ports as the fewest ranges, sorted."""
    return tuple(PortRange(first, last) for first, last in _runs(sorted(ports)))


def _runs(ports: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = previous = 0
    for port in ports:
        if start and port == previous + 1:
            previous = port
            continue
        if start:
            yield start, previous
        start = previous = port
    if start:
        yield start, previous


def _line(port: OpenPort) -> str:
    words = (port.name, "tls" if port.tls else "", port.service, port.product, port.version)
    told = " ".join(word for word in words if word)
    return f"{told} | {port.banner or port.note}" if port.banner or port.note else told
