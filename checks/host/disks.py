"""The disks of a host: whether they have room, and whether what they hold is encrypted."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.disks import BlockDevices
from checks.facts.host.mounts import FreeSpace, Mount, Mounts
from checks.facts.host.platform import Platform
from checks.fix import Disruption, Effort, Fix
from checks.model import Severity
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_DISKS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs"})


@check(
    "host.disks.free-space",
    title="There is room for updates and logs",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Make room on full filesystems",
        do="Find out what fills @{on} and clear or move it, or make the filesystem larger. No command can "
        "know what may go.",
        verify="df -P @{on}; df -Pi @{on}   # less than the limit in use",
        effort=Effort(setup=0.5, each=0.5),
        undo="Nothing to take back.",
        key="space:@{on}",
    ),
)
def free_space(found: FreeSpace, *, most: int = 90) -> Verdicts:
    """A full disk stops updates half way and logs altogether; `most` is in per cent of space or inodes."""
    for one in found.spaces:
        # Day by day a little more is in use; what has room is not told anew each time.
        room = max(one.used, one.inodes) < most
        used = f"{one.used} % of its space and {one.inodes} % of its inodes in use"
        yield expect(
            room,
            on=one.point,
            saw=f"less than {most} % of its space and of its inodes in use" if room else used,
            want=f"less than {most} %",
            cite=f"\t{one.point}\t",
        )


@check(
    "host.disks.encrypted",
    title="Data on disks is encrypted",
    severity=Severity.LOW,
    fix=Fix(
        action="Encrypt the volumes that hold data",
        do="Move the data of @{on} to a volume on LUKS (cryptsetup), with its key where a thief of the disk "
        "does not find it. It takes a copy of all data and somebody who can enter a key at boot, so a "
        "person plans it; a disk that encrypts itself cannot be seen from here and may be enough.",
        verify='lsblk -so NAME,TYPE "$(findmnt -no SOURCE @{on})"   # a line with crypt'.replace('"', ""),
        effort=Effort(setup=2, each=3),
        disruption=Disruption.OUTAGE,
        undo="Move the data back to a plain volume.",
    ),
)
def encrypted(found: Mounts, devices: BlockDevices, platform: Platform) -> Verdicts:
    """A disk that is sold, sent in for repair or stolen tells all that was ever written to it."""
    if platform.container:
        reason = f"this is a container ({platform.container}): its disks are those of the machine around it"
        yield not_applicable("disks", reason)
        return
    told = False
    for mount in found.mounts:
        if mount.kind in _DISKS and not f"{mount.point}/".startswith("/boot/") and "ro" not in mount.options:
            told = True
            yield _covered(mount, devices, platform)
    if not told:
        yield unknown("disks", "no filesystem on a disk was seen")


def _covered(mount: Mount, devices: BlockDevices, platform: Platform) -> Verdict:
    device, want = devices.find(mount.device, mount.source), "on an encrypted device"
    if device is not None and devices.encrypted(device):
        return expect(True, on=mount.point, saw=f"{mount.source} is encrypted", want=want)
    if platform.cloud:
        reason = f"the volume is one of {platform.cloud}, whose own encryption the host cannot see"
        return unknown(mount.point, reason, needs="the provider's settings of the volume")
    if device is None:
        return unknown(mount.point, f"the device below {mount.source} is not known")
    return expect(False, on=mount.point, saw=f"{mount.source} is plain", want=want)
