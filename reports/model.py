"""What the reports are about: a scan, its coverage, and findings with their two numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec

from checks.model import AssetValue, Finding, Kind, Outcome


class Band(StrEnum):
    """The bands of the score: critical from 80, high from 60, medium from 40, low from 20."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Status(StrEnum):
    """The life of a failure over scans."""

    NEW = "new"
    OPEN = "open"
    BACK = "back"
    NOT_RETESTED = "not-retested"
    """It failed before and this scan could not look again: it stays open."""


class Factor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One factor of a score: its letter (T, P, E, A, C), value, the word for it, and why.

    `share` is its part of ln R: the shares of all factors and ln 100 add up to ln R exactly.
    """

    letter: str
    value: float
    label: str
    because: str
    share: float


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """R from 0 to 100 with all that explains it; `line` is the one-line explanation."""

    value: float
    band: Band
    factors: tuple[Factor, ...]
    model: str
    useful: str
    """The smallest single change of one factor that moves the finding one band, in words."""


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By when: the row of the BOD 26-04 table, its four inputs, and the days (None: on upgrade)."""

    row: int
    exploited: bool
    exposed: bool
    automatable: bool
    total: bool
    days: int | None
    forensics: bool
    because: str


class Ranked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding with its numbers. Only failures have a score and a clock.

    `first_seen` and `due` are dates (`2026-11-23`), `due` empty where the clock has no days.
    `asset_name` is what people call the asset; `line` the explanation in one line.
    """

    finding: Finding
    asset_name: str
    first_seen: str
    status: Status
    score: Score | None = None
    clock: Clock | None = None
    due: str = ""
    line: str = ""


@runtime_checkable
class Findings(Protocol):
    """Findings that need not be held as a whole: a walk over some reads only those, counting reads none."""

    def __iter__(self) -> Iterator[Ranked]:
        """All of them, worst first."""
        ...

    def of(self, outcomes: Collection[Outcome]) -> Iterator[Ranked]:
        """Those of these outcomes, worst first."""
        ...

    def counts(self) -> Mapping[Outcome, int]:
        """How many there are of each outcome."""
        ...


class Held:
    """The same over findings that are in memory anyway."""

    def __init__(self, ranked: Iterable[Ranked]) -> None:
        self._ranked = tuple(ranked)

    def __iter__(self) -> Iterator[Ranked]:
        """All of them, in their order."""
        return iter(self._ranked)

    def of(self, outcomes: Collection[Outcome]) -> Iterator[Ranked]:
        """Those of these outcomes, in their order."""
        return (one for one in self._ranked if one.finding.outcome in outcomes)

    def counts(self) -> Mapping[Outcome, int]:
        """How many there are of each outcome."""
        return Counter(one.finding.outcome for one in self._ranked)


def findings_in(ranked: Iterable[Ranked]) -> Findings:
    """These findings with the means to walk over some of them."""
    return ranked if isinstance(ranked, Findings) else Held(ranked)


def slim(one: Ranked) -> Ranked:
    """The finding without its evidence: what planning and counting need, also of a thousand hosts."""
    return msgspec.structs.replace(one, finding=msgspec.structs.replace(one.finding, evidence=()))


class Asset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One machine or account, merged from all views of it."""

    key: str
    name: str
    kinds: tuple[Kind, ...]
    identities: tuple[str, ...]
    addresses: tuple[str, ...]
    zone: str
    value: AssetValue
    owner: str
    os: str = ""
    supported: bool | None = None
    """Whether its operating system still gets security fixes; None where that is not known."""


class Unreached(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A planned target that was not seen, and why."""

    target: str
    kind: Kind
    reason: str


class Coverage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """planned = done + failed + not_scanned: every planned target in exactly one state."""

    planned: int
    done: int
    failed: int
    not_scanned: int
    unreached: tuple[Unreached, ...] = ()


class ScanInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scan, as the foot of every page states it. Times are RFC 3339 in UTC."""

    number: int
    organisation: str
    started: str
    finished: str
    state: str
    authorisation: str
    baselines: tuple[str, ...]
    coverage: Coverage
    head: str
    """The head of the hash chain after this scan, in hex."""
    version: str
    limits: tuple[str, ...] = ()
    """Sentences on how the scan was limited (no raw sockets, no nmap, a region refused)."""


class Past(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An earlier scan in figures, for the trend."""

    number: int
    finished: str
    points: float
    critical_high: int
    overdue: int
