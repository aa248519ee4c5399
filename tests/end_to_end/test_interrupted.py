"""Ctrl-C: what was collected is kept, the scan is marked, and it can go on."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scanner.store.store import Store
from tests.lab.ssh import new_key, raw_server

pytestmark = pytest.mark.real

BARTIZAN = Path(sys.executable).with_name("bartizan")


def silent(connection: socket.socket) -> None:
    """Accepts, and says nothing for longer than a test waits."""
    with connection:
        connection.settimeout(60)
        while connection.recv(4096):
            pass


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BARTIZAN), *words, "--store", str(folder / "b.db")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def interrupt_when(process: subprocess.Popen[str], path: Path, done: int) -> None:
    """Sends Ctrl-C once that many targets are in the store."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if path.exists() and process.poll() is None:
            store = Store.open(str(path))
            rows = store.jobs(1) if store.scans() else []
            if sum(row.state == "done" for row in rows) >= done:
                process.send_signal(signal.SIGINT)
                return
        time.sleep(0.1)
    raise AssertionError("the scan never got that far")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "id")


def test_a_scan_that_was_stopped_keeps_what_it_saw_and_goes_on(tmp_path: Path, key: Path) -> None:
    known = tmp_path / "known_hosts"
    known.touch()
    with raw_server(silent) as port:
        words = ("scan", "local", f"root@127.0.0.1:{port}", "--i-am-authorized", "--ssh-key", str(key))
        ways = ("--known-hosts", str(known), "--out", str(tmp_path / "report"), "--workers", "2")
        process = subprocess.Popen(
            [str(BARTIZAN), *words, *ways, "--store", str(tmp_path / "b.db")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            interrupt_when(process, tmp_path / "b.db", 1)
            out, err = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)
        assert process.returncode == 130, err
        assert "--resume" in err
        assert "Scan 1: 1 of 2 targets seen" in out
        assert (tmp_path / "report" / "index.html").exists()
        listed = json.loads(run(tmp_path, "scans", "show", "1", "--json").stdout)
        assert listed["state"] == "interrupted"
        assert sorted(t["state"] for t in listed["targets"]) == ["cancelled", "done"]

    # Nobody listens there any more: the target fails, and so the whole scan comes to its end.
    again = run(tmp_path, "scan", "--resume", "--out", str(tmp_path / "report"))
    assert again.returncode == 0, again.stderr
    listed = json.loads(run(tmp_path, "scans", "show", "1", "--json").stdout)
    assert listed["state"] == "complete"
    assert sorted(t["state"] for t in listed["targets"]) == ["done", "error"]
    assert run(tmp_path, "scan", "--resume").returncode == 2


def test_a_scan_that_was_killed_leaves_a_store_that_goes_on(tmp_path: Path, key: Path) -> None:
    with raw_server(silent) as port:
        words = ("collect", "local", f"root@127.0.0.1:{port}", "--i-am-authorized", "--ssh-key", str(key))
        process = subprocess.Popen(
            [str(BARTIZAN), *words, "--known-hosts", "/dev/null", "--store", str(tmp_path / "b.db")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stderr is not None
            assert select.select([process.stderr], [], [], 60)[0]
            end = time.monotonic() + 60
            while time.monotonic() < end and not any(
                row.state == "done" for row in Store.open(str(tmp_path / "b.db")).jobs(1)
            ):
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait(10)
    store = Store.open(str(tmp_path / "b.db"))
    assert store.verify_chain() == (1, store.scan().head)
    again = run(tmp_path, "collect", "--resume")
    assert again.returncode == 0, again.stderr
    assert sorted(row.state for row in Store.open(str(tmp_path / "b.db")).jobs(1)) == ["done", "error"]
