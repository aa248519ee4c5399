"""Whether the audit system records what an investigation needs."""

from __future__ import annotations

from dataclasses import dataclass

from checks.check import Check, check, make_check
from checks.facts.host.audit import (
    AuditBoot,
    AuditDaemon,
    AuditRule,
    AuditRuleFiles,
    AuditSettings,
    LoadedAuditRules,
)
from checks.facts.host.units import Processes
from checks.fix import Disruption, Effort, Fix
from checks.host import audit_fixes
from checks.host.audit_topics import TOPICS, Topic, not_recorded
from checks.host.fixes import setting
from checks.model import Severity
from checks.verdict import Verdicts, expect, not_applicable, unknown

_MAN = "https://man7.org/linux/man-pages/man8/auditctl.8.html"
_SHOWN = 6


@check(
    "host.audit.daemon",
    title="The audit daemon runs",
    severity=Severity.MEDIUM,
    fix=audit_fixes.INSTALL,
    refs=("https://man7.org/linux/man-pages/man8/auditd.8.html",),
)
def daemon(found: AuditDaemon, processes: Processes) -> Verdicts:
    """Without it nobody can tell after an attack who read, changed or ran what."""
    running = bool(processes.running("auditd"))
    if found.container and not running:
        yield unknown("auditd", f"this is a container ({found.container}): its host records, or does not")
        return
    yield expect(
        running,
        on="auditd",
        saw="running" if running else ("installed, not running" if found.installed else "not installed"),
        want="running",
        values={"package": found.package},
    )


def _made(topic: Topic) -> Check[[AuditRuleFiles]]:
    def judge(found: AuditRuleFiles) -> Verdicts:
        missing = tuple(not_recorded(topic, found.rules, found.machine))
        off = topic.calls and any(rule.action == "never" and rule.filter == "task" for rule in found.rules)
        if off:
            missing = ("a rule (task,never) switches the recording of system calls off",)
        rest = f", and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        yield expect(
            not missing,
            on=topic.id,
            saw=f"not recorded: {', '.join(missing[:_SHOWN])}{rest}" if missing else "recorded",
            want="recorded",
            cite="/etc/audit/",
        )

    return make_check(
        judge,
        f"host.audit.{topic.id}",
        title=topic.title,
        why=topic.why,
        severity=topic.severity,
        fix=audit_fixes.topic_fix(topic),
        refs=(_MAN,),
    )


RULES = tuple(_made(topic) for topic in TOPICS)
"""One check for each topic that is to be recorded."""


@check(
    "host.audit.loaded",
    title="The audit rules in the kernel are those in the files",
    severity=Severity.MEDIUM,
    fix=audit_fixes.LOAD,
    refs=(_MAN,),
)
def loaded(files: AuditRuleFiles, kernel: LoadedAuditRules) -> Verdicts:
    """Rules that only stand in a file record nothing, and rules without a file are gone at the next boot."""
    wanted, running = set(files.rules), set(kernel.rules)
    differ = [f"only in the files: {_words(rule)}" for rule in files.rules if rule not in running]
    differ += [f"only in the kernel: {_words(rule)}" for rule in kernel.rules if rule not in wanted]
    if kernel.enabled == "0":
        differ.insert(0, "switched off")
    more = f" (and {len(differ) - _SHOWN} more)" if len(differ) > _SHOWN else ""
    yield expect(
        not differ,
        on="audit rules",
        saw="; ".join(differ[:_SHOWN]) + more if differ else f"{len(kernel.rules)} rules, the same in both",
        want="switched on, and the same in both",
        cite="loaded",
    )


def _words(rule: AuditRule) -> str:
    what = rule.path or ",".join(rule.syscalls) or "all calls"
    return " ".join(part for part in (rule.action, what, rule.architecture, *rule.fields) if part)


@check(
    "host.audit.immutable",
    title="The audit rules are locked until the next boot",
    severity=Severity.LOW,
    fix=audit_fixes.rules_fix("99-lock", ("-e 2",), "grep -rh '^-e' /etc/audit/rules.d | tail -n 1   # -e 2"),
    refs=(_MAN,),
)
def immutable(found: AuditRuleFiles) -> Verdicts:
    """Who becomes root switches the recording off first, unless only a reboot, which is seen, could."""
    saw = f"-e {found.enabled}" if found.enabled else "no -e"
    yield expect(found.enabled == "2", on="-e", saw=saw, want="-e 2", cite=":-e")


@check(
    "host.audit.boot",
    title="Auditing begins with the boot",
    severity=Severity.LOW,
    fix=audit_fixes.BOOT,
)
def boot(daemon: AuditDaemon, found: AuditBoot, *, backlog: int = 8192) -> Verdicts:
    """What starts before the audit daemon is never recorded, unless the kernel is told at its start."""
    if not daemon.installed:
        yield not_applicable("kernel command line", "no audit daemon is installed")
        return
    yield expect(found.audit == "1", on="audit", saw=found.audit or "not set", want="1", cite="cmdline")
    enough = found.backlog.isdecimal() and int(found.backlog) >= backlog
    saw = found.backlog or "not set"
    yield expect(enough, on="audit_backlog_limit", saw=saw, want=f"{backlog} or more", cite="cmdline")


@dataclass(frozen=True, slots=True)
class _Action:
    """One setting of auditd.conf: what it decides, the values that are good, the one to set first."""

    name: str
    good: tuple[str, ...]


_ACTIONS = (
    _Action("max_log_file_action", ("keep_logs", "rotate")),
    _Action("space_left_action", ("email", "syslog", "exec", "single", "halt", "rotate")),
    _Action("admin_space_left_action", ("single", "halt", "suspend", "email", "exec", "rotate")),
    _Action("disk_full_action", ("syslog", "single", "halt", "exec", "rotate")),
    _Action("disk_error_action", ("syslog", "single", "halt", "exec")),
)
_RELOAD = "service auditd reload >/dev/null 2>&1 || true"


@check(
    "host.audit.full-disk",
    title="A full disk does not end the audit log unnoticed",
    severity=Severity.LOW,
    fix=Fix(
        action="Say what happens when the disk of the audit log fills up",
        do="Set `@{key} = @{good}` in /etc/audit/auditd.conf and reload auditd. Where proof matters more "
        "than service, choose halt; where old records matter, give them a volume of their own.",
        verify="grep -i -w @{key} /etc/audit/auditd.conf   # @{key} = @{good}",
        effort=Effort(setup=0.5, each=0.05),
        disruption=Disruption.NONE,
        undo="Set it back to what was seen: @{saw}.",
        snippets=setting("/etc/audit/auditd.conf", between=" = ", pattern="[[:space:]]*=", after=_RELOAD),
        key="auditd.conf:full-disk",
    ),
    refs=("https://man7.org/linux/man-pages/man5/auditd.conf.5.html",),
)
def full_disk(found: AuditSettings) -> Verdicts:
    """An intruder who fills the disk goes on unrecorded, and nobody is told that the record has ended."""
    for action in _ACTIONS:
        value = found.values.get(action.name, "")
        yield expect(
            value in action.good,
            on=action.name,
            saw=value or "not set",
            want=" or ".join(action.good),
            values={"key": action.name, "good": action.good[0]},
        )
