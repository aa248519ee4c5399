"""What every collector shares: what it may be asked, what it gives, and how it says no."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from checks.facts.snapshot import Absence, Fact, Gap, Snapshot, Source
from checks.model import Target
from scanner import __version__


class Failure(StrEnum):
    """Why a target gave no snapshot: the error kinds of the ledger."""

    UNREACHABLE = "unreachable"
    AUTHENTICATION = "authentication"
    HOST_KEY = "host-key"
    CREDENTIALS = "credentials"
    ALGORITHMS = "algorithms"
    RESET = "reset"
    SILENT = "silent"
    PROTOCOL = "protocol"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    TOO_LARGE = "too-large"
    THROTTLED = "throttled"
    TOOL_MISSING = "tool-missing"
    OUT_OF_SCOPE = "out-of-scope"
    INTERRUPTED = "interrupted"
    INTERNAL = "internal"


class CollectError(Exception):
    """The target as a whole gave nothing; `needs` names what would have helped."""

    def __init__(self, failure: Failure, message: str, needs: str = "") -> None:
        super().__init__(message)
        self.failure = failure
        self.needs = needs

    @property
    def said(self) -> str:
        """The message with what would have helped, in one line."""
        return f"{self}; needed: {self.needs}" if self.needs else str(self)


class NotTriedError(CollectError):
    """The target was left alone on purpose; nothing was asked of it."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a collector asks of the target: `iam`, `sudo`, `network` or `file` by kind.

    `name` is the IAM action, the command, or the packets; `facts` the class names it serves.
    """

    kind: str
    name: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collector saw of its topic."""

    facts: tuple[Fact, ...] = ()
    gaps: tuple[Gap, ...] = ()
    absences: tuple[Absence, ...] = ()
    sources: tuple[Source, ...] = ()

    def __add__(self, other: Collected) -> Collected:
        """Both together, in order."""
        return Collected(
            self.facts + other.facts,
            self.gaps + other.gaps,
            self.absences + other.absences,
            self.sources + other.sources,
        )


def stamp(moment: datetime) -> str:
    """The moment as everything here writes it: RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Context:
    """What a collection gets from outside: the clock, the wish to stop, and who hears of progress.

    `progress(done, total)` may be called from any thread; `total` may grow.
    """

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    cancelled: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[int, int], None] = lambda _done, _total: None

    def now(self) -> str:
        """The time as facts and sources write it: RFC 3339, UTC, whole seconds."""
        return stamp(self.clock())

    def check(self) -> None:
        """Raises `CollectError(INTERRUPTED)` once somebody wants to stop."""
        if self.cancelled.is_set():
            raise CollectError(Failure.INTERRUPTED, "stopped on request")


def snapshot(
    target: Target,
    collected: Iterable[Collected],
    *,
    at: str,
    identities: tuple[str, ...],
    addresses: tuple[str, ...] = (),
) -> Snapshot:
    """The snapshot of what the collectors of one target saw."""
    whole = Collected()
    for part in collected:
        whole += part
    return Snapshot(
        target=target,
        taken_at=at,
        identities=identities,
        addresses=addresses,
        facts={type(fact).__name__: fact for fact in whole.facts},
        gaps=whole.gaps,
        absences=whole.absences,
        sources=whole.sources,
        collector=f"bartizan {__version__}",
    )


def nothing_seen(target: Target, wanted: Iterable[type[Fact]], error: CollectError, at: str) -> Snapshot:
    """The snapshot of a target that gave nothing: every wanted fact is a gap with the same reason."""
    gaps = tuple(Gap(fact.__name__, str(error), needs=error.needs) for fact in sorted(wanted, key=str))
    return snapshot(target, [Collected(gaps=gaps)], at=at, identities=(f"target:{target.spec}",))
