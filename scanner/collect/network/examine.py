"""One live address: what speaks on its open ports while the sweep goes on, and its snapshot in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from checks.facts.network import NetworkCoverage, OpenPort, OpenPorts, PortAnswers
from checks.facts.snapshot import Absence, Fact, Snapshot
from checks.model import Target
from scanner.collect.collector import Collected
from scanner.collect.network.access import Course
from scanner.collect.network.address_facts import AddressFacts
from scanner.collect.network.ask.every import QUESTIONS, SERVICE_FACTS
from scanner.collect.network.ask.question import Asked
from scanner.collect.network.datagrams import UdpSwept, identify_udp
from scanner.collect.network.identify import identify
from scanner.collect.network.in_between import Proxied, in_between
from scanner.collect.network.look import Looked
from scanner.collect.network.naming import better, both, open_port
from scanner.collect.network.naming_runs import NamingRuns
from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.recognise import NOBODY
from scanner.collect.network.service_probes_book import Comparer
from scanner.collect.network.talk import Address
from scanner.collect.network.unnamed import unnamed

BEFORE_THE_END = 32
"""Ports of an address that are identified before its sweep ends: on a middlebox, all of them are open."""
AT_ONCE = 200
"""Ports of all addresses that are identified at once."""


@dataclass(frozen=True)
class Means:
    """What the examination of each address of one network shares."""

    course: Course
    target: Target
    wanted: frozenset[type[Fact]]
    comparer: Comparer | None
    runs: NamingRuns | None
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


@dataclass(frozen=True)
class _Examined:
    """One port: what speaks there, and what the questions about it gave."""

    port: OpenPort
    found: Collected


class Examination:
    """The examination of one address, under way: `opened` as the sweep goes, `snapshot` at its end."""

    def __init__(self, means: Means, address: Address) -> None:
        self._means, self._address = means, address
        self._at = means.course.context.now()
        self._ports: dict[int, asyncio.Task[_Examined]] = {}

    def opened(self, number: int) -> None:
        """Begins to examine an open TCP port; leaves it for later where there are many already."""
        if number not in self._ports and len(self._ports) < BEFORE_THE_END:
            self._ports[number] = asyncio.ensure_future(self._tcp(number))

    async def snapshot(self, looked: Looked, udp: UdpSwept | None, everywhere: Proxied) -> Snapshot:
        """The snapshot of the address. What could not be asked is a gap in it."""
        means, address = self._means, self._address
        line, access = means.course.line, means.course.access
        facts = AddressFacts(means.course, looked, means.wanted, address, self._at, udp)
        swept = looked.swept(address)
        reason = ""
        if swept:
            reason = await in_between(line, address, swept, access.ports, everywhere)
        parts = [facts.answers(reason), facts.datagrams(), facts.link()]
        if reason:
            await self.stop()
            parts.append(facts.not_assessed(reason, {OpenPorts}))
            return facts.snapshot(means.target, parts)
        examined = await self._all(swept.open if swept else (), udp)
        # First among the evidence: it names the port, the other only counts.
        parts.insert(0, facts.open_ports(tuple(one.port for one in examined)))
        found = sum((one.found for one in examined), Collected())
        if fragile := line.why_fragile(address):
            found += facts.not_assessed(f"a fragile device ({fragile}): nothing was sent to it")
        parts.append(facts.services(found + facts.cut_short()))
        return facts.snapshot(means.target, parts)

    async def stop(self) -> None:
        """Ends what is under way."""
        tasks = tuple(self._ports.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _all(self, numbers: Sequence[int], udp: UdpSwept | None) -> tuple[_Examined, ...]:
        for number in numbers:
            if number not in self._ports:
                self._ports[number] = asyncio.ensure_future(self._tcp(number))
        tcp = [self._ports[number] for number in sorted(self._ports)]
        others = [
            asyncio.ensure_future(self._udp(n, words)) for n, words in (udp.open if udp else {}).items()
        ]
        return tuple(await asyncio.gather(*tcp, *others))

    async def _tcp(self, number: int) -> _Examined:
        means = self._means
        async with means.slots:
            identified = await identify(means.course.line, self._address, number, means.comparer)
        port = identified.port
        if means.runs and identified.for_nmap and number not in FRAGILE:
            seen = await means.runs.name(self._address, number)
            port = better(port, seen) if seen else port
        return _Examined(port, await self._ask(port))

    async def _udp(self, number: int, words: bytes) -> _Examined:
        port = identify_udp(number, words)
        comparer = self._means.comparer
        for name in comparer.book.hints(number, protocol="udp") if comparer and not port.service else ():
            verdict = await comparer.compare(name, words, "udp") if comparer else None
            if verdict and verdict.named and not verdict.named.soft:
                said = both(NOBODY, verdict.named, words)
                port = open_port(number, said, words, "datagram", protocol="udp")
                break
        return _Examined(port, await self._ask(port))

    async def _ask(self, port: OpenPort) -> Collected:
        """What all questions that apply to the port give."""
        means = self._means
        access = means.course.access
        asked = Asked(means.course.line, self._address, port, self._at, means.wanted, access.domains)
        asking = [q.ask(asked) for q in QUESTIONS if q.facts & means.wanted and q.applies(port)]
        found = sum(await asyncio.gather(*asking), Collected())
        # Of a fragile device everything is unknown, and one sentence says so.
        if port.number in FRAGILE or asked.line.why_fragile(self._address):
            return found
        return found + unnamed(port, means.wanted, self._cut())

    def _cut(self) -> str:
        """Why nothing can be asked any more; empty while it can."""
        if self._means.course.left <= 0:
            return "the time was over before it was known what speaks there"
        if not self._means.course.access.allowed(self._address):
            return "outside the scope by now: what speaks there is not known"
        return ""


def network_only(coverage: NetworkCoverage, wanted: Iterable[type[Fact]]) -> Collected:
    """The coverage of a network, and the absence of what only an address has."""
    reason = "a network as a whole has no ports; its addresses have"
    names = {f.__name__ for f in SERVICE_FACTS | {OpenPorts, PortAnswers} | frozenset(wanted)}
    names.discard("NetworkCoverage")
    return Collected((coverage,), absences=tuple(Absence(name, reason) for name in sorted(names)))
