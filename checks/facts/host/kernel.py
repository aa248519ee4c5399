"""The kernel's own protections: its settings, core dumps, and mandatory access control."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.snapshot import Fact


class Sysctls(Fact, frozen=True, forbid_unknown_fields=True):
    """Settings of the running kernel by dotted name.

    `absent` are those that this kernel does not have, `unread` those that the login may not read.
    """

    values: Mapping[str, str]
    absent: tuple[str, ...]
    unread: tuple[str, ...] = ()


class PlannedSysctl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the next boot sets: the value, and the file that decides."""

    value: str
    file: str


class SysctlFiles(Fact, frozen=True, forbid_unknown_fields=True):
    """Settings of the kernel as the files have them, by dotted name; the rest comes from the kernel.

    `built_in` are those of its defaults that the kernel's configuration tells. `unread` are files that the
    login may not read.
    """

    planned: Mapping[str, PlannedSysctl]
    built_in: Mapping[str, str]
    unread: tuple[str, ...] = ()


class CoreDumps(Fact, frozen=True, forbid_unknown_fields=True):
    """What becomes of the memory of a program that crashes.

    `hard_limit` is what limits.conf and its folder set for everybody, empty without such a line.
    `storage` is that of systemd-coredump's configuration (none, external, journal), empty where it says
    nothing. `handler` is the program that the kernel hands cores to, empty where it writes files.
    """

    hard_limit: str
    storage: str
    handler: str


class MandatoryAccess(Fact, frozen=True, forbid_unknown_fields=True):
    """Which mandatory access control the running kernel applies.

    `apparmor` is enabled, disabled or absent; `selinux` enforcing, permissive or absent (a kernel with
    SELinux switched off shows nothing of it). `selinux_configured` is what the next boot will bring,
    empty without a configuration. `container` is the kind of container, empty for a machine.
    """

    apparmor: str
    selinux: str
    selinux_configured: str
    container: str


class AppArmorProfiles(Fact, frozen=True, forbid_unknown_fields=True):
    """The loaded profiles of AppArmor by mode (enforce, complain, kill, unconfined, ...)."""

    modes: Mapping[str, tuple[str, ...]]
