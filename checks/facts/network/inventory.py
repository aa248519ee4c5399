"""The machines of a network, held against the list of those that are approved.

All of it is made when a snapshot is judged, from what was seen and from the list as it was recorded with the
scan; nothing of it is stored.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from checks.facts.network import NetworkCoverage, OpenPorts
from checks.facts.network.link import LinkAddress
from checks.facts.network.ssh import SshHostKeys
from checks.facts.network.tls import TlsCertificates
from checks.facts.snapshot import Fact


class InventoryHost(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether one address belongs to an approved machine.

    `known` is the name in the list, empty for a stranger; `known_by` is `mac`, `ssh-host-key` or `address`.
    `before` are the approved addresses where this one is none of them. `mac` and `vendor` are what the
    address showed, empty where it did not.
    """

    derived_from = (OpenPorts,)
    aided_by = (SshHostKeys, LinkAddress)

    address: str
    known: str
    known_by: str
    before: tuple[str, ...]
    mac: str
    vendor: str


class PortOfList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An open port and whether the list has it."""

    port: str
    service: str
    approved: bool


class InventoryPorts(Fact, frozen=True, forbid_unknown_fields=True):
    """The open ports of an approved machine."""

    derived_from = (OpenPorts,)
    aided_by = (SshHostKeys,)

    host: str
    ports: tuple[PortOfList, ...]


class CertificateOfList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate that a port shows beside the approved one; fingerprints are SHA-256 in hex."""

    port: str
    fingerprint: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    self_signed: bool
    approved: str
    approved_issuer: str
    approved_names: tuple[str, ...]
    approved_until: datetime


class InventoryCertificates(Fact, frozen=True, forbid_unknown_fields=True):
    """The certificates of an approved machine, at the ports for which the list has one."""

    derived_from = (TlsCertificates,)

    host: str
    certificates: tuple[CertificateOfList, ...]


class HostKeysOfList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SSH host keys that a port proved, beside the approved ones."""

    port: str
    shown: tuple[str, ...]
    approved: tuple[str, ...]


class InventoryHostKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The SSH host keys of an approved machine, at the ports for which the list has some."""

    derived_from = (SshHostKeys,)

    host: str
    keys: tuple[HostKeysOfList, ...]


class ApprovedHost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An approved machine with an address in a network: whether any of its addresses answered.

    `reason` says why its absence proves nothing; it is empty where it does.
    """

    name: str
    addresses: tuple[str, ...]
    seen_at: tuple[str, ...]
    reason: str = ""


class InventoryPresence(Fact, frozen=True, forbid_unknown_fields=True):
    """The approved machines whose addresses lie in a network."""

    derived_from = (NetworkCoverage,)

    hosts: tuple[ApprovedHost, ...]
