"""What every question about a port has in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from checks.facts.network import OpenPort
from checks.facts.snapshot import Fact, Gap
from scanner.collect.collector import Collected
from scanner.collect.network.talk import Address, Line


@dataclass(frozen=True, slots=True)
class Asked:
    """The port that is asked, by whom and when; `wanted` are the facts that somebody will read.

    `domains` are those that the owner of the network names as his own.
    """

    line: Line
    address: Address
    port: OpenPort
    at: str
    wanted: frozenset[type[Fact]]
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A set of facts that one or more conversations decide, and the ports to which they apply.

    `ask` never raises for what the other side does: what it could not decide is a gap at this port.
    """

    facts: frozenset[type[Fact]]
    applies: Callable[[OpenPort], bool]
    ask: Callable[[Asked], Awaitable[Collected]]
    needs: str


def undecided(fact: type[Fact], asked: Asked, reason: str) -> Collected:
    """A gap at this port."""
    return Collected(gaps=(Gap(fact.__name__, reason, asked.port.name, f"an answer from {asked.port.name}"),))
