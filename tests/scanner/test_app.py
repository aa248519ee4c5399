"""Judging later, going on after a stop, and names of baselines that last."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.catalogue import load
from checks.model import Kind, Outcome, Target
from scanner import app
from scanner.cli.start import run
from scanner.collect.collector import CollectError, Failure
from scanner.demands import lasting_name, resolve_baselines, split_name, split_zones, zoned_name
from scanner.dispatch.jobs import Job, Result
from scanner.dispatch.local import LocalDispatcher
from scanner.prepare import again
from scanner.store.record import JobState, ScanRecord, ScanState
from scanner.store.store import Store

HERE = Target(Kind.HOST, "local", "local")
GONE = Target(Kind.HOST, "gone", "ssh://root@192.0.2.9:22")
RECORD = ScanRecord("", "", ("local",), {}, "", "", ("linux-server",), "0")


class Silent:
    """A listener that says nothing."""

    def begin(self, totals: Mapping[Kind, int]) -> None:
        """Nothing."""

    def progress(self, job: Job, done: int, total: int) -> None:
        """Nothing."""

    def end(self, result: Result) -> None:
        """Nothing."""


def test_a_target_that_left_the_scope_is_not_scanned_when_a_scan_goes_on(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "b.db"))
    number = store.start_scan(RECORD, "2026-11-20T10:00:00Z", [HERE, GONE])
    seen: list[str] = []

    def work(job: Job) -> Result:
        seen.append(job.target.spec)
        return Result(job, error=CollectError(Failure.UNREACHABLE, "nothing there"))

    app.collect(
        store,
        number,
        LocalDispatcher(1),
        work,
        plan={"local": HERE},
        wanted=lambda _: frozenset(),
        listener=Silent(),
        cancelled=threading.Event(),
    )
    assert seen == ["local"]
    [_, gone] = store.jobs(number)
    assert gone.state is JobState.NOT_SCANNED
    assert "does not hold it any more" in gone.reason


def test_judging_later_moves_no_first_day(tmp_path: Path) -> None:
    """A snapshot of November, judged in the year after, was still first seen in November."""
    store = Store.open(str(tmp_path / "b.db"))
    where = ["collect", "local", "--store", str(tmp_path / "b.db")]
    assert run(where) == 0
    catalogue = load()
    demands = resolve_baselines(["linux-server"], catalogue)
    collected = store.scan().finished[:10]
    judged = app.judge(store, 1, demands, catalogue, datetime(2099, 1, 1, tzinfo=UTC))
    failing = [one for one in judged.ranked if one.finding.outcome is Outcome.FAIL]
    assert failing
    assert {one.first_seen for one in failing} == {collected}


@pytest.mark.parametrize(
    ("state", "says"),
    [(ScanState.COLLECTED, "bartizan assess 1"), (ScanState.INTERRUPTED, "bartizan scan --resume")],
)
def test_a_scan_that_is_not_judged_names_the_step_that_helps(
    state: ScanState, says: str, tmp_path: Path
) -> None:
    store = Store.open(str(tmp_path / "b.db"))
    number = store.start_scan(RECORD, "2026-11-20T10:00:00Z", [HERE])
    store.set_scan(number, state=state, at="2026-11-20T10:01:00Z")
    with pytest.raises(app.UsageError, match=says):
        app.findings_of(store, None)


@pytest.mark.parametrize("ways", [{"baselines": ("aws-foundations",)}, {"scope": Path("other.yaml")}])
def test_going_on_takes_no_other_baseline_and_no_other_scope(ways: dict[str, object], tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "b.db"))
    number = store.start_scan(RECORD, "2026-11-20T10:00:00Z", [HERE])
    store.set_scan(number, state=ScanState.INTERRUPTED, at="2026-11-20T10:01:00Z")
    with pytest.raises(app.UsageError, match="--resume"):
        again(store.scan(), {"baselines": (), "scope": None, **ways})


def test_a_baseline_file_is_remembered_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lasting_name("own.yaml:level-1") == f"{tmp_path}/own.yaml:level-1"
    assert lasting_name("linux-server:level-2") == "linux-server:level-2"
    assert split_name("/a:b/own.yaml") == ("/a:b/own.yaml", "")
    assert split_name("/a:b/own.yaml:all") == ("/a:b/own.yaml", "all")


def test_a_baseline_may_be_for_some_zones_only(tmp_path: Path) -> None:
    assert split_zones("network-exposure:office@office,guests") == (
        "network-exposure:office",
        ("office", "guests"),
    )
    assert split_zones("linux-server") == ("linux-server", ())
    assert split_zones("a@b.yaml") == ("a@b.yaml", ())
    assert split_zones("a@b.yaml:level-1@office") == ("a@b.yaml:level-1", ("office",))
    assert zoned_name("x:y", ["a", "b"]) == "x:y@a,b"
    here = Path.cwd()
    assert lasting_name("own.yaml:level-1@office") == f"{here}/own.yaml:level-1@office"
    demands = resolve_baselines(["network-exposure", "network-exposure:office@office"], load())
    assert {d.zones for d in demands} == {frozenset(), frozenset({"office"})}
    plain = {d.check.id for d in demands if not d.zones}
    assert plain < {d.check.id for d in demands if d.zones}
