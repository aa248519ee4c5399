"""nmap's turn: the ports that spoke and were not recognised, several hosts in one run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from scanner.collect.network.access import Course
from scanner.collect.network.talk import PER_HOST, Address
from scanner.transport.nmap import Nmap, Profile
from scanner.transport.nmap_xml import NmapPort

GATHER_SECONDS = 0.5
"""Ports that come up within this time go into runs together."""
PAIRS = 16
"""Pairs of address and port in one run."""
RUN_SECONDS = 18.0
ALONE_SECONDS = 14.0
AT_ONCE = 4
MOST_ALONE = 4
"""Of what one run left, so many are tried by themselves."""


@dataclass(eq=False)
class Wish:
    """A port that somebody waits for."""

    address: Address
    number: int
    answer: asyncio.Future[NmapPort | None]


@dataclass(eq=False)
class NamingRuns:
    """Runs of nmap for one collection: bounded in size, number and time, and counted in every host's turns.

    What a run did not finish is tried once more by itself: one port that drips takes no other with it.
    """

    course: Course
    program: Nmap
    _wishes: list[Wish] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _locks: dict[Address, asyncio.Lock] = field(default_factory=dict)
    _gathering: bool = False

    async def name(self, address: Address, number: int) -> NmapPort | None:
        """What nmap says of one open TCP port; None where it says nothing, which is told as a limit."""
        wish = Wish(address, number, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        if not self._gathering:
            self._gathering = True
            self._start(self._gather())
        return await wish.answer

    async def stop(self) -> None:
        """Ends what still runs."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _start(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _gather(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        wishes, self._wishes, self._gathering = self._wishes, [], False
        for group in batches(wishes):
            self._start(self._serve(group))

    async def _serve(self, wishes: tuple[Wish, ...]) -> None:
        try:
            left, why = await self._run(wishes, RUN_SECONDS if len(wishes) > 1 else ALONE_SECONDS)
            if len(wishes) > 1:
                self._give_up(left[MOST_ALONE:], why)
                await asyncio.gather(*(self._alone(wish) for wish in left[:MOST_ALONE]))
            else:
                self._give_up(left, why)
        finally:
            for wish in wishes:
                if not wish.answer.done():
                    wish.answer.set_result(None)

    async def _alone(self, wish: Wish) -> None:
        self._give_up(*await self._run((wish,), ALONE_SECONDS))

    def _give_up(self, wishes: Iterable[Wish], why: str) -> None:
        for wish in wishes:
            self.course.limit(f"{wish.address} tcp/{wish.number}: {why}; what speaks there was not named")

    async def _run(self, wishes: tuple[Wish, ...], seconds: float) -> tuple[tuple[Wish, ...], str]:
        """Answers what one run answers; the rest, and why it has no answer."""
        course = self.course
        async with self._slots, self._turns(wishes):
            may = [w for w in wishes if course.access.allowed(w.address)]
            sturdy = [w for w in may if not course.line.why_fragile(w.address)]
            seconds = min(seconds, course.left)
            if not sturdy or seconds <= 0:
                return (), ""
            output = await asyncio.to_thread(
                self.program.run,
                Profile.IDENTIFY,
                [w.address for w in sturdy],
                [w.number for w in sturdy],
                seconds=seconds,
                cancelled=course.context.cancelled,
                log=course.log,
            )
        seen = {(h.address, p.number): p for h in output.hosts for p in h.ports if p.protocol == "tcp"}
        left: list[Wish] = []
        for wish in sturdy:
            port = seen.get((wish.address, wish.number))
            if port is None:
                left.append(wish)
            elif not wish.answer.done():
                wish.answer.set_result(port)
        return tuple(left), output.limits[0] if output.limits else "nmap said nothing of it"

    @contextlib.asynccontextmanager
    async def _turns(self, wishes: tuple[Wish, ...]) -> AsyncIterator[None]:
        """One turn of its address for each port, so that nmap and we together stay within them."""
        addresses = sorted({w.address for w in wishes}, key=lambda a: (a.version, int(a)))
        async with contextlib.AsyncExitStack() as stack:
            for address in addresses:
                # Only one run holds turns of an address, or two could wait for each other for ever.
                await stack.enter_async_context(self._locks.setdefault(address, asyncio.Lock()))
                for _ in {w.number for w in wishes if w.address == address}:
                    await stack.enter_async_context(self.course.line.a_turn(address))
            yield


def batches(wishes: Iterable[Wish]) -> Iterator[tuple[Wish, ...]]:
    """The wishes in groups that one run can serve: hosts with the same few ports, and no other pair."""
    ports: dict[Address, list[Wish]] = {}
    for wish in wishes:
        ports.setdefault(wish.address, []).append(wish)
    parts: list[tuple[Wish, ...]] = []
    for found in ports.values():
        found.sort(key=lambda wish: wish.number)
        parts += [tuple(found[n : n + PER_HOST]) for n in range(0, len(found), PER_HOST)]

    def alike(part: tuple[Wish, ...]) -> tuple[int, tuple[int, ...]]:
        return part[0].address.version, tuple(wish.number for wish in part)

    for (_, numbers), group in groupby(sorted(parts, key=alike), key=alike):
        hosts = list(group)
        size = max(1, PAIRS // len(numbers))
        for start in range(0, len(hosts), size):
            yield tuple(wish for part in hosts[start : start + size] for wish in part)
