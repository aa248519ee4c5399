"""The same script on this machine: the same limits, and nothing left running."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.local import run_local
from scanner.transport.result import ScriptResult

pytestmark = pytest.mark.real


def run(script: str, limit: int = 100_000, seconds: float = 10) -> ScriptResult:
    return run_local(script, limit_bytes=limit, context=Context(), total_seconds=seconds)


def refused(script: str, limit: int = 100_000, seconds: float = 10) -> CollectError:
    with pytest.raises(CollectError) as caught:
        run(script, limit, seconds)
    return caught.value


def test_a_script_gives_both_outputs_and_its_status() -> None:
    result = run("echo out; echo err >&2; exit 3")
    assert (result.stdout, result.stderr, result.exit_status) == (b"out\n", b"err\n", 3)
    assert (result.host_key_fingerprint, result.remote_address) == ("", "")


def test_a_long_script_and_much_error_output_do_not_stall() -> None:
    result = run("#" + "x" * 500_000 + "\nhead -c 3000000 /dev/zero >&2; echo done")
    assert result.stdout == b"done\n"
    assert len(result.stderr) == 65_536


def test_endless_output_is_cut_and_is_an_error() -> None:
    assert refused("yes").failure is Failure.TOO_LARGE


@pytest.mark.parametrize("script", ["sleep 60", "while :; do echo x; sleep 0.05; done"])
def test_a_script_without_an_end_is_ended(script: str) -> None:
    started = time.monotonic()
    assert refused(script, seconds=0.6).failure is Failure.TIMEOUT
    assert time.monotonic() - started < 3


def test_what_the_script_started_ends_with_it(tmp_path: Path) -> None:
    refused(f"sleep 60 & echo $! >{tmp_path}/pid; wait", seconds=0.6)
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 2
    while _alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(pid)


def test_stopping_on_request_stops_the_script() -> None:
    context = Context()
    threading.Timer(0.3, context.cancelled.set).start()
    with pytest.raises(CollectError) as caught:
        run_local("sleep 60", limit_bytes=1000, context=context)
    assert caught.value.failure is Failure.INTERRUPTED


def test_a_shell_ended_by_a_signal_gives_nothing() -> None:
    assert refused("echo half; kill -9 $$").failure is Failure.TRUNCATED


def test_the_environment_holds_no_secrets_of_the_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-in-the-environment")
    assert b"canary" not in run("env").stdout


def test_a_missing_shell_is_a_missing_tool() -> None:
    with pytest.raises(CollectError) as caught:
        run_local("true", limit_bytes=10, context=Context(), shell="/nonexistent/sh")
    assert caught.value.failure is Failure.TOOL_MISSING


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    # A zombie has ended; only its parent has not asked yet.
    return state != "Z" and os.path.exists(f"/proc/{pid}")
