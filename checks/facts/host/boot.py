"""How a host boots: the kernel's parameters, the firmware, the boot menu, and the way in for rescue."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.snapshot import Fact


class BootParameters(Fact, frozen=True, forbid_unknown_fields=True):
    """The words of the running kernel's command line that decide about its protections or its audit.

    Every other word is left out on the host: a command line may hold secrets.
    """

    words: tuple[str, ...]


class ProcessorFlaws(Fact, frozen=True, forbid_unknown_fields=True):
    """What the kernel says about each known flaw of the processor (`Mitigation: PTI`, `Vulnerable`)."""

    states: Mapping[str, str]


class Firmware(Fact, frozen=True, forbid_unknown_fields=True):
    """`kind` is efi, or bios for everything else; `secure_boot` is on or off, empty without EFI."""

    kind: str
    secure_boot: str


class BootMenu(Fact, frozen=True, forbid_unknown_fields=True):
    """The boot menu of GRUB: whether changing an entry asks for a password. The password is not read.

    `superusers` says that the menu names who may change it, `password` that such a user has a password
    in effect.
    """

    file: str
    superusers: bool
    password: bool


class RescueShell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rescue mode starts.

    `program` is the last part of its path, `sulogin` for what asks for root's password, and empty for a
    mode that starts nothing. `forced` says that it lets in without a password where root has none.
    """

    unit: str
    program: str
    forced: bool


class RescueShells(Fact, frozen=True, forbid_unknown_fields=True):
    """The rescue and emergency modes, with all drop-in files taken into account."""

    shells: tuple[RescueShell, ...]
