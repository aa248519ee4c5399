"""How a host is kept up: automatic updates, what still runs old code, paid support, backups."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class AutomaticUpdates(Fact, frozen=True, forbid_unknown_fields=True):
    """What installs updates by itself.

    `tool` is unattended-upgrades, dnf-automatic or another, empty where none is installed. `installs` says
    that its settings have it install, not only download or report; `setting` is what said so. `last_run`
    is when it last ran (RFC 3339, UTC), empty where no trace of a run is there.
    """

    tool: str
    installs: bool
    setting: str
    last_run: str


class StaleProgram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A running program that still uses a file of a package which was replaced since it started."""

    program: str
    library: str


class StalePrograms(Fact, frozen=True, forbid_unknown_fields=True):
    """Every such program, once a library."""

    programs: tuple[StaleProgram, ...]


class Uptime(Fact, frozen=True, forbid_unknown_fields=True):
    """For how many days the kernel has run. `container` is the kind of container, empty for a machine."""

    days: int
    container: str


class PaidSupport(Fact, frozen=True, forbid_unknown_fields=True):
    """A support contract that brings updates after the public ones end.

    `scheme` is `Ubuntu Pro` or `subscription`; `services` are those that are on (esm-infra, livepatch).
    """

    scheme: str
    attached: bool
    services: tuple[str, ...]


class LivePatching(Fact, frozen=True, forbid_unknown_fields=True):
    """Patches that the running kernel got without a reboot: the tool, and the names of what is applied."""

    tool: str
    applied: tuple[str, ...]


class BackupTrace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sign of a backup: the program, how it starts (`unit`, `cron`, `running`), and its last run.

    `last` is the day of the last run (2026-11-20), empty where nothing on the host tells it.
    """

    program: str
    how: str
    last: str


class Backups(Fact, frozen=True, forbid_unknown_fields=True):
    """All signs of backups that were looked for, and found. None is no proof that there is no backup."""

    traces: tuple[BackupTrace, ...]


class Unpackaged(Fact, frozen=True, forbid_unknown_fields=True):
    """Programs that came past the package manager: `/opt` folders, /usr/local, pip and npm as root.

    Each as `where: name version`; `more` says that the list was cut.
    """

    programs: tuple[str, ...]
    more: bool
