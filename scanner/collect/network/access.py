"""What a collection of a network is given: addresses, ports, limits, and the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from scanner.collect.collector import Context
from scanner.collect.network.talk import Address, Line
from scanner.transport.pace import Pace
from scanner.transport.sent import Sent, not_kept

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


@dataclass
class Course:
    """One collection under way: its access, its end, its pace, and what limited it."""

    access: NetworkAccess
    context: Context
    deadline: float
    packets: int = 0
    limits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pace = Pace(self.access.rate, self.access.per_host)
        self.line = Line(self.access.allowed, self.pace, self.log, self.deadline)

    @property
    def left(self) -> float:
        """Seconds until the end of the whole collection; never below 0."""
        return max(0.0, self.deadline - monotonic())

    def log(self, sent: Sent) -> None:
        """Counts a probe and passes it on."""
        self.packets += 1
        self.access.log(sent)

    def limit(self, sentence: str) -> None:
        """Notes once how the collection was limited."""
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
