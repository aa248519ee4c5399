"""Who made a network card: names from the list of an installed nmap, read where it is installed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from checks.fix import printable
from scanner.transport import nmap

FILE = "nmap-mac-prefixes"
SIZE_LIMIT = 8 * 1024 * 1024
NAME_LIMIT = 80
_LINE = re.compile(r"([0-9A-F]{6,9}) (.+)")
_PREFIXES = (9, 7, 6)
"""Hexadecimal digits of the blocks that makers are given, the smallest block first."""


class MacVendors:
    """The makers of that file; without one, nobody is known."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def of(self, mac: str) -> str:
        """Who made the card with this MAC (`00:1b:1b:…`); empty where nobody knows.

        An address that its owner chose himself (the bit for local ones is set) has no maker.
        """
        digits = re.sub(r"[^0-9A-F]", "", mac.upper())
        if len(digits) != 12 or int(digits[:2], 16) & 2:
            return ""
        return next((name for size in _PREFIXES if (name := self._names.get(digits[:size]))), "")


def read(path: Path) -> MacVendors:
    """The makers in that file; nobody where it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(SIZE_LIMIT).decode("utf-8", "replace")
    except OSError:
        return MacVendors({})
    found = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    names = {one[1]: printable(one[2])[:NAME_LIMIT] for one in found if one}
    return MacVendors(MappingProxyType(names))


def installed(program: nmap.Nmap | None) -> MacVendors:
    """The makers that this nmap knows; nobody without it."""
    path = program.data(FILE) if program else None
    return read(path) if path else MacVendors({})
