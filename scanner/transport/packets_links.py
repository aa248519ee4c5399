"""Which interface leads where, and its raw sockets. Only the child process imports this module."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from scapy.arch import get_if_hwaddr
from scapy.config import conf
from scapy.route import Route

from scanner.transport.packets_frames import FIRST_SOURCE_PORT, SOURCE_PORTS, SynTemplate

ETHERNET = 1
"""ARPHRD_ETHER: the only kind of link whose frames we build."""
_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23
_SO_ATTACH_FILTER = 26
_RECEIVE_BUFFER = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Link:
    """An Ethernet interface with its own address, a socket that sends and one that hears."""

    name: str
    mac: str
    address: str
    sender: socket.socket
    receiver: socket.socket
    template: SynTemplate


@dataclass(frozen=True, slots=True)
class Way:
    """How frames to one address leave: the link, and whose MAC they carry (its own, or a router's)."""

    link: Link
    hop: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """All links, the way to each address, the link of each next hop, and the MACs learnt so far."""

    links: tuple[Link, ...]
    routes: dict[str, Way]
    hops: dict[str, Link]
    elsewhere: tuple[str, ...]
    macs: dict[str, bytes] = field(default_factory=dict)


def open_links(addresses: Iterable[str]) -> Wiring:
    """The wiring for these IPv4 addresses.

    What the kernel would route over loopback, or over a link without Ethernet frames, is `elsewhere`.

    Raises:
        OSError: raw sockets are not permitted.

    """
    conf.route = Route()
    links: dict[tuple[str, str], Link | None] = {}
    routes: dict[str, Way] = {}
    elsewhere: list[str] = []
    for address in addresses:
        name, source, gateway = conf.route.route(address, verbose=0)
        link = None
        # The kernel hands what goes to its own address over inside: no frame of ours would come back.
        inside = name == conf.loopback_name or source == address
        if name and not inside and source != "0.0.0.0":  # noqa: S104 - means no address
            if (name, source) not in links:
                links[name, source] = _open(name, source)
            link = links[name, source]
        if link is None:
            elsewhere.append(address)
        else:
            # The way of scapy to say "on the link" is a gateway of zeros.
            routes[address] = Way(link, address if gateway == "0.0.0.0" else gateway)  # noqa: S104
    hops = {way.hop: way.link for way in routes.values()}
    if not routes:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    return Wiring(tuple(link for link in links.values() if link), routes, hops, tuple(elsewhere))


def _open(name: str, source: str) -> Link | None:
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind((name, 0))
    if sender.getsockname()[3] != ETHERNET:
        sender.close()
        return None
    sender.setblocking(False)
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    _attach_filter(receiver, IPv4Address(source).packed)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    receiver.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    # The filter stands before the first frame can arrive: binding with a protocol is what opens the tap.
    receiver.bind((name, _ETH_P_ALL))
    receiver.setblocking(False)
    mac = get_if_hwaddr(name)
    return Link(name, mac, source, sender, receiver, SynTemplate(mac, source))


def _attach_filter(receiver: socket.socket, own: bytes) -> None:
    """A kernel filter: ARP, and IPv4 to our own address that is ICMP or TCP to one of our source ports."""
    last = FIRST_SOURCE_PORT + SOURCE_PORTS - 1
    load_half, load_word, load_byte = 0x28, 0x20, 0x30
    equal, at_least, above, any_bit = 0x15, 0x35, 0x25, 0x45
    program = [
        (load_half, 0, 0, 12),
        (equal, 13, 0, 0x0806),
        (equal, 0, 13, 0x0800),
        (load_word, 0, 0, 30),
        (equal, 0, 11, int.from_bytes(own, "big")),
        (load_half, 0, 0, 20),
        (any_bit, 9, 0, 0x1FFF),
        (load_byte, 0, 0, 23),
        (equal, 6, 0, 1),
        (equal, 0, 6, 6),
        (0xB1, 0, 0, 14),  # X = length of the IPv4 header
        (0x48, 0, 0, 16),  # half word at X + 16: the destination port
        (at_least, 0, 3, FIRST_SOURCE_PORT),
        (above, 2, 0, last),
        (0x06, 0, 0, 0x40000),
        (0x06, 0, 0, 0x40000),
        (0x06, 0, 0, 0),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    receiver.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(buffer))
    )
