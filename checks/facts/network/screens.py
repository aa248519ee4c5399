"""Remote screens and what they ask before they show themselves."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class VncServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One VNC server and the security types it offers, by number (1 is none, 2 a password)."""

    port: str
    protocol: str
    security_types: tuple[int, ...]


class VncServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The VNC servers of the address."""

    servers: tuple[VncServer, ...]
