"""The bad host: everything at once, or one group of topics at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.lab import hardening, planting_files, planting_network, planting_people, planting_software
from tests.lab.hosts import Host, Lab, Login
from tests.lab.planting import KEEP, KERNEL, PACKAGES, Planting

ALL: tuple[Planting, ...] = (
    *planting_network.SSHD,
    planting_network.ROUTER,
    *planting_network.NETWORK,
    *planting_network.KERNEL,
    *planting_people.ACCOUNTS,
    *planting_people.PAM,
    *planting_people.HOMES,
    *planting_people.SUDO,
    *planting_files.KEYS,
    *planting_files.STRANGE,
    *planting_files.LOGS,
    *planting_software.PATCH,
    *planting_software.WEB,
    *planting_software.SERVICES,
    *planting_files.MODES,
)
PLANTINGS = tuple(one for one in ALL if not one.apart)
"""What one bad host can carry."""
APART = tuple(one for one in ALL if one.apart)
"""What needs a host of its own."""


@dataclass(frozen=True, slots=True)
class Group:
    """What one host carries whose fixes are proved together, and the packages that it needs for that."""

    plantings: tuple[Planting, ...]
    packages: tuple[str, ...] = PACKAGES

    @property
    def topics(self) -> frozenset[str]:
        """The topics of the checks that its plantings expect."""
        return frozenset(one.expects.split(".")[1] for one in self.plantings)


GROUPS: dict[str, Group] = {
    "people": Group(
        (
            *planting_people.ACCOUNTS,
            *planting_people.PAM,
            *planting_people.HOMES,
            *planting_people.SUDO,
        )
    ),
    "files": Group(
        (*planting_files.KEYS, *planting_files.STRANGE, *planting_files.LOGS, *planting_files.MODES)
    ),
    "network": Group((*planting_network.SSHD, *planting_network.NETWORK, *planting_network.KERNEL)),
    "software": Group((*planting_software.PATCH, *planting_software.SERVICES)),
    "web": Group(planting_software.WEB),
    "audited": Group((*planting_files.AUDITED, planting_network.ROUTER), planting_files.AUDIT_PACKAGES),
}
"""The hosts on which fixes are proved; each in turn takes the checks that none before it proved."""


def bad_host(
    lab: Lab,
    plantings: Iterable[Planting] = PLANTINGS,
    *,
    packages: tuple[str, ...] = PACKAGES,
    login: Login = "root",
    name: str = "bad",
) -> Host:
    """A host with these plantings, and with what the fixes install lying ready."""
    host = lab.host("bookworm", packages=packages, furnish=KEEP, kernel=KERNEL, login=login, name=name)
    for one in plantings:
        if one.shell != ":" and not one.apart:
            host.run(one.shell)
    return host


def clean_host(lab: Lab, login: Login = "sudo", name: str = "clean") -> Host:
    """A host that an administrator hardened as well as a host that is not booted can be hardened."""
    host = lab.host("bookworm", packages=hardening.PACKAGES, kernel=hardening.KERNEL, login=login, name=name)
    host.run(hardening.HARDENED)
    return host
