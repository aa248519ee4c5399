"""The audit system, read from answers and from real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest

from checks.facts.host.audit import (
    AuditBoot,
    AuditDaemon,
    AuditRule,
    AuditRuleFiles,
    AuditSettings,
    LoadedAuditRules,
)
from checks.facts.snapshot import Fact, Snapshot
from scanner.collect.collector import Collected
from scanner.collect.host import audit
from scanner.collect.host.audit_rules import rule, setting
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Lab, lab

F = TypeVar("F", bound=Fact)
HEAD = "container\t\ncmdline\taudit=1\taudit_backlog_limit=8192\ninstalled\tauditd\tx86_64\n"
TAIL = "files\t0\nlisted\t0\nstatus\tenabled\t1\nstatus\tlost\t3\n"
KINDS: frozenset[type[Fact]] = frozenset(
    {AuditBoot, AuditDaemon, AuditSettings, AuditRuleFiles, LoadedAuditRules}
)


def one(seen: Collected, kind: type[F]) -> F:
    [found] = [fact for fact in seen.facts if isinstance(fact, kind)]
    return found


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("-w /etc/passwd -p wa -k identity", AuditRule("always", "exit", "/etc/passwd", "wa")),
        ("-w /etc/sudoers.d/", AuditRule("always", "exit", "/etc/sudoers.d", "rwxa")),
        ("-w / -p aw", AuditRule("always", "exit", "/", "wa")),
        (
            "-a always,exit -S all -F path=/etc/passwd -F perm=wa -F key=x",
            AuditRule("always", "exit", "/etc/passwd", "wa"),
        ),
        (
            "-a exit,always -F arch=b64 -S chmod -S fchmod,chmod -F auid>=1000 -F auid!=unset -k p",
            AuditRule(*("always", "exit", "", ""), ("chmod", "fchmod"), "b64", ("auid!=unset", "auid>=1000")),
        ),
        (
            "-a always,exit -F arch=b32 -S execve -C euid!=uid -F auid!=-1",
            AuditRule("always", "exit", "", "", ("execve",), "b32", ("auid!=unset", "euid!=uid")),
        ),
        ("-a task,never", AuditRule("never", "task")),
        ("-A always,exit -Fpath='/a b' -Fperm=x", AuditRule("always", "exit", "/a b", "x")),
    ],
)
def test_equal_rules_are_equal(line: str, read: AuditRule) -> None:
    assert rule(line) == read


def test_other_lines_are_no_rules() -> None:
    assert [rule(line) for line in ("", "# -w /x", "-D", "-b 8192", "-e 2", "--loginuid-immutable")] == [
        None
    ] * 6
    assert setting("-e 2", "-e") == "2"
    assert setting("-e", "-e") == setting("-e 2 3", "-e") == setting("-b 1", "-e") == ""


@pytest.mark.parametrize(
    "line",
    ["-w", "-a always", "-a often,exit", "-w /x -q y", "-a always,exit -F arch", "-w 'x", "-w /x stray"],
)
def test_a_broken_rule_is_refused(line: str) -> None:
    with pytest.raises(ParseError):
        rule(line)


def test_the_folder_of_rules_takes_the_place_of_the_one_file() -> None:
    single = "/etc/audit/audit.rules:-w /old -p wa\n/etc/audit/audit.rules:-e 1\n"
    seen = one(audit.parse(HEAD + single + TAIL), AuditRuleFiles)
    assert ([r.path for r in seen.rules], seen.enabled) == (["/old"], "1")
    folder = (
        "/etc/audit/rules.d/20.rules:-w /b -p wa\n/etc/audit/rules.d/99.rules:-e 2\n"
        "/etc/audit/rules.d/10.rules:# -w /no\n/etc/audit/rules.d/10.rules:-e 1\n"
        "/etc/audit/rules.d/10.rules.before:-w /old -p wa\n/etc/audit/rules.d/sub/5.rules:-w /sub\n"
    )
    seen = one(audit.parse(HEAD + single + folder + TAIL), AuditRuleFiles)
    assert ([r.path for r in seen.rules], seen.enabled) == (["/b"], "2")
    assert seen.files == tuple(f"/etc/audit/rules.d/{name}.rules" for name in ("10", "20", "99"))


def test_a_rule_that_is_not_understood_hides_its_file_and_no_other() -> None:
    text = "/etc/audit/rules.d/1.rules:-a x\n/etc/audit/rules.d/2.rules:-w /b -p wa\n"
    seen = audit.parse(HEAD + text + TAIL)
    assert [r.path for r in one(seen, AuditRuleFiles).rules] == ["/b"]
    assert [(gap.fact, gap.where) for gap in seen.gaps if gap.where] == [
        ("AuditRuleFiles", "/etc/audit/rules.d/1.rules")
    ]


def test_rules_of_the_kernel_and_settings() -> None:
    seen = audit.parse(
        HEAD
        + "setting\tdisk_full_action\tHALT\nfiles\t2\n"
        + "-w /etc/passwd -p wa -k x\nlisted\t0\nstatus\tenabled\t2\nstatus\tlost\t3\n"
    )
    kernel = one(seen, LoadedAuditRules)
    assert ([r.path for r in kernel.rules], kernel.enabled, kernel.lost) == (["/etc/passwd"], "2", 3)
    assert one(seen, AuditSettings).values == {"disk_full_action": "halt"}
    assert one(seen, AuditBoot) == AuditBoot("1", "8192")
    assert one(seen, AuditDaemon) == AuditDaemon(True, "auditd", "")


def test_no_rules_is_an_answer_and_a_refusal_is_none() -> None:
    seen = one(
        audit.parse(HEAD + "files\t0\nNo rules\nlisted\t0\nstatus\tenabled\t1\nstatus\tlost\t0\n"),
        LoadedAuditRules,
    )
    assert seen.rules == ()
    refused = audit.parse(HEAD + "files\t126\nlisted\t126\n")
    assert {gap.fact for gap in refused.gaps} == {"AuditRuleFiles", "LoadedAuditRules", "AuditSettings"}
    assert all(gap.needs.startswith("sudo: /usr/") for gap in refused.gaps)
    silent = audit.parse(HEAD + "files\t0\nlisted\t255\n")
    assert "status 255" in next(gap.reason for gap in silent.gaps if gap.fact == "LoadedAuditRules")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "container\t\n",
        HEAD,
        HEAD + "listed\t0\n",
        HEAD + "files\t0\nnoise\n",
        HEAD + "files\t0\n-D\nlisted\t0\nstatus\tenabled\t1\nstatus\tlost\t0\n",
        HEAD + "files\t0\nlisted\t0\nstatus\tenabled\t1\nstatus\tlost\tmany\n",
        HEAD + "files\t0\nfiles\t0\n",
    ],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        audit.parse(text)


# --- real hosts ---

PLANT = r"""
mkdir -p -m 0750 /etc/audit /etc/audit/rules.d
printf -- '## own\n-D\n-w /etc/passwd -p wa -k x\n-e 2\n' >/etc/audit/rules.d/a.rules
printf '# why\nlog_file = /var/log/audit/audit.log\nDISK_full_action=halt\ndisk_full_action =  SYSLOG \n' \
  >/etc/audit/auditd.conf
