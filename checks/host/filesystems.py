"""The filesystems of a host: what they allow, whether they can fill each other, and what is encrypted."""

from __future__ import annotations

from dataclasses import dataclass

from checks.check import Check, check, make_check
from checks.facts.host.mounts import Mounts
from checks.facts.host.packages import Packages
from checks.facts.host.units import Units
from checks.fix import Disruption, Effort, Fix
from checks.host.fixes import disable_unit
from checks.host.mount_fixes import OPTIONS, OWN_TMP
from checks.model import Severity
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_REFERENCE = "https://man7.org/linux/man-pages/man8/mount.8.html"
_TMP, _VAR_TMP, _SHM = "/tmp", "/var/tmp", "/dev/shm"  # noqa: S108 - judged, not used
_OPPOSITES = {"nodev": "dev", "nosuid": "suid", "noexec": "exec"}


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder whose mount must have certain options; `always` also where it has no mount of its own."""

    id: str
    title: str
    why: str
    path: str
    options: tuple[str, ...]
    severity: Severity = Severity.LOW
    always: bool = False


_PLACES = (
    _Place(
        "tmp-options",
        "Programs and devices planted in /tmp do not work",
        "Everybody writes there, so it is where malware lands first; with these options it cannot be "
        "started from there, and no planted file gives the rights of another user.",
        _TMP,
        ("nodev", "nosuid", "noexec"),
        Severity.MEDIUM,
        always=True,
    ),
    _Place(
        "shm-options",
        "Programs and devices planted in shared memory do not work",
        "Shared memory is a writable folder in memory that leaves no trace on a disk, which is why malware "
        "starts from it.",
        _SHM,
        ("nodev", "nosuid", "noexec"),
        Severity.MEDIUM,
        always=True,
    ),
    _Place(
        "var-tmp-options",
        "Programs and devices planted in /var/tmp do not work",
        "What lies there outlives a reboot and everybody may write there: the place for a tool that is to "
        "last.",
        _VAR_TMP,
        ("nodev", "nosuid", "noexec"),
        always=True,
    ),
    _Place(
        "home-options",
        "Devices and privileged programs in homes do not work",
        "A file from a backup or another system would give its owner's rights, or a raw disk, to a user.",
        "/home",
        ("nodev", "nosuid"),
    ),
    _Place(
        "var-options",
        "Devices and privileged programs in /var do not work",
        "Services write their data there, and a hole in one of them must not plant a program with more "
        "rights.",
        "/var",
        ("nodev", "nosuid"),
    ),
)


def _made(place: _Place) -> Check[[Mounts]]:
    def judge(
        found: Mounts, *, options: tuple[str, ...] = place.options, separate_only: bool = not place.always
    ) -> Verdicts:
        yield _judged(found, place.path, options, separate_only)

    return make_check(
        judge,
        f"host.filesystems.{place.id}",
        title=place.title,
        why=place.why,
        severity=place.severity,
        fix=Fix(
            action=f"Mount {place.path} with {', '.join(place.options)}",
            do="Add @{good} to the options of @{on} in /etc/fstab (or to those of its mount unit in "
            "/etc/systemd/system) and remount it; a folder without a mount of its own gets one.",
            verify="findmnt -no OPTIONS @{on}   # with @{good}",
            effort=Effort(setup=0.5, each=0.1),
            undo="Take the words out of /etc/fstab again and remount @{on} without them.",
            snippets=OPTIONS,
            key="mount:@{on}",
        ),
        refs=(_REFERENCE,),
    )


def _judged(found: Mounts, path: str, options: tuple[str, ...], separate_only: bool) -> Verdict:
    mount, own, planned = found.holding(path), found.at(path), found.planned(path)
    if path in found.absent:
        return not_applicable(path, f"there is no {path}")
    if mount is None:
        return unknown(path, f"no mount was seen that holds {path}")
    if own is None and separate_only:
        return not_applicable(path, f"{path} has no mount of its own")
    now = [word for word in options if word not in mount.options]
    later = [word for word in options if own and planned and word not in planned.options]
    missing = now or later
    where = "" if own else f", as a part of {mount.point}"
    saw = f"without {', '.join(missing)}{where}" if missing else f"with {', '.join(options)}{where}"
    return expect(
        not missing,
        on=path,
        saw=f"{saw}, after the next boot" if later and not now else saw,
        want=f"with {', '.join(options)}",
        values={
            "good": ",".join(missing),
            "back": ",".join(_OPPOSITES[word] for word in now if word in _OPPOSITES),
            "source": mount.source if own else path,
            "kind": mount.kind if own else "none",
            "options": ",".join((*(own.options if own else ("bind",)), *missing)),
        },
        cite=f"\t{mount.point}\t",
    )


PLACES = tuple(_made(place) for place in _PLACES)
"""One check for each folder whose mount options matter."""


@check(
    "host.filesystems.tmp-separate",
    title="Temporary files have a filesystem of their own",
    severity=Severity.LOW,
    fix=Fix(
        action="Give /tmp a filesystem of its own",
        do="Mount a tmpfs at @{on} with nodev, nosuid and noexec: switch on tmp.mount of systemd, or add a "
        "line to /etc/fstab. Best with a reboot: programs that hold files there must be restarted.",
        verify="findmnt -n @{on}   # a line with tmpfs",
        effort=Effort(setup=0.5, each=0.2),
        disruption=Disruption.RESTART,
        undo="Take the line out of /etc/fstab and unmount it.",
        snippets=OWN_TMP,
        key="mount:@{on}",
    ),
    refs=(_REFERENCE,),
)
def tmp_separate(found: Mounts) -> Verdicts:
    """Any user fills /tmp, and with it the system's disk, which stops services and their logs."""
    yield _own_space(found, _TMP, "")


