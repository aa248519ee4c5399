"""What a collection of a network is given: addresses, ports, limits, and the gate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from scanner.collect.collector import Context
from scanner.collect.network.fragile import fragile_maker
from scanner.collect.network.talk import Address, Line
from scanner.transport.mac_vendors import MacVendors
from scanner.transport.pace import Pace
from scanner.transport.sent import Sent, not_kept, pass_on

T = TypeVar("T")
MOST_LIMITS = 100
_GLANCE = 0.1
"""Seconds between two looks at whether somebody wants to stop."""


@dataclass(frozen=True)
class NetworkAccess:
    """What may be asked of a network, from where and how fast.

    `vantage` names the place of the scanner; `rate` and `per_host` are packets a second; `allowed` is
    asked again for every address right before something is sent to it. `own_identities` are the lasting
    names of the scanner's own machine, which loopback addresses get. `log` hears of every probe.
    `ports` are TCP; `fragile` are the addresses that the scope calls so; `domains` are those that the
    owner of the network names as his own.
    """

    addresses: tuple[Address, ...]
    ports: tuple[int, ...]
    vantage: str
    allowed: Callable[[Address], bool]
    rate: int = 500
    per_host: int = 50
    use_raw: bool = True
    use_nmap: bool = True
    total_seconds: float = 900
    own_identities: tuple[str, ...] = ()
    log: Callable[[Sent], None] = not_kept
    udp_ports: tuple[int, ...] = ()
    fragile: frozenset[Address] = frozenset()
    domains: tuple[str, ...] = ()


@dataclass
class Course:
    """One collection under way: its access, its end, its pace, and what limited it.

    `macs` are the neighbours on the link, as far as they are known by now (lower case, with colons), and
    `vendors` names their makers.

    `log` and `limit` are safe to call from the thread that sweeps and from the one that talks.
    """

    access: NetworkAccess
    context: Context
    deadline: float
    packets: int = 0
    limits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.macs: dict[Address, str] = {}
        self.vendors = MacVendors({})
        self.pace = Pace(self.access.rate, self.access.per_host)
        self.line = Line(self.access.allowed, self.pace, self.log, self.deadline, fragile=self.fragile)

    @property
    def left(self) -> float:
        """Seconds until the end of the whole collection; never below 0."""
        return max(0.0, self.deadline - monotonic())

    def fragile(self, address: Address) -> str:
        """Why that device gets connections and not one byte; empty for others."""
        if address in self.access.fragile:
            return "the scope names it a fragile device"
        mac = self.macs.get(address, "")
        return fragile_maker(mac, self.vendors.of(mac)) if mac else ""

    def log(self, sent: Sent) -> None:
        """Counts a probe and passes it on."""
        with self._lock:
            self.packets += 1
        self.access.log(sent)

    def log_many(self, entries: Sequence[Sent]) -> None:
        """Counts many probes and passes them on at once."""
        self.count(len(entries))
        pass_on(self.access.log, entries)

    def count(self, packets: int) -> None:
        """Counts probes of which nobody wants a line."""
        with self._lock:
            self.packets += packets

    def limit(self, sentence: str) -> None:
        """Notes once how the collection was limited."""
        with self._lock:
            if sentence not in self.limits and len(self.limits) < MOST_LIMITS:
                self.limits.append(sentence)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of asynchronous work, stopped when somebody wants to stop.

        Raises:
            CollectError: stopped on request.

        """

        async def watched() -> T:
            task = asyncio.ensure_future(work)
            try:
                while not (await asyncio.wait({task}, timeout=_GLANCE))[0]:
                    self.context.check()
            finally:
                if not task.done():
                    task.cancel()
                    await asyncio.wait({task})
            return task.result()

        return asyncio.run(watched())
