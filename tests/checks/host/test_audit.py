"""What the audit system records, judged."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.audit import (
    AuditBoot,
    AuditDaemon,
    AuditRule,
    AuditRuleFiles,
    AuditSettings,
    LoadedAuditRules,
)
from checks.facts.host.units import Process, Processes
from checks.facts.snapshot import Absence
from checks.fix import Language, Snippet
from checks.host import audit
from checks.host.audit_fixes import topic_fix
from checks.host.audit_topics import OLD_CALLS, TOPICS, Topic
from checks.model import Outcome
from scanner.collect.host.audit_rules import rule
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

RULES = {check.id.rpartition(".")[2]: check for check in audit.RULES}
RUNNING, IDLE = Processes((Process("auditd", 0),)), Processes((Process("sshd", 0),))


def written(topic: Topic) -> tuple[str, ...]:
    """The rules that the fix of a topic writes."""
    script = topic_fix(topic).snippets[0].do
    body = script.partition("<<'END_OF_RULES'\n")[2].partition("\nEND_OF_RULES")[0]
    return tuple(body.splitlines())


def rules(*lines: str, machine: str = "x86_64", enabled: str = "") -> AuditRuleFiles:
    read = [rule(line) for line in lines]
    return AuditRuleFiles(
        tuple(one for one in read if one), ("/etc/audit/rules.d/a.rules",), enabled, machine
    )


@pytest.mark.parametrize("check", checks_of(audit))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("found", "processes", "outcome"),
    [
        (AuditDaemon(True, "auditd", ""), RUNNING, Outcome.PASS),
        (AuditDaemon(True, "auditd", ""), IDLE, Outcome.FAIL),
        (AuditDaemon(False, "audit", ""), IDLE, Outcome.FAIL),
        (AuditDaemon(False, "audit", "docker"), IDLE, Outcome.UNKNOWN),
        (AuditDaemon(True, "audit", "docker"), RUNNING, Outcome.PASS),
    ],
)
def test_the_daemon(found: AuditDaemon, processes: Processes, outcome: Outcome) -> None:
    assert [one.outcome for one in judged(audit.daemon, found, processes)] == [outcome]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.id)
def test_the_rules_of_the_fix_are_all_that_is_asked_for(topic: Topic) -> None:
    check = RULES[topic.id]
    lines = written(topic)
    assert failing(check, rules(*lines)) == []
    assert failing(check, rules()) == [topic.id]
    for line in lines:
        rest = [other for other in lines if other != line]
        # A family of paths of which one is enough may lose one, and one architecture none.
        spare = "-w /etc/apparmor.d" in line or "-w /etc/selinux" in line
        assert failing(check, rules(*rest)) == ([] if spare else [topic.id]), line


def test_other_ways_to_write_the_same() -> None:
    assert failing(RULES["sudo-rules"], rules("-w /etc/ -p rwxa")) == []
    assert (
        failing(
            RULES["sudo-rules"],
            rules(
                "-a always,exit -F arch=b64 -F path=/etc/sudoers -F perm=wa -F key=x",
                "-a exit,always -S all -F dir=/etc/sudoers.d/ -F perm=aw",
            ),
        )
        == []
    )
    both = [f"-a always,exit -F arch={kind} -S execve -C uid!=euid" for kind in ("b64", "b32")]
    assert failing(RULES["commands-as-root"], rules(*both)) == []
    root = [f"-a always,exit -F arch={kind} -S execve -F euid=0" for kind in ("b64", "b32")]
    assert failing(RULES["commands-as-root"], rules(*root)) == []
    by_path = "-a always,exit -F path=/usr/bin/sudo -F perm=x -F auid>=1000 -F auid!=4294967295"
    assert failing(RULES["commands-as-root"], rules(by_path)) == []
    everything = [f"-a always,exit -F arch={kind} -S all" for kind in ("b64", "b32")]
    assert failing(RULES["refused-access"], rules(*everything)) == []


@pytest.mark.parametrize(
    "line",
    [
        "-w /etc/sudoers -p r",
        "-w /etc/sudoers -p x",
        "-w /etc/sudoers.dist -p wa",
        "-a never,exit -F path=/etc/sudoers -F perm=wa",
        "-a always,user -F path=/etc/sudoers -F perm=wa",
        "-a always,exit -F path=/etc/sudoers -F perm=wa -F uid=1001",
    ],
)
def test_rules_that_record_less_are_no_record(line: str) -> None:
    assert failing(RULES["sudo-rules"], rules("-w /etc/sudoers.d -p wa", line)) == ["sudo-rules"]


@pytest.mark.parametrize(
    ("line", "machine", "fails"),
    [
        ("-a always,exit -F arch=b64 -S mount", "x86_64", True),
        ("-a always,exit -F arch=b64 -S mount", "aarch64", False),
        ("-a always,exit -S mount", "aarch64", False),
        ("-a always,exit -S mount", "i686", False),
        ("-a always,exit -F arch=b64 -S mount -F success=0", "aarch64", True),
        ("-a always,exit -F arch=b64 -S umount2", "aarch64", True),
    ],
)
def test_both_kinds_of_calls_are_recorded(line: str, machine: str, fails: bool) -> None:
    assert failing(RULES["mounts"], rules(line, machine=machine)) == (["mounts"] if fails else [])


def test_a_young_processor_has_no_old_calls() -> None:
    line = "-a always,exit -F arch=b64 -S unlinkat,renameat"
    assert failing(RULES["deletions"], rules(line, machine="aarch64")) == []
    assert failing(RULES["deletions"], rules(line, line.replace("b64", "b32"))) == ["deletions"]


@pytest.mark.parametrize(
    ("line", "fails"),
    [
        ("-a never,exit -F path=/etc/sudoers -F perm=wa", True),
        ("-a never,exit -F dir=/etc", True),
        ("-a never,exit -F path=/etc/sudoers -F auid>=1000", True),
        ("-a never,exit -F path=/etc/sudoers -F uid=1001", False),
        ("-a never,exit -F path=/etc/motd", False),
        ("-a never,user -F path=/etc/sudoers", False),
    ],
)
def test_a_rule_before_it_can_take_a_record_away(line: str, fails: bool) -> None:
    kept = ("-w /etc/sudoers -p wa", "-w /etc/sudoers.d -p wa")
    assert failing(RULES["sudo-rules"], rules(line, *kept)) == (["sudo-rules"] if fails else [])
    assert failing(RULES["sudo-rules"], rules(*kept, line)) == []


def test_a_rule_before_them_can_take_calls_away() -> None:
    kept = written(next(topic for topic in TOPICS if topic.id == "mounts"))
    assert failing(RULES["mounts"], rules("-a never,exit -F arch=b32 -S mount", *kept)) == ["mounts"]
    assert failing(RULES["mounts"], rules("-a never,exit -S umount2", *kept)) == []


def test_one_rule_can_switch_all_calls_off() -> None:
    lines = written(next(topic for topic in TOPICS if topic.id == "modules"))
    found = rules("-a task,never", *lines)
    [finding] = judged(RULES["modules"], found)
    assert finding.outcome is Outcome.FAIL
    assert "task,never" in finding.saw
    assert failing(RULES["identity"], rules("-a task,never", *written(TOPICS[0]))) == []


def test_without_a_daemon_there_are_no_rules_to_judge() -> None:
    absence = Absence("AuditRuleFiles", "no audit daemon is installed")
    [finding] = judged(RULES["identity"], absences=[absence])
    assert finding.outcome is Outcome.NOT_APPLICABLE


def loaded(found: Iterable[AuditRule], enabled: str = "1") -> LoadedAuditRules:
    return LoadedAuditRules(tuple(found), enabled, 0)


def test_rules_in_the_kernel_are_those_in_the_files() -> None:
    both = rules("-w /etc/passwd -p wa -k x", "-a always,exit -F arch=b64 -S b,a -F auid!=4294967295")
    kernel = rules("-a always,exit -F arch=b64 -S a,b -F auid!=-1 -F key=y", "-w /etc/passwd -p wa -k other")
    assert failing(audit.loaded, both, loaded(kernel.rules)) == []
    assert failing(audit.loaded, both, loaded(kernel.rules[:1])) == ["audit rules"]
    assert failing(audit.loaded, rules(), loaded(kernel.rules)) == ["audit rules"]
    assert failing(audit.loaded, both, loaded(kernel.rules, "0")) == ["audit rules"]


@pytest.mark.parametrize(("enabled", "fails"), [("2", False), ("1", True), ("", True)])
def test_rules_are_locked(enabled: str, fails: bool) -> None:
    assert failing(audit.immutable, rules(enabled=enabled)) == (["-e"] if fails else [])


def test_auditing_begins_with_the_boot() -> None:
    there, none = AuditDaemon(True, "auditd", ""), AuditDaemon(False, "auditd", "")
    assert failing(audit.boot, there, AuditBoot("1", "8192")) == []
    assert failing(audit.boot, there, AuditBoot("1", "64")) == ["audit_backlog_limit"]
    assert failing(audit.boot, there, AuditBoot("", "")) == ["audit", "audit_backlog_limit"]
    assert failing(audit.boot, there, AuditBoot("0", "many")) == ["audit", "audit_backlog_limit"]
    [finding] = judged(audit.boot, none, AuditBoot("", ""))
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_a_full_disk() -> None:
    good = {
        "max_log_file_action": "keep_logs",
        "space_left_action": "email",
        "admin_space_left_action": "halt",
        "disk_full_action": "halt",
        "disk_error_action": "syslog",
    }
    assert failing(audit.full_disk, AuditSettings(good)) == []
    found = judged(audit.full_disk, AuditSettings({**good, "disk_full_action": "ignore"}))
    assert outcomes(found)["disk_full_action"] is Outcome.FAIL
    assert failing(audit.full_disk, AuditSettings({"a": "b"})) == sorted(good)


# --- the fixes on real files ---


def _shell(snippets: tuple[Snippet, ...], folder: Path) -> tuple[str, str]:
    [snippet] = [one for one in snippets if one.language is Language.SHELL]
    swap = ("/etc/audit", str(folder))
    return snippet.do.replace(*swap), snippet.undo.replace(*swap)


def _run(script: str) -> None:
    subprocess.run(["sh", "-e", "-c", script], check=True, capture_output=True)


def _files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.real
@pytest.mark.parametrize(
    "before",
    [
        {"rules.d/audit.rules": "-D\n"},
        {"audit.rules": "-D\n-w /etc/hosts -p wa\n"},
        {"rules.d/60-hardening-time.rules": "-w /old -p wa\n"},
        {},
    ],
    ids=["a folder", "one file", "an older fix", "nothing"],
)
def test_the_rules_are_written_and_taken_back(before: dict[str, str], tmp_path: Path) -> None:
    for name, text in before.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    [topic] = [one for one in TOPICS if one.id == "time"]
    do, undo = _shell(topic_fix(topic).snippets, tmp_path)
    _run(do)
    _run(do)
    after = _files(tmp_path)
    assert after["rules.d/60-hardening-time.rules"].splitlines() == list(written(topic))
    # What stood in the one file alone is in the folder now, from which that file is made anew.
    kept = [text for name, text in after.items() if name.startswith("rules.d/")]
    assert all(text in kept for text in before.values())
    _run(undo)
    assert _files(tmp_path) == before


@pytest.mark.real
@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "i686"])
@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.id)
def test_the_rules_fit_the_machine(topic: Topic, machine: str, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "uname").write_text(f"#!/bin/sh\necho {machine}\n")
    (tools / "uname").chmod(0o755)
    do, _ = _shell(topic_fix(topic).snippets, tmp_path)
    _run(f"PATH={tools}:$PATH\n{do}")
    lines = (tmp_path / "rules.d" / f"60-hardening-{topic.id}.rules").read_text().splitlines()
    assert failing(RULES[topic.id], rules(*lines, machine=machine)) == []
    calls = {call for line in lines if (read := rule(line)) for call in read.syscalls}
    kinds = {read.architecture for line in lines if (read := rule(line)) and read.syscalls}
    assert kinds <= {"x86_64": {"b64", "b32"}, "aarch64": {"b64"}, "i686": {"b32"}}[machine]
    assert machine != "aarch64" or not calls & OLD_CALLS
    assert machine == "aarch64" or calls == set(topic.calls)


@pytest.mark.real
def test_a_setting_of_the_daemon_is_set_and_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "auditd.conf"
    file.write_text("log_file = /var/log/audit/audit.log\ndisk_full_action = IGNORE\n")
    before = file.read_text()
    [finding, *_] = [
        one for one in judged(audit.full_disk, AuditSettings({})) if one.on == "disk_full_action"
    ]
    do, undo = _shell(finding.fix.snippets, tmp_path)
    _run(do)
    assert "\ndisk_full_action = syslog\n" in file.read_text()
    assert "\ndisk_full_action = IGNORE" not in file.read_text()
    _run(undo)
    assert file.read_text() == before
