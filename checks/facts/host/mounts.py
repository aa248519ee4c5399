"""Where the filesystems of a host are mounted, how, and how full they are."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Mount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One filesystem in the tree.

    `source` is the device (`/dev/sda2`), or the type again where there is no device. `device` is its
    number (`8:2`), `root` the folder of the filesystem that is seen here: `/` except for bind mounts and
    subvolumes. `options` are the words of the mount without their values.
    """

    point: str
    source: str
    kind: str
    device: str
    root: str
    options: tuple[str, ...]


class TableLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of /etc/fstab: what the next boot mounts there, and with which words."""

    point: str
    kind: str
    options: tuple[str, ...]


class Mounts(Fact, frozen=True, forbid_unknown_fields=True):
    """The mounts of the running system, without those of containers and packages, and those of fstab.

    Where several lie on one point only the uppermost is kept. `absent` are those of the folders that checks
    ask about which are not there.
    """

    mounts: tuple[Mount, ...]
    table: tuple[TableLine, ...]
    absent: tuple[str, ...] = ()

    def at(self, point: str) -> Mount | None:
        """What is mounted at exactly that folder."""
        return next((one for one in self.mounts if one.point == point), None)

    def holding(self, path: str) -> Mount | None:
        """The mount that the path lies in."""
        around = [one for one in self.mounts if one.point == "/" or f"{path}/".startswith(f"{one.point}/")]
        return max(around, key=lambda one: len(one.point), default=None)

    def planned(self, point: str) -> TableLine | None:
        """The line of fstab for that folder."""
        return next((one for one in self.table if one.point == point), None)


class Space(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How full the filesystem at a mount point is, in per cent of its blocks and of its inodes.

    `inodes` is 0 where the filesystem has no fixed number of them.
    """

    point: str
    used: int
    inodes: int


class FreeSpace(Fact, frozen=True, forbid_unknown_fields=True):
    """The filesystems that updates, logs and boot files are written to."""

    spaces: tuple[Space, ...]
