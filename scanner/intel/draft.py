"""One feed while it is read: its rows go into an open transaction, in the one normal form of all feeds."""

from __future__ import annotations

import re
import sqlite3
from datetime import date, datetime
from typing import NamedTuple

from scanner.intel.unpack import FeedError

CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
_NAME = re.compile(r"[A-Za-z0-9@][A-Za-z0-9_+.:@/~-]{0,199}")
_VERSION = re.compile(r"[A-Za-z0-9.+~:^_%-]{1,256}")
_BATCH = 2_000
MOST_ROWS = 20_000_000
FEWEST_PACKAGES = 50
"""From so many packages on, the advisories for a release are taken for all that there are."""


class Place(NamedTuple):
    """Which packages the rows are about.

    `ecosystem` is the ID of os-release and `release` the name by which the advisories call it (`bookworm`,
    `jammy`, `9`, `v3.20`). `by` says whether source or binary packages are named. `tells` is `state` where
    flaws without a fix are listed too, `fixes` for all published fixes, `some` for a choice of packages.
    """

    ecosystem: str
    release: str
    by: str
    tells: str


class Advice(NamedTuple):
    """One claim: these flaws are in this package before `fixed` (nothing: there is no fix; 0: not affected).

    `since` is the first version with the flaws, mostly empty. `module` is the module and its stream or
    version, for the packages of one (`nodejs:18`).
    """

    package: str
    fixed: str
    cves: tuple[str, ...]
    advisory: str = ""
    severity: str = ""
    date: str = ""
    since: str = ""
    module: str = ""


class Points(NamedTuple):
    """The decision points of one flaw: SSVC's three, its CVSS score, what its vector says.

    `effect` is total, serious, partial or minor by the losses of the vector, `reach` its attack vector
    (network, adjacent, local, physical). Nothing where the source says nothing.
    """

    exploitation: str = ""
    automatable: str = ""
    impact: str = ""
    cvss: float = 0.0
    effect: str = ""
    reach: str = ""


class Draft:
    """Collects one file of a feed.

    A reader sets `name`, and `date` unless the dates of its rows say it. `skipped` counts what has no
    usable package, version or flaw: it is said, and never taken for an answer.
    """

    def __init__(self, connection: sqlite3.Connection, part: int) -> None:
        self.name = ""
        self.date = ""
        self.count = 0
        self.skipped = 0
        self.newest = ""
        self._connection = connection
        self._part = part
        self._places: dict[Place, int] = {}
        self._pending: dict[str, list[tuple[object, ...]]] = {}

    def advise(self, place: Place, one: Advice) -> None:
        """One claim about packages of that place."""
        named = one.cves or ((one.advisory,) if one.advisory else ())
        if (
            not named
            or not _NAME.fullmatch(one.package)
            or not _version(one.fixed)
            or not _version(one.since)
        ):
            self.skipped += 1
            return
        issued = day(one.date) if one.date else ""
        self.newest = max(self.newest, issued)
        said = (one.package, one.fixed, " ".join(named), one.advisory, one.severity, issued, one.since)
        self._add("advice", (self._place(place), *said, one.module))

    def exploited(self, cve: str, added: str, *, ransomware: bool) -> None:
        """One entry of the catalogue of known exploited flaws."""
        if self._flaw(cve):
            self._add("kev", (cve, self._part, day(added), int(ransomware)))

    def likely(self, cve: str, score: float) -> None:
        """One EPSS score, from 0 to 1."""
        if self._flaw(cve) and 0.0 <= score <= 1.0:
            self._add("epss", (cve, self._part, score))

    def judged(self, cve: str, points: Points) -> None:
        """The decision points of one flaw."""
        if self._flaw(cve):
            self._add("points", (cve, self._part, *points))

    def lives(self, product: str, cycles: str) -> None:
        """The releases of one product, as JSON."""
        self._add("cycles", (product, self._part, cycles))

    def dated(self, text: str) -> None:
        """A day that is in the data: the newest of them says how old the data is."""
        self.newest = max(self.newest, day(text))

    def close(self) -> None:
        """Writes what is left.

        Raises:
            FeedError: there is not one row, so this is no feed.

        """
        for table in list(self._pending):
            self._flush(table)
        if not self.count:
            raise FeedError("it holds nothing that can be used")
        # A file with the advisories of a few packages does not tell that the others have none.
        self._connection.execute(
            "UPDATE places SET tells = 'some' WHERE part = ? AND tells != 'some' AND "
            "(SELECT COUNT(DISTINCT package) FROM advice WHERE place = places.id) < ?",
            (self._part, FEWEST_PACKAGES),
        )

    def _flaw(self, cve: str) -> bool:
        if CVE.fullmatch(cve):
            return True
        self.skipped += 1
        return False

    def _place(self, place: Place) -> int:
        if place not in self._places:
            cursor = self._connection.execute(
                "INSERT INTO places (part, ecosystem, release, named_by, tells) VALUES (?, ?, ?, ?, ?)",
                (self._part, *place),
            )
            self._places[place] = int(cursor.lastrowid or 0)
        return self._places[place]

    def _add(self, table: str, row: tuple[object, ...]) -> None:
        self.count += 1
        if self.count > MOST_ROWS:
            raise FeedError(f"it holds more than {MOST_ROWS:,} rows")
        pending = self._pending.setdefault(table, [])
        pending.append(row)
        if len(pending) >= _BATCH:
            self._flush(table)

    def _flush(self, table: str) -> None:
        rows = self._pending.pop(table, [])
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            # The table is one of our own names; what a feed says goes through the marks.
            self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)  # noqa: S608


def day(text: str) -> str:
    """`2026-11-20` of `2026-11-20T10:00:00Z`, `20 Nov 2026`, `2026.11.20` or `2026-11-20 10:00`.

    Raises:
        FeedError: no day.

    """
    plain = text.strip()
    for candidate in (plain[:10], plain[:10].replace(".", "-").replace("/", "-")):
        try:
            return date.fromisoformat(candidate).isoformat()
        except ValueError:
            continue
    try:
        return datetime.strptime(plain, "%d %b %Y").date().isoformat()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise FeedError(f"{plain[:40]!r} is no day") from None


def _version(text: str) -> bool:
    return not text or _VERSION.fullmatch(text) is not None
