"""Collects what a region does by default: one call each."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.ec2_defaults import (
    ImageBlocks,
    MetadataDefault,
    MetadataDefaults,
    SerialConsole,
    SerialConsoles,
    ShareBlock,
    SnapshotBlocks,
)
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import flag, group, text
from scanner.collect.collector import Collected

METADATA = Call("ec2", "GetInstanceMetadataDefaults", (MetadataDefaults,))
SNAPSHOTS = Call("ec2", "GetSnapshotBlockPublicAccessState", (SnapshotBlocks,))
IMAGES = Call("ec2", "GetImageBlockPublicAccessState", (ImageBlocks,))
CONSOLE = Call("ec2", "GetSerialConsoleAccessStatus", (SerialConsoles,))


def metadata(place: Place) -> Collected:
    """The default for the metadata service."""
    told = group(place.one(METADATA), "AccountLevel")
    record = MetadataDefault(place.region, text(told, "HttpTokens", ""))
    return place.found(MetadataDefaults(place.account, (record,)), METADATA, (record,))


def snapshots(place: Place) -> Collected:
    """Whether snapshots can be made public."""
    record = ShareBlock(place.region, text(place.one(SNAPSHOTS), "State"))
    return place.found(SnapshotBlocks(place.account, (record,)), SNAPSHOTS, (record,))


def images(place: Place) -> Collected:
    """Whether images can be made public."""
    record = ShareBlock(place.region, text(place.one(IMAGES), "ImageBlockPublicAccessState"))
    return place.found(ImageBlocks(place.account, (record,)), IMAGES, (record,))


def console(place: Place) -> Collected:
    """Whether the serial console is open."""
    record = SerialConsole(place.region, flag(place.one(CONSOLE), "SerialConsoleAccessEnabled"))
    return place.found(SerialConsoles(place.account, (record,)), CONSOLE, (record,))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("ec2 metadata defaults", True, (METADATA,), metadata)
    yield Collector("ec2 snapshot block", True, (SNAPSHOTS,), snapshots)
    yield Collector("ec2 image block", True, (IMAGES,), images)
    yield Collector("ec2 serial console", True, (CONSOLE,), console)
