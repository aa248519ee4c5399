"""The walk through one network: sweeps and conversations side by side, addresses given as they are done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from checks.facts.snapshot import Fact, Snapshot
from checks.model import Target
from scanner.collect.network.access import Course
from scanner.collect.network.datagrams import UdpSwept, sweep_udp
from scanner.collect.network.examine import Examination, Means
from scanner.collect.network.in_between import proxied
from scanner.collect.network.look import CONNECT, Looked, look
from scanner.collect.network.naming_runs import NamingRuns
from scanner.collect.network.neighbours import neighbour
from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.service_probes_book import Comparer, open_book
from scanner.collect.network.talk import Address
from scanner.transport import mac_vendors, nmap
from scanner.transport.packets_swept import FILTERED, SILENT, Swept

MOST_UDP = 4_096
"""In larger networks only the addresses that live are asked by UDP: each silent one takes ten seconds."""
UDP_TOGETHER = 64


@dataclass
class Outcome:
    """What the snapshot of the network as a whole needs: how many addresses live, and how they were asked."""

    live: int = 0
    mode: str = CONNECT
    pairs: int = 0
    pairs_silent: int = 0

    def count(self, swept: Swept | None) -> None:
        """Counts one more live address, the TCP ports that were asked of it, and those without an answer."""
        self.live += 1
        if swept:
            self.pairs += swept.asked
            self.pairs_silent += swept.count(SILENT, FILTERED)


@dataclass
class Walk:
    """One collection of one network, once."""

    course: Course
    target: Target
    wanted: frozenset[type[Fact]]
    addresses: Sequence[Address]
    outcome: Outcome
    _examinations: dict[Address, Examination] = field(default_factory=dict)
    _done: int = 0
    _means: Means | None = None
    _early: list[tuple[Address, int]] = field(default_factory=list)
    _discovered: asyncio.Event = field(default_factory=asyncio.Event)
    _absent: Callable[[Address], bool] = field(default=lambda _: False)

    async def walk(self, give: Callable[[Snapshot], None]) -> None:
        """Gives each live address as soon as its sweeps and its questions are complete."""
        access = self.course.access
        program = await asyncio.to_thread(nmap.find)
        used = program if access.use_nmap else None
        runs = NamingRuns(self.course, used) if used else None
        comparer: Comparer | None = None
        warm: asyncio.Future[None] | None = None
        udp: dict[Address, asyncio.Task[UdpSwept]] = {}
        # The sweep starts while the signatures are still being read: each takes a second or two.
        sweep = asyncio.ensure_future(self._swept())
        try:
            self.course.vendors = await asyncio.to_thread(mac_vendors.installed, program)
            book = await asyncio.to_thread(open_book, used)
            comparer = Comparer(book, self.course.limit) if book else None
            warm = asyncio.ensure_future(comparer.start()) if comparer else None
            means = self._ready(Means(self.course, self.target, self.wanted, comparer, runs))
            small = len(self.addresses) <= MOST_UDP
            if access.udp_ports and small:
                udp = self._udp(self.addresses)
            looked = await sweep
            if access.udp_ports and not small:
                self.course.limit("UDP ports were asked only of the addresses that answered otherwise")
                udp = self._udp([a for a in self.addresses if a in looked.live])
            self.outcome.mode = looked.mode
            await self._finish(means, looked, udp, used is None, give)
        finally:
            tasks: list[asyncio.Future[Any]] = [sweep, *udp.values(), *([warm] if warm else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for examination in self._examinations.values():
                await examination.stop()
            if runs:
                await runs.stop()
            if comparer:
                await comparer.stop()

    def _ready(self, means: Means) -> Means:
        """From here on open ports are examined, beginning with those that were seen already."""
        self._means = means
        for address, number in self._early:
            self._examination(means, address).opened(number)
        self._early.clear()
        return means

    def _opened(self, address: Address, number: int) -> None:
        if self._means is None:
            self._early.append((address, number))
        else:
            self._examination(self._means, address).opened(number)

    async def _swept(self) -> Looked:
        """The TCP sweep, in a thread; each open port is examined as soon as it is seen."""
        loop = asyncio.get_running_loop()
        asked = frozenset(self.addresses)

        def opened(address: Address, number: int) -> None:
            if address in asked:
                # The loop is gone where somebody stopped the collection in this moment.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._opened, address, number)

        def discovered(absent: Callable[[Address], bool]) -> None:
            self._absent = absent
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._discovered.set)

        try:
            if not self.course.access.ports:
                return Looked()
            return await asyncio.to_thread(look, self.course, self.addresses, opened, discovered)
        finally:
            self._discovered.set()

    def _examination(self, means: Means, address: Address) -> Examination:
        found = self._examinations.get(address)
        if found is None:
            if address not in self.course.macs and (mac := neighbour(address)):
                self.course.macs[address] = mac
            found = self._examinations.setdefault(address, Examination(means, address))
        return found

    def _udp(self, addresses: Sequence[Address]) -> dict[Address, asyncio.Task[UdpSwept]]:
        slots = asyncio.Semaphore(UDP_TOGETHER)
        course = self.course

        async def one(address: Address) -> UdpSwept:
            async with slots:
                # Where nobody has the address, no datagram would get onto the wire.
                await self._discovered.wait()
                if course.left <= 0 or self._absent(address):
                    return UdpSwept(unasked=course.access.udp_ports)
                found = await sweep_udp(course.line, (address,), course.access.udp_ports)
                return found[address]

        return {address: asyncio.ensure_future(one(address)) for address in addresses}

    async def _finish(
        self,
        means: Means,
        looked: Looked,
        udp: dict[Address, asyncio.Task[UdpSwept]],
        without_nmap: bool,
        give: Callable[[Snapshot], None],
    ) -> None:
        everywhere = proxied(looked, self.addresses)
        if everywhere.limit:
            self.course.limit(everywhere.limit)
        if any(not FRAGILE.keys().isdisjoint(swept.open) for swept in looked.answers.values()):
            self.course.limit(
                "ports on which a byte can do harm (printers, controllers) were only connected to"
            )

        async def one(address: Address) -> None:
            datagrams = await udp[address] if address in udp else None
            answered = datagrams is not None and bool(datagrams.open or datagrams.closed)
            if address in looked.live or answered:
                self.outcome.count(looked.swept(address))
                # Where UDP was asked and this address was not, it is a gap of its own, not silence.
                if datagrams is None and self.course.access.udp_ports:
                    datagrams = UdpSwept(unasked=self.course.access.udp_ports)
                give(await self._examination(means, address).snapshot(looked, datagrams, everywhere))
            self._done += 1
            self.course.context.progress(self._done, len(self.addresses))

        # Those without any answer are done at once.
        waiting = [a for a in self.addresses if a in looked.live or a in udp]
        self._done = len(self.addresses) - len(waiting)
        self.course.context.progress(self._done, len(self.addresses))
        tasks = [asyncio.ensure_future(one(address)) for address in waiting]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        fragile = [a for a in self.addresses if self.course.line.why_fragile(a)]
        if fragile:
            self.course.limit(f"{len(fragile)} fragile devices were only connected to and asked nothing")
        if without_nmap and self.outcome.live:
            self.course.limit(_without_nmap(switched_off=not self.course.access.use_nmap))


def _without_nmap(*, switched_off: bool) -> str:
    why = "nmap was switched off" if switched_off else "nmap is not installed"
    return f"{why}; services that Bartizan does not recognise itself stay unidentified"
