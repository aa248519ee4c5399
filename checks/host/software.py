"""Software that a server should not need, that nobody keeps up to date, and that saves its data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from checks.check import Check, check, make_check
from checks.facts.host.packages import Packages
from checks.facts.host.units import Units
from checks.facts.host.upkeep import Backups, Unpackaged
from checks.fix import Effort, Fix, Language, Snippet
from checks.host.fixes import remove_package
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdicts, expect, unknown


@dataclass(frozen=True, slots=True)
class _Unwanted:
    """Packages that a server does without, by the names that distributions give them."""

    id: str
    title: str
    action: str
    why: str
    packages: frozenset[str]
    severity: Severity = Severity.LOW
    versioned: str = r"(?!)"
    """A pattern for names that have a version in them (gcc-12 without the package gcc)."""

    def among(self, names: frozenset[str]) -> frozenset[str]:
        """Those of these names that are such packages."""
        return names & self.packages | {name for name in names if re.fullmatch(self.versioned, name)}


_UNWANTED = (
    _Unwanted(
        "prelink",
        "No prelink changes installed programs",
        "Remove prelink",
        "It rewrites programs on disk, so that their integrity can no longer be checked against the package.",
        frozenset({"prelink"}),
    ),
    _Unwanted(
        "compilers",
        "No compiler is installed",
        "Remove compilers from servers that build nothing",
        "An intruder with a compiler on the host builds the exploit that fits its kernel, in place.",
        frozenset({"gcc", "g++", "clang", "cc", "tcc", "rustc", "golang-go", "gcc-c++", "build-base"}),
        versioned=r"(gcc|g\+\+|clang|rustc)-?\d+(\.\d+)*|gcc\d+-c\+\+|gcc-toolset-\d+-gcc(-c\+\+)?|"
        r"golang(-\d+\.\d+-go|-bin)?|go(lang)?\d*(\.\d+)?",
    ),
    _Unwanted(
        "desktop",
        "No desktop is installed",
        "Remove the desktop from servers",
        "A desktop brings hundreds of packages, a login screen and services that no server needs.",
        frozenset(
            {
                "xserver-xorg-core", "xorg-x11-server-Xorg", "xorg-server", "gdm3", "gdm", "lightdm", "sddm",
                "xdm", "gnome-shell", "plasma-workspace", "kdm",
            }
        ),
    ),
    _Unwanted(
        "selinux-tools",
        "The helpers of SELinux for desktops are not installed",
        "Remove setroubleshoot and mcstrans",
        "They read what programs report, with wide rights, for explanations that a server's staff finds "
        "elsewhere.",
        frozenset({"setroubleshoot", "setroubleshoot-server", "mcstrans"}),
    ),
)  # fmt: skip


def _made(unwanted: _Unwanted) -> Check[[Packages]]:
    def judge(found: Packages, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
        here = sorted(unwanted.among(found.names) - allowed)
        for name in here:
            yield expect(
                False, on=name, saw="installed", want="not installed", values={"package": name}, cite=name
            )
        if not here:
            saw = f"none among {len(found.packages)} packages"
            yield expect(True, on="packages", saw=saw, want="none of them")

    return make_check(
        judge,
        f"host.software.{unwanted.id}",
        title=unwanted.title,
        why=unwanted.why,
        severity=unwanted.severity,
        fix=Fix(
            action=unwanted.action,
            do="Remove `@{package}` where this host's task does not need it; where it does, name it in the "
            "threshold `allowed`.",
            verify="dpkg-query -W @{package} || rpm -q @{package} || apk info -e @{package}   # no such one",
            effort=Effort(setup=0.25, each=0.1),
            undo="Install the package again; its configuration was kept.",
            snippets=remove_package(),
        ),
    )


UNWANTED = tuple(_made(one) for one in _UNWANTED)
"""One check for each kind of software that a server does without."""


@check(
    "host.software.graphical-start",
    title="The host does not start a desktop",
    severity=Severity.LOW,
    fix=Fix(
        action="Start servers without a desktop",
        do="Disable the login screen `@{on}`; the next boot then stops at the text console.",
        verify="systemctl is-enabled @{unit}   # disabled",
        effort=Effort(setup=0.1, each=0.05),
        undo="Enable it again.",
        snippets=(
            Snippet(
                Language.SHELL,
                'unit=@{unit}\nsystemctl disable "$unit"',
                'unit=@{unit}\nsystemctl enable "$unit"',
            ),
        ),
    ),
)
def graphical_start(found: Units) -> Verdicts:
    """A login screen on a server is one more way in at the console, with all that a desktop starts."""
    screens = found.starts("gdm", "gdm3", "lightdm", "sddm", "xdm", "display-manager")
    for unit in screens:
        yield expect(
            False, on=unit.name, saw=unit.enabled or unit.active, want="off", values={"unit": unit.name}
        )
    if not screens:
        yield expect(True, on="login screens", saw="none starts", want="none starts")


@check(
    "host.software.unpackaged",
    title="No program came past the package manager",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    exploit=Exploit.AUTOMATABLE,
    fix=Fix(
        action="Take programs outside of the package manager into the inventory",
        do="For each program find its owner, its publisher's security notices and who updates it; replace it "
        "by a package where there is one. This is work for people who know what it is for.",
        verify="ls /opt /usr/local/bin; pip list; npm ls -g   # each is in the inventory",
        effort=Effort(setup=1, each=0.5),
        undo="None is needed.",
    ),
)
def unpackaged(found: Unpackaged, *, known: frozenset[str] = frozenset()) -> Verdicts:
    """No update of the system ever reaches it, and no advisory of the distribution speaks of it."""
    strange = [one for one in found.programs if one not in known]
    if strange:
        more = f" and {len(strange) - 8} more" if len(strange) > 8 else ""
        saw = f"{len(strange)}{' or more' if found.more else ''}: {', '.join(strange[:8])}{more}"
        yield expect(False, on="programs outside of the packages", saw=saw, want="none, or in the inventory")
    else:
        yield expect(True, on="programs outside of the packages", saw="none that is not known", want="none")


@check(
    "host.software.backups",
    title="A backup ran within a week",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Set up backups, and have them tell of each run",
        do="Find out how this host's data is saved, restore a file from it as proof, and have the job leave "
        "a trace of its last run. Which data and how long it is kept is a decision of its owner.",
        verify="systemctl list-timers --all | grep -i backup   # LAST is within a week",
        effort=Effort(setup=4, each=1),
        undo="None is needed.",
    ),
)
def backups(found: Backups, *, max_age_days: int = 7, now: datetime) -> Verdicts:
    """After ransomware or a dead disk the last backup is what the business goes on with."""
    on = "backups"
    last = max((trace.last for trace in found.traces if trace.last), default="")
    names = ", ".join(sorted({trace.program for trace in found.traces}))
    if last:
        held = now.date() - date.fromisoformat(last) <= timedelta(days=max_age_days)
        want = f"within {max_age_days} days"
        yield expect(held, on=on, saw=f"{names}, last run {want if held else last}", want=want, cite="trace")
    elif names:
        yield unknown(on, f"{names} is set up here; nothing on the host tells when it last ran")
    else:
        # It may be saved from outside: by its hypervisor, its storage or its cloud.
        yield unknown(on, "no backup was observed on the host; one from outside would not be seen here")
