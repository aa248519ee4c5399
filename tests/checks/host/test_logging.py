"""Logs, judged."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.logging import Journald, LogActivity, LogForward, LogForwards, LogRotation
from checks.facts.host.units import Process, Processes
from checks.host import logging
from checks.model import Confidence, Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

KEPT = Journald(True, {"Storage": "persistent"}, folder=False)
VOLATILE = Journald(True, {"Storage": "volatile"}, folder=True)
NONE = Journald(False, {}, folder=False)


def running(*programs: str) -> Processes:
    return Processes(tuple(Process(name[:15], 0) for name in ("sshd", *programs)))


@pytest.mark.parametrize("check", checks_of(logging))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("processes", "journal", "fails"),
    [
        (running("rsyslogd"), NONE, False),
        (running("syslog-ng"), VOLATILE, False),
        (running("systemd-journald"), KEPT, False),
        (running("systemd-journald"), Journald(True, {}, folder=True), False),
        (running("systemd-journald"), Journald(True, {}, folder=False), True),
        (running("systemd-journald"), VOLATILE, True),
        (running(), KEPT, True),
        (running(), NONE, True),
    ],
)
def test_a_log_daemon(processes: Processes, journal: Journald, fails: bool) -> None:
    assert failing(logging.daemon, processes, journal) == (["log daemon"] if fails else [])


@pytest.mark.parametrize(
    ("processes", "journal", "outcome"),
    [
        (running(), KEPT, Outcome.PASS),
        (running(), Journald(True, {"Storage": "auto"}, folder=True), Outcome.PASS),
        (running(), Journald(True, {"Storage": ""}, folder=False), Outcome.FAIL),
        (running(), VOLATILE, Outcome.FAIL),
        (running("rsyslogd"), VOLATILE, Outcome.PASS),
        (running("rsyslogd"), NONE, Outcome.NOT_APPLICABLE),
    ],
)
def test_the_journal_stays(processes: Processes, journal: Journald, outcome: Outcome) -> None:
    assert outcomes(judged(logging.persistent, processes, journal)) == {"Storage": outcome}


def sent(target: str, *, encrypted: bool = True, program: str = "rsyslogd") -> LogForward:
    return LogForward(program, "/etc/rsyslog.conf", target, "tcp", encrypted)


def test_logs_that_leave_encrypted() -> None:
    found = LogForwards((sent("logs.example"),))
    assert failing(logging.remote, found, running("rsyslogd")) == []
    [idle] = judged(logging.remote, found, running())
    assert (idle.outcome, idle.severity) == (Outcome.FAIL, Severity.MEDIUM)
    assert "rsyslogd does not run" in idle.saw


def test_logs_that_leave_in_clear_are_less_bad_than_none() -> None:
    found = LogForwards((sent("logs.example", encrypted=False),))
    [finding] = judged(logging.remote, found, running("rsyslogd"))
    assert (finding.outcome, finding.severity) == (Outcome.FAIL, Severity.LOW)
    assert finding.on == "rsyslogd to logs.example"
    both = LogForwards((*found.forwards, sent("other.example")))
    assert failing(logging.remote, both, running("rsyslogd")) == ["rsyslogd to logs.example"]


@pytest.mark.parametrize("target", ["127.0.0.1", "127.0.0.1:514", "localhost", "[::1]:514", "::1"])
def test_a_host_is_no_other_host(target: str) -> None:
    assert failing(logging.remote, LogForwards((sent(target),)), running("rsyslogd")) == ["log host"]


def test_an_agent_is_likely_to_send() -> None:
    [finding] = judged(logging.remote, LogForwards(()), running("amazon-cloudwatch-agent"))
    assert (finding.outcome, finding.confidence) == (Outcome.PASS, Confidence.LIKELY)
    upload = LogForwards((sent("logs.example", program="systemd-journal-upload"),))
    assert failing(logging.remote, upload, running()) == []
    assert failing(logging.remote, LogForwards(()), running("rsyslogd")) == ["log host"]


@pytest.mark.parametrize(
    ("found", "fails"),
    [
        (LogRotation(True, True, ("/etc/cron.daily/logrotate",)), False),
        (LogRotation(True, False, ("/etc/cron.daily/logrotate",)), True),
        (LogRotation(True, True, ()), True),
        (LogRotation(False, True, ("/etc/cron.daily/logrotate",)), True),
    ],
)
def test_rotation(found: LogRotation, fails: bool) -> None:
    assert failing(logging.rotation, found) == (["logrotate"] if fails else [])


@pytest.mark.parametrize(
    ("minutes", "fails"), [(0, False), (1440, False), (1500, True), (-10, False), (-1500, True)]
)
def test_logs_are_alive(minutes: int, fails: bool) -> None:
    found = LogActivity("/var/log/syslog", minutes)
    assert failing(logging.recent, found) == (["system logs"] if fails else [])


def test_how_old_a_log_may_be_can_be_set_and_no_log_is_a_failure() -> None:
    assert failing(logging.recent, LogActivity("/var/log/syslog", 1500), hours=48) == []
    assert failing(logging.recent, LogActivity("", 0)) == ["system logs"]


@pytest.mark.real
@pytest.mark.parametrize("before", ["", "[Journal]\nStorage=volatile\n"])
def test_the_journal_is_kept_and_that_is_taken_back(before: str, tmp_path: Path) -> None:
    file = tmp_path / "journald.conf.d" / "zz-hardening.conf"
    if before:
        file.parent.mkdir()
        file.write_text(before)
    [finding] = judged(logging.persistent, running(), VOLATILE)
    snippet = finding.fix.snippets[0]
    swap = ("/etc/systemd", str(tmp_path))
    restart = "systemctl restart systemd-journald"
    for script in (snippet.do, snippet.do, snippet.undo):
        assert restart in script
        run = script.replace(*swap).replace(restart, "true")
        subprocess.run(["sh", "-e", "-c", run], check=True, capture_output=True)
        if script is snippet.do:
            assert file.read_text() == "[Journal]\nStorage=persistent\n"
    assert (file.read_text() if file.exists() else "") == before
