"""The use cases: collect, judge, keep, report. The one place that wires the parts together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Protocol

import msgspec

from baselines.resolve import Demand
from checks.catalogue import Catalogue
from checks.facts.network import NetworkCoverage
from checks.facts.snapshot import Snapshot
from checks.model import Finding, Kind, Outcome, Target
from reports import estate as estates
from reports.estate import Estate
from reports.matrix import Matrix
from reports.model import Coverage, Findings, ScanInfo, Unreached, slim
from reports.plan import actions, figures
from scanner.collect.collector import CollectError, Failure, NotTriedError, nothing_seen, stamp
from scanner.dispatch.jobs import Dispatcher, Job, Result, Work
from scanner.files import write_atomically
from scanner.intel.store import Feeds
from scanner.judging import Judgement, Spool
from scanner.store import findings as intervals
from scanner.store.record import JobRow, JobState, ScanRow, ScanState
from scanner.store.store import Store


class UsageError(ValueError):
    """One line for a person who asked for something that cannot be."""


class Listener(Protocol):
    """Who hears how a collection goes on; called from the collecting threads."""

    def begin(self, totals: Mapping[Kind, int]) -> None:
        """The number of targets of each kind."""

    def progress(self, job: Job, done: int, total: int) -> None:
        """How far one target is."""

    def end(self, result: Result) -> None:
        """One target is through, or failed."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged scan: everything a report needs."""

    scan: ScanRow
    info: ScanInfo
    estate: Estate
    ranked: Findings
    """Worst first; to be walked as often as one likes."""
    now: datetime
    matrix: Matrix | None = None
    """What zones reach of each other; None where the scope declares none."""


def utc_now() -> datetime:
    """The clock of this machine, in UTC."""
    return datetime.now(UTC)


# --- collect ---


def collect(
    store: Store,
    number: int,
    dispatcher: Dispatcher,
    work: Work,
    *,
    plan: Mapping[str, Any],
    wanted: Callable[[Kind], frozenset[Any]],
    listener: Listener,
    cancelled: threading.Event,
    clock: Callable[[], datetime] = utc_now,
) -> ScanState:
    """Runs every planned job of a scan and stores what came back; the state that the scan is in then.

    `plan` maps the spec of a target to the target. The ledger is the truth: each job ends done, error,
    not scanned or cancelled, and a target that gave nothing leaves a snapshot in which everything is
    a gap, so that nothing vanishes from the judgement.
    """
    rows = [row for row in store.jobs(number) if row.state is JobState.PLANNED]
    listener.begin({k: sum(1 for r in rows if r.kind is k) for k in Kind if any(r.kind is k for r in rows)})
    limits = dict.fromkeys(store.scan(number).record.limits)
    here = [row for row in rows if row.spec in plan]
    for result in chain(_gone(rows, plan), dispatcher.run(_announced(store, here, plan, clock), work)):
        error, at = result.error, stamp(clock())
        if error and cancelled.is_set() and error.failure is not Failure.INTERRUPTED:
            # Whatever went wrong after the wish to stop may come from the stop; the next try will tell.
            error = CollectError(Failure.INTERRUPTED, f"stopped on request: {error}")
        snapshots = result.snapshots
        if error and not snapshots and error.failure is not Failure.INTERRUPTED:
            target = result.job.target
            snapshots = (nothing_seen(target, wanted(target.kind), error, at),)
        limits.update(dict.fromkeys(sentence for one in snapshots for sentence in limits_of(one)))
        store.finish_job(
            number,
            result.job.id,
            _state_of(error),
            at,
            snapshots=snapshots,
            failure=error.failure if error else "",
            reason=error.said if error else "",
        )
        listener.end(result)
    if cancelled.is_set():
        store.cancel_open_jobs(number, stamp(clock()), "stopped on request")
    state = ScanState.INTERRUPTED if cancelled.is_set() else ScanState.COLLECTED
    record = msgspec.structs.replace(store.scan(number).record, limits=tuple(limits))
    store.set_scan(number, state=state, at=stamp(clock()), record=record)
    return state


def limits_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Sentences on how the look at a network was limited, with the network's name."""
    coverage = snapshot.get(NetworkCoverage)
    if not isinstance(coverage, NetworkCoverage):
        return ()
    return tuple(f"{coverage.network}: {limit}" for limit in coverage.limits)


def _gone(rows: Sequence[JobRow], plan: Mapping[str, Any]) -> Iterator[Result]:
    """What the scope held when the scan began, and does not hold now that it goes on."""
    error = CollectError(Failure.OUT_OF_SCOPE, "the scope does not hold it any more")
    for row in rows:
        if row.spec not in plan:
            yield Result(Job(row.id, Target(row.kind, row.name, row.spec), row.attempt), error=error)


def _announced(
    store: Store, rows: Sequence[JobRow], plan: Mapping[str, Any], clock: Callable[[], datetime]
) -> Iterator[Job]:
    for row in rows:
        store.dispatched(row.id, stamp(clock()))
        yield Job(row.id, plan[row.spec], row.attempt + 1)


def _state_of(error: CollectError | None) -> JobState:
    if error is None:
        return JobState.DONE
    if isinstance(error, NotTriedError):
        return JobState.NOT_SCANNED
    match error.failure:
        case Failure.INTERRUPTED:
            return JobState.CANCELLED
        case Failure.OUT_OF_SCOPE:
            return JobState.NOT_SCANNED
        case _:
            return JobState.ERROR


# --- judge and keep ---


