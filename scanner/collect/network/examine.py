"""One live address: what speaks on its open ports, and its snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from checks.facts.network import NetworkCoverage, OpenPort, OpenPorts, PortAnswers, PortRange
from checks.facts.network.ssh import SshHostKeys
from checks.facts.snapshot import Absence, Fact, Gap, Snapshot, source
from checks.model import Kind, Target
from scanner.collect.collector import Collected, snapshot
from scanner.collect.network.access import Course
from scanner.collect.network.ask.every import QUESTIONS, SERVICE_FACTS
from scanner.collect.network.ask.question import Asked
from scanner.collect.network.identify import Identified, identify
from scanner.collect.network.look import Looked
from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.talk import Address
from scanner.transport.nmap import Nmap, Profile
from scanner.transport.nmap_xml import NmapPort

MIDDLEBOX_PORTS = 200
"""More open ports than a machine has services: something answers in its place."""
NMAP_SECONDS = 6.5
"""For one port: nmap waits five of them for first words, and what it then asks first is answered soon."""
NMAP_AT_ONCE = 4

_NMAP_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ms-wbt-server": "rdp",
        "microsoft-ds": "smb",
        "netbios-ssn": "smb",
        "x11": "x11",
        "http-proxy": "http",
        "https": "http",
        "domain": "dns",
        "exec": "rexec",
        "login": "rlogin",
        "shell": "rsh",
    }
)


@dataclass(frozen=True)
class Examiner:
    """What examining each address of one network shares."""

    course: Course
    target: Target
    wanted: frozenset[type[Fact]]
    looked: Looked
    nmap: Nmap | None
    nmap_turns: asyncio.Semaphore

    async def examine(self, address: Address) -> Snapshot:
        """The snapshot of one live address. What could not be asked is a gap in it."""
        at = self.course.context.now()
        swept = self.looked.answers.get(address)
        numbers = swept.open if swept else ()
        parts = [self._answers(address, at)]
        if len(numbers) > MIDDLEBOX_PORTS:
            reason = f"{len(numbers)} ports are open at once: something in between answers for this address"
            names = sorted(f.__name__ for f in (SERVICE_FACTS & self.wanted) | {OpenPorts})
            parts.append(Collected(gaps=tuple(Gap(name, reason) for name in names)))
            return self._snapshot(address, parts, at)
        line = self.course.line
        identified = await asyncio.gather(*(identify(line, address, number) for number in numbers))
        ports = await self._with_nmap(address, identified)
        # First among the evidence: it names the port, the other only counts.
        parts.insert(0, self._open_ports(address, ports, at))
        parts.extend(await self._ask(address, ports, at))
        parts.append(self._cut_short(address))
        return self._snapshot(address, parts, at)

    async def _with_nmap(self, address: Address, identified: Sequence[Identified]) -> tuple[OpenPort, ...]:
        """The ports with what nmap adds to those that spoke and were not recognised."""
        numbers = [i.port.number for i in identified if i.for_nmap and i.port.number not in FRAGILE]
        plain_ports = tuple(i.port for i in identified)
        if self.nmap is None or not numbers:
            return plain_ports
        seen = dict(await asyncio.gather(*(self._named(self.nmap, address, number) for number in numbers)))
        return tuple(
            _better(port, found) if (found := seen.get(port.number)) else port for port in plain_ports
        )

    async def _named(self, program: Nmap, address: Address, number: int) -> tuple[int, NmapPort | None]:
        """What nmap says of one port. Each has a run of its own: one that drips takes no other with it."""
        course = self.course
        async with self.nmap_turns:
            if course.left <= 0 or not course.access.allowed(address):
                return number, None
            output = await asyncio.to_thread(
                program.run,
                Profile.IDENTIFY,
                [address],
                [number],
                seconds=min(NMAP_SECONDS, course.left),
                cancelled=course.context.cancelled,
                log=course.log,
            )
        if not output.whole:
            course.limit(f"{address} tcp/{number}: {output.limits[0]}; what speaks there was not named")
        ports = (p for host in output.hosts for p in host.ports if (p.protocol, p.number) == ("tcp", number))
        return number, next(ports, None)

    async def _ask(self, address: Address, ports: Iterable[OpenPort], at: str) -> list[Collected]:
        tasks: list[Awaitable[Collected]] = []
        for port in ports:
            asked = Asked(self.course.line, address, port, at, self.wanted)
            tasks.extend(q.ask(asked) for q in QUESTIONS if q.facts & self.wanted and q.applies(port))
        found = list(await asyncio.gather(*tasks))
        whole = sum(found, Collected())
        named: dict[type[Fact], list[Fact]] = {}
        for fact in whole.facts:
            named.setdefault(type(fact), []).append(fact)
        joined = tuple(_joined(group) for kind, group in named.items() if kind in self.wanted)
        # A topic of which no port was found is an empty fact; one that failed everywhere is only its gaps.
        failed = {gap.fact for gap in whole.gaps}
        empty = tuple(
            _empty(kind, address)
            for kind in sorted(SERVICE_FACTS & self.wanted, key=lambda k: k.__name__)
            if kind not in named and kind.__name__ not in failed
        )
        return [Collected(joined + empty, whole.gaps, whole.absences, whole.sources)]

    def _answers(self, address: Address, at: str) -> Collected:
        swept = self.looked.answers.get(address)
        access = self.course.access
        if swept is None:
            return Collected(gaps=(Gap("PortAnswers", "its ports were not asked: the time was over"),))
        asked = len(swept.open) + len(swept.closed) + len(swept.filtered) + len(swept.silent)
        silent = tuple(sorted(swept.silent + swept.filtered))
        fact = PortAnswers(access.vantage, asked, len(swept.open), _ranges(swept.closed), _ranges(silent))
        counts = f"{len(swept.open)} open, {len(swept.closed)} closed, {len(silent)} silent"
        said = f"{asked} TCP ports asked: {counts}"
        return Collected((fact,), sources=(source(PortAnswers, self._how(address), at, said),))

    def _open_ports(self, address: Address, ports: tuple[OpenPort, ...], at: str) -> Collected:
        swept = self.looked.answers.get(address)
        asked = len(swept.open + swept.closed + swept.filtered + swept.silent) if swept else 0
        filtered = len(swept.filtered + swept.silent) if swept else 0
        fact = OpenPorts(
            address=str(address),
            vantage=self.course.access.vantage,
            mode=self.looked.modes.get(address, "connect"),
            asked=asked,
            filtered=filtered,
            ports=ports,
        )
        lines = "\n".join(_line(port) for port in ports) or "no port is open"
        return Collected((fact,), sources=(source(OpenPorts, self._how(address), at, lines),))

    def _cut_short(self, address: Address) -> Collected:
        """Gaps for the ports that were not asked."""
        swept = self.looked.answers.get(address)
        asked = len(swept.open + swept.closed + swept.filtered + swept.silent) if swept else 0
        missing = len(self.course.access.ports) - asked
        if missing <= 0:
            return Collected()
        reason = f"{missing} of {len(self.course.access.ports)} ports were not asked"
        names = sorted(f.__name__ for f in (SERVICE_FACTS & self.wanted) | {OpenPorts, PortAnswers})
        return Collected(gaps=tuple(Gap(name, reason, needs="more time, or a route") for name in names))

    def _how(self, address: Address) -> str:
        mode = "a SYN" if self.looked.modes.get(address) == "syn" else "a connection"
        return f'{mode} to each of the ports asked of {address}, from "{self.course.access.vantage}"'

    def _snapshot(self, address: Address, parts: list[Collected], at: str) -> Snapshot:
        whole = sum(parts, Collected())
        reason = "one address is no network; the snapshot of the network has this"
        absent = Absence("NetworkCoverage", reason)
        mac = self.looked.macs.get(address, "")
        access = self.course.access
        names = list(access.own_identities) if address.is_loopback else []
        shown = [f for f in whole.facts if isinstance(f, SshHostKeys)]
        # A server may have shown two kinds of key; the one that it prefers stands for it.
        first: dict[str, str] = {}
        for key in (key for fact in shown for key in fact.keys):
            first.setdefault(key.port, key.fingerprint)
        keys = set(first.values())
        if len(keys) == 1 and not address.is_loopback:
            # Several keys on one address are several machines behind it, or one that is hard to tell.
            names += [f"ssh-host-key:{key}" for key in keys]
        names += [f"mac:{mac}"] if mac else []
        names.append(f"address:{self.target.zone or access.vantage}/{address}")
        one = Target(
            kind=Kind.NETWORK,
            name=str(address),
            spec=f"net:{address}",
            zone=self.target.zone,
            value=self.target.value,
            owner=self.target.owner,
            parent=self.target.spec,
        )
        parts = [*parts, Collected(absences=(absent,))]
        return snapshot(one, parts, at=at, identities=tuple(dict.fromkeys(names)), addresses=(str(address),))


def _better(port: OpenPort, seen: NmapPort) -> OpenPort:
    """What we know with what nmap adds; a guess by the port's number is no knowledge."""
    if not seen.probed or not seen.service:
        return port
    name = _NMAP_NAMES.get(seen.service.lower(), seen.service)
    return OpenPort(
        number=port.number,
        protocol=port.protocol,
        service=port.service or name,
        product=port.product or seen.product,
        version=port.version or seen.version,
        cpe=port.cpe or seen.cpe,
        tls=port.tls or seen.tunnel == "ssl",
        banner=port.banner,
        identified_by=port.identified_by or "nmap",
    )


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


def _ranges(ports: Iterable[int]) -> tuple[PortRange, ...]:
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


def network_only(coverage: NetworkCoverage, wanted: Iterable[type[Fact]]) -> Collected:
    """The coverage of a network, and the absence of what only an address has."""
    reason = "a network as a whole has no ports; its addresses have"
    names = {f.__name__ for f in SERVICE_FACTS | {OpenPorts, PortAnswers} | frozenset(wanted)}
    names.discard("NetworkCoverage")
    return Collected((coverage,), absences=tuple(Absence(name, reason) for name in sorted(names)))
