"""What waits to be installed, how fresh that knowledge is, and whether a reboot is owed."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Update(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One package that has a newer version. `installed` is empty for a package that comes along."""

    package: str
    installed: str
    candidate: str
    origin: str
    security: bool
    held: bool = False


class PendingUpdates(Fact, frozen=True, forbid_unknown_fields=True):
    """What the package manager knows of newer versions, without asking the network.

    `manager` is apt, dnf, zypper or apk. `lists` is how many package lists it has; `lists_at` the newest
    date inside them (RFC 3339, UTC), a moment at or before which they were published, so they were
    fetched after it; empty where there is none; `security_at` the same of the lists of security updates
    alone, where the manager tells them apart. `security_source` says that a list of security updates
    is among them; `tells_security` that the manager marks security updates as such.
    """

    manager: str
    pending: tuple[Update, ...]
    lists: int
    lists_at: str
    security_source: bool
    tells_security: bool
    held: tuple[str, ...]
    security_at: str = ""


class RebootState(Fact, frozen=True, forbid_unknown_fields=True):
    """The running kernel and those that are installed.

    `running_build` and `installed_build` are the package versions of the running kernel, in memory and
    on disk, where the distribution tells both. `requested` is the machine's own note that it wants
    a reboot, `requested_by` the packages it names. `container` is the kind of container, empty for a machine.
    """

    running: str
    installed: tuple[str, ...]
    running_build: str
    installed_build: str
    requested: bool
    requested_by: tuple[str, ...]
    container: str
