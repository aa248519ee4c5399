"""Asks one port of loopback the way a collection does, without the sweep around it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, ip_network
from time import monotonic
from typing import TypeVar

import pytest

from checks.facts.network import OpenPort
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected
from scanner.collect.network import identify as identification
from scanner.collect.network.ask.question import Asked
from scanner.collect.network.identify import Identified, identify
from scanner.collect.network.talk import Address, Line
from scanner.transport.pace import Pace
from scanner.transport.sent import Sent

LOCAL = IPv4Address("127.0.0.1")
AT = "2026-11-23T12:00:00Z"
F = TypeVar("F", bound=Fact)


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens the waits for silent servers: on loopback nobody needs seconds to answer."""
    for name, seconds in (
        ("PATIENCE", 0.6),
        ("SHORT_PATIENCE", 0.3),
        ("ANSWER_SECONDS", 0.6),
        ("HINT_SECONDS", 0.4),
        ("LATE_SECONDS", 0.8),
    ):
        monkeypatch.setattr(identification, name, seconds)


def _loopback(address: Address) -> bool:
    return address.is_loopback


def gate(*networks: str) -> Callable[[Address], bool]:
    """Allows loopback and these networks, which a test laid itself; a redirect may name any other."""
    own = tuple(map(ip_network, networks))
    return lambda address: address.is_loopback or any(address in network for network in own)


def line(seconds: float = 4.0, log: list[Sent] | None = None, total: float = 60.0) -> Line:
    """What conversations share: loopback is allowed and nothing else, for so many seconds each.

    A server of a test may redirect to any address, so the gate here is as real as that of a scope.
    """
    entries: list[Sent] = log if log is not None else []
    return Line(_loopback, Pace(10_000, 10_000), entries.append, monotonic() + total, seconds)


def who(number: int, seconds: float = 4.0, address: IPv4Address = LOCAL) -> Identified:
    """What speaks on that port."""
    return asyncio.run(identify(line(seconds), address, number))


def who_all(*numbers: int, seconds: float = 4.0) -> tuple[Identified, ...]:
    """What speaks on each of these ports, all asked at once."""

    async def work() -> list[Identified]:
        return await asyncio.gather(*(identify(line(seconds), LOCAL, number) for number in numbers))

    return tuple(asyncio.run(work()))


def ask(
    question: Callable[[Asked], Awaitable[Collected]],
    port: OpenPort,
    *wanted: type[Fact],
    seconds: float = 4.0,
) -> Collected:
    """What one question about that port gives."""

    async def work() -> Collected:
        return await question(Asked(line(seconds), LOCAL, port, AT, frozenset(wanted)))

    return asyncio.run(work())


def only(found: Collected, kind: type[F]) -> F:
    """The fact of that kind, of which there must be one; every answer must have its source."""
    [fact] = [f for f in found.facts if isinstance(f, kind)]
    assert any(source.fact == kind.__name__ and source.excerpt and source.digest for source in found.sources)
    return fact


def reason(found: Collected, kind: type[Fact]) -> str:
    """Why the fact of that kind could not be had; there must be no fact beside the gap."""
    assert not [f for f in found.facts if isinstance(f, kind)]
    [gap] = [g for g in found.gaps if g.fact == kind.__name__]
    assert gap.where.startswith("tcp/")
    assert gap.needs
    return gap.reason
