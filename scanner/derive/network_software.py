"""Lays what a host has installed beside what its address shows, where both are views of one asset."""

from __future__ import annotations

from collections.abc import Sequence

from checks.facts.host.packages import Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.network.software import NOBODY_LOOKED, InstalledSoftware
from checks.facts.snapshot import Snapshot, source
from checks.model import Kind
from scanner.collect.collector import Collected
from scanner.derive.derivation import Derivation


def derivation(views: Sequence[Snapshot]) -> Derivation:
    """How the fact of an address is made, given all snapshots of the same asset."""
    installed = _installed(views)

    def made(seen: Snapshot) -> Collected:
        if seen.target.kind is not Kind.NETWORK:
            return Collected()
        said = (
            f"{installed.host} runs {installed.systems[0].name}"
            if installed.systems
            else "nobody looked at it from the inside"
        )
        how = "the other views of the same machine in this scan"
        return Collected((installed,), sources=(source(InstalledSoftware, how, seen.taken_at, said),))

    return Derivation((InstalledSoftware,), made)


def _installed(views: Sequence[Snapshot]) -> InstalledSoftware:
    """What the one host among the views has installed; nothing where there is none, or more than one."""
    found = []
    for view in views:
        system, packages = view.get(OperatingSystem), view.get(Packages)
        if isinstance(system, OperatingSystem) and isinstance(packages, Packages):
            found.append(InstalledSoftware(view.target.name, (system,), packages.packages))
    return found[0] if len(found) == 1 else NOBODY_LOOKED
