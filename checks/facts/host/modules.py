"""Which modules the kernel has, may load, and must not."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class KernelModule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One module that was asked about.

    `presence` is file (it can be loaded), builtin, absent, or unread. `loaded` is True also for a built-in
    part that is active. `rule` is blocked (loading it runs something that does nothing), blacklisted
    (only its aliases are ignored), or empty; `file` is where the rule stands.
    """

    name: str
    presence: str
    loaded: bool
    rule: str
    file: str


class KernelModules(Fact, frozen=True, forbid_unknown_fields=True):
    """The modules that checks ask about.

    `loads` is False for a kernel that was built without modules, `locked` True where loading has been
    switched off until the next boot. `signed_only` says that the kernel refuses modules without a valid
    signature; `lockdown` is none, integrity or confidentiality, empty for a kernel without it.
    """

    modules: tuple[KernelModule, ...]
    loads: bool
    locked: bool
    signed_only: bool
    lockdown: str
