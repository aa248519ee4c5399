"""The frames that are sent: built once with scapy, then patched per packet.

Only the child process imports this module: scapy stays behind that wall.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

NO_MAC = "00:00:00:00:00:00"
_BROADCAST = "ff:ff:ff:ff:ff:ff"
_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_PADDING = bytes(18)
"""An ARP question is shorter than the shortest frame of an Ethernet."""
_PAYLOAD = b"bartizan"


class SynTemplate:
    """The SYN frame from one address of an interface.

    `host` gives the frame for one destination without what differs per port, `patch` fills that in for
    many frames at once.
    """

    def __init__(self, source_mac: str, source: bytes) -> None:
        tcp = TCP(sport=0, dport=0, seq=0, flags="S", window=1024, chksum=0, options=[("MSS", 1460)])
        header: IP | IPv6
        if len(source) == 4:
            # Whole datagrams (DF) need no identification of their own: RFC 6864.
            header = IP(src=str(IPv4Address(source)), dst="0.0.0.0", id=0, flags="DF", chksum=0)  # noqa: S104
            packet = Ether(src=source_mac, dst=NO_MAC, type=_IPV4) / header / tcp
        else:
            header = IPv6(src=str(IPv6Address(source)), dst="::", hlim=64)
            packet = Ether(src=source_mac, dst=NO_MAC, type=_IPV6) / header / tcp
        self._bytes = bytes(packet)
        self.size = len(self._bytes)
        self._destination = 30 if len(source) == 4 else 38
        self._tcp = 34 if len(source) == 4 else 54
        self._ip_sum = _words(self._bytes[14:34])
        segment = self._bytes[self._tcp :]
        self._tcp_sum = _words(segment) + _words(source) + 6 + len(segment)

    def host(self, mac: bytes, destination: bytes, source_port: int) -> tuple[bytes, int]:
        """(the frame to that address from that port, the sum of its TCP words) with port and number 0."""
        patched = bytearray(self._bytes)
        patched[0:6] = mac
        patched[self._destination : self._destination + len(destination)] = destination
        if len(destination) == 4:
            struct.pack_into("!H", patched, 24, checksum(self._ip_sum + _words(destination)))
        struct.pack_into("!H", patched, self._tcp, source_port)
        return bytes(patched), self._tcp_sum + _words(destination) + source_port

    def patch(self, block: bytearray, sums: Iterable[int], sequences: Sequence[int], ports: bytes) -> None:
        """Writes numbers, ports and checksums into a block of frames that `host` gave, in their order.

        `sums` holds the sum of each frame with its port already added.
        """
        # A number of 32 bits and the sum of its halves leave the same remainder: 65,536 leaves 1.
        checks = [0xFFFF - (total + number) % 0xFFFF for total, number in zip(sums, sequences, strict=True)]
        self._spread(block, 2, ports, 2)
        self._spread(block, 4, struct.pack(f"!{len(sequences)}I", *sequences), 4)
        self._spread(block, 16, struct.pack(f"!{len(checks)}H", *checks), 2)

    def _spread(self, block: bytearray, offset: int, values: bytes, width: int) -> None:
        for part in range(width):
            block[self._tcp + offset + part :: self.size] = values[part::width]


class EchoTemplate:
    """The ICMP echo from one address of an interface."""

    def __init__(self, source_mac: str, source: bytes) -> None:
        header: IP | IPv6
        if len(source) == 4:
            header = IP(src=str(IPv4Address(source)), dst="0.0.0.0", id=0, chksum=0)  # noqa: S104
            echo = ICMP(type=8, id=0, seq=0, chksum=0) / _PAYLOAD
            packet = Ether(src=source_mac, dst=NO_MAC, type=_IPV4) / header / echo
        else:
            header = IPv6(src=str(IPv6Address(source)), dst="::", hlim=64)
            packet = Ether(src=source_mac, dst=NO_MAC, type=_IPV6) / header
            packet = packet / ICMPv6EchoRequest(id=0, seq=0, cksum=0, data=_PAYLOAD)
        self._bytes = bytes(packet)
        self.size = len(self._bytes)
        self._destination, self._echo = (30, 34) if len(source) == 4 else (38, 54)
        message = self._bytes[self._echo :]
        # ICMPv6 counts the addresses into its sum, ICMP does not.
        self._sum = _words(message) + (0 if len(source) == 4 else _words(source) + 58 + len(message))
        self._ip_sum = _words(self._bytes[14:34])

    def frame(self, mac: bytes, destination: bytes, echo: tuple[int, int]) -> bytes:
        """The echo to that address; `echo` is (identifier, sequence)."""
        patched = bytearray(self._bytes)
        patched[0:6] = mac
        patched[self._destination : self._destination + len(destination)] = destination
        total = self._sum + echo[0] + echo[1]
        if len(destination) == 4:
            struct.pack_into("!H", patched, 24, checksum(self._ip_sum + _words(destination)))
        else:
            total += _words(destination)
        struct.pack_into("!HHH", patched, self._echo + 2, checksum(total), *echo)
        return bytes(patched)


class WhoHas:
    """The question which MAC an address of the link has: ARP, or neighbour discovery."""

    def __init__(self, source_mac: str, source: bytes) -> None:
        if len(source) == 4:
            ask = ARP(op=1, hwsrc=source_mac, psrc=str(IPv4Address(source)), hwdst=NO_MAC, pdst="0.0.0.0")  # noqa: S104
            self._bytes = bytes(Ether(src=source_mac, dst=_BROADCAST, type=_ARP) / ask) + _PADDING
        else:
            header = IPv6(src=str(IPv6Address(source)), dst="::", hlim=255)
            question = ICMPv6ND_NS(tgt="::", cksum=0) / ICMPv6NDOptSrcLLAddr(lladdr=source_mac)
            ether = Ether(src=source_mac, dst="33:33:ff:00:00:00", type=_IPV6)
            self._bytes = bytes(ether / header / question)
            message = self._bytes[54:]
            self._sum = _words(message) + _words(source) + 58 + len(message)
        self.size = len(self._bytes)

    def frame(self, address: bytes) -> bytes:
        """Who has that address, asked of the whole link."""
        patched = bytearray(self._bytes)
        if len(address) == 4:
            patched[38:42] = address
            return bytes(patched)
        group = bytes.fromhex("ff0200000000000000000001ff") + address[13:]
        patched[3:6] = address[13:]
        patched[38:54] = group
        patched[62:78] = address
        struct.pack_into("!H", patched, 56, checksum(self._sum + _words(group) + _words(address)))
        return bytes(patched)


def checksum(total: int) -> int:
    """The Internet checksum over words of that sum."""
    return 0xFFFF - total % 0xFFFF if total else 0xFFFF


def _words(data: bytes) -> int:
    return sum(struct.unpack(f"!{len(data) // 2}H", data))