@check(
    "host.filesystems.log-space",
    title="Logs cannot fill the system's disk",
    severity=Severity.LOW,
    fix=Fix(
        action="Give logs a volume of their own",
        do="Make a volume for /var/log, copy the logs over, and mount it there with nodev, nosuid and "
        "noexec. A person decides where the space for it comes from.",
        verify="findmnt -n /var/log   # a line",
        effort=Effort(setup=1, each=1),
        disruption=Disruption.RESTART,
        undo="Copy the logs back, take the line out of /etc/fstab, and unmount the volume.",
        key="mount:@{on}",
    ),
)
def log_space(found: Mounts) -> Verdicts:
    """Whoever makes a service write logs without end takes the whole host down with a full disk."""
    yield _own_space(found, "/var/log", "/var")


@check(
    "host.filesystems.audit-log-space",
    title="The audit log has space of its own",
    severity=Severity.LOW,
    fix=Fix(
        action="Give the audit log a volume of its own",
        do="Make a volume for /var/log/audit, stop auditd, copy its log over, mount the volume there, and "
        "start auditd again. A person decides where the space for it comes from.",
        verify="findmnt -n /var/log/audit   # a line",
        effort=Effort(setup=1, each=1),
        disruption=Disruption.RESTART,
        undo="Copy the log back, take the line out of /etc/fstab, and unmount the volume.",
        key="mount:@{on}",
    ),
)
def audit_log_space(found: Mounts, packages: Packages) -> Verdicts:
    """Other logs that fill the disk silence the audit, which is what an intruder wants to see."""
    if packages.names.isdisjoint({"auditd", "audit"}):
        yield not_applicable("/var/log/audit", "no audit daemon is installed")
    else:
        yield _own_space(found, "/var/log/audit", "/var/log")


def _own_space(found: Mounts, path: str, parent: str) -> Verdict:
    """Whether the path has a filesystem that what surrounds it does not share."""
    if path in found.absent:
        return not_applicable(path, f"there is no {path}")
    own, root = found.at(path), found.at("/")
    want = "a filesystem of its own"
    if own is None:
        around = found.holding(path)
        point = around.point if around else "/"
        return expect(
            False, on=path, saw=f"a part of the filesystem at {point}", want=want, cite=f"\t{point}\t"
        )
    around = found.at(parent) or root if parent else root
    if (
        around is not None
        and (own.device, own.source) == (around.device, around.source)
        and own is not around
    ):
        saw = f"a second view of the filesystem at {around.point}"
        return expect(False, on=path, saw=saw, want=want, cite=f"\t{path}\t")
    if root is not None and own.kind == "btrfs" and own.source == root.source:
        reason = f"{path} is a subvolume of the root's filesystem, and whether a quota limits it was not read"
        return unknown(path, reason, needs="sudo: btrfs qgroup show /")
    return expect(True, on=path, saw=f"{own.kind} of its own", want=want, cite=f"\t{path}\t")


@check(
    "host.filesystems.automount",
    title="Nothing is mounted by itself",
    severity=Severity.LOW,
    fix=Fix(
        action="Switch off the automounter",
        do="Stop @{unit} and keep it from starting, unless homes or shares come through it.",
        verify="systemctl is-enabled @{unit}   # disabled",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.OUTAGE,
        undo="Enable and start the unit again.",
        snippets=disable_unit(),
    ),
)
def automount(found: Units) -> Verdicts:
    """A stick in the machine or a name in a path brings foreign files in, without an administrator."""
    units = found.find("autofs")
    for unit in units:
        starts = bool(found.starts(unit.name))
        state = ", ".join(filter(None, (unit.enabled, unit.active)))
        yield expect(not starts, on=unit.name, saw=state or "known", want="off", values={"unit": unit.name})
    if not units:
        yield expect(True, on="autofs.service", saw="not installed", want="off", values={"unit": "autofs"})
