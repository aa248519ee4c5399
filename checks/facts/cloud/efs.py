"""File systems in EFS."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class FileSystem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file system; `name` is its id."""

    arn: str
    name: str
    region: str
    encrypted: bool


class FileSystems(Fact, frozen=True, forbid_unknown_fields=True):
    """All file systems."""

    account: str
    regions: tuple[str, ...]
    systems: tuple[FileSystem, ...]


class FileSystemBackup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether AWS Backup takes a file system every day by itself."""

    arn: str
    name: str
    region: str
    automatic: bool


class FileSystemBackups(Fact, frozen=True, forbid_unknown_fields=True):
    """The automatic backup of the file systems."""

    account: str
    backups: tuple[FileSystemBackup, ...]
