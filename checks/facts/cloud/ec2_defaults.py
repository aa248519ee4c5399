"""What a region does with new instances, snapshots and images unless somebody says otherwise."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class MetadataDefault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether new instances answer metadata requests with a token only; empty where nothing is said."""

    region: str
    tokens: str


class MetadataDefaults(Fact, frozen=True, forbid_unknown_fields=True):
    """The default of each region for the metadata service."""

    account: str
    defaults: tuple[MetadataDefault, ...]


class ShareBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a region blocks of public sharing: the state as AWS names it."""

    region: str
    state: str


class SnapshotBlocks(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether snapshots can be made public, by region."""

    account: str
    blocks: tuple[ShareBlock, ...]


class ImageBlocks(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether machine images can be made public, by region."""

    account: str
    blocks: tuple[ShareBlock, ...]


class SerialConsole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether instances can be reached over their serial console."""

    region: str
    enabled: bool


class SerialConsoles(Fact, frozen=True, forbid_unknown_fields=True):
    """Access over the serial console, by region."""

    account: str
    consoles: tuple[SerialConsole, ...]
