"""Findings as change intervals: a row lives from the scan that first saw it so to the last that did.

An interval is never closed by a scan that did not look. A failure that a later scan could not test again
is carried: it stays open and says so.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, func, or_, select

from checks.model import Finding, Kind, Outcome, Severity
from reports.model import Asset, Past, Ranked, Status
from scanner.store import tables as t
from scanner.store.record import ScanRecord
from scanner.store.steady import dated, days_of
from scanner.store.steady import state as state_of
from scanner.store.store import Store
from scanner.store.wordings import Packed, Reader, Writer, pack

_LOOKED_BUT_UNSURE = (Outcome.UNKNOWN, Outcome.ERROR)
_CHUNK = 400
_STATUSES = tuple(Status)
_LOOK_BACK = 200
"""Judged scans that are looked at to find earlier ones of the same targets."""


class Life(msgspec.Struct, frozen=True):
    """What is known of a finding from before: since when it fails without a break, and how it stood."""

    first_seen: str
    first_scan: int
    status: Status


class Batch(msgspec.Struct, frozen=True):
    """All findings of one asset (or of a few), with what is known of them from before."""

    ranked: tuple[Ranked, ...]
    lived: Mapping[str, Life]


class Look(msgspec.Struct, frozen=True):
    """One asset under one kind of view in one scan: which checks were judged there."""

    asset: str
    kind: Kind
    checks: tuple[str, ...]


def looks_of(findings: Iterable[Finding]) -> tuple[Look, ...]:
    """What a scan looked at, from its findings: every demand gives at least one."""
    seen: dict[tuple[str, Kind], set[str]] = defaultdict(set)
    for one in findings:
        seen[one.asset, one.kind].add(one.check)
    return tuple(Look(a, k, tuple(sorted(v))) for (a, k), v in sorted(seen.items()))


def lives(store: Store, findings: Sequence[Finding], scan: int, today: str) -> dict[str, Life]:
    """For each failure: since when it is open, and whether it is new, open, or back again.

    Scans from `scan` on are not looked at, so that a scan can be judged again.
    """
    failing = [f.id for f in findings if f.outcome is Outcome.FAIL]
    found: dict[str, Life] = {}
    f = t.findings.c
    with store.begin() as c:
        for start in range(0, len(failing), _CHUNK):
            query = (
                select(f.finding_id, f.first_seen, f.first_scan, f.to_scan)
                .where(
                    f.finding_id.in_(failing[start : start + _CHUNK]),
                    f.outcome == Outcome.FAIL,
                    f.from_scan < scan,
                )
                .order_by(f.from_scan)
            )
            for identifier, first_seen, first_scan, to_scan in c.execute(query):
                still = to_scan is None or to_scan >= scan - 1
                found[identifier] = (
                    Life(first_seen, first_scan, Status.OPEN) if still else Life(today, scan, Status.BACK)
                )
    fresh = Life(today, scan, Status.NEW)
    return {identifier: found.get(identifier, fresh) for identifier in failing}


def save(
    store: Store,
    scan: int,
    batches: Iterable[Batch],
    *,
    assets: Iterable[Asset],
    known: Mapping[str, str],
    past: Callable[[Iterable[Ranked]], Past],
) -> None:
    """Writes one judged scan: intervals, looks, assets, identities and the roll-up, all or nothing.

    The findings of one asset stand in one batch; only one batch is held at a time. `past` gives the figures
    of the failures as they are kept, with those that stay open untested.
    """
    with store.begin() as c:
        _forget(c, scan)
        later, writer = _looked_at_later(c, scan), Writer(c)
        for batch in batches:
            looks = looks_of(r.finding for r in batch.ranked)
            carried = _intervals(c, scan, batch, looks, later=later, writer=writer)
            if looks:
                days = days_of(r.finding for r in batch.ranked)
                c.execute(t.looks.insert(), [_look(scan, one, carried, days) for one in looks])
        for asset in assets:
            c.execute(
                t.assets.insert(), {"scan_id": scan, "key": asset.key, "record": msgspec.json.encode(asset)}
            )
        for identity, key in known.items():
            c.execute(t.identities.delete().where(t.identities.c.identity == identity))
            c.execute(t.identities.insert(), {"identity": identity, "asset": key, "scan_id": scan})
        sums = past(_load(c, scan, outcomes=(Outcome.FAIL,)))
        outcomes = {str(outcome): count for outcome, count in _counts(c, scan).items()}
        c.execute(
            t.rollups.insert(),
            {
                "scan_id": scan,
                "points": sums.points,
                "critical_high": sums.critical_high,
                "overdue": sums.overdue,
                "outcomes": msgspec.json.encode(outcomes, order="sorted").decode(),
            },
        )


def _look(
    scan: int, one: Look, carried: Mapping[tuple[str, Kind], list[str]], days: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "scan_id": scan,
        "asset": one.asset,
        "kind": one.kind,
        "checks": msgspec.json.encode(one.checks).decode(),
        "carried": msgspec.json.encode(carried.get((one.asset, one.kind), [])).decode(),
        "feeds": msgspec.json.encode(days, order="sorted").decode(),
    }


class Kept:
    """The findings of a judged scan as the store has them, worst first; each walk reads them anew."""

    def __init__(self, store: Store, scan: int) -> None:
        self._store, self._scan = store, scan

    def __iter__(self) -> Iterator[Ranked]:
        """The findings, worst first."""
        return load(self._store, self._scan)

    def of(self, outcomes: Collection[Outcome], check: str = "") -> Iterator[Ranked]:
        """Those of these outcomes (of that check), worst first; the others are not even read."""
        with self._store.begin() as c:
            yield from _load(c, self._scan, outcomes=outcomes, check=check)

    def counts(self) -> Mapping[Outcome, int]:
        """How many findings there are of each outcome."""
        with self._store.begin() as c:
            return _counts(c, self._scan)


def load(store: Store, scan: int) -> Iterator[Ranked]:
    """The findings of a scan as they stood then, with carried failures, worst first."""
    with store.begin() as c:
        yield from _load(c, scan)


def _load(
    c: Connection, scan: int, *, outcomes: Collection[Outcome] = tuple(Outcome), check: str = ""
) -> Iterator[Ranked]:
    reader, f = Reader(c), t.findings.c
    # Numbers only: there may be hundreds of thousands of rows. Their order is found without the payloads,
    # which would have to be sorted with it.
    rows, statuses, places = array("q"), bytearray(), array("q")
    looks = _looks(c, scan)
    days: list[Mapping[str, str]] = [{}, *(look.days for look in looks.values())]
    place_of = {key: place for place, key in enumerate(looks, 1)}
    for row, key, status in _rows(c, scan, looks, outcomes, check):
        rows.append(row)
        statuses.append(_STATUSES.index(status))
        # What was not tested again was not looked up again either.
        places.append(0 if status is Status.NOT_RETESTED else place_of[key])
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        parts = select(f.id, f.payload, f.wording, f.reckoning).where(f.id.in_(chunk))
        payloads = {row: rest for row, *rest in c.execute(parts)}
        reader.fetch(digest for _, *digests in payloads.values() for digest in digests)
        for at, row in enumerate(chunk, start):
            payload, wording, reckoning = payloads[row]
            found = reader.unpack(payload, wording, reckoning, _STATUSES[statuses[at]])
            yield dated(found, days[places[at]]) if found.finding.feeds else found


def _rows(
    c: Connection,
    scan: int,
    looks: Mapping[tuple[str, str], _Looked],
    outcomes: Collection[Outcome],
    check: str = "",
) -> Iterator[tuple[int, tuple[str, str], Status]]:
    """The rows of a scan, worst first: number, (asset, kind), and how each stands in this scan."""
    f = t.findings.c
    here = and_(f.from_scan <= scan, or_(f.to_scan.is_(None), f.to_scan >= scan))
    looked = and_(t.looks.c.scan_id == scan, t.looks.c.asset == f.asset, t.looks.c.kind == f.kind)
    query = (
        select(f.id, f.first_scan, f.back, f.check_id, f.finding_id, f.outcome, f.asset, f.kind)
        .join(t.looks, looked)
        .where(here, f.outcome.in_([str(one) for one in outcomes]))
        .order_by(f.score.desc(), f.severity.desc(), f.finding_id)
    )
    if check:
        query = query.where(f.check_id == check)
    for row, first_scan, back, asked, identifier, outcome, asset, kind in c.execute(query):
        look = looks[asset, kind]
        carried = identifier in look.carried
        if asked not in look.judged and not carried:
            continue
        status = (Status.BACK if back else Status.NEW) if first_scan == scan else Status.OPEN
        if outcome != Outcome.FAIL:
            status = Status.OPEN
        yield row, (asset, kind), Status.NOT_RETESTED if carried else status


def _counts(c: Connection, scan: int) -> dict[Outcome, int]:
    looks, every = _looks(c, scan), tuple(Outcome)
    found = {one: sum(1 for _ in _rows(c, scan, looks, (one,))) for one in every}
    return {outcome: count for outcome, count in found.items() if count}


class _Looked(NamedTuple):
    """What was judged there: the checks, the failures that were carried, and the days of the feeds."""

    judged: frozenset[str]
    carried: frozenset[str]
    days: Mapping[str, str]


def _looks(c: Connection, scan: int) -> dict[tuple[str, str], _Looked]:
    """The looks of a scan by asset and kind."""
    texts: dict[str, frozenset[str]] = {}

    def names(text: str) -> frozenset[str]:
        if text not in texts:
            texts[text] = frozenset(msgspec.json.decode(text))
        return texts[text]

    query = select(t.looks).where(t.looks.c.scan_id == scan)
    return {
        (row["asset"], row["kind"]): _Looked(
            names(row["checks"]), names(row["carried"]), msgspec.json.decode(row["feeds"])
        )
        for row in c.execute(query).mappings()
    }


def assets_of(store: Store, scan: int) -> list[Asset]:
    """The merged assets of a scan, by key."""
    query = select(t.assets.c.record).where(t.assets.c.scan_id == scan).order_by(t.assets.c.key)
    with store.begin() as c:
        return [msgspec.json.decode(row[0], type=Asset) for row in c.execute(query)]


def known_identities(store: Store) -> dict[str, str]:
    """Identity → asset key, from all scans: it keeps the ids of findings stable."""
    with store.begin() as c:
        return {row.identity: row.asset for row in c.execute(select(t.identities))}


def history(store: Store, before: int, most: int = 11) -> tuple[Past, ...]:
    """The figures of the last judged scans of the same targets before that one, oldest first.

    A scan of other targets, or by other baselines, says nothing about a change.
    """
    query = (
        select(t.rollups, t.scans.c.finished)
        .join(t.scans, t.scans.c.id == t.rollups.c.scan_id)
        .where(t.rollups.c.scan_id < before)
        .order_by(t.rollups.c.scan_id.desc())
        .limit(_LOOK_BACK)
    )
    with store.begin() as c:
        rows = list(c.execute(query).mappings())
        of = _what_was_asked(c, [before, *(r["scan_id"] for r in rows)])
    alike = [r for r in rows if of[r["scan_id"]] == of[before]][:most]
    return tuple(
        Past(r["scan_id"], r["finished"], r["points"], r["critical_high"], r["overdue"])
        for r in reversed(alike)
    )


def _what_was_asked(c: Connection, scans: Sequence[int]) -> dict[int, tuple[frozenset[str], tuple[str, ...]]]:
    """The targets and the baselines of each of these scans."""
    specs: dict[int, set[str]] = {number: set() for number in scans}
    for number, spec in c.execute(select(t.jobs.c.scan_id, t.jobs.c.spec).where(t.jobs.c.scan_id.in_(scans))):
        specs[number].add(spec)
    records = c.execute(select(t.scans.c.id, t.scans.c.record).where(t.scans.c.id.in_(scans)))
    baselines = {number: msgspec.json.decode(record, type=ScanRecord).baselines for number, record in records}
    return {number: (frozenset(found), baselines.get(number, ())) for number, found in specs.items()}


def outcomes_of(store: Store) -> dict[int, dict[str, int]]:
    """Outcome counts of every judged scan."""
    with store.begin() as c:
        rows = c.execute(select(t.rollups.c.scan_id, t.rollups.c.outcomes))
        return {scan: msgspec.json.decode(text) for scan, text in rows}


def _forget(c: Connection, scan: int) -> None:
    """Takes back what an earlier judgement of the same scan wrote; only the newest can be rewritten."""
    f = t.findings.c
    c.execute(t.findings.delete().where(f.from_scan == scan))
    c.execute(t.findings.update().where(f.to_scan == scan - 1, f.closed_by == scan), {"to_scan": None})
    for table in (t.looks, t.assets, t.rollups):
        c.execute(table.delete().where(table.c.scan_id == scan))


def _intervals(
    c: Connection,
    scan: int,
    batch: Batch,
    looks: Iterable[Look],
    *,
    later: Mapping[tuple[str, str], frozenset[str]],
    writer: Writer,
) -> dict[tuple[str, Kind], list[str]]:
    """Opens, keeps and closes intervals; gives the failures that could not be tested again."""
    now = {r.finding.id: r for r in batch.ranked}
    packed = {identifier: pack(one) for identifier, one in now.items()}
    unsure = {
        (r.finding.asset, r.finding.kind, r.finding.check)
        for r in batch.ranked
        if r.finding.outcome in _LOOKED_BUT_UNSURE
    }
    close: list[int] = []
    split: list[int] = []
    keep: set[str] = set()
    carried: dict[tuple[str, Kind], list[str]] = defaultdict(list)
    f = t.findings.c
    for look in looks:
        judged = frozenset(look.checks)
        newer = later.get((look.asset, look.kind), frozenset())
        query = select(f.id, f.finding_id, f.state, f.check_id, f.outcome).where(
            f.asset == look.asset,
            f.kind == look.kind,
            f.from_scan < scan,
            or_(f.to_scan.is_(None), f.to_scan >= scan),
        )
        for row, identifier, state, check, outcome in c.execute(query):
            one = now.get(identifier)
            if one is not None and state == state_of(one, packed[identifier]):
                keep.add(identifier)
            elif outcome == Outcome.FAIL and (
                one.finding.outcome in _LOOKED_BUT_UNSURE
                if one is not None
                else (look.asset, look.kind, check) in unsure
            ):
                # Not seen now, or seen and not decided: not knowing repairs nothing and restarts no clock.
                carried[look.asset, look.kind].append(identifier)
                keep.add(identifier)
            elif one is not None or check in judged:
                (split if check in newer else close).append(row)
    for start in range(0, len(close), _CHUNK):
        rows = close[start : start + _CHUNK]
        c.execute(t.findings.update().where(f.id.in_(rows)), {"to_scan": scan - 1, "closed_by": scan})
    _split(c, scan, split)
    fresh = [_row(scan, r, packed[i], batch.lived.get(i)) for i, r in now.items() if i not in keep]
    writer.write(packed[i] for i in now if i not in keep)
    for new in fresh:
        if new["check_id"] in later.get((new["asset"], new["kind"]), frozenset()):
            # A newer scan has said already how it went on.
            new.update(to_scan=scan, closed_by=scan)
    if fresh:
        c.execute(t.findings.insert(), fresh)
    return carried


def _looked_at_later(c: Connection, scan: int) -> dict[tuple[str, str], frozenset[str]]:
    """(asset, kind) → the checks that newer scans judged there: scans may be judged out of their order."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    query = select(t.looks.c.asset, t.looks.c.kind, t.looks.c.checks).where(t.looks.c.scan_id > scan)
    for asset, kind, checks in c.execute(query):
        found[asset, kind] = found.get((asset, kind), frozenset()) | frozenset(msgspec.json.decode(checks))
    return found


