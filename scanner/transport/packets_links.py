"""Which interface leads where, and its raw sockets. Only the child process imports this module."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from scapy.arch import get_if_hwaddr
from scapy.config import conf
from scapy.route import Route
from scapy.route6 import Route6

from scanner.transport import packets_filter
from scanner.transport.packets_frames import EchoTemplate, SynTemplate, WhoHas
from scanner.transport.packets_wire import shown

ETHERNET = 1
"""ARPHRD_ETHER: the only kind of link whose frames we build."""
_ETH_P_ALL = 0x0003
_SO_RCVBUFFORCE = 33
_RECEIVE_BUFFER = 32 * 1024 * 1024


class Link:
    """An address of an Ethernet interface, the socket there, and the frames that leave from it.

    One socket sends and hears: the kernel shows a socket every frame of the interface but its own, and so it
    hears what the kernel sends because of the sweep.
    """

    def __init__(self, name: str, source: bytes, opened: socket.socket) -> None:
        mac = get_if_hwaddr(name)
        self.name, self.source, self.socket = name, source, opened
        self.shown = shown(source)
        self.syn = SynTemplate(mac, source)
        self.echo = EchoTemplate(mac, source)
        self.who_has = WhoHas(mac, source)


@dataclass(frozen=True, slots=True)
class Way:
    """How frames to an address leave: over which link, and by which router (empty: it is on the link)."""

    link: Link
    router: bytes

    def hop(self, address: bytes) -> bytes:
        """Whose MAC the frames to that address carry."""
        return self.router or address


class Wiring:
    """The way to each address, by the routes of the kernel when this was made.

    A way is looked up once per route, not per address. Sockets are opened on the way.
    """

    def __init__(self) -> None:
        conf.route, conf.route6 = Route(), Route6()
        self.links: dict[tuple[str, bytes], Link | None] = {}
        self.sockets: dict[str, socket.socket] = {}
        self._ways: dict[tuple[int, int, int], Way | None] = {}
        self._prefixes = {4: _lengths(m.bit_count() for _, m, *_ in conf.route.routes)}
        self._prefixes[16] = _lengths(length for _, length, *_ in conf.route6.routes)
        self._known = {(4, n, m.bit_count()) for n, m, *_ in conf.route.routes}
        self._known |= {(16, int(IPv6Address(n)), length) for n, length, *_ in conf.route6.routes}

    def way(self, address: bytes) -> Way | None:
        """The way to an address; None for what frames do not reach: loopback, other kinds of links.

        Raises:
            OSError: raw sockets are not permitted (or not any more).

        """
        value, bits = int.from_bytes(address, "big"), len(address) * 8
        for length in self._prefixes[len(address)]:
            key = (len(address), value >> (bits - length) << (bits - length), length)
            if key in self._known:
                if key not in self._ways:
                    self._ways[key] = self._look_up(address)
                return self._ways[key]
        return None

    def _look_up(self, address: bytes) -> Way | None:
        target = ip_address(address)
        if target.is_link_local or target.is_multicast or target.is_loopback:
            return None
        table = conf.route if len(address) == 4 else conf.route6
        name, source, gateway = table.route(str(target), verbose=0)
        own, router = ip_address(source), ip_address(gateway)
        # The kernel hands what goes to its own address over inside: no frame of ours would come back.
        inside = name == conf.loopback_name or own == target
        if not name or inside or own.is_unspecified or own.is_link_local:
            return None
        if (name, own.packed) not in self.links:
            self.links[name, own.packed] = self._open(name, own.packed)
        link = self.links[name, own.packed]
        return Way(link, b"" if router.is_unspecified else router.packed) if link else None

    def _open(self, name: str, source: bytes) -> Link | None:
        if name not in self.sockets:
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            packets_filter.attach(opened)
            _enlarge(opened)
            # The filter stands before the first frame can arrive: binding with a protocol opens the tap.
            opened.bind((name, _ETH_P_ALL))
            if opened.getsockname()[3] != ETHERNET:
                opened.close()
                return None
            opened.setblocking(False)
            self.sockets[name] = opened
        return Link(name, source, self.sockets[name])


def _enlarge(opened: socket.socket) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    # Beyond the limit of the system only a process may go that administers the network.
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)


def _lengths(found: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(found), reverse=True))
