"""What the kernel's audit system records: its rules as they stand in files and in the kernel, its daemon."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.snapshot import Fact


class AuditRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule in a form in which equal rules are equal, however they were written.

    `action` is `always` or `never`, `filter` the list (exit, task, user, ...). `path` is the watched file
    or folder without a slash at its end, `permissions` those of `rwxa` that it is watched for. `fields`
    are the other conditions, sorted; the key is none of them.
    """

    action: str
    filter: str
    path: str = ""
    permissions: str = ""
    syscalls: tuple[str, ...] = ()
    architecture: str = ""
    fields: tuple[str, ...] = ()


class AuditRuleFiles(Fact, frozen=True, forbid_unknown_fields=True):
    """The rules that the next start of the audit daemon loads.

    `files` are those that were read. `enabled` is the last `-e` in them, empty without one: with 2 the
    rules cannot be changed until the next boot. `machine` is the kind of processor.
    """

    rules: tuple[AuditRule, ...]
    files: tuple[str, ...]
    enabled: str
    machine: str


class LoadedAuditRules(Fact, frozen=True, forbid_unknown_fields=True):
    """The rules in the kernel. `enabled` is 0, 1 or 2 as above, `lost` the records that found no room."""

    rules: tuple[AuditRule, ...]
    enabled: str
    lost: int


class AuditDaemon(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether the audit daemon is installed, and the `package` that brings it on this distribution.

    `container` is the kind of container, empty for a machine: only a machine has an audit system.
    """

    installed: bool
    package: str
    container: str


class AuditSettings(Fact, frozen=True, forbid_unknown_fields=True):
    """The settings of auditd.conf by their names in small letters."""

    values: Mapping[str, str]


class AuditBoot(Fact, frozen=True, forbid_unknown_fields=True):
    """What the kernel's command line says about auditing: the values of `audit` and `audit_backlog_limit`."""

    audit: str
    backlog: str
