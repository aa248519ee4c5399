"""How a host is kept up: who installs the updates, what still runs old code, who pays for support."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from checks.check import check
from checks.facts.host.system import OperatingSystem
from checks.facts.host.units import Units
from checks.facts.host.updates import PendingUpdates
from checks.facts.host.upkeep import (
    AutomaticUpdates,
    LivePatching,
    PaidSupport,
    StalePrograms,
    Uptime,
)
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.lifecycle import release_of
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable, unknown

_MONTH = 30
_TIMERS = {
    "unattended-upgrades": ("apt-daily-upgrade.timer",),
    "dnf-automatic": ("dnf-automatic.timer", "dnf-automatic-install.timer", "dnf5-automatic.timer"),
    "transactional-update": ("transactional-update.timer",),
}


@check(
    "host.upkeep.automatic-updates",
    title="Security updates are installed automatically",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Install security updates automatically",
        do="Install unattended-upgrades (Debian, Ubuntu) or dnf-automatic with apply_updates = yes (RHEL "
        "family), and enable its timer. Leave out only what must be updated by hand, and say so there.",
        verify="apt-config dump APT::Periodic::Unattended-Upgrade || systemctl is-enabled dnf-automatic.timer"
        "   # 1, or enabled",
        effort=Effort(setup=1, each=0.1),
        undo="Set APT::Periodic::Unattended-Upgrade to 0, or disable dnf-automatic.timer.",
        snippets=(
            Snippet(
                Language.SHELL,
                "if command -v apt-get >/dev/null; then\n"
                "  [ -e /usr/bin/unattended-upgrade ] || apt-get install -y unattended-upgrades </dev/null\n"
                "  printf '%s\\n' 'APT::Periodic::Enable \"1\";' "
                "'APT::Periodic::Update-Package-Lists \"1\";' "
                "'APT::Periodic::Unattended-Upgrade \"1\";' >/etc/apt/apt.conf.d/60-automatic-updates\n"
                "  systemctl enable apt-daily-upgrade.timer || true\n"
                "else\n"
                "  dnf install -y dnf-automatic\n"
                "  sed -i 's/^apply_updates *=.*/apply_updates = yes/' /etc/dnf/automatic.conf\n"
                "  systemctl enable --now dnf-automatic.timer\nfi",
                "if command -v apt-get >/dev/null; then rm -f /etc/apt/apt.conf.d/60-automatic-updates\n"
                "else systemctl disable --now dnf-automatic.timer; fi",
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Install what installs updates (Debian family)\n"
                "  ansible.builtin.apt:\n    name: unattended-upgrades\n"
                "  when: ansible_facts.pkg_mgr == 'apt'\n"
                "- name: Switch automatic updates on (Debian family)\n"
                "  ansible.builtin.copy:\n"
                "    dest: /etc/apt/apt.conf.d/60-automatic-updates\n"
                "    content: |\n"
                '      APT::Periodic::Enable "1";\n'
                '      APT::Periodic::Update-Package-Lists "1";\n'
                '      APT::Periodic::Unattended-Upgrade "1";\n'
                '    mode: "0644"\n'
                "  when: ansible_facts.pkg_mgr == 'apt'",
            ),
        ),
    ),
)
def automatic_updates(
    found: AutomaticUpdates, units: Units, *, max_age_days: int = 7, now: datetime
) -> Verdicts:
    """A fix that waits for somebody with time is a hole that is known to all; most attacks use such."""
    on = "automatic updates"
    want = f"on, and run within {max_age_days} days"
    if not found.tool:
        yield expect(False, on=on, saw="nothing installs updates by itself", want=want)
    elif not found.installs:
        saw = f"{found.tool} does not install ({found.setting or 'not set'})"
        yield expect(False, on=on, saw=saw, want=want, cite="setting")
    elif (timers := units.find(*_TIMERS.get(found.tool, ()))) and not units.starts(*_TIMERS[found.tool]):
        saw = f"{found.tool} is on, but {timers[0].name} is {timers[0].enabled or timers[0].active}"
        yield expect(False, on=on, saw=saw, want=want)
    elif not found.last_run:
        yield unknown(on, f"{found.tool} is on; nothing on the host tells that it ever ran")
    else:
        age = now.astimezone(UTC) - datetime.fromisoformat(found.last_run)
        held = age <= timedelta(days=max_age_days)
        ran = f"run within {max_age_days} days" if held else f"last run {found.last_run[:10]}"
        yield expect(held, on=on, saw=f"{found.tool}, {ran}", want=want, cite="ran")


@check(
    "host.upkeep.stale-programs",
    title="No running program uses files that an update has replaced",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Restart what still runs the code from before an update",
        do="Restart `@{on}` (needrestart or `zypper ps` lists the units), or reboot the host where it is "
        "init or D-Bus. When a service may restart only its owner can say.",
        verify="needrestart -r l -b || zypper ps -s   # nothing to restart",
        effort=Effort(setup=0.25, each=0.25),
        disruption=Disruption.RESTART,
        undo="None is needed: the files of the update are in place already.",
    ),
)
def stale_programs(found: StalePrograms) -> Verdicts:
    """The update is installed and the hole is still open: the program has the old library in memory."""
    libraries: dict[str, list[str]] = defaultdict(list)
    for one in found.programs:
        libraries[one.program].append(one.library)
    for program, used in libraries.items():
        more = f" and {len(used) - 3} more" if len(used) > 3 else ""
        yield expect(
            False, on=program, saw=", ".join(used[:3]) + more, want="the files on disk", cite=program
        )
    if not libraries:
        yield expect(True, on="running programs", saw="none with replaced files", want="none")


@check(
    "host.upkeep.uptime",
    title="The host was started within half a year",
    severity=Severity.LOW,
    fix=Fix(
        action="Reboot hosts that have run for very long",
        do="Reboot the host in its next maintenance window, and every few months from then on.",
        verify="uptime -s   # a day within the last half year",
        effort=Effort(setup=0.25, each=0.25),
        disruption=Disruption.REBOOT,
        undo="None is needed.",
    ),
)
def uptime(found: Uptime, *, max_days: int = 180) -> Verdicts:
    """It runs a kernel without the fixes since then, and nobody knows whether it still comes up."""
    if found.container:
        reason = f"this is a container ({found.container}): its host decides when it starts"
        yield not_applicable("uptime", reason)
        return
    held = found.days <= max_days
    # By months: else it would read otherwise every day.
    over = max(max_days, (found.days - 1) // _MONTH * _MONTH)
    saw = f"{max_days} days at most" if held else f"more than {over} days"
    yield expect(held, on="uptime", saw=saw, want=f"{max_days} days at most")


@check(
    "host.upkeep.paid-support",
    title="A release after its public support has the paid one",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Attach the paid support, or move to a supported release",
        do="Attach the host to the contract (`pro attach`, `subscription-manager register`) and switch its "
        "security updates on, or move the host to a supported release. It takes a contract, so no command "
        "alone does it.",
        verify="pro status || subscription-manager status   # attached, security updates enabled",
        effort=Effort(setup=1, each=0.25),
        undo="`pro detach` or `subscription-manager unregister`.",
    ),
)
def paid_support(system: OperatingSystem, found: PaidSupport, *, now: datetime) -> Verdicts:
    """The fixes exist and are behind a contract: without it the host has every flaw since the end."""
    on = "paid support"
    release = release_of(system)
    if release is None:
        yield unknown(on, f"{system.name}: its life cycle is not in the data")
    elif release.supported(now.date()):
        yield not_applicable(on, f"{system.name} still gets the public updates")
    else:
        saw = (
            f"{found.scheme} attached: {', '.join(found.services) or 'nothing on'}"
            if found.attached
            else "none"
        )
        # Ubuntu's contract is worth nothing for this until esm-infra is on.
        held = found.attached and (found.scheme != "Ubuntu Pro" or "esm-infra" in found.services)
        yield expect(held, on=on, saw=saw, want="attached, security updates on")


@check(
    "host.upkeep.live-patch",
    title="Live patching is at work where it is installed",
    severity=Severity.LOW,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Make live patching work, or reboot after kernel updates",
        do="Look into the state of @{tool} (`canonical-livepatch status`, `kpatch list`), mend it, or remove "
        "it and reboot after each kernel update. What is wrong has to be found first.",
        verify="ls /sys/kernel/livepatch   # at least one, where a kernel update is pending",
        effort=Effort(setup=0.5, each=0.25),
        undo="None is needed.",
    ),
)
def live_patch(found: LivePatching, updates: PendingUpdates) -> Verdicts:
    """Whoever relies on live patches does not reboot; when they stop, kernel flaws stay open unseen."""
    on = "live patches"
    waiting = [
        u.package for u in updates.pending if u.security and u.package.startswith(("linux-image", "kernel"))
    ]
    if found.applied:
        yield expect(True, on=on, saw=", ".join(found.applied), want="applied")
    elif waiting:
        saw = f"{found.tool} has applied nothing; {', '.join(waiting[:3])} waits"
        yield expect(False, on=on, saw=saw, want="applied", values={"tool": found.tool})
    else:
        yield not_applicable(on, "no kernel update waits, so there may be nothing to apply")
