"""Whether a host still gets security fixes, and whether it has those that there are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from checks.check import check
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import PendingUpdates, RebootState
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.lifecycle import DATA_DATE, release_of
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_NAMED = 8


@check(
    "host.patch.os-supported",
    title="The operating system still gets security fixes",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Move hosts to a supported operating system release",
        do="Plan the move of @{system} to a release that is supported: upgrade in place, or build anew and "
        "move the services over.",
        verify="cat /etc/os-release   # a supported release",
        effort=Effort(setup=8, each=6),
        disruption=Disruption.OUTAGE,
        undo="Restore the backup or the snapshot that was made before.",
    ),
    refs=("https://endoflife.date/",),
)
def os_supported(
    system: OperatingSystem, *, paid_support: bool = False, notice_days: int = 180, now: datetime
) -> Verdicts:
    """Every flaw found after the last fix stays open for good, and attackers look for exactly such hosts."""
    on = "operating system"
    release = release_of(system)
    if release is None:
        yield unknown(on, f"{system.name}: not in the life-cycle data of {DATA_DATE}")
        return
    today = now.date()
    values = {"system": system.name}
    dated = f"(life-cycle data of {DATA_DATE})"
    want = "a release with security support"
    if release.supported(today):
        yield expect(
            True, on=on, saw=f"{system.name}, {release.until(today, notice_days)} {dated}", want=want
        )
    elif release.extended_on(today) and (release.extended_free or paid_support):
        kind = "long-term support" if release.extended_free else "paid support"
        saw = f"{system.name}, in {kind} until {release.extended} {dated}"
        yield expect(True, on=on, saw=saw, want=want)
    elif release.extended_on(today):
        saw = (
            f"{system.name}, support ended on {release.ended}, paid support until {release.extended}: set "
            f"paid_support where it is bought {dated}"
        )
        yield expect(False, on=on, saw=saw, want=want, severity=Severity.HIGH, values=values)
    else:
        saw = f"{system.name}, support ended on {release.extended or release.ended} {dated}"
        yield expect(False, on=on, saw=saw, want=want, values=values)


_UPGRADE = Fix(
    action="Install the pending security updates",
    do="Refresh the package lists and install the updates, then restart the services that use them.",
    verify="apt-get -s upgrade | grep ^Inst.*-[Ss]ecurity || dnf -q updateinfo list --security   # nothing",
    effort=Effort(setup=0.5, each=0.25),
    disruption=Disruption.RESTART,
    undo="Install the former version of a package that makes trouble: `apt-get install name=version`.",
    snippets=(
        Snippet(
            Language.SHELL,
            "if command -v apt-get; then apt-get update && apt-get upgrade --with-new-pkgs -y\n"
            "elif command -v dnf; then dnf upgrade --security -y\n"
            "elif command -v zypper; then zypper --non-interactive patch --category security\n"
            "else apk -U upgrade; fi",
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Install pending updates (Debian family)\n"
            "  ansible.builtin.apt:\n    update_cache: true\n    upgrade: safe\n"
            "  when: ansible_facts.pkg_mgr == 'apt'\n"
            "- name: Install pending security updates (RHEL family)\n"
            '  ansible.builtin.dnf:\n    name: "*"\n    state: latest\n    security: true\n'
            "  when: ansible_facts.pkg_mgr in ['dnf', 'dnf5']",
        ),
    ),
)


@check(
    "host.patch.security-updates",
    title="No security update is pending",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=_UPGRADE,
)
def security_updates(updates: PendingUpdates, *, max_age_days: int = 14, now: datetime) -> Verdicts:
    """A published fix tells everybody where the flaw is; the race is on from that day."""
    on = "security updates"
    waiting = sorted({update.package for update in updates.pending if update.security})
    if waiting:
        saw = f"{len(waiting)} pending: {_some(waiting)}"
        yield expect(False, on=on, saw=saw, want="none pending", cite="ecurity")
    elif doubt := _doubt(updates, max_age_days, now):
        yield unknown(on, f"none is known to be pending, but {doubt}")
    else:
        yield expect(
            True,
            on=on,
            saw=f"none pending, by lists of the last {max_age_days} days",
            want="none pending",
        )


def _doubt(updates: PendingUpdates, max_age_days: int, now: datetime) -> str:
    """Why "nothing is pending" would not be evidence; empty if it is."""
    if not updates.lists:
        return "the host has no package lists"
    if not updates.tells_security:
        return f"{updates.manager} does not say which of {len(updates.pending)} updates are for security"
    if not updates.security_source:
        return "no list of security updates is among its package lists"
    if not updates.lists_at:
        return "the age of its package lists is not known"
    # A fresh list of another source does not make an old list of security updates younger.
    what = "list of security updates" if updates.security_at else "package list"
    at = updates.security_at or updates.lists_at
    if _age(at, now) > timedelta(days=max_age_days):
        return f"its newest {what} is of {at[:10]}, older than {max_age_days} days"
    return ""


@check(
    "host.patch.package-lists",
    title="The package lists are fresh",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Refresh the package lists every day",
        do="Refresh the package lists, and let a timer do so daily (unattended-upgrades, dnf-automatic).",
        verify="apt-get update || dnf makecache   # no error",
        effort=Effort(setup=0.5, each=0.1),
        undo="Disable the timer.",
        snippets=(
            Snippet(
                Language.SHELL,
                "if command -v apt-get; then apt-get update && apt-get install -y unattended-upgrades\n"
                "else dnf install -y dnf-automatic && systemctl enable --now dnf-automatic.timer; fi",
                "systemctl disable --now apt-daily.timer dnf-automatic.timer",
            ),
        ),
    ),
)
def package_lists(updates: PendingUpdates, *, max_age_days: int = 14, now: datetime) -> Verdicts:
    """A host with old lists does not know what it lacks, and calls itself up to date."""
    on = "package lists"
    want = f"at most {max_age_days} days old"
    if updates.lists and not updates.lists_at:
        yield unknown(on, "the lists carry no date")
    elif not updates.lists:
        yield expect(False, on=on, saw="no package list", want=want)
    else:
        held = _age(updates.lists_at, now) <= timedelta(days=max_age_days)
        yield expect(held, on=on, saw=want if held else f"newest of {updates.lists_at[:10]}", want=want)


@check(
    "host.patch.security-source",
    title="A source of security updates is configured",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Configure the source of security updates",
        do="Add the distribution's security repository to the package sources and refresh the lists.",
        verify="apt-cache policy | grep -i security   # the security repository",
        effort=Effort(setup=0.5, each=0.1),
        undo="Delete the added file and refresh the lists.",
        snippets=(
            Snippet(
                Language.SHELL,
                ". /etc/os-release\n"
                '[ "$ID" = debian ] &&\n'
                "  printf 'deb http://deb.debian.org/debian-security %s-security main\\n' "
                '"$VERSION_CODENAME" >/etc/apt/sources.list.d/security.list &&\n'
                "  apt-get update",
                "rm -f /etc/apt/sources.list.d/security.list && apt-get update",
            ),
        ),
    ),
)
def security_source(system: OperatingSystem, updates: PendingUpdates) -> Verdicts:
    """Without it the host never hears of a security fix and reports that nothing is pending."""
    on = "package sources"
    if updates.security_source:
        yield expect(True, on=on, saw="security updates are among the lists", want="security updates")
    elif not updates.lists:
        yield unknown(on, "the host has no package lists that would show its sources")
    elif updates.manager == "apt" and system.id in ("debian", "ubuntu"):
        yield expect(False, on=on, saw="no list of security updates", want="security updates")
    else:
        yield unknown(on, f"how {system.name} marks security updates is not known")


@check(
    "host.patch.held-packages",
    title="No package is held back from its security update",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Release packages that are held back from security updates",
        do="Find out why `@{on}` is held, solve that, then release and upgrade it.",
        verify="apt-mark showhold   # without the package",
        effort=Effort(setup=0.5, each=0.5),
        disruption=Disruption.RESTART,
        undo="Hold it again with `apt-mark hold`.",
        snippets=(
            Snippet(
                Language.SHELL,
                "apt-mark unhold @{on} && apt-get install --only-upgrade -y @{on}",
                "apt-mark hold @{on}",
            ),
        ),
    ),
)
def held_packages(updates: PendingUpdates) -> Verdicts:
    """Updates pass a held package by in silence, so its known flaws stay open while all looks well."""
    held = [update for update in updates.pending if update.held and update.security]
    for update in held:
        saw = f"{update.installed} held, {update.candidate} fixes security flaws"
        yield expect(False, on=update.package, saw=saw, want="the fixed version")
    if updates.manager != "apt":
        yield unknown("held packages", f"what {updates.manager} holds back is not read")
    elif not held and updates.held and not (updates.lists and updates.security_source):
        reason = f"held: {_some(updates.held)}; no list of security updates says what they lack"
        yield unknown("held packages", reason)
    elif not held:
        saw = f"held, without a known security update: {_some(updates.held)}" if updates.held else "none held"
        yield expect(True, on="held packages", saw=saw, want="none with a security update")


@check(
    "host.patch.reboot",
    title="No reboot is owed",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Reboot hosts that run an old kernel",
        do="Reboot the host in its next maintenance window.",
        verify="uname -r; test ! -e /run/reboot-required && echo no reboot owed   # @{newest}",
        effort=Effort(setup=0.25, each=0.25),
        disruption=Disruption.REBOOT,
        undo="Choose the former kernel in the boot menu.",
        snippets=(Snippet(Language.SHELL, "shutdown -r +5 'Reboot into the updated kernel'", "shutdown -c"),),
    ),
)
def reboot(state: RebootState) -> Verdicts:
    """An installed fix of the kernel protects nobody until the machine has started with it."""
    on = "kernel"
    if state.container:
        yield not_applicable(on, f"this is a container ({state.container}): it runs the kernel of its host")
        return
    rivals = [k for k in state.installed if _flavour(k) == _flavour(state.running)]
    newest = max(rivals, key=_version, default="")
    if newest and _version(newest) > _version(state.running):
        yield _owed(f"{state.running} runs, {newest} is installed", newest, newest)
    elif state.running_build and state.installed_build and state.running_build != state.installed_build:
        saw = f"build {state.running_build} runs, {state.installed_build} is installed"
        yield _owed(saw, state.installed_build, state.running)
    elif state.requested:
        why = f" for {_some(state.requested_by)}" if state.requested_by else ""
        yield _owed(f"the host asks for a reboot{why}", "no reboot asked for", state.running)
    elif state.running not in state.installed:
        yield unknown(on, f"the package of the running kernel {state.running} is not on the host")
    else:
        yield expect(
            True, on=on, saw=f"{state.running} runs and is the newest installed", want="no reboot owed"
        )


def _owed(saw: str, want: str, newest: str) -> Verdict:
    return expect(False, on="kernel", saw=saw, want=want, values={"newest": newest}, cite="running")


def _flavour(kernel: str) -> str:
    """`cloud-amd64` of `6.1.0-25-cloud-amd64`: kernels of another flavour are no successors."""
    return "-".join(part for part in kernel.split("-") if part and not part[0].isdigit())


def _version(kernel: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", kernel.partition(".el")[0]))


def _age(at: str, now: datetime) -> timedelta:
    return now.astimezone(UTC) - datetime.fromisoformat(at)


def _some(names: Iterable[str]) -> str:
    known = list(names)
    more = len(known) - _NAMED
    return ", ".join(known[:_NAMED]) + (f" and {more} more" if more > 0 else "")
