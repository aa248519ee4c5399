"""Owners and modes of the files that decide about a host."""

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
    """What everybody may write to on the local filesystems, up to a limit (`more` says it was hit)."""

    paths: tuple[OpenPath, ...]
    more: bool
