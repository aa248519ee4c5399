"""Collects file systems, their policies and their automatic backup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from checks.facts.cloud.efs import FileSystem, FileSystemBackup, FileSystemBackups, FileSystems
from checks.facts.cloud.resource_policies import FileSystemPolicies, ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, flag, group, text
from scanner.collect.cloud.lists import details, listing, policy_of
from scanner.collect.collector import Collected

_ACTION = "elasticfilesystem"
LIST = Call(
    "efs",
    "DescribeFileSystems",
    (FileSystems, FileSystemPolicies, FileSystemBackups),
    f"{_ACTION}:DescribeFileSystems",
    "FileSystems",
)
POLICY = Call("efs", "DescribeFileSystemPolicy", (FileSystemPolicies,), f"{_ACTION}:DescribeFileSystemPolicy")
BACKUP = Call("efs", "DescribeBackupPolicy", (FileSystemBackups,), f"{_ACTION}:DescribeBackupPolicy")


def _system(place: Place, raw: Raw) -> FileSystem:
    identifier = text(raw, "FileSystemId")
    arn = text(raw, "FileSystemArn", "") or place.arn(_ACTION, f"file-system/{identifier}")
    return FileSystem(arn, identifier, place.region, flag(raw, "Encrypted", False))


def _more(place: Place, found: Sequence[Any]) -> Collected:
    return details(place, POLICY, found, _policy) + details(place, BACKUP, found, _backup)


def _policy(place: Place, one: FileSystem) -> ResourcePolicy:
    return policy_of(place, POLICY, one, ("PolicyNotFound",), "Policy", FileSystemId=one.name)


def _backup(place: Place, one: FileSystem) -> FileSystemBackup:
    try:
        told = group(place.one(BACKUP, FileSystemId=one.name), "BackupPolicy")
        state = text(told, "Status", "DISABLED")
    except NotRead as error:
        if error.refused.code != "PolicyNotFound":
            raise
        state = "DISABLED"
    return FileSystemBackup(one.arn, one.name, place.region, state in ("ENABLED", "ENABLING"))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("efs file systems", LIST, _system, named="FileSystemId", also=_more, calls=(POLICY, BACKUP))
