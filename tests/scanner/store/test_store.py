"""The store: who may open it, what it refuses, and a chain that shows what was changed."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import zlib
from pathlib import Path
from subprocess import PIPE

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from checks.facts.host.system import OperatingSystem
from checks.facts.snapshot import Gap, Snapshot
from checks.model import Kind, Target
from scanner.store import tables
from scanner.store.opening import StoreError
from scanner.store.record import JobState, ScanRecord, ScanState
from scanner.store.store import GENESIS, Store

AT = "2026-11-20T10:00:00Z"
TYPES = {"OperatingSystem": OperatingSystem}


def record() -> ScanRecord:
    return ScanRecord(
        organisation="Example Ltd",
        authorisation="this machine",
        words=("local",),
        options={},
        scope_file="",
        scope_text="",
        baselines=("linux-server:level-1",),
        version="0.1.0",
    )


def target(name: str = "web-1") -> Target:
    return Target(Kind.HOST, name, f"ssh://root@{name}:22")


def snapshot(name: str = "web-1", kernel: str = "6.1.0") -> Snapshot:
    system = OperatingSystem("debian", "12", "Debian 12", (), kernel, "x86_64", name)
    return Snapshot(
        target(name),
        AT,
        (f"machine-id:{name}",),
        facts={"OperatingSystem": system},
        gaps=(Gap("Sshd", "needs root", needs="sudo sshd -T"),),
    )


def one_scan(store: Store, *snapshots: Snapshot) -> int:
    number = store.start_scan(record(), AT, [s.target for s in snapshots])
    for job, one in zip(store.jobs(number), snapshots, strict=True):
        store.dispatched(job.id, AT)
        store.finish_job(number, job.id, JobState.DONE, AT, snapshots=[one])
    store.set_scan(number, state=ScanState.COMPLETE, at=AT)
    return number


def test_a_new_store_is_private_and_has_the_tables_of_the_code(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "b.db"
    store = Store.open(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "b.db"))
    number = one_scan(store, snapshot("a"), snapshot("b"))
    assert list(store.snapshots(number, TYPES)) == [snapshot("a"), snapshot("b")]
    assert [j.state for j in store.jobs(number)] == [JobState.DONE, JobState.DONE]
    assert store.scan().record == record()
    assert store.scan(number).state is ScanState.COMPLETE


def test_equal_snapshots_are_kept_once_and_chained_twice(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "b.db"))
    one_scan(store, snapshot())
    first = store.scan().head
    one_scan(store, snapshot())
    assert store.verify_chain() == (2, store.scan().head)
    assert store.scan().head not in (first, GENESIS)
    with sqlite3.connect(tmp_path / "b.db") as raw:
        assert raw.execute("select count(*) from artefacts").fetchone() == (1,)


def test_a_changed_snapshot_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    store = Store.open(str(path))
    number = one_scan(store, snapshot("a"), snapshot("b"))
    with sqlite3.connect(path) as raw:
        [(digest, data)] = raw.execute("select digest, data from artefacts limit 1").fetchall()
        forged = zlib.compress(zlib.decompress(data).replace(b"6.1.0", b"6.9.9"))
        raw.execute("update artefacts set data = ? where digest = ?", (forged, digest))
    with pytest.raises(StoreError, match="was changed after it was stored"):
        list(store.snapshots(number, TYPES))
    with pytest.raises(StoreError, match="chain breaks at link"):
        store.verify_chain()


def test_a_removed_link_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    store = Store.open(str(path))
    one_scan(store, snapshot("a"), snapshot("b"), snapshot("c"))
    with sqlite3.connect(path) as raw:
        raw.execute("delete from chain where id = 2")
    with pytest.raises(StoreError, match="chain breaks at link 2"):
        store.verify_chain()


def test_what_never_ran_is_cancelled_and_can_go_on(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "b.db"))
    number = store.start_scan(record(), AT, [target("a"), target("b")])
    first, _ = store.jobs(number)
    store.dispatched(first.id, AT)
    store.finish_job(number, first.id, JobState.DONE, AT, snapshots=[snapshot("a")])
    store.cancel_open_jobs(number, AT, "stopped on request")
    assert [j.state for j in store.jobs(number)] == [JobState.DONE, JobState.CANCELLED]
    store.reopen_jobs(number)
    assert [(j.state, j.attempt) for j in store.jobs(number)] == [(JobState.DONE, 1), (JobState.PLANNED, 0)]


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    Store.open(str(path))
    with sqlite3.connect(path) as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer Bartizan"):
        Store.open(str(path))
    assert path.read_bytes() == before


def test_an_older_schema_is_backed_up_before_it_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    Store.open(str(path))
    with sqlite3.connect(path) as raw:
        raw.execute("update alembic_version set version_num = '0000'")
    with pytest.raises(StoreError, match="0000"):
        Store.open(str(path))
    copy = tmp_path / "b.db.before-0000.bak"
    assert copy.stat().st_mode & 0o077 == 0
    with sqlite3.connect(copy) as raw:
        assert raw.execute("select version_num from alembic_version").fetchone() == ("0000",)


def test_processes_that_open_a_new_store_at_once_all_get_it(tmp_path: Path) -> None:
    code = "import sys; from scanner.store.store import Store; print(len(Store.open(sys.argv[1]).scans()))"
    for attempt in range(3):
        path = str(tmp_path / f"{attempt}.db")
        started = [
            subprocess.Popen((sys.executable, "-c", code, path), stdout=PIPE, stderr=PIPE) for _ in range(4)
        ]
        for process in started:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, out) == (0, b"0\n"), err


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    path.write_bytes(b"this is a letter to the bank, and no database at all" * 100)
    with pytest.raises(StoreError, match="damaged"):
        Store.open(str(path))


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    with sqlite3.connect(path) as raw:
        raw.execute("create table scans (x)")
    with pytest.raises(StoreError, match="other tables"):
        Store.open(str(path))


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(StoreError, match="no password in the URL") as error:
        Store.open("postgresql+psycopg://scan:hunter2@db/bartizan")
    assert "hunter2" not in str(error.value)


def test_a_password_among_the_options_of_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(StoreError) as error:
        Store.open("postgresql://h/x?password=sesame")
    assert "no password in the URL" in str(error.value)
    assert "sesame" not in str(error.value)


def test_a_store_that_is_not_there_says_how_to_make_a_scan(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="bartizan scan"):
        Store.open(str(tmp_path / "b.db")).scan()
