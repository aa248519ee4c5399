"""All facts about an address or a network that are made of the whole scan, and of what it is held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scanner.derive import (
    network_drift,
    network_fleet,
    network_inventory,
    network_segmentation,
    network_software,
)
from scanner.derive.derivation import Derivation
from scanner.derive.network_digest import AddressDigest, CoverageDigest
from scanner.store.record import ScanRecord

Digests = Sequence[AddressDigest | CoverageDigest | None]


@dataclass(frozen=True, slots=True)
class Around:
    """What the snapshots of one scan are held against."""

    segmentation: network_segmentation.Segmentation = field(default_factory=network_segmentation.Segmentation)
    approved: network_inventory.Approved = field(default_factory=network_inventory.Approved)
    before: network_drift.Before = field(default_factory=network_drift.Before)
    addresses: network_fleet.Addresses = field(default_factory=network_fleet.Addresses)


def around(
    record: ScanRecord, digests: Digests, earlier: Iterable[AddressDigest | CoverageDigest | None]
) -> Around:
    """The surroundings of a scan: its own snapshots, and those of the scan that its record names."""
    before = network_drift.Before()
    if record.inventory_text:
        before = network_drift.Before(because=network_drift.LISTED)
    elif record.compared_with:
        before = network_drift.before(record.compared_with, earlier)
    return Around(
        network_segmentation.segmentation(record.scope_text, digests),
        network_inventory.approved(record.inventory_text, record.scope_text, digests),
        before,
        network_fleet.addresses(digests),
    )


def derivations(among: Around) -> tuple[Derivation, ...]:
    """How all of these facts are made."""
    return (
        *network_segmentation.derivations(among.segmentation),
        *network_inventory.derivations(among.approved),
        *network_drift.derivations(among.before),
        *network_fleet.derivations(among.addresses),
    )


def nothing_known() -> tuple[Derivation, ...]:
    """The same for a snapshot that stands alone."""
    return (*derivations(Around()), network_software.derivation(()))