def judge(
    store: Store,
    number: int,
    demands: Sequence[Demand],
    catalogue: Catalogue,
    now: datetime,
    *,
    feeds: Feeds | None = None,
) -> Judged:
    """The stored snapshots of a scan, judged by what the feeds say now; nothing is written to the store.

    The findings lie in a temporary file, so that a thousand hosts do not have to fit in memory.
    """
    scan = store.scan(number)
    judgement = Judgement(store, scan, catalogue, demands, now, feeds)
    looked = judgement.look()
    spool = Spool()
    support: list[Finding] = []
    for batch in judgement.batches(looked):
        spool.add(batch)
        support += [one.finding for one in batch.ranked if one.finding.check == estates.SUPPORT_CHECK]
    limits = tuple(dict.fromkeys((*scan.record.limits, *looked.misfits)))
    scan = msgspec.structs.replace(scan, record=msgspec.structs.replace(scan.record, limits=limits))
    estate = estates.with_support(looked.estate, support)
    return Judged(scan, scan_info(store, scan), estate, spool, now, looked.matrix)


def keep(store: Store, judged: Judged, state: ScanState = ScanState.COMPLETE) -> Judged:
    """Stores a judgement, closes its scan, and gives it as the store now has it.

    That may hold more than was judged: failures that this scan could not test again stay open.
    """
    today = judged.now.astimezone(UTC).date()
    number = judged.scan.number
    finished = judged.scan.finished or stamp(judged.now)
    assert isinstance(judged.ranked, Spool)
    intervals.save(
        store,
        number,
        judged.ranked.batches(),
        assets=judged.estate.assets,
        known=judged.estate.keys,
        past=lambda kept: figures(number, finished, actions(map(slim, kept), judged.estate), today),
    )
    store.set_scan(number, state=state, at=finished, record=judged.scan.record)
    scan = store.scan(number)
    kept = intervals.Kept(store, number)
    return Judged(scan, scan_info(store, scan), judged.estate, kept, judged.now, judged.matrix)


def scan_info(store: Store, scan: ScanRow) -> ScanInfo:
    """The scan as the foot of a page states it."""
    record = scan.record
    return ScanInfo(
        number=scan.number,
        organisation=record.organisation,
        started=scan.started,
        finished=scan.finished,
        state=str(scan.state),
        authorisation=record.authorisation,
        baselines=record.baselines,
        coverage=coverage_of(store.jobs(scan.number)),
        head=scan.head,
        version=record.version,
        limits=record.limits,
    )


def coverage_of(jobs: Sequence[JobRow]) -> Coverage:
    """Planned = done + failed + not scanned, with the reason of each that was not seen."""
    done = sum(1 for j in jobs if j.state is JobState.DONE)
    failed = sum(1 for j in jobs if j.state is JobState.ERROR)
    unreached = tuple(
        Unreached(j.name, j.kind, j.reason or str(j.state)) for j in jobs if j.state is not JobState.DONE
    )
    return Coverage(len(jobs), done, failed, len(jobs) - done - failed, unreached)


# --- read again ---


def findings_of(store: Store, number: int | None) -> tuple[ScanRow, Findings]:
    """A judged scan (default: the newest judged one) and its findings as they stood, worst first.

    Raises:
        UsageError: that scan was collected and not judged.
    """
    judged = intervals.outcomes_of(store)
    if number is None and judged:
        number = max(judged)
    scan = store.scan(number)
    if scan.number not in judged:
        # `assess` keeps nothing of a scan that did not come to its end.
        next_step = (
            f"run `bartizan assess {scan.number}`"
            if scan.state is ScanState.COLLECTED
            else "if nothing works on it any more, `bartizan scan --resume` goes on with the newest scan"
        )
        raise UsageError(f"scan {scan.number} is {scan.state} and not judged; {next_step}")
    return scan, intervals.Kept(store, scan.number)


def stored(store: Store, number: int | None, catalogue: Catalogue) -> Judged:
    """A judged scan as it stands in the store, with its estate made anew from its snapshots."""
    scan, ranked = findings_of(store, number)
    looked = Judgement(store, scan, catalogue, (), utc_now()).look()
    answered = intervals.Kept(store, scan.number).of(tuple(Outcome), estates.SUPPORT_CHECK)
    estate = estates.with_support(looked.estate, (one.finding for one in answered))
    finished = datetime.fromisoformat(scan.finished) if scan.finished else utc_now()
    return Judged(scan, scan_info(store, scan), estate, ranked, finished, looked.matrix)


def write_report(
    store: Store, judged: Judged, out: Path, *, kind: str = "all", budget_hours: float | None = None
) -> list[Path]:
    """Writes the pages into that folder, each whole or not at all; the paths, the index first."""
    from reports.report import pages

    hours = budget_hours or judged.scan.record.budget_hours
    made = pages(
        judged.info,
        judged.ranked,
        judged.estate,
        intervals.history(store, judged.scan.number),
        budget_hours=hours,
        today=judged.now.astimezone(UTC).date(),
        matrix=judged.matrix,
    )
    chosen = {n: html for n, html in made.items() if kind == "all" or n == f"{kind}.html"}
    folder_for_report(out)
    try:
        return [write_atomically(out / name, html) for name, html in chosen.items()]
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}; name another folder with --out") from None


def folder_for_report(out: Path) -> None:
    """Makes the folder where it is missing.

    Raises:
        UsageError: no file can be written there.
    """
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}; name another folder with --out") from None
