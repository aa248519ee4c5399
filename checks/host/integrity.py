"""Whether changed files are noticed, and whether the trusted programs are what their packages brought."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.integrity import IntegrityTools, PackagedPrograms
from checks.facts.host.packages import Packages
from checks.facts.host.units import Processes
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.fixes import install_package
from checks.model import Confidence, Impact, Severity
from checks.verdict import Verdicts, expect, unknown

_WATCHING = ("wazuh-agentd", "ossec-syscheckd", "wazuh-syscheckd", "samhain", "osqueryd", "falcon-sensor")
_SCANNERS = ("clamav-daemon", "clamav", "clamd", "rkhunter", "chkrootkit", "maldetect")
_AGENTS = (
    *("clamd", "freshclam", "falcon-sensor", "wdavdaemon", "s1-agent", "sentinelone-agent", "cbagentd"),
    *("ds_agent", "sophosd", "savd", "esets_daemon", "eraagent", "xagt", "mfetpd", "oaeventd", "cortexd"),
)


@check(
    "host.integrity.tool",
    title="A tool notices changed system files",
    severity=Severity.LOW,
    fix=Fix(
        action="Watch the system files with AIDE",
        do="Install aide, make its first database (`aideinit` on Debian and Ubuntu, `aide --init` elsewhere) "
        "and let it compare every day. The first database takes what is there for good: a person makes it, "
        "on a host that is known to be clean, and keeps a copy elsewhere.",
        verify="aide --config /etc/aide/aide.conf --check | tail -n 5   # found no differences",
        effort=Effort(setup=2, each=0.5),
        undo="Remove the package aide and its database in /var/lib/aide.",
        snippets=(
            Snippet(
                Language.ANSIBLE,
                "- name: Install a tool that notices changed files\n"
                "  ansible.builtin.package:\n    name: aide\n    state: present",
            ),
        ),
    ),
    refs=("https://aide.github.io/",),
)
def tool(found: IntegrityTools, processes: Processes) -> Verdicts:
    """Who has been root leaves a changed program behind; without a database nobody can say which."""
    agents = sorted({one.program for one in processes.running(*_WATCHING)})
    missing = []
    if not found.tools:
        missing.append("no tool")
    else:
        missing += [] if found.databases else ["no database"]
        missing += [] if found.schedules else ["nothing that starts it"]
    have = [*found.tools, *(f"{agent} runs" for agent in agents)]
    if not agents and missing == ["nothing that starts it"] and found.unseen:
        where = found.unseen[0]
        reason = f"{', '.join(have)} is set up; what starts it may stand in {where}, which may not be read"
        yield unknown("integrity tool", reason, needs=f"sudo: cat {where}")
        return
    yield expect(
        bool(agents) or not missing,
        on="integrity tool",
        saw=", ".join([*have, *([] if agents else missing)]),
        want="installed, with a database, started regularly",
        confidence=Confidence.LIKELY if agents else Confidence.CONFIRMED,
    )


@check(
    "host.integrity.programs",
    title="The trusted programs are those of their packages",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Find out who changed programs of the system",
        do="Find out why `@{on}` differs from its package. Without a good reason take it for a break-in: "
        "keep a copy of the file, take the host off the network and set it up anew. To install the package "
        "again destroys the evidence and leaves the intruder in: a person decides.",
        verify="dpkg -V || rpm -Va   # no line with a 5 about a program",
        effort=Effort(setup=4, each=4),
        disruption=Disruption.OUTAGE,
    ),
)
def programs(found: PackagedPrograms) -> Verdicts:
    """A changed sshd, sudo or login hands every password typed on the host to whoever changed it."""
    for one in found.changed:
        saw = "gone" if one.gone else "not the file of its package"
        # Who deletes a program has it hand over nothing.
        severity = Severity.LOW if one.gone else None
        yield expect(False, on=one.path, saw=saw, want="the file that its package brought", severity=severity)
    if not found.changed:
        what = "packages" if found.manager == "rpm" else "programs and libraries"
        saw = f"{found.checked} {what} are as {found.manager} knows them"
        yield expect(True, on="trusted programs", saw=saw, want="the files that their packages brought")


@check(
    "host.integrity.malware-scanner",
    title="A malware scanner is installed where the policy asks for one",
    severity=Severity.INFO,
    fix=Fix(
        action="Install a malware scanner where the policy asks for one",
        do="Install a malware scanner, such as the package @{package}, on hosts that take in files from "
        "others (mail, uploads, shares). Elsewhere waive this, with the reason.",
        verify="clamdscan --version   # a version and a date",
        effort=Effort(setup=1, each=0.25),
        undo="Remove the package @{package}.",
        snippets=install_package(),
    ),
)
def malware_scanner(packages: Packages, processes: Processes) -> Verdicts:
    """Files that pass through a server, from mail or uploads, reach people whose machines run them."""
    found = sorted(packages.names.intersection(_SCANNERS))
    agents = sorted({one.program for one in processes.running(*_AGENTS)})
    yield expect(
        bool(found or agents),
        on="malware scanner",
        saw=[*found, *(agent for agent in agents if agent not in found)],
        want="installed",
        values={"package": "clamav-daemon" if packages.manager == "dpkg" else "clamav"},
    )
