"""The block devices of a host, and which of them are encrypted."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class BlockDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A disk, a partition or a mapped device.

    `name` is the kernel's (`sda2`, `dm-0`), `device` its number (`253:0`), `mapped` the name below
    /dev/mapper. `encrypted` says that this very device is a dm-crypt mapping (LUKS or plain). `below` are
    the devices that it is made of.
    """

    name: str
    device: str
    mapped: str
    encrypted: bool
    below: tuple[str, ...]


class BlockDevices(Fact, frozen=True, forbid_unknown_fields=True):
    """Every block device that the kernel shows."""

    devices: tuple[BlockDevice, ...]

    def find(self, device: str, source: str) -> BlockDevice | None:
        """The device of that number, else that which `source` (`/dev/mapper/data`, `/dev/sda2`) names."""
        last = source.rpartition("/")[2]
        for one in self.devices:
            if one.device == device:
                return one
        return next((one for one in self.devices if last and last in (one.name, one.mapped)), None)

    def encrypted(self, device: BlockDevice) -> bool:
        """Whether every path from the device down to the disks goes through encryption."""
        return self._covered(device, frozenset())

    def _covered(self, device: BlockDevice, seen: frozenset[str]) -> bool:
        if device.encrypted:
            return True
        known = {one.name: one for one in self.devices}
        below = [known[name] for name in device.below if name in known and name not in seen]
        return bool(below) and all(self._covered(one, seen | {device.name}) for one in below)
