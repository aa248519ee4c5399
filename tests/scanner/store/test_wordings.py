"""What findings share is kept once, and nothing is lost by it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from checks.fix import Disruption, Effort, FixText
from checks.model import (
    Confidence,
    Evidence,
    Exploit,
    Finding,
    Impact,
    Kind,
    Outcome,
    Severity,
    Surface,
    Target,
    Weakness,
)
from reports.model import Band, Clock, Factor, Past, Ranked, Score, Status
from scanner.store import findings as intervals
from scanner.store.migrations.run import upgrade
from scanner.store.record import ScanRecord
from scanner.store.store import Store

AT = "2026-11-20T10:00:00Z"


def ranked(asset: str, name: str = "x", score: float = 50.0) -> Ranked:
    finding = Finding(
        id=f"{asset}-{name}",
        check="host.ssh.x",
        title="A good state",
        target=asset,
        kind=Kind.HOST,
        asset=asset,
        on=name,
        region="eu-west-1",
        outcome=Outcome.FAIL,
        severity=Severity.HIGH,
        saw="yes",
        want="no",
        reason="",
        needs="",
        evidence=(Evidence("sshd -T", AT, "0" * 64, f"of {asset}"),),
        fix=FixText("Do it", "Do it well", "true", "", Effort(1, 0.1), Disruption.NONE),
        fix_key="ssh",
        controls={"cis": ("1.1",), "iso": ("A.8",)},
        baseline="b",
        profile="p",
        impact=Impact.SERIOUS,
        exploit=Exploit.HARDENING,
        surface=Surface.LOCAL,
        weakness=Weakness.ADMIN_PORT_NO_PASSWORD,
        confidence=Confidence.LIKELY,
        port="tcp/22",
        why="Because.",
    )
    factors = (Factor("T", 0.8, "serious", "says the check", -0.1),)
    return Ranked(
        finding,
        f"host {asset}",
        "2026-11-20",
        Status.NEW,
        Score(score, Band.MEDIUM, factors, "PR-1.0", "none"),
        Clock(0, False, False, False, True, 14, False, "because"),
        "2026-12-04",
        "R 50 medium",
    )


def save(store: Store, *found: Ranked) -> int:
    record = ScanRecord("", "", (), {}, "", "", ("b",), "0")
    number = store.start_scan(record, AT, [Target(Kind.HOST, "a", "ssh://a")])
    batches = [intervals.Batch((one,), {}) for one in found]
    intervals.save(store, number, batches, assets=(), known={}, past=lambda k: Past(1, "", len([*k]), 0, 0))
    return number


def test_a_finding_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "b.db"))
    whole, plain = ranked("a"), ranked("b")
    plain = Ranked(msgspec.structs.replace(plain.finding, outcome=Outcome.PASS), "b", AT[:10], Status.OPEN)
    number = save(store, whole, plain)
    assert list(intervals.load(store, number)) == [whole, plain]


def test_what_a_thousand_findings_share_stands_once_and_is_one_object(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "b.db"))
    number = save(store, *(ranked(f"host-{i:04}") for i in range(1_000)))
    found = list(intervals.load(store, number))
    assert len({one.finding.evidence for one in found}) == len(found) == 1_000
    assert len({id(one.finding.fix) for one in found}) == 1
    assert len({id(one.score) for one in found}) == 1
    with sqlite3.connect(tmp_path / "b.db") as raw:
        assert raw.execute("select count(*) from wordings").fetchone() == (2,)
        [(size,)] = raw.execute("select max(length(payload)) from findings").fetchall()
    assert size < 500


def test_a_store_of_the_first_schema_keeps_its_findings(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    store = Store.open(str(path))
    whole = ranked("a")
    number = save(store, whole)
    with sqlite3.connect(path) as raw:
        # As the first release wrote it: all in the payload, and neither table nor columns beside it.
        raw.execute(
            "update findings set payload = ?, wording = null, reckoning = null",
            (msgspec.json.encode(whole),),
        )
        raw.executescript(
            "pragma foreign_keys = off; create table old as select * from findings;"
            "drop table findings; drop table wordings; alter table looks drop column feeds;"
        )
    store.engine.dispose()
    with sqlite3.connect(path) as raw:
        _first_findings(raw)
        raw.execute("update alembic_version set version_num = '0001'")
    again = Store.open(str(path))
    assert list(intervals.load(again, number)) == [whole]
    assert (tmp_path / "b.db.before-0001.bak").exists()


def _first_findings(raw: sqlite3.Connection) -> None:
    """The table of findings as the first migration makes it, with what the newer one held."""
    folder = Path(str(raw.execute("pragma database_list").fetchone()[2])).parent
    first = Store.__new__(Store)
    from sqlalchemy import create_engine

    first.engine = create_engine(f"sqlite:///{folder / 'first.db'}")
    upgrade(first.engine, "0001")
    with sqlite3.connect(folder / "first.db") as other:
        statements = [
            row[0]
            for row in other.execute("select sql from sqlite_master where tbl_name = 'findings' and sql > ''")
        ]
    for statement in statements:
        raw.execute(statement)
    columns = ", ".join(row[1] for row in raw.execute("pragma table_info(findings)"))
    raw.execute(f"insert into findings ({columns}) select {columns} from old")
    raw.execute("drop table old")
