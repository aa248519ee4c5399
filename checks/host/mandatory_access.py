"""Mandatory access control in detail: SELinux, AppArmor and its profiles."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.kernel import AppArmorProfiles, MandatoryAccess
from checks.facts.host.packages import Packages
from checks.facts.host.system import OperatingSystem
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.fixes import install_package
from checks.model import Impact, Severity
from checks.verdict import Verdicts, expect, not_applicable, unknown

_RED_HAT = frozenset({"rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn"})
_DEBIAN = frozenset({"debian", "ubuntu"})


@check(
    "host.mandatory-access.selinux",
    title="SELinux enforces, now and after the next boot",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Switch on AppArmor or SELinux",
        do="Set SELINUX=enforcing in /etc/selinux/config. Where it runs as permissive, read its log first "
        "and then `setenforce 1`; where it is off, boot as permissive once with /.autorelabel there, so "
        "that files get their labels. A person watches that: services with wrong labels stop.",
        verify="getenforce; grep ^SELINUX= /etc/selinux/config   # Enforcing and SELINUX=enforcing",
        effort=Effort(setup=4, each=0.5),
        disruption=Disruption.REBOOT,
        undo="Set SELINUX back to what it was and reboot.",
        key="host.kernel.mandatory-access",
    ),
)
def selinux(found: MandatoryAccess, system: OperatingSystem) -> Verdicts:
    """On systems built around SELinux it is what keeps a service with a hole in its own files."""
    on = "SELinux"
    if _RED_HAT.isdisjoint({system.id, *system.like}):
        yield not_applicable(on, f"{system.name} is not built around SELinux")
    elif found.container and found.selinux != "enforcing":
        yield unknown(on, f"this is a container ({found.container}): the machine around it decides")
    else:
        planned = found.selinux_configured or "not configured"
        yield expect(
            found.selinux == "enforcing" and found.selinux_configured in ("", "enforcing"),
            on=on,
            saw=f"{found.selinux} now, {planned} for the next boot",
            want="enforcing in both",
        )


@check(
    "host.mandatory-access.apparmor",
    title="AppArmor is installed",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Install AppArmor",
        do="Install the package @{package}, which loads the profiles at boot.",
        verify="aa-enabled   # Yes",
        effort=Effort(setup=0.5, each=0.1),
        undo="Remove the package again.",
        snippets=install_package(),
        key="package:@{package}",
    ),
)
def apparmor(packages: Packages, found: MandatoryAccess, system: OperatingSystem) -> Verdicts:
    """Without its tools no profile is loaded, and a hole in a service gives all that its user may touch."""
    on = "apparmor"
    if _DEBIAN.isdisjoint({system.id, *system.like}):
        yield not_applicable(on, f"{system.name} does not rely on AppArmor")
    elif found.selinux == "enforcing":
        yield not_applicable(on, "SELinux enforces instead")
    else:
        there = on in packages.names
        saw = "installed" if there else "not installed"
        yield expect(there, on=on, saw=saw, want="installed", values={"package": on})


@check(
    "host.mandatory-access.profiles",
    title="AppArmor's profiles enforce",
    severity=Severity.LOW,
    fix=Fix(
        action="Let AppArmor's profiles enforce",
        do="Read what the profile @{on} would have refused (`journalctl -k -g apparmor`), complete it, and "
        "switch it with `aa-enforce` (package apparmor-utils).",
        verify="aa-status | grep -c complain   # 0 profiles",
        effort=Effort(setup=1, each=0.25),
        disruption=Disruption.NONE,
        undo="`aa-complain` for the same profile.",
        snippets=(Snippet(Language.SHELL, "aa-enforce @{on}", "aa-complain @{on}"),),
        key="apparmor:enforce",
    ),
)
def profiles(
    found: AppArmorProfiles,
    *,
    weak_modes: frozenset[str] = frozenset({"complain"}),
    allowed: frozenset[str] = frozenset(),
) -> Verdicts:
    """A profile that only complains writes down what an attacker does and lets it happen."""
    weak = [
        (name, mode)
        for mode in sorted(weak_modes & found.modes.keys())
        for name in found.modes[mode]
        if name not in allowed
    ]
    for name, mode in weak:
        yield expect(False, on=name, saw=mode, want="enforce")
    total = sum(len(names) for names in found.modes.values())
    if not total:
        yield unknown("profiles", "AppArmor is on, but no profile is loaded")
    elif not weak:
        saw = f"{total} loaded, none of them {' or '.join(sorted(weak_modes))}"
        yield expect(True, on="profiles", saw=saw, want="every profile enforces")
