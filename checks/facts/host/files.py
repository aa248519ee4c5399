"""Owners and modes of files: of those that decide about a host, and what a search of the disk found.

Access control lists are not looked at: a file that is judged closed by its mode may be open by a list.
"""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class FileMode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file or folder: its mode in octal digits (`0644`), its owner and its group by name."""

    path: str
    mode: str
    owner: str
    group: str
    kind: str


class FileModes(Fact, frozen=True, forbid_unknown_fields=True):
    """The watched files that exist, the watched paths that do not, and those that may not be looked at."""

    files: tuple[FileMode, ...]
    missing: tuple[str, ...]
    unread: tuple[str, ...] = ()


class OpenPath(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A path that everybody may write to. `folder` is True for a folder without the sticky bit."""

    path: str
    folder: bool


class OpenPaths(Fact, frozen=True, forbid_unknown_fields=True):
    """What everybody may write to on the local filesystems, up to a limit (`more` says it was hit).

    The stores of containers and virtual machines are not searched.
    """

    paths: tuple[OpenPath, ...]
    more: bool


class UnownedPath(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file or folder whose owner or group is no account of the host; that one is its number."""

    path: str
    owner: str
    group: str
    owner_known: bool
    group_known: bool


class UnownedPaths(Fact, frozen=True, forbid_unknown_fields=True):
    """What nobody owns on the local filesystems, up to a limit (`more` says it was hit)."""

    paths: tuple[UnownedPath, ...]
    more: bool


class PrivilegedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that runs with the rights of its owner or group; `packaged`: a package brought it."""

    path: str
    mode: str
    owner: str
    group: str
    packaged: bool


class PrivilegedFiles(Fact, frozen=True, forbid_unknown_fields=True):
    """The SUID and SGID files of the local filesystems, up to a limit (`more` says it was hit).

    `manager` is the package database that was asked who owns them (dpkg, rpm or apk), empty where there
    is none: then no `packaged` says anything.
    """

    files: tuple[PrivilegedFile, ...]
    manager: str
    more: bool


class CapableFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program with capabilities in its file, as getcap writes them (`cap_net_raw=ep`)."""

    path: str
    capabilities: str


class CapableFiles(Fact, frozen=True, forbid_unknown_fields=True):
    """The programs with file capabilities, up to a limit (`more`), below the folders in `searched`.

    In /usr/lib and /usr/lib64 only programs up to two levels deep are looked at.
    """

    files: tuple[CapableFile, ...]
    searched: tuple[str, ...]
    more: bool


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file named like a key. `read` says that a private key was seen in it; else it may not be read.

    `closed` is the first folder above it that others may not enter, empty where they may enter all.
    """

    path: str
    mode: str
    owner: str
    group: str
    read: bool
    closed: str = ""


class KeyFiles(Fact, frozen=True, forbid_unknown_fields=True):
    """The files below /etc that hold a private key, or may; never the keys. `more`: the limit was hit."""

    files: tuple[KeyFile, ...]
    more: bool