def _split(c: Connection, scan: int, rows: Sequence[int]) -> None:
    """Takes one scan out of the middle of these intervals; what newer scans saw stands."""
    f = t.findings
    following = c.execute(select(func.min(t.scans.c.id)).where(t.scans.c.id > scan)).scalar()
    for row in rows:
        [one] = c.execute(select(f).where(f.c.id == row)).mappings()
        after = {name: value for name, value in one.items() if name != "id"}
        if one["to_scan"] is None or one["to_scan"] > scan:
            c.execute(f.insert(), {**after, "from_scan": following})
        c.execute(f.update().where(f.c.id == row), {"to_scan": scan - 1})


def _row(scan: int, ranked: Ranked, packed: Packed, life: Life | None) -> dict[str, Any]:
    one = ranked.finding
    return {
        "finding_id": one.id,
        "from_scan": scan,
        "to_scan": None,
        "closed_by": None,
        "first_scan": life.first_scan if life else scan,
        "first_seen": ranked.first_seen,
        "back": bool(life and life.status is Status.BACK),
        "state": state_of(ranked, packed),
        "asset": one.asset,
        "kind": one.kind,
        "check_id": one.check,
        "outcome": one.outcome,
        "severity": Severity(one.severity).rank,
        "score": ranked.score.value if ranked.score else 0.0,
        "payload": packed.payload,
        "wording": packed.wording,
        "reckoning": packed.reckoning or None,
    }
