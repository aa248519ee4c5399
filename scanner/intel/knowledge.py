"""Looks things up in the feeds: who covers a release, what is claimed of a package or said of a flaw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import msgspec

from checks.facts.intel import EPSS_STEPS, Feed, Flaw
from checks.versions import KEYS, Key, VersionError
from scanner.intel.store import Covered, Feeds

HINTS = frozenset({"changelogs"})
"""Feeds whose claims are likely and not certain: a changelog may name a flaw that it does not mend."""

_USE = {"active": 3, "poc": 2, "none": 1}
_PACKAGES = 8_192
_FLAWS = 65_536
_RELEASES = 64


class Claim(NamedTuple):
    """Flaws that a package has from `since` to before `fixed`; an empty text is no bound.

    The keys are None where the bound is empty; `clear` is false where one cannot be compared.
    """

    since: Key | None
    before: Key | None
    fixed: str
    cves: tuple[tuple[str, str], ...]
    module: str
    certain: bool
    clear: bool
    feed: str
    flaws: list[Flaw]
    """What the feeds say of each flaw, worst first; looked up when the first host has them."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the feeds hold for one release: who covers it, and the packages that they name."""

    ecosystem: str
    release: str
    manager: str
    feeds: tuple[Feed, ...]
    places: tuple[Covered, ...]
    named: Mapping[str, frozenset[str]]


class Knowledge:
    """The feeds, with what was looked up kept for the next host; its memory is bounded."""

    def __init__(self, feeds: Feeds) -> None:
        self._sql = feeds.connection
        self._feeds = feeds
        self._dates: dict[str, str] = {}
        self._parts: dict[int, str] = {}
        for part in feeds.parts():
            self._parts[part.id] = part.name
            self._dates[part.name] = max(part.date, self._dates.get(part.name, ""))
        # Bound to this object, so that a second one over other feeds shares nothing with it.
        self.coverage = lru_cache(_RELEASES)(self._coverage)
        self.flaw = lru_cache(_FLAWS)(self._flaw)
        self._cached: Callable[[str, str, str, str], tuple[Claim, ...]] = lru_cache(_PACKAGES)(self._claims)

    def date(self, feed: str) -> str:
        """The day of a feed's data; empty where it is not there."""
        return self._dates.get(feed, "")

    def known(self, ecosystem: str) -> list[tuple[str, str]]:
        """(day, release) of all releases of a distribution in the feeds, the newest last."""
        covered = self._feeds.covered(ecosystem)
        return sorted({(self._dates[self._parts[c.part]], c.place.release) for c in covered}, key=_by_release)

    def claims(self, coverage: Coverage, by: str, package: str) -> tuple[Claim, ...]:
        """What is claimed of a source or binary package of that release."""
        if package not in coverage.named.get(by, ()):
            return ()
        return self._cached(coverage.ecosystem, coverage.release, by, package)

    def flaws(self, claim: Claim) -> list[Flaw]:
        """What is said of the flaws of a claim, the worst first."""
        if not claim.flaws:
            claim.flaws.extend(worst_first(self.flaw(cve, severity) for cve, severity in claim.cves))
        return claim.flaws

    def cycles(self) -> dict[str, tuple[tuple[str, str, str], ...]]:
        """The life cycles of all products in the feeds."""
        rows = self._sql.execute("SELECT product, releases FROM cycles ORDER BY part")
        form = tuple[tuple[str, str, str], ...]
        return {product: msgspec.json.decode(text, type=form) for product, text in rows}

    # --- what is kept ---

    def _coverage(self, ecosystem: str, release: str, manager: str) -> Coverage | None:
        places = tuple(c for c in self._feeds.covered(ecosystem) if c.place.release == release)
        if not places:
            return None
        tells: dict[str, set[str]] = defaultdict(set)
        days: dict[str, str] = {}
        for covered in places:
            part = self._parts[covered.part]
            name = part.removesuffix("-main").removesuffix("-community")
            tells[name].add(covered.place.tells)
            # Of two repositories that belong together the older one says how much is known.
            days[name] = min(days.get(name, self._dates[part]), self._dates[part])
        feeds = tuple(Feed(name, days[name], _tells(said)) for name, said in sorted(tells.items()))
        named: dict[str, set[str]] = defaultdict(set)
        for covered in places:
            query = "SELECT DISTINCT package FROM advice WHERE place = ?"
            named[covered.place.by].update(row[0] for row in self._sql.execute(query, (covered.id,)))
        return Coverage(
            ecosystem, release, manager, feeds, places, {by: frozenset(names) for by, names in named.items()}
        )

    def _claims(self, ecosystem: str, release: str, by: str, package: str) -> tuple[Claim, ...]:
        manager = _manager(ecosystem)
        coverage = self.coverage(ecosystem, release, manager)
        rows: list[_Row] = []
        for covered in coverage.places if coverage else ():
            if covered.place.by == by:
                query = (
                    "SELECT fixed, cves, severity, since, module FROM advice WHERE place = ? AND package = ?"
                )
                name = self._parts[covered.part]
                rows += [_Row(name, *row) for row in self._sql.execute(query, (covered.id, package))]
        return _merged(rows, self._dates, KEYS[manager])

    def _flaw(self, cve: str, severity: str) -> Flaw:
        kev = self._one("SELECT added, ransomware FROM kev WHERE cve = ? ORDER BY part DESC", cve)
        epss = self._one("SELECT score FROM epss WHERE cve = ? ORDER BY part DESC", cve)
        said = self._one(
            "SELECT exploitation, automatable, impact, cvss, effect, reach FROM points WHERE cve = ? "
            "ORDER BY part DESC",
            cve,
        )
        exploitation, automatable, impact, cvss, effect, reach = said or ("", "", "", 0.0, "", "")
        return Flaw(
            cve=cve,
            kev=str(kev[0]) if kev else "",
            ransomware=bool(kev and kev[1]),
            epss=float(epss[0]) if epss else 0.0,
            exploitation=str(exploitation),
            automatable=str(automatable),
            impact=str(impact),
            cvss=float(cvss),
            effect=str(effect),
            reach=str(reach),
            severity=severity,
        )

    def _one(self, query: str, cve: str) -> tuple[str | float, ...] | None:
        found: tuple[str | float, ...] | None = self._sql.execute(query, (cve,)).fetchone()
        return found


