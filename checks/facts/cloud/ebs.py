"""Disks and their snapshots."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class EbsDefault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether new disks in a region are encrypted unasked."""

    region: str
    encrypted: bool


class EbsDefaults(Fact, frozen=True, forbid_unknown_fields=True):
    """Encryption by default, region by region."""

    account: str
    settings: tuple[EbsDefault, ...]


class EbsVolume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A disk; `instances` are those that it is attached to, `gib` its size."""

    id: str
    region: str
    encrypted: bool
    gib: int
    instances: tuple[str, ...]


class EbsVolumes(Fact, frozen=True, forbid_unknown_fields=True):
    """All disks."""

    account: str
    regions: tuple[str, ...]
    volumes: tuple[EbsVolume, ...]


class EbsSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot of a disk that every AWS account can restore."""

    id: str
    region: str
    volume: str
    encrypted: bool


class EbsPublicSnapshots(Fact, frozen=True, forbid_unknown_fields=True):
    """The account's snapshots that everybody can restore, and the regions that were searched."""

    account: str
    regions: tuple[str, ...]
    snapshots: tuple[EbsSnapshot, ...]
