"""Whether a host writes down what happens on it, keeps it, and sends it away."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.logging import Journald, LogActivity, LogForward, LogForwards, LogRotation
from checks.facts.host.units import Processes
from checks.fix import Effort, Fix, Language, Snippet
from checks.host.fixes import install_package
from checks.model import Confidence, Severity
from checks.verdict import Verdicts, expect, not_applicable

_DAEMONS = ("rsyslogd", "syslog-ng", "syslogd", "metalog")
_AGENTS = (
    *("filebeat", "elastic-agent", "fluent-bit", "fluentd", "td-agent", "td-agent-bit", "vector", "promtail"),
    *("alloy", "grafana-agent", "otelcol", "otelcol-contrib", "splunkd", "nxlog", "graylog-sidecar"),
    *("wazuh-agentd", "ossec-agentd", "datadog-agent", "amazon-cloudwatch-agent", "google_cloud_ops_agent"),
    *("mdsd", "amacoreagent", "newrelic-infra"),
)
_LOOPBACK = ("127.", "::1", "[::1", "localhost")
_DROP_IN = "/etc/systemd/journald.conf.d/zz-hardening.conf"
_RESTART = "systemctl restart systemd-journald >/dev/null 2>&1 || true"


@check(
    "host.logging.daemon",
    title="A log daemon writes the system's messages to disk",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Run a log daemon",
        do="Install rsyslog and start it, now and at every boot; or keep the journal on disk "
        "(Storage=persistent in journald.conf).",
        verify="pidof rsyslogd   # a number",
        effort=Effort(setup=0.5, each=0.1),
        undo="Stop rsyslog and keep it from starting.",
        snippets=(
            Snippet(
                Language.SHELL,
                "command -v rsyslogd >/dev/null || {\n"
                "  if command -v apt-get >/dev/null; then\n"
                "    DEBIAN_FRONTEND=noninteractive apt-get install -y rsyslog\n"
                "  elif command -v dnf >/dev/null; then dnf install -y rsyslog\n"
                "  elif command -v zypper >/dev/null; then zypper --non-interactive install rsyslog\n"
                "  else apk add rsyslog; fi\n"
                "}\n"
                "if [ -d /run/systemd/system ]; then systemctl enable --now rsyslog\n"
                "elif command -v rc-update >/dev/null; then rc-update add rsyslog; rc-service rsyslog start\n"
                "else rsyslogd; fi",
                "if [ -d /run/systemd/system ]; then systemctl disable --now rsyslog syslog.socket\n"
                "elif command -v rc-update >/dev/null; then rc-service rsyslog stop; rc-update del rsyslog\n"
                'else kill "$(cat /run/rsyslogd.pid)"; fi',
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Install a log daemon\n"
                "  ansible.builtin.package:\n    name: rsyslog\n    state: present\n"
                "- name: Start the log daemon, now and at every boot\n"
                "  ansible.builtin.service:\n    name: rsyslog\n    state: started\n    enabled: true",
            ),
        ),
    ),
)
def daemon(processes: Processes, journal: Journald) -> Verdicts:
    """Without a log that survives the next boot nobody can tell what happened before it."""
    running = sorted({one.program for one in processes.running(*_DAEMONS)})
    kept = bool(processes.running("systemd-journald")) and _persistent(journal)
    saw = [*running, *(["systemd-journald, on disk"] if kept else [])]
    yield expect(bool(saw), on="log daemon", saw=saw, want="rsyslog, syslog-ng or a journal on disk")


def _persistent(journal: Journald) -> bool:
    storage = journal.settings.get("Storage", "auto") or "auto"
    return storage == "persistent" or (storage == "auto" and journal.folder)


@check(
    "host.logging.persistent",
    title="The journal survives a reboot",
    severity=Severity.LOW,
    fix=Fix(
        action="Keep the journal on disk",
        do=f"Set `Storage=persistent` under `[Journal]` in {_DROP_IN} and restart systemd-journald.",
        verify=f"grep -h ^Storage= /etc/systemd/journald.conf {_DROP_IN} | tail -n 1   # Storage=persistent",
        effort=Effort(setup=0.25, each=0.05),
        undo=f"Delete {_DROP_IN} and restart systemd-journald.",
        snippets=(
            Snippet(
                Language.SHELL,
                f"file={_DROP_IN}\n"
                'mkdir -p "$(dirname "$file")"\n'
                "printf '[Journal]\\nStorage=persistent\\n' >\"$file.new\"\n"
                'if [ -e "$file" ] && ! [ -e "$file.before" ] && ! cmp -s "$file" "$file.new"; then\n'
                '  cp -p "$file" "$file.before"\n'
                "fi\n"
                f'mv "$file.new" "$file"\n{_RESTART}',
                f"file={_DROP_IN}\n"
                'if [ -e "$file.before" ]; then mv "$file.before" "$file"; else rm -f "$file"; fi\n'
                f"{_RESTART}",
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Keep the journal on disk\n"
                "  ansible.builtin.copy:\n"
                f'    dest: {_DROP_IN}\n    mode: "0644"\n    content: |\n'
                "      [Journal]\n      Storage=persistent",
            ),
        ),
    ),
    refs=("https://www.freedesktop.org/software/systemd/man/latest/journald.conf.html",),
)
def persistent(processes: Processes, journal: Journald) -> Verdicts:
    """A journal in memory is gone with the reboot that an intruder, or a crash, brings about."""
    if not journal.installed:
        yield not_applicable("Storage", "the host has no journal of systemd")
        return
    handed = sorted({one.program for one in processes.running(*_DAEMONS)})
    storage = journal.settings.get("Storage", "") or "not set (auto)"
    folder = "" if journal.folder else ", no /var/log/journal"
    also = f"; {' and '.join(handed)} writes too" if handed else ""
    yield expect(
        _persistent(journal) or bool(handed),
        on="Storage",
        saw=f"{storage}{folder}{also}",
        want="persistent, or a log daemon that writes to disk",
    )


@check(
    "host.logging.remote",
    title="Logs are sent to another host, encrypted",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Send the logs to a log host over TLS",
        do="Choose a log host and send everything there over TLS: with rsyslog by an omfwd action with "
        'protocol="tcp", StreamDriver="gtls" and StreamDriverMode="1", or with systemd-journal-upload or the '
        "agent of your log system. Which host it is, and whose certificate it trusts, only you can say.",
        verify="grep -rhE '@@|omfwd|omrelp' /etc/rsyslog.conf /etc/rsyslog.d   # the log host",
        effort=Effort(setup=4, each=0.25),
        undo="Take the rule out again and restart the log daemon.",
    ),
    refs=("https://www.rsyslog.com/doc/configuration/modules/omfwd.html",),
)
def remote(found: LogForwards, processes: Processes) -> Verdicts:
    """An intruder with root rewrites every log on the host; what has already left it stays true."""
    agents = sorted({one.program for one in processes.running(*_AGENTS)})
    away = [one for one in found.forwards if not one.target.lower().startswith(_LOOPBACK)]
    live = [one for one in away if _runs(one, processes)]
    plain = [one for one in live if not one.encrypted]
    want = "a log host, over TLS"
    for one in plain:
        # In clear they still are where the intruder is not.
        yield expect(
            False,
            on=_named(one),
            saw=f"{one.protocol} in clear",
            want=want,
            severity=Severity.LOW,
            cite=one.file,
        )
    sent = [f"{one.target} ({one.protocol}, TLS)" for one in live if one.encrypted]
    if sent or agents:
        confidence = Confidence.CONFIRMED if sent else Confidence.LIKELY
        saw = [*sent, *(f"{agent} runs" for agent in agents)]
        yield expect(True, on="log host", saw=saw, want=want, confidence=confidence)
    elif not plain:
        idle = ", ".join(f"{one.target} (configured, but {one.program} does not run)" for one in away)
        yield expect(False, on="log host", saw=idle or "none", want=want)


def _runs(one: LogForward, processes: Processes) -> bool:
    # The upload of the journal is told only where its service is enabled; its short name is not its own.
    return one.program == "systemd-journal-upload" or bool(processes.running(one.program))


def _named(one: LogForward) -> str:
    return f"{one.program} to {one.target}"


@check(
    "host.logging.rotation",
    title="Log files are rotated",
    severity=Severity.LOW,
    fix=Fix(
        action="Rotate the log files",
        do="Install logrotate; its package brings a timer or a daily job.",
        verify="logrotate --version && ls /etc/logrotate.conf   # both are there",
        effort=Effort(setup=0.25, each=0.05),
        undo="Remove the package @{package}.",
        snippets=install_package(),
    ),
)
def rotation(found: LogRotation) -> Verdicts:
    """Logs that only grow fill the disk, and a full disk ends both the logs and the services."""
    missing = []
    if not found.program:
        missing.append("no logrotate")
    elif not found.configuration:
        missing.append("no /etc/logrotate.conf")
    if not found.schedules:
        missing.append("nothing that starts it")
    yield expect(
        not missing,
        on="logrotate",
        saw=", ".join(missing) or f"started by {' and '.join(found.schedules)}",
        want="installed and started regularly",
        values={"package": "logrotate"},
    )


@check(
    "host.logging.recent",
    title="The system's logs are alive",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Repair the logging that has stopped",
        do="Find out why nothing is written any more (the log daemon, a full disk, the rights of /var/log), "
        "and since when: what happened meanwhile is lost. A person looks: the cause is different each time.",
        verify="logger alive; ls -lt /var/log | head -n 3   # a log of this minute",
        effort=Effort(setup=1, each=0.5),
    ),
)
def recent(found: LogActivity, *, hours: int = 24) -> Verdicts:
    """Logs that have stopped look like a quiet host; an intruder who stops them counts on that."""
    want = f"a system log of the last {hours} hours"
    if not found.newest:
        yield expect(False, on="system logs", saw="no system log at all", want=want)
        return
    age = found.minutes / 60
    told = "in the future" if age < -1 else f"{max(age, 0):.0f} hours ago"
    yield expect(-1 <= age <= hours, on="system logs", saw=f"{found.newest}, written {told}", want=want)
