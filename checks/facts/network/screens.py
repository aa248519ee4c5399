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


class RdpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One remote desktop (RDP) and the security that it goes along with.

    `standard` is RDP's own encryption, `tls` TLS with a login only inside the session, `network_level` a
    login before the session (CredSSP).
    """

    port: str
    standard: bool
    tls: bool
    network_level: bool


class RdpServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The remote desktops of the address."""

    servers: tuple[RdpServer, ...]


class X11Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One X11 display: `open` where it took a client that showed no key; `answer` is what it said."""

    port: str
    open: bool
    answer: str


class X11Servers(Fact, frozen=True, forbid_unknown_fields=True):
    """The X11 displays of the address."""

    servers: tuple[X11Server, ...]
