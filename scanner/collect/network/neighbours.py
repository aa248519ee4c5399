"""The MACs that the kernel knows: what the scanner's own connections made it learn."""

from __future__ import annotations

import re
from pathlib import Path

from scanner.collect.network.talk import Address

# Of this thread: a thread may live in a network namespace of its own.
_TABLE = Path("/proc/thread-self/net/arp")
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_COMPLETE = 0x2
_TABLE_LIMIT = 4 * 1024 * 1024


def neighbour(address: Address) -> str:
    """The MAC of an address on the link, in lower case; empty where the kernel knows none (and for IPv6)."""
    if address.version != 4 or address.is_loopback:
        return ""
    try:
        with _TABLE.open("rb") as file:
            rows = file.read(_TABLE_LIMIT).decode("ascii", "replace").splitlines()[1:]
    except OSError:
        return ""
    for row in rows:
        words = row.split()
        if len(words) >= 4 and words[0] == str(address) and int(words[2], 16) & _COMPLETE:
            mac = words[3].lower()
            return mac if _MAC.fullmatch(mac) and mac.strip("0:") else ""
    return ""
