"""The kernel's own protections: its settings, and mandatory access control."""

from __future__ import annotations

from collections.abc import Mapping

from checks.facts.snapshot import Fact


class Sysctls(Fact, frozen=True, forbid_unknown_fields=True):
    """Settings of the running kernel by dotted name.

    `absent` are those that this kernel does not have, `unread` those that the login may not read.
    """

    values: Mapping[str, str]
    absent: tuple[str, ...]
    unread: tuple[str, ...] = ()


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
