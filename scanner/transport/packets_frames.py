"""The frames of the sweep: built once with scapy, patched per packet, and read back without trust.

Only the child process imports this module: scapy stays behind that wall.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import ARP, Ether

BROADCAST = b"\xff" * 6
NO_MAC = "00:00:00:00:00:00"
FIRST_SOURCE_PORT = 33_024
SOURCE_PORTS = 16_384
"""The SYNs leave from the ports of this range; a reply is ours only if its acknowledgement fits as well."""

_ETHERTYPE_ARP = 0x0806
_ETHERTYPE_IP = 0x0800


@dataclass(frozen=True, slots=True)
class Cookie:
    """The secret from which the source port and the sequence number of every probe follow."""

    key: bytes

    def syn(self, destination: bytes, port: int) -> tuple[int, int]:
        """(source port, sequence number) of the SYN to that address and port."""
        digest = hashlib.blake2b(destination + struct.pack("!H", port), key=self.key, digest_size=8).digest()
        sequence, spread = struct.unpack("!II", digest)
        return FIRST_SOURCE_PORT + spread % SOURCE_PORTS, sequence

    def echo(self, destination: bytes) -> tuple[int, int]:
        """(identifier, sequence) of the ICMP echo to that address."""
        digest = hashlib.blake2b(destination + b"echo", key=self.key, digest_size=4).digest()
        identifier, sequence = struct.unpack("!HH", digest)
        return identifier, sequence


class SynTemplate:
    """A SYN frame of one interface; `frame` fills in the rest."""

    def __init__(self, source_mac: str, source_ip: str) -> None:
        packet = (
            Ether(src=source_mac, dst=NO_MAC, type=_ETHERTYPE_IP)
            / IP(src=source_ip, dst="0.0.0.0", id=0, flags="DF", chksum=0)  # noqa: S104 - patched per packet
            / TCP(sport=0, dport=0, seq=0, flags="S", window=1024, chksum=0, options=[("MSS", 1460)])
        )
        self._bytes = bytes(packet)
        header, segment = self._bytes[14:34], self._bytes[34:]
        self._ip_sum = _words(header)
        self._tcp_sum = _words(segment) + _words(IPv4Address(source_ip).packed) + 6 + len(segment)

    def frame(self, mac: bytes, destination: bytes, identification: int, syn: tuple[int, int, int]) -> bytes:
        """The frame to that MAC and address; `syn` is (source port, destination port, sequence)."""
        source_port, port, sequence = syn
        target = _words(destination)
        tcp = self._tcp_sum + target + source_port + port + (sequence >> 16) + (sequence & 0xFFFF)
        patched = bytearray(self._bytes)
        patched[0:6] = mac
        struct.pack_into("!H", patched, 18, identification)
        struct.pack_into("!H", patched, 24, _checksum(self._ip_sum + identification + target))
        patched[30:34] = destination
        struct.pack_into("!HHI", patched, 34, source_port, port, sequence)
        struct.pack_into("!H", patched, 50, _checksum(tcp))
        return bytes(patched)


def arp_request(source_mac: str, source_ip: str, address: str) -> bytes:
    """Who has that address, asked of the whole link."""
    question = ARP(op=1, hwsrc=source_mac, psrc=source_ip, hwdst=NO_MAC, pdst=address)
    return bytes(Ether(src=source_mac, dst="ff:ff:ff:ff:ff:ff", type=_ETHERTYPE_ARP) / question)


def echo_request(macs: tuple[str, str], source_ip: str, address: str, echo: tuple[int, int]) -> bytes:
    """An ICMP echo; `macs` are (source, next hop)."""
    source, hop = macs
    ping = ICMP(type=8, id=echo[0], seq=echo[1]) / b"bartizan"
    return bytes(Ether(src=source, dst=hop, type=_ETHERTYPE_IP) / IP(src=source_ip, dst=address) / ping)


@dataclass(frozen=True, slots=True)
class ArpReply:
    """Somebody says which MAC has which address."""

    address: bytes
    mac: bytes


@dataclass(frozen=True, slots=True)
class EchoReply:
    """An echo reply that carries our cookie."""

    address: bytes


@dataclass(frozen=True, slots=True)
class PortReply:
    """An answer to one of our SYNs: `state` is one of the letters of the wire (o, c, f)."""

    address: bytes
    port: int
    state: str


Reply = ArpReply | EchoReply | PortReply


def read(frame: bytes, cookie: Cookie) -> Reply | None:
    """The answer that this frame brings, or None: also for all that lies about its lengths."""
    if len(frame) < 34:
        return None
    [kind] = struct.unpack_from("!H", frame, 12)
    if kind == _ETHERTYPE_ARP:
        return _arp(frame)
    fragment = struct.unpack_from("!H", frame, 20)[0] & 0x1FFF
    if kind != _ETHERTYPE_IP or frame[14] >> 4 != 4 or fragment:
        return None
    message = frame[14 + (frame[14] & 15) * 4 :]
    if frame[23] == 6:
        return _tcp(message, frame[26:30], cookie)
    return _icmp(message, frame[26:30], cookie) if frame[23] == 1 else None


def _arp(frame: bytes) -> Reply | None:
    if len(frame) < 42 or frame[14:22] != b"\x00\x01\x08\x00\x06\x04\x00\x02":
        return None
    return ArpReply(frame[28:32], frame[22:28])


def _tcp(segment: bytes, source: bytes, cookie: Cookie) -> Reply | None:
    if len(segment) < 20:
        return None
    port, ours, _, acknowledged = struct.unpack_from("!HHII", segment)
    source_port, sequence = cookie.syn(source, port)
    if ours != source_port or acknowledged != (sequence + 1) & 0xFFFFFFFF:
        return None
    flags = segment[13]
    if flags & 0x04:
        return PortReply(source, port, "c")
    return PortReply(source, port, "o") if flags & 0x12 == 0x12 else None


def _icmp(message: bytes, source: bytes, cookie: Cookie) -> Reply | None:
    if len(message) < 8:
        return None
    if message[0] == 0:
        identifier, sequence = struct.unpack_from("!HH", message, 4)
        return EchoReply(source) if (identifier, sequence) == cookie.echo(source) else None
    if message[0] != 3 or len(message) < 36 or message[8] >> 4 != 4:
        return None
    inner = message[8:]
    start = (inner[0] & 15) * 4
    if inner[9] != 6 or len(inner) < start + 8:
        return None
    destination = inner[16:20]
    source_port, port, sequence = struct.unpack_from("!HHI", inner, start)
    # A router may only speak about a probe that we really sent.
    if (source_port, sequence) != cookie.syn(destination, port):
        return None
    return PortReply(destination, port, "f")


def _words(data: bytes) -> int:
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def _checksum(total: int) -> int:
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
