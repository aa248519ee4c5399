"""What a frame that came in, or that the kernel sent on its own, says. Every length in it may be a lie."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from scanner.transport.packets_board import FIRST_SOURCE_PORT, Cookie
from scanner.transport.packets_swept import CLOSED, FILTERED, OPEN
from scanner.transport.sent import ProbeKind

_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_ICMP, _TCP, _ICMP6 = 1, 6, 58
_FRAGMENT = 44
_EXTENSIONS = frozenset({0, 43, 60})
"""Headers that an IPv6 packet may carry before its content: hop by hop, routing, destination."""
_MOST_EXTENSIONS = 8
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


@dataclass(frozen=True, slots=True)
class MacReply:
    """Somebody says which MAC has which address."""

    address: bytes
    mac: bytes


@dataclass(frozen=True, slots=True)
class EchoReply:
    """An echo reply that carries our cookie."""

    address: bytes


@dataclass(frozen=True, slots=True)
class PortReply:
    """An answer to one of our SYNs: `state` is the letter of open, closed or filtered."""

    address: bytes
    port: int
    state: str


Reply = MacReply | EchoReply | PortReply


@dataclass(frozen=True, slots=True)
class Echoed:
    """A frame that the kernel sent because of the sweep: what a capture sees beside our own."""

    kind: ProbeKind
    source: bytes
    destination: bytes
    port: int


@dataclass(frozen=True, slots=True)
class _Packet:
    source: bytes
    destination: bytes
    protocol: int
    content: bytes


def read(frame: bytes, cookie: Cookie) -> Reply | None:
    """The answer that this frame brings, or None: also for all that lies about its lengths."""
    if len(frame) < 42:
        return None
    [kind] = struct.unpack_from("!H", frame, 12)
    if kind == _ARP:
        told = frame[14:22] == b"\x00\x01\x08\x00\x06\x04\x00\x02"
        return MacReply(frame[28:32], frame[22:28]) if told else None
    packet = _packet(kind, frame[14:])
    if packet is None:
        return None
    if packet.protocol == _TCP:
        return _tcp(packet, cookie)
    if packet.protocol == _ICMP:
        return _icmp(packet, cookie)
    return _icmp6(packet, cookie) if packet.protocol == _ICMP6 else None


def echoed(frame: bytes) -> Echoed | None:
    """What the kernel sent, if it belongs to the sweep: a reset, or a word about MACs."""
    if len(frame) < 42:
        return None
    [kind] = struct.unpack_from("!H", frame, 12)
    if kind == _ARP:
        return Echoed(ProbeKind.ARP, frame[28:32], frame[38:42], 0)
    packet = _packet(kind, frame[14:])
    if packet is None or len(packet.content) < 20:
        return None
    content = packet.content
    if packet.protocol == _TCP:
        ours, port = struct.unpack_from("!HH", content)
        told = content[13] & RST and ours >= FIRST_SOURCE_PORT
        return Echoed(ProbeKind.RESET, packet.source, packet.destination, port) if told else None
    if packet.protocol == _ICMP6 and content[0] in (135, 136) and len(content) >= 24:
        # A question goes to a group; whom it is about stands inside.
        about = content[8:24] if content[0] == 135 else packet.destination
        return Echoed(ProbeKind.NEIGHBOUR, packet.source, about, 0)
    return None


def _packet(kind: int, data: bytes) -> _Packet | None:
    """The packet in a frame (or in a complaint about one); None for fragments and for anything odd."""
    if kind == _IPV4 and len(data) >= 20 and data[0] >> 4 == 4:
        start = (data[0] & 15) * 4
        if start < 20 or struct.unpack_from("!H", data, 6)[0] & 0x1FFF:
            return None
        return _Packet(data[12:16], data[16:20], data[9], data[start:])
    if kind == _IPV6 and len(data) >= 40 and data[0] >> 4 == 6:
        following, start = data[6], 40
        for _ in range(_MOST_EXTENSIONS):
            if following not in _EXTENSIONS and following != _FRAGMENT:
                return _Packet(data[8:24], data[24:40], following, data[start:])
            if len(data) < start + 8:
                return None
            if following == _FRAGMENT and struct.unpack_from("!H", data, start + 2)[0] & 0xFFF9:
                return None
            length = 8 if following == _FRAGMENT else 8 + data[start + 1] * 8
            following, start = data[start], start + length
    return None


def _tcp(packet: _Packet, cookie: Cookie) -> Reply | None:
    segment = packet.content
    if len(segment) < 20:
        return None
    port, ours, _, acknowledged = struct.unpack_from("!HHII", segment)
    source_port, sequence = cookie.syn(packet.source, port)
    if ours != source_port or acknowledged != (sequence + 1) & 0xFFFFFFFF:
        return None
    flags = segment[13]
    if flags & RST:
        return PortReply(packet.source, port, CLOSED)
    return PortReply(packet.source, port, OPEN) if flags & SYN and flags & ACK else None


def _icmp(packet: _Packet, cookie: Cookie) -> Reply | None:
    message = packet.content
    if len(message) < 8:
        return None
    if message[0] == 0:
        return _echo(packet, cookie)
    return _refusal(_IPV4, message[8:], cookie) if message[0] == 3 else None


def _icmp6(packet: _Packet, cookie: Cookie) -> Reply | None:
    message = packet.content
    if len(message) < 8:
        return None
    if message[0] == 129:
        return _echo(packet, cookie)
    if message[0] == 136:
        # An advertisement carries the MAC as an option: type 2, one unit of eight bytes.
        told = len(message) >= 32 and message[24:26] == b"\x02\x01"
        return MacReply(message[8:24], message[26:32]) if told else None
    return _refusal(_IPV6, message[8:], cookie) if message[0] == 1 else None


def _echo(packet: _Packet, cookie: Cookie) -> Reply | None:
    told = struct.unpack_from("!HH", packet.content, 4) == cookie.echo(packet.source)
    return EchoReply(packet.source) if told else None


def _refusal(kind: int, inner: bytes, cookie: Cookie) -> Reply | None:
    """A router's word about a packet; it may only speak about a probe that we really sent."""
    about = _packet(kind, inner)
    if about is None or about.protocol != _TCP or len(about.content) < 8:
        return None
    source_port, port, sequence = struct.unpack_from("!HHI", about.content)
    if (source_port, sequence) != cookie.syn(about.destination, port):
        return None
    return PortReply(about.destination, port, FILTERED)
