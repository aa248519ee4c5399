"""What one zone reaches in another, held against what the scope lets it reach.

All of it is made when a snapshot is judged, from what was asked and from the scope as it was recorded with
the scan; nothing of it is stored.
"""

from __future__ import annotations

import msgspec

from checks.facts.network import NetworkCoverage, OpenPorts, PortAnswers
from checks.facts.snapshot import Fact


class Leak(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port that answered although the scope denies it: `tcp/22`, what speaks there, on which address."""

    port: str
    service: str
    address: str


class Crossing(Fact, frozen=True, forbid_unknown_fields=True):
    """One address, as it answers to another zone.

    `source` is the zone in which the scanner stood, `zone` that of the address. `allowed` says in words what
    may pass; `denied` is how many of the ports asked may not, of which `closed` refused and `silent` gave no
    answer to two tries or were filtered.
    """

    derived_from = (OpenPorts, PortAnswers)

    address: str
    source: str
    zone: str
    allowed: str
    denied: int
    closed: int
    silent: int
    leaks: tuple[Leak, ...]

    @property
    def way(self) -> str:
        """`office → servers`."""
        return f"{self.source} → {self.zone}"


class RequiredWay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port that must be reachable from one zone in another.

    `hosts` are the addresses or networks of which one must answer, empty for the whole zone; `open_at` are
    those that did. `tried` is how many addresses were asked for it; `reason` says why it is not decided.
    """

    source: str
    zone: str
    port: str
    hosts: str
    open_at: tuple[str, ...]
    tried: int
    reason: str

    @property
    def name(self) -> str:
        """`office → servers tcp/443`, with the hosts where they are named."""
        return f"{self.source} → {self.zone} {self.port}" + (f" at {self.hosts}" if self.hosts else "")


class RequiredWays(Fact, frozen=True, forbid_unknown_fields=True):
    """The ways that must work into the zone of a network. Only the first network of a zone has them."""

    derived_from = (NetworkCoverage,)

    ways: tuple[RequiredWay, ...]


class TriedWay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether it was tried what one zone reaches in another: how many addresses and ports were asked.

    `reason` says why it was not, or not in full; `needs` what would change that.
    """

    source: str
    zone: str
    allowed: str
    addresses: int
    live: int
    ports: int
    leaks: int
    reason: str = ""
    needs: str = ""

    @property
    def way(self) -> str:
        """`office → servers`."""
        return f"{self.source} → {self.zone}"


class TriedWays(Fact, frozen=True, forbid_unknown_fields=True):
    """The ways into the zone of a network: the one that this scan tried, and those that nobody tried.

    The latter only for the first network of a zone.
    """

    derived_from = (NetworkCoverage,)

    ways: tuple[TriedWay, ...]
