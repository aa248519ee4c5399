"""What the package manager of a host has installed."""

from __future__ import annotations

from functools import cached_property

import msgspec

from checks.facts.snapshot import Fact


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One installed package.

    `version` is written as the manager compares it, with the epoch where there is one (`1:2.3-4`).
    `source` is what it was built from, `source_version` the version of that: those of the package itself
    where they do not differ. `module` is the module and stream of an rpm (`nodejs:18`), mostly empty.
    """

    name: str
    version: str
    architecture: str
    source: str
    source_version: str
    module: str = ""


class Packages(Fact, frozen=True, forbid_unknown_fields=True, dict=True):
    """All installed packages, as `manager` (dpkg, rpm or apk) has them; one name may have two architectures.

    A package of which only the configuration is left is not installed.
    """

    manager: str
    packages: tuple[Package, ...]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all installed packages."""
        return frozenset(package.name for package in self.packages)
