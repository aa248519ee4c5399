"""What every login gets: the rules for new passwords, the umask, the time-out, and root's search path."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.host.files import FileMode
from checks.facts.snapshot import Fact


class LoginDefs(Fact, frozen=True, forbid_unknown_fields=True):
    """The settings of /etc/login.defs, and those of useradd (`/etc/default/useradd`).

    `present` is False on a host without /etc/login.defs: its account tools know no such rules. `unread` are
    the files among these that this login may not read.
    """

    present: bool
    settings: Mapping[str, str]
    useradd: Mapping[str, str]
    unread: tuple[str, ...] = ()


class ShellSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value that a start file of shells, or a PAM line, sets."""

    file: str
    value: str


class ShellStart(Fact, frozen=True, forbid_unknown_fields=True):
    """What the system-wide start files of shells set (/etc/profile, /etc/profile.d, bashrc).

    `pam_umask` are the lines that call pam_umask, each with its `umask=` or nothing. `fixed` says that some
    file makes TMOUT read-only. `unread` are start files that the login may not read.
    """

    umasks: tuple[ShellSetting, ...]
    timeouts: tuple[ShellSetting, ...]
    fixed: bool
    pam_umask: tuple[ShellSetting, ...] = ()
    unread: tuple[str, ...] = ()


class PathEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One folder of a search path as the file writes it (`.` and nothing are the folder one stands in)."""

    file: str
    folder: str


class RootPath(Fact, frozen=True, forbid_unknown_fields=True):
    """The folders in which root's commands are searched, from every file that sets them for root.

    `folders` are those that exist, with the folders above them; `absent` those that do not; `unseen` those
    that the login may not look at. `unread` are files that may set the path and may not be read.
    """

    entries: tuple[PathEntry, ...]
    folders: tuple[FileMode, ...]
    absent: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
