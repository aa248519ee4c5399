"""What a machine has installed whose ports were seen from the network, where the same scan looked at both."""

from __future__ import annotations

from checks.facts.host.packages import Package
from checks.facts.host.system import OperatingSystem
from checks.facts.network import OpenPorts
from checks.facts.snapshot import Fact


class InstalledSoftware(Fact, frozen=True, forbid_unknown_fields=True):
    """The system and the packages of the host behind one address.

    `host` is the name under which the host was scanned; it and `systems` are empty where nobody looked at it
    from the inside, or where two hosts claim to be it. `systems` has one entry otherwise.
    """

    derived_from = (OpenPorts,)

    host: str
    systems: tuple[OperatingSystem, ...]
    packages: tuple[Package, ...]


NOBODY_LOOKED = InstalledSoftware("", (), ())