def worst_first(flaws: Iterable[Flaw]) -> tuple[Flaw, ...]:
    """The flaws by how much they press: exploited ones first, then by SSVC, EPSS and CVSS."""
    return tuple(sorted(flaws, key=badness))


def badness(flaw: Flaw) -> tuple[bool, int, int, float, str]:
    """The key by which flaws are sorted, the worst first. EPSS counts in steps: it moves every day."""
    steps = sum(flaw.epss >= least for least in EPSS_STEPS)
    return not flaw.kev, -_USE.get(flaw.exploitation, 0), -steps, -flaw.cvss, flaw.cve


class _Row(NamedTuple):
    feed: str
    fixed: str
    cves: str
    severity: str
    since: str
    module: str


def _merged(rows: Iterable[_Row], dates: Mapping[str, str], key: Callable[[str], Key]) -> tuple[Claim, ...]:
    """One answer for each flaw out of all feeds, and the flaws of one answer together.

    The distribution's newest word counts. What a changelog names counts where the distribution says nothing,
    or knows of no fix; of several entries that name a flaw the first is taken for its fix.
    """
    by_flaw: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        for cve in row.cves.split():
            by_flaw[cve].append(row)
    grouped: dict[tuple[str, str, str, bool, str], list[tuple[str, str]]] = defaultdict(list)
    for cve, said in by_flaw.items():
        for row in _chosen(said, dates, key):
            grouped[row.since, row.fixed, row.module, row.feed not in HINTS, row.feed].append(
                (cve, row.severity)
            )
    made = []
    for (since, fixed, module, certain, feed), cves in grouped.items():
        clear = True
        try:
            # A rebuild for an older release (1.2-1~deb12u1) sorts before what it has all changes of.
            before = f"{fixed}~" if not certain else fixed
            bounds = (key(since) if since else None, key(before) if fixed else None)
        except VersionError:
            clear, bounds = False, (None, None)
        made.append(Claim(*bounds, fixed, tuple(sorted(set(cves))), module, certain, clear, feed, []))
    return tuple(made)


def _chosen(said: list[_Row], dates: Mapping[str, str], key: Callable[[str], Key]) -> list[_Row]:
    """The rows that count for one flaw of one package."""
    hints = [row for row in said if row.feed in HINTS]
    words = [row for row in said if row.feed not in HINTS]
    if words:
        newest = max(words, key=lambda row: (dates[row.feed], row.feed)).feed
        words = [row for row in words if row.feed == newest]
        mended = [row for row in words if row.fixed]
        if mended:
            return mended
    if hints:
        return [min(hints, key=lambda row: _sortable(row.fixed, key))]
    return words


def _sortable(version: str, key: Callable[[str], Key]) -> tuple[bool, Key]:
    try:
        return False, key(version)
    except VersionError:
        return True, ()


def _tells(said: set[str]) -> str:
    if "state" in said:
        return "state"
    return "fixes" if "fixes" in said or {"fixes:main", "fixes:community"} <= said else "some"


def _by_release(found: tuple[str, str]) -> tuple[str, tuple[int, ...], str]:
    day, release = found
    numbers = tuple(int(part) for part in release.lstrip("v").split(".") if part.isdigit())
    return day, numbers, release


def _manager(ecosystem: str) -> str:
    return {"debian": "dpkg", "ubuntu": "dpkg", "alpine": "apk"}.get(ecosystem, "rpm")
