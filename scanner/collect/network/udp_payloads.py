"""One harmless question for each UDP service that matters, correct in the language of its protocol."""

from __future__ import annotations

import os
import struct
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType

from scanner.collect.network.ask.ber import integer, tlv
from scanner.collect.network.ask.snmp_wire import OCTETS, SEQUENCE, V1, V2C, discovery, get_request

USUAL_UDP: Mapping[int, str] = MappingProxyType(
    {
        53: "dns",
        69: "tftp",
        111: "rpcbind",
        123: "ntp",
        137: "netbios-ns",
        161: "snmp",
        389: "cldap",
        500: "isakmp",
        623: "ipmi",
        1900: "ssdp",
        3702: "ws-discovery",
        5353: "mdns",
        11211: "memcached",
    }
)
"""UDP port → the service that is usually there, and whose language it is asked in."""

OTHER_PORT = frozenset({69})
"""Ports whose servers answer from another port than the one that was asked."""

Payload = Callable[[], bytes]
CH, IN = 3, 1
TXT, NS, PTR, SOA, AXFR = 16, 2, 12, 6, 252
UNICAST_WANTED = 0x8000


def dns_question(name: str, kind: int, group: int = IN, *, recurse: bool = False, longest: int = 0) -> bytes:
    """A DNS query for one name; `longest` allows answers of more bytes than the usual 512 (EDNS)."""
    labels = [part.encode("ascii") for part in name.strip(".").split(".") if part]
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    flags = 0x0100 if recurse else 0
    head = os.urandom(2) + struct.pack("!5H", flags, 1, 0, 0, 1 if longest else 0)
    option = b"\0" + struct.pack("!HHIH", 41, longest, 0, 0) if longest else b""
    return head + wire + struct.pack("!2H", kind, group) + option


def tftp_read(name: str = "") -> bytes:
    """A request to read a file that is not there: its name is random."""
    missing = name or f"bartizan-{os.urandom(8).hex()}"
    return b"\0\x01" + missing.encode("ascii") + b"\0octet\0"


def rpc_call(program: int, version: int, procedure: int) -> bytes:
    """A call without arguments and without credentials."""
    return os.urandom(4) + struct.pack("!5I", 0, 2, program, version, procedure) + bytes(16)


def ntp_client() -> bytes:
    """The packet of a client that asks for the time; its last eight bytes come back in the answer."""
    return b"\x23" + bytes(39) + os.urandom(8)


def netbios_status() -> bytes:
    """A question for the table of NetBIOS names."""
    return os.urandom(2) + struct.pack("!5H", 0, 1, 0, 0, 0) + b"\x20CK" + b"A" * 30 + b"\0\0\x21\0\x01"


def cldap_root() -> bytes:
    """A search of the root entry for the versions of LDAP alone, so that the answer is small."""
    search = tlv(
        0x63,
        tlv(OCTETS),
        integer(0, 0x0A),
        integer(0, 0x0A),
        integer(0),
        integer(0),
        b"\x01\x01\x00",
        tlv(0x87, b"objectclass"),
        tlv(SEQUENCE, tlv(OCTETS, b"supportedLDAPVersion")),
    )
    return tlv(SEQUENCE, integer(7), search)


def ike_main_mode() -> bytes:
    """The first message of IKEv1 in main mode, with one usual proposal; no key and no identity."""
    attributes = struct.pack("!14H", 0x8001, 7, 0x800E, 256, 0x8002, 2, 0x8003, 1, 0x8004, 14, 0x800B, 1,
                             0x800C, 28_800)  # fmt: skip
    transform = struct.pack("!BBHBBH", 0, 0, 8 + len(attributes), 1, 1, 0) + attributes
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(transform), 1, 1, 0, 1) + transform
    association = struct.pack("!BBHII", 0, 0, 12 + len(proposal), 1, 1) + proposal
    head = struct.pack("!BBBBII", 1, 0x10, 2, 0, 0, 28 + len(association))
    return os.urandom(8) + bytes(8) + head + association


def rmcp_ping() -> bytes:
    """An ASF presence ping."""
    return bytes.fromhex("0600ff06000011be80") + os.urandom(1) + b"\0\0"


def ssdp_search(address: str = "239.255.255.250") -> bytes:
    """A search for root devices, for a device that is asked alone."""
    lines = (
        "M-SEARCH * HTTP/1.1",
        f"HOST: {address}:1900",
        'MAN: "ssdp:discover"',
        "MX: 1",
        "ST: upnp:rootdevice",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


def ws_discovery_probe() -> bytes:
    """A probe of WS-Discovery for devices of any type."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Header>'
        f"<a:MessageID>urn:uuid:{uuid.uuid4()}</a:MessageID>"
        "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
        "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>"
        "</e:Header><e:Body><d:Probe/></e:Body></e:Envelope>"
    ).encode()


def memcached_version() -> bytes:
    """The command `version` in the frame that memcached wants around datagrams."""
    return os.urandom(2) + b"\0\0\0\x01\0\0version\r\n"


def _snmp(version: int, community: bytes) -> Payload:
    return lambda: get_request(version, community, _request_number())


def _request_number() -> int:
    return 1 + int.from_bytes(os.urandom(3), "big")


PAYLOADS: Mapping[int, tuple[Payload, ...]] = MappingProxyType(
    {
        53: (
            lambda: dns_question("version.bind", TXT, CH),
            lambda: dns_question(".", NS),
        ),
        69: (tftp_read,),
        111: (lambda: rpc_call(100_000, 2, 0),),
        123: (ntp_client,),
        137: (netbios_status,),
        161: (
            lambda: discovery(_request_number()),
            _snmp(V2C, b"public"),
            _snmp(V1, b"public"),
            _snmp(V2C, b"private"),
        ),
        389: (cldap_root,),
        500: (ike_main_mode,),
        623: (rmcp_ping,),
        1900: (ssdp_search,),
        3702: (ws_discovery_probe,),
        5353: (lambda: dns_question("_services._dns-sd._udp.local", PTR, IN | UNICAST_WANTED),),
        11211: (memcached_version,),
    }
)
"""UDP port → its questions, put one after the other until one of them is answered."""


def questions(port: int) -> tuple[Payload, ...]:
    """The questions for a port; where its language is not known, a datagram with nothing in it."""
    return PAYLOADS.get(port, (bytes,))
