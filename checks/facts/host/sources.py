"""From where a host takes its packages."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class PackageSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One enabled repository: the file and the name under which it stands there, and its address.

    A login in the address is masked. `verified` says that signatures are checked for it; `suite` is
    apt's suite, empty elsewhere.
    """

    file: str
    name: str
    uri: str
    suite: str
    verified: bool


class PackageSources(Fact, frozen=True, forbid_unknown_fields=True):
    """All enabled repositories of the package manager (apt, dnf, zypper or apk).

    `unverified` are general settings that let unsigned packages in, each as `file: setting`.
    """

    manager: str
    sources: tuple[PackageSource, ...]
    unverified: tuple[str, ...]
