"""Findings as intervals: nothing is closed by a scan that did not look."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from checks.fix import Disruption, Effort, FixText
from checks.model import (
    Confidence,
    Exploit,
    Finding,
    Impact,
    Kind,
    Outcome,
    Points,
    Severity,
    Surface,
    Target,
)
from reports.model import Past, Ranked, Status
from scanner.store import findings as intervals
from scanner.store.record import ScanRecord, ScanState
from scanner.store.store import Store

TODAY = "2026-11-20"


def finding(name: str, outcome: Outcome = Outcome.FAIL, *, asset: str = "a", saw: str = "yes") -> Finding:
    return Finding(
        id=f"{asset}-{name}",
        check=f"host.ssh.{name.partition('/')[0]}",
        title="A good state",
        target=asset,
        kind=Kind.HOST,
        asset=asset,
        on=name,
        region="",
        outcome=outcome,
        severity=Severity.HIGH,
        saw=saw,
        want="no",
        reason="",
        needs="",
        evidence=(),
        fix=FixText("Do it", "Do it", "true", "", Effort(1, 0.1), Disruption.NONE),
        fix_key=name,
        controls={},
        baseline="b",
        profile="p",
        impact=Impact.SERIOUS,
        exploit=Exploit.HARDENING,
        surface=Surface.LOCAL,
        weakness=None,
        confidence=Confidence.CONFIRMED,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "b.db"))


def judge(store: Store, *found: Finding, today: str = TODAY, spec: str = "local", baseline: str = "b") -> int:
    record = ScanRecord("", "", (), {}, "", "", (baseline,), "0")
    at = datetime(2026, 11, 20, tzinfo=UTC).isoformat()
    number = store.start_scan(record, at, [Target(Kind.HOST, "a", spec)])
    return rejudge(store, number, *found, today=today)


def rejudge(store: Store, number: int, *found: Finding, today: str = TODAY) -> int:
    lived = intervals.lives(store, found, number, today)
    ranked = [
        Ranked(f, f.asset, lived[f.id].first_seen if f.id in lived else today, Status.OPEN) for f in found
    ]
    assets = dict.fromkeys(f.asset for f in found)
    intervals.save(
        store,
        number,
        [intervals.Batch(tuple(r for r in ranked if r.finding.asset == a), lived) for a in assets],
        assets=(),
        known={"machine-id:a": "a"},
        past=lambda kept: Past(number, today, float(len(list(kept))), 0, 0),
    )
    store.set_scan(number, state=ScanState.COMPLETE, at=today)
    return number


def seen(store: Store, number: int) -> dict[str, tuple[Outcome, Status]]:
    return {r.finding.id: (r.finding.outcome, r.status) for r in intervals.load(store, number)}


def rows(store: Store) -> int:
    with sqlite3.connect(str(store.engine.url.database)) as raw:
        [count] = raw.execute("select count(*) from findings").fetchone()
    return int(count)


def test_a_failure_is_new_then_open_and_takes_one_row(store: Store) -> None:
    first = judge(store, finding("x"))
    second = judge(store, finding("x"), today="2026-11-27")
    assert seen(store, first) == {"a-x": (Outcome.FAIL, Status.NEW)}
    assert seen(store, second) == {"a-x": (Outcome.FAIL, Status.OPEN)}
    assert rows(store) == 1
    assert next(iter(intervals.load(store, second))).first_seen == TODAY


def test_a_repaired_finding_passes_and_the_old_scan_still_shows_the_failure(store: Store) -> None:
    first = judge(store, finding("x"))
    second = judge(store, finding("x", Outcome.PASS, saw="no"))
    assert seen(store, first)["a-x"][0] is Outcome.FAIL
    assert seen(store, second)["a-x"][0] is Outcome.PASS


def test_what_fails_again_after_a_repair_is_back_with_a_new_date(store: Store) -> None:
    judge(store, finding("x"))
    judge(store, finding("x", Outcome.PASS))
    third = judge(store, finding("x"), today="2026-12-20")
    [one] = intervals.load(store, third)
    assert (one.status, one.first_seen) == (Status.BACK, "2026-12-20")


def test_a_scan_that_did_not_look_at_the_asset_closes_nothing(store: Store) -> None:
    judge(store, finding("x"))
    second = judge(store, finding("y", asset="b"))
    third = judge(store, finding("x"))
    assert seen(store, second) == {"b-y": (Outcome.FAIL, Status.NEW)}
    assert seen(store, third) == {"a-x": (Outcome.FAIL, Status.OPEN)}


def test_a_scan_without_the_check_closes_nothing(store: Store) -> None:
    judge(store, finding("x"), finding("y"))
    second = judge(store, finding("y"))
    third = judge(store, finding("x"), finding("y"))
    assert set(seen(store, second)) == {"a-y"}
    assert seen(store, third)["a-x"] == (Outcome.FAIL, Status.OPEN)


def test_a_failure_that_could_not_be_tested_again_stays_open_and_says_so(store: Store) -> None:
    judge(store, finding("x/one"))
    blind = msgspec.structs.replace(finding("x/", Outcome.UNKNOWN), on="")
    second = judge(store, blind)
    assert seen(store, second)["a-x/one"] == (Outcome.FAIL, Status.NOT_RETESTED)
    third = judge(store, finding("x/two", Outcome.PASS))
    assert "a-x/one" not in seen(store, third)


def test_a_failure_whose_own_object_could_not_be_read_again_stays_open_since_its_first_day(
    store: Store,
) -> None:
    judge(store, finding("x"))
    second = judge(store, finding("x", Outcome.UNKNOWN, saw=""), today="2026-11-27")
    third = judge(store, finding("x"), today="2026-12-04")
    assert seen(store, second) == {"a-x": (Outcome.FAIL, Status.NOT_RETESTED)}
    [one] = intervals.load(store, third)
    assert (one.status, one.first_seen) == (Status.OPEN, TODAY)


def test_failures_that_stay_open_untested_are_in_the_sums_of_their_scan(store: Store) -> None:
    judge(store, finding("x/one"))
    second = judge(store, finding("x/", Outcome.UNKNOWN))
    third = judge(store, finding("x/", Outcome.UNKNOWN))
    assert intervals.outcomes_of(store)[second] == {"fail": 1, "unknown": 1}
    assert [p.points for p in intervals.history(store, third)] == [1.0, 1.0]


def test_a_scan_that_is_judged_after_newer_ones_takes_nothing_from_them(store: Store) -> None:
    record = ScanRecord("", "", (), {}, "", "", ("b",), "0")
    early = judge(store, finding("x"), finding("z"))
    late = store.start_scan(record, TODAY, [Target(Kind.HOST, "a", "local")])
    newer = judge(store, finding("x"), finding("y", saw="maybe"), finding("z"))
    before = seen(store, newer)
    rejudge(store, late, finding("x", Outcome.PASS), finding("y"), finding("z"))
    assert seen(store, late) == {
        "a-x": (Outcome.PASS, Status.OPEN),
        "a-y": (Outcome.FAIL, Status.NEW),
        "a-z": (Outcome.FAIL, Status.OPEN),
    }
    assert seen(store, newer) == before
    assert set(seen(store, early)) == {"a-x", "a-z"}
    last = judge(store, finding("x"), finding("y", saw="maybe"), finding("z"))
    assert {status for _, status in seen(store, last).values()} == {Status.OPEN}


def test_a_first_scan_that_is_judged_after_the_second_is_not_empty(store: Store) -> None:
    record = ScanRecord("", "", (), {}, "", "", ("b",), "0")
    first = store.start_scan(record, TODAY, [Target(Kind.HOST, "a", "local")])
    second = judge(store, finding("x"))
    rejudge(store, first, finding("x"))
    assert set(seen(store, first)) == set(seen(store, second)) == {"a-x"}


def test_a_scan_can_be_judged_again(store: Store) -> None:
    judge(store, finding("x"))
    second = judge(store, finding("x", Outcome.PASS))
    rejudge(store, second, finding("x"))
    assert seen(store, second) == {"a-x": (Outcome.FAIL, Status.OPEN)}
    assert [p.number for p in intervals.history(store, second)] == [1]


def test_a_change_of_what_was_seen_keeps_the_first_date(store: Store) -> None:
    judge(store, finding("x", saw="yes"))
    second = judge(store, finding("x", saw="prohibit-password"), today="2026-11-27")
    [one] = intervals.load(store, second)
    assert (one.finding.saw, one.first_seen, one.status) == ("prohibit-password", TODAY, Status.OPEN)
    assert rows(store) == 2


def test_only_scans_of_the_same_targets_by_the_same_baselines_are_compared(store: Store) -> None:
    judge(store, finding("x"))
    judge(store, finding("x"), spec="ssh://root@b:22")
    judge(store, finding("x"), baseline="another")
    judge(store, finding("x"))
    last = judge(store, finding("x"))
    assert [p.number for p in intervals.history(store, last)] == [1, 4]
    assert [p.number for p in intervals.history(store, last, 1)] == [4]


def test_identities_are_remembered(store: Store) -> None:
    judge(store, finding("x"))
    assert intervals.known_identities(store) == {"machine-id:a": "a"}


def flawed(day: str, *, epss: float = 0.05, kev: str = "", outcome: Outcome = Outcome.FAIL) -> Finding:
    point = Points(
        "CVE-2024-1", Impact.SERIOUS, Exploit.AUTOMATABLE, True, kev=kev, epss=epss, said=f"EPSS {epss}"
    )
    feeds = (f"EPSS {day}", f"debian-tracker {day}")
    return msgspec.structs.replace(
        finding("flaws", outcome), cves=("CVE-2024-1",), points=(point,), feeds=feeds
    )


def kept(store: Store, number: int) -> Finding:
    [one] = intervals.load(store, number)
    return one.finding


def test_a_newer_feed_that_says_the_same_opens_no_interval_and_its_day_is_told(store: Store) -> None:
    first = judge(store, flawed("2026-11-20"))
    second = judge(store, flawed("2026-11-21", epss=0.0503))
    assert rows(store) == 1
    assert kept(store, first).feeds == ("EPSS 2026-11-20", "debian-tracker 2026-11-20")
    assert kept(store, second).feeds == ("EPSS 2026-11-21", "debian-tracker 2026-11-21")
    assert wordings(store) == 1


def test_a_feed_that_says_something_new_opens_an_interval(store: Store) -> None:
    judge(store, flawed("2026-11-20"))
    judge(store, flawed("2026-11-21", epss=0.6))
    assert rows(store) == 2
    judge(store, flawed("2026-11-22", epss=0.6, kev="2026-11-22"))
    assert rows(store) == 3


def test_what_could_not_be_tested_again_keeps_the_day_of_its_feed(store: Store) -> None:
    judge(store, flawed("2026-11-20"))
    unsure = msgspec.structs.replace(flawed("2026-11-21", outcome=Outcome.UNKNOWN), points=())
    number = judge(store, unsure)
    assert kept(store, number).feeds == ("EPSS 2026-11-20", "debian-tracker 2026-11-20")


def wordings(store: Store) -> int:
    with sqlite3.connect(str(store.engine.url.database)) as raw:
        [count] = raw.execute("select count(*) from wordings").fetchone()
    return int(count)
