"""What feeds are here, how old their data is, and what the lack of each costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from scanner.intel.store import Feeds, Part
from scanner.intel.upstream import url_of

STALE_DAYS = 14
"""From so many days on the data of a feed is called stale."""

_KINDS = {
    "kev": "flaws that are known to be exploited are not told from the others",
    "epss": "no score is raised by how likely a flaw is to be used",
    "ssvc": "every flaw counts as serious and automatable, and no public exploit is known of",
    "endoflife": "the life-cycle data that comes with the program is used",
}
_ADVISORIES = "no flaw of a package is known; only the host's own package manager says what waits"


@dataclass(frozen=True, slots=True)
class State:
    """One feed, or one that is missing (`parts` is empty). Ages are in days.

    `mend` is the command that brings it, where it is missing or stale.
    """

    name: str
    parts: tuple[Part, ...]
    date: str
    age: int
    stale: bool
    covers: tuple[str, ...]
    cost: str
    mend: str = ""

    @property
    def rows(self) -> int:
        """The number of its rows."""
        return sum(part.count for part in self.parts)


def states(feeds: Feeds | None, today: date, stale_days: int = STALE_DAYS) -> list[State]:
    """Every feed that is here by name, then those that are missing, each with what it costs."""
    parts = feeds.parts() if feeds else []
    covers = feeds.releases() if feeds else {}
    names = sorted({part.name for part in parts})
    found = [
        _state(name, [p for p in parts if p.name == name], tuple(covers.get(name, ())), today, stale_days)
        for name in names
    ]
    for name, cost in _KINDS.items():
        if name not in names:
            found.append(State(name, (), "", 0, False, (), cost, _mend(name)))
    if not covers:
        mend = "bartizan feeds update --only debian-tracker (or osv-ubuntu, osv-almalinux, oval-rhel-9, ...)"
        found.append(State("advisories", (), "", 0, False, (), _ADVISORIES, mend))
    return found


def _state(name: str, parts: Sequence[Part], covers: tuple[str, ...], today: date, stale_days: int) -> State:
    newest = max(part.date for part in parts)
    age = (today - date.fromisoformat(newest)).days
    stale = age > stale_days
    cost = "what it does not name is not known to be in order" if stale and covers else ""
    if stale and not covers:
        cost = "newer entries are missing"
    return State(name, tuple(parts), newest, age, stale, covers, cost, _mend(name) if stale else "")


def _mend(name: str) -> str:
    return f"bartizan feeds {f'update --only {name}' if url_of(name) else 'import FILE'}"
