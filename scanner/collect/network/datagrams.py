"""Which UDP services answer: one question in its own language to each port that matters.

Slow on purpose where it must be. A machine sends at most about one ICMP error a second after the first few,
and without these errors a closed port looks like one behind a filter. So whoever sends them is asked for one
port a second, in small bursts; whoever has sent none has none to hold back, and is asked faster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from checks.facts.network.datagrams import UdpAnswers, UdpSize
from scanner.collect.network import udp
from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.recognise_udp import identify_udp
from scanner.collect.network.talk import Address, Line, TalkError
from scanner.collect.network.udp import RefusedError, ask_udp, open_udp
from scanner.collect.network.udp_payloads import OTHER_PORT, USUAL_UDP, questions

__all__ = ["USUAL_UDP", "RefusedError", "UdpSwept", "ask_udp", "identify_udp", "sweep_udp"]

BURST = 4
"""Datagrams at once to a host that may send errors: fewer than it sends of them without a pause."""
TOGETHER = 64
MORE_TRIES = 1
"""One more try at the silent ports of a host that does send errors: some of them were held back."""


@dataclass(frozen=True, slots=True)
class UdpSwept:
    """How the UDP ports of one address answered.

    `open` holds the first answer by port, `sizes` the bytes asked and heard. `unasked` got nothing: no time,
    no route, or out of the scope by then.
    """

    open: Mapping[int, bytes] = field(default_factory=dict)
    closed: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    unasked: tuple[int, ...] = ()
    sizes: tuple[UdpSize, ...] = ()

    def answers(self, vantage: str) -> UdpAnswers:
        """The fact, as seen from there."""
        asked = tuple(sorted({*self.open, *self.closed, *self.silent}))
        return UdpAnswers(vantage, asked, tuple(sorted(self.open)), self.closed, self.silent, self.sizes)


async def sweep_udp(
    line: Line,
    addresses: Sequence[Address],
    ports: Sequence[int] = tuple(USUAL_UDP),
    *,
    together: int = TOGETHER,
) -> dict[Address, UdpSwept]:
    """How these UDP ports of these addresses answer; `together` addresses at once.

    A port whose language is not known gets an empty datagram; a fragile one is not asked. For all usual
    ports, a host that is silent takes about ten seconds, one that sends errors up to half a minute. Never
    raises for what the other side does.
    """
    slots = asyncio.Semaphore(together)
    chosen = tuple(dict.fromkeys(ports))

    async def one(address: Address) -> tuple[Address, UdpSwept]:
        async with slots:
            return address, await _Host(line, address, chosen).sweep()

    return dict(await asyncio.gather(*(one(address) for address in dict.fromkeys(addresses))))


class _Host:
    """The sweep of one address, under way."""

    def __init__(self, line: Line, address: Address, ports: Sequence[int]) -> None:
        self._line, self._address, self._ports = line, address, ports
        self._open: dict[int, bytes] = {}
        self._sizes: dict[int, UdpSize] = {}
        self._closed: set[int] = set()
        self._sent: set[int] = set()
        self._unasked = set(ports) & set(FRAGILE)
        self._free_at = 0.0

    async def sweep(self) -> UdpSwept:
        attempt = 0
        while due := [p for p in self._ports if attempt < self._tries(p) and not self._told(p)]:
            while due:
                # All of them once without a single error: then there is no limit to run into.
                size = BURST if self._closed or not attempt else len(due)
                wave, due = due[:size], due[size:]
                await self._turn(len(wave))
                await asyncio.gather(*(self._ask(port, attempt) for port in wave))
            attempt += 1
        silent = [p for p in self._ports if p in self._sent and not self._told(p)]
        return UdpSwept(
            open=dict(sorted(self._open.items())),
            closed=tuple(sorted(self._closed)),
            silent=tuple(sorted(silent)),
            unasked=tuple(sorted(self._unasked)),
            sizes=tuple(size for _, size in sorted(self._sizes.items())),
        )

    def _told(self, port: int) -> bool:
        return port in self._open or port in self._closed or port in self._unasked

    def _tries(self, port: int) -> int:
        return max(udp.TRIES, len(questions(port))) + (MORE_TRIES if self._closed else 0)

    async def _turn(self, count: int) -> None:
        """Waits, where errors come back, until one datagram a second has been kept on average.

        Never on the scanner's own machine.
        """
        wait = min(self._free_at, self._line.deadline) - monotonic()
        if wait > 0 and self._closed and not self._address.is_loopback:
            await asyncio.sleep(wait)
        self._free_at = monotonic() + count

    async def _ask(self, port: int, attempt: int) -> None:
        asking = questions(port)
        payload = asking[attempt % len(asking)]()
        try:
            async with open_udp(self._line, self._address, port, other_port=port in OTHER_PORT) as opened:
                await opened.send(payload)
                self._sent.add(port)
                heard = await opened.receive(udp.patience(self._address))
        except RefusedError:
            self._closed.add(port)
        except TalkError:
            # What our own side refused once, it refuses again.
            if port not in self._sent:
                self._unasked.add(port)
        else:
            self._open[port] = heard
            self._sizes[port] = UdpSize(port, len(payload), len(heard))
