"""What every zone was seen to reach of every other one, held against what it may: a scan in one table."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CellState(StrEnum):
    """How one way between zones stands. Only what was tried in full can hold."""

    LEAKS = "leaks"
    BLOCKED = "blocked"
    UNTESTED = "not tested"
    HOLDS = "holds"
    FREE = "free"
    """Everything may pass: there is nothing to keep."""


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way between zones.

    `allowed` says in words what may pass; `leaks` is on how many ports more does, `findings` are the ids of
    theirs; `blocked` names the ports that must answer and do not, `undecided` those of which nobody can tell.
    `addresses`, `live` and `ports` count what was asked, `at` is when, the first and the last time. `reason`
    says why it was not tried, or not in full.
    """

    source: str
    zone: str
    state: CellState
    allowed: str
    leaks: int = 0
    blocked: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    addresses: int = 0
    live: int = 0
    ports: int = 0
    at: tuple[str, ...] = ()
    reason: str = ""
    findings: tuple[str, ...] = ()


class Matrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All ways between the zones of a scope, in the order of the scope: a row for each source."""

    zones: tuple[str, ...]
    cells: tuple[Cell, ...]

    def cell(self, source: str, zone: str) -> Cell:
        """The way from one zone to another."""
        return next(one for one in self.cells if (one.source, one.zone) == (source, zone))
