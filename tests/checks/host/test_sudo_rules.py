"""What rules of sudo allow beyond what they seem to, judged on rules as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.sudoers import Sudoers
from checks.facts.snapshot import Absence
from checks.host import sudo_rules
from checks.model import Outcome, Severity
from scanner.collect.host.sudoers import parse
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

FILE = "/etc/sudoers.d/x"
AS_IT_COMES = ("root ALL=(ALL:ALL) ALL", "%sudo ALL=(ALL:ALL) ALL", "@includedir /etc/sudoers.d")


def rules(*lines: str) -> Sudoers:
    text = "\n".join([*(f"/etc/sudoers:{one}" for one in AS_IT_COMES), *(f"{FILE}:{one}" for one in lines)])
    [fact] = parse(text).facts
    assert isinstance(fact, Sudoers)
    return fact


@pytest.mark.parametrize("check", checks_of(sudo_rules))
def test_what_could_not_be_read_is_unknown_and_as_it_comes_passes(check: Check[Any]) -> None:
    says_unknown(check)
    assert failing(check, rules()) == []
    [finding] = judged(check, absences=[Absence("Sudoers", "no sudo")])
    assert finding.outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("line", "who"),
    [
        ("ann ALL=(ALL) ALL", ["ann"]),
        ("ann, bob ALL = ALL", ["ann", "bob"]),
        ("%ops ALL=(root) NOPASSWD: ALL", ["%ops"]),
        ("ann ALL=(postgres) ALL", []),
        ("ann ALL=(root) /usr/bin/id", []),
        ("User_Alias A = ann, !bob\nA ALL=(ALL) ALL", ["ann"]),
        ("Cmnd_Alias EVERY = ALL\nann ALL=(ALL) EVERY", ["ann"]),
    ],
)
def test_who_may_run_everything(line: str, who: list[str]) -> None:
    assert sorted(failing(sudo_rules.everything, rules(*line.split("\n")))) == who


def test_everybody_is_worst_but_for_the_password_of_root() -> None:
    [everybody] = judged(sudo_rules.everything, rules("ALL ALL=(ALL) ALL"))
    [asked] = judged(sudo_rules.everything, rules("Defaults targetpw", "ALL ALL=(ALL) ALL"))
    assert (everybody.severity, asked.severity) == (Severity.CRITICAL, Severity.MEDIUM)


@pytest.mark.parametrize(
    ("command", "bad"),
    [
        ("/usr/bin/vim /etc/hosts", True),
        ("/usr/bin/less /var/log/syslog", True),
        ("/bin/su", True),
        ('/bin/bash ""', True),
        ('/usr/bin/crontab ""', True),
        ('/usr/bin/vim ""', True),
        ('/usr/bin/dash ""', True),
        ("/bin/bash /usr/local/sbin/job.sh", False),
        ("/bin/bash /usr/local/sbin/job.sh *", True),
        ("/bin/bash -x /usr/local/sbin/job.sh", True),
        ("sudoedit", True),
        ("/usr/bin/find", True),
        ("/usr/bin/find / -name x -print", False),
        ("/usr/bin/find /srv *", True),
        ('/usr/bin/find ""', False),
        ("/usr/bin/python3.11", True),
        ("/usr/bin/python3 /usr/local/sbin/job.py", False),
        ("/usr/bin/tar czf /backup/a.tgz /srv", False),
        ("/usr/bin/", True),
        ("sudoedit /etc/hosts", False),
        ("/usr/bin/systemctl restart app", False),
        ("/usr/bin/id", False),
        ("!/usr/bin/vim", False),
    ],
)
def test_programs_that_open_a_shell(command: str, bad: bool) -> None:
    found = failing(sudo_rules.shell_escape, rules(f"ann ALL=(root) {command}"))
    assert found == ([f"ann in {FILE}"] if bad else [])


def test_a_shell_of_another_user_is_not_root_and_an_alias_hides_nothing() -> None:
    assert failing(sudo_rules.shell_escape, rules("ann ALL=(www-data) /usr/bin/vim")) == []
    hidden = rules("Cmnd_Alias EDIT = /usr/bin/id, TOOLS : TOOLS = /usr/bin/vim", "ann ALL=(root) EDIT")
    assert failing(sudo_rules.shell_escape, hidden) == [f"ann in {FILE}"]


@pytest.mark.parametrize(
    ("command", "bad"),
    [
        ("/usr/bin/cat /var/log/*", True),
        ("/usr/local/bin/*", True),
        ("/usr/bin/tail /var/log/app-?.log", True),
        (r"/usr/bin/cat /srv/a\*b", False),
        ("/usr/bin/stat -c %a *", False),
        ("/usr/bin/*/stat", True),
        ("/usr/bin/cat /var/log/syslog", False),
        ("sudoedit /etc/nginx/*", True),
        ("sudoedit /etc/hosts", False),
    ],
)
def test_wildcards(command: str, bad: bool) -> None:
    found = failing(sudo_rules.wildcards, rules(f"ann ALL=(root) {command}"))
    assert found == ([f"ann in {FILE}"] if bad else [])


@pytest.mark.parametrize(
    ("grants", "bad"),
    [
        ("(ALL) ALL, !/bin/su", True),
        ("(ALL, !root) /bin/id", True),
        ("(root) /bin/systemctl restart *, !/bin/systemctl restart sshd", False),
        ("(root) /bin/id", False),
    ],
)
def test_all_but_something(grants: str, bad: bool) -> None:
    assert bool(failing(sudo_rules.exclusions, rules(f"ann ALL={grants}"))) is bad


@pytest.mark.parametrize(
    ("path", "bad"), [("/home/ann/run.sh", True), ("/tmp/x", True), ("/opt/x/run", False)]
)
def test_where_programs_lie(path: str, bad: bool) -> None:
    assert bool(failing(sudo_rules.open_places, rules(f"ann ALL=(root) NOPASSWD: {path}"))) is bad


@pytest.mark.parametrize(
    ("grants", "bad"),
    [
        ("(root) SETENV: /usr/local/sbin/job", True),
        ("(root) SETENV: NOSETENV: /usr/local/sbin/job", False),
        ("(root) NOPASSWD: SETENV: ALL", False),
        ("(root) /usr/local/sbin/job", False),
    ],
)
def test_who_sets_the_environment(grants: str, bad: bool) -> None:
    assert bool(failing(sudo_rules.set_environment, rules(f"ann ALL={grants}"))) is bad
