"""One address among all addresses of a scan: keys that others have too, and a machine's two families.

All of it is made when a snapshot is judged, from what was seen of every address; nothing of it is stored.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from checks.facts.network import OpenPorts, PortAnswers
from checks.facts.network.ssh import SshHostKeys
from checks.facts.network.tls import TlsCertificates
from checks.facts.snapshot import Fact


class Sameness(StrEnum):
    """Whether two addresses are one machine, as far as the network shows."""

    ONE = "one"
    """They have the same network card."""
    TWO = "two"
    """They stand in one network with different cards, or their servers differ."""
    OPEN = "open"
    """Nothing tells: one machine may have several addresses."""


class SharedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that this address and others proved. `others` are some of them, `count` is of all of them.

    `same` is the most telling answer among the others: two machines before nothing that tells before one.
    """

    port: str
    fingerprint: str
    others: tuple[str, ...]
    count: int
    same: Sameness


class SharedHostKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The SSH host keys of this address that others proved too; `compared` counts the addresses with any."""

    derived_from = (SshHostKeys, OpenPorts)

    keys: tuple[SharedKey, ...]
    own: int
    compared: int


class SharedTlsKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The keys of the certificates of this address that others have too; `compared` as with host keys."""

    derived_from = (TlsCertificates, OpenPorts)

    keys: tuple[SharedKey, ...]
    own: int
    compared: int


class FamilyPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port that is open on an IPv6 address, and how it answered on an IPv4 address of the same machine.

    `on_four` is `open`, `shut`, or `not asked`.
    """

    port: str
    service: str
    on_four: str


class Families(Fact, frozen=True, forbid_unknown_fields=True):
    """The open ports of an IPv6 address beside the IPv4 address of the same machine, known by `known_by`."""

    derived_from = (OpenPorts, PortAnswers)

    address: str
    four: str
    known_by: str
    ports: tuple[FamilyPort, ...]
