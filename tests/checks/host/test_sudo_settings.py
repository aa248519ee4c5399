"""How sudo is set up, judged on settings as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.packages import Package, Packages
from checks.facts.host.sudoers import Sudoers
from checks.host import sudo_settings
from checks.model import Severity
from scanner.collect.host.sudoers import parse
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

PATH = 'Defaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"'


def settings(*lines: str) -> Sudoers:
    [fact] = parse("\n".join(f"/etc/sudoers:{one}" for one in ("root ALL=(ALL) ALL", *lines))).facts
    assert isinstance(fact, Sudoers)
    return fact


@pytest.mark.parametrize("check", checks_of(sudo_settings))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("name", "bad"), [("sudo", False), ("sudo-ldap", False), ("opendoas", False), ("sudoku", True)]
)
def test_sudo_is_there(name: str, bad: bool) -> None:
    found = Packages("dpkg", (Package(name, "1", "amd64", name, "1"),))
    assert bool(failing(sudo_settings.installed, found)) is bad


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        (("Defaults logfile=/var/log/sudo.log",), None),
        (("Defaults log_output",), None),
        ((), Severity.LOW),
        (("Defaults logfile=/var/log/sudo.log", "Defaults !logfile"), Severity.LOW),
        (("Defaults:ann logfile=/var/log/sudo.log",), Severity.LOW),
        (("Defaults !syslog",), Severity.MEDIUM),
    ],
)
def test_a_log_of_its_own(lines: tuple[str, ...], severity: Severity | None) -> None:
    [finding] = judged(sudo_settings.log_file, settings(*lines))
    assert (None if finding.outcome == "pass" else finding.severity) is severity


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        ((), []),
        (("Defaults timestamp_timeout=15",), []),
        (("Defaults timestamp_timeout=0",), []),
        (("Defaults timestamp_timeout=2.5",), []),
        (("Defaults timestamp_timeout=60",), ["Defaults timestamp_timeout"]),
        (("Defaults timestamp_timeout=-1",), ["Defaults timestamp_timeout"]),
        (("Defaults timestamp_timeout=1h30m",), ["Defaults timestamp_timeout"]),
        (("Defaults timestamp_timeout=900s",), []),
        (("Defaults timestamp_timeout=soon",), ["Defaults timestamp_timeout"]),
        (("Defaults timestamp_timeout=60", "Defaults timestamp_timeout=5"), []),
        (("Defaults:ann timestamp_timeout=60",), ["Defaults:ann timestamp_timeout"]),
    ],
)
def test_how_long_sudo_remembers(lines: tuple[str, ...], bad: list[str]) -> None:
    assert failing(sudo_settings.timeout, settings(*lines)) == bad


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        (("Defaults env_reset",), 0),
        (('Defaults env_keep += "LANG LC_ALL DISPLAY"',), 0),
        (("Defaults !env_reset",), 1),
        (("Defaults !env_reset", "Defaults env_reset"), 0),
        (("Defaults:ann !env_reset", "Defaults env_reset"), 1),
        (("Defaults setenv",), 1),
        (('Defaults env_keep += "LD_PRELOAD"',), 1),
        (('Defaults env_keep += "LANG PYTHONPATH"', 'Defaults env_keep += "BASH_ENV"'), 2),
        (('Defaults env_keep += "LD_PRELOAD"', 'Defaults env_keep -= "LD_PRELOAD"'), 0),
        (('Defaults env_keep = "*"',), 1),
    ],
)
def test_the_environment(lines: tuple[str, ...], bad: int) -> None:
    assert len(failing(sudo_settings.environment, settings(*lines))) == bad


def test_the_fix_takes_back_only_what_does_harm() -> None:
    [bad] = judged(sudo_settings.environment, settings('Defaults env_keep += "LANG LD_PRELOAD"'))
    assert """line='Defaults env_keep -= "LD_PRELOAD"'""" in bad.fix.snippets[0].do


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        ((PATH,), 0),
        ((), 1),
        ((PATH, "Defaults !secure_path"), 1),
        (('Defaults secure_path="/usr/bin:/home/ann/bin"',), 1),
        (("Defaults secure_path=.:/usr/bin",), 1),
        (('Defaults secure_path="/usr/bin:"',), 1),
        ((PATH, "Defaults:ann !secure_path"), 1),
    ],
)
def test_where_sudo_looks_for_programs(lines: tuple[str, ...], bad: int) -> None:
    assert len(failing(sudo_settings.secure_path, settings(*lines))) == bad