chmod 0640 /etc/audit/auditd.conf /etc/audit/rules.d/a.rules
cat >/usr/sbin/auditctl <<'END'
#!/bin/sh
[ "$(id -u)" = 0 ] || { echo 'You must be root' >&2; exit 4; }
case $1 in -l) echo '-w /etc/passwd -p wa -k x' ;; -s) printf 'enabled 2\nfailure 1\npid 9\nlost 0\n' ;; esac
END
chmod 755 /usr/sbin/auditctl
"""


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


def kinds(seen: Snapshot) -> set[str]:
    return set(seen.facts)


@pytest.mark.real
@pytest.mark.parametrize("login", ["root", "sudo"])
def test_an_audit_system_is_read_whole(net: Lab, login: str) -> None:
    host = net.host("bookworm", plant=PLANT, login="root" if login == "root" else "sudo")
    seen = host.scan(KINDS)
    assert seen.gaps == ()
    files, kernel = seen.get(AuditRuleFiles), seen.get(LoadedAuditRules)
    assert isinstance(files, AuditRuleFiles)
    assert isinstance(kernel, LoadedAuditRules)
    assert files.rules == kernel.rules == (AuditRule("always", "exit", "/etc/passwd", "wa"),)
    assert (files.enabled, kernel.enabled) == ("2", "2")
    assert seen.get(AuditSettings) == AuditSettings(
        {"log_file": "/var/log/audit/audit.log", "disk_full_action": "syslog"}
    )


@pytest.mark.real
@pytest.mark.parametrize("mode", ["755", "750"])
def test_a_plain_login_sees_the_daemon_and_no_rule(net: Lab, mode: str) -> None:
    # Some distributions let only root start auditctl: it is there nevertheless.
    plant = f"{PLANT}chmod {mode} /usr/sbin/auditctl\n"
    seen = net.host("bookworm", plant=plant, login="plain").scan(KINDS)
    assert kinds(seen) == {"AuditDaemon", "AuditBoot"}
    assert {gap.fact for gap in seen.gaps} == {"AuditRuleFiles", "LoadedAuditRules", "AuditSettings"}


@pytest.mark.real
@pytest.mark.parametrize("root", ["bookworm", "busybox"])
def test_a_host_without_an_audit_system_says_so(net: Lab, root: str) -> None:
    seen = net.host("bookworm" if root == "bookworm" else "busybox").look(KINDS)
    found = seen.get(AuditDaemon)
    assert isinstance(found, AuditDaemon)
    assert not found.installed
    assert found.package == ("auditd" if root == "bookworm" else "audit")
    assert {one.fact for one in seen.absences} == {"AuditRuleFiles", "LoadedAuditRules", "AuditSettings"}
