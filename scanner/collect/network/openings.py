"""Our own first questions to ports whose servers wait for one, for where no service-probe file is. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType

from scanner.collect.network.ask import ber
from scanner.collect.network.ask.smb_wire import smb1_negotiate
from scanner.collect.network.recognise import rdp_request
from scanner.collect.network.udp_payloads import CH, TXT, dns_question

TEXT, POSTGRES, RDP, SMB, LDAP, DNS, X11 = "text", "postgres", "rdp", "smb", "ldap", "dns", "x11"


def _dns() -> bytes:
    question = dns_question("version.bind", TXT, CH)
    return struct.pack("!H", len(question)) + question


def _ldap() -> bytes:
    """A search of the root of the directory itself, for nothing but that it is there."""
    present = ber.text("objectClass", 0x87)
    search = ber.tlv(
        0x63,
        ber.text(""),
        ber.integer(0, 0x0A),
        ber.integer(0, 0x0A),
        ber.integer(1),
        ber.integer(2),
        ber.tlv(0x01, b"\0"),
        present,
        ber.tlv(0x30),
    )
    return ber.tlv(0x30, ber.integer(7), search)


OPENINGS: Mapping[str, bytes] = MappingProxyType(
    {
        # A line that Redis answers by its own rules and memcached as an error; neither answers HTTP.
        TEXT: b"PING\r\n",
        # The question of a PostgreSQL client whether the server speaks TLS.
        POSTGRES: b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        RDP: rdp_request(),
        SMB: smb1_negotiate(),
        LDAP: _ldap(),
        DNS: _dns(),
        X11: struct.pack("<BxHHHHxx", 0x6C, 11, 0, 0, 0),
    }
)
"""Name → what is sent."""

USUAL_AT: Mapping[int, str] = MappingProxyType(
    {
        53: DNS, 139: SMB, 389: LDAP, 445: SMB, 636: LDAP, 3268: LDAP, 3269: LDAP, 3389: RDP, 5432: POSTGRES,
        5433: POSTGRES, 6000: X11, 6001: X11, 6379: TEXT, 6380: TEXT, 11211: TEXT, 26379: TEXT,
    }
)  # fmt: skip
"""Port → the question that usually fits it."""

GET, LINES = "GetRequest", "GenericLines"
WAITING = (
    "SMBProgNeg",
    "DNSVersionBindReqTCP",
    "LDAPSearchReq",
    "LDAPBindReq",
    "X11Probe",
    "TerminalServerCookie",
    "RPCCheck",
    TEXT,
)
"""Protocols whose servers keep silent, or leave, until they are asked in their own language."""
INSIDE = ("LDAPSearchReq", "LDAPBindReq")
"""What is asked inside TLS where nothing answers HTTP."""
FOR_WEB = frozenset({GET, LINES, "HTTPOptions", "RTSPRequest", "FourOhFourRequest"})
MORE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dns": ("DNSVersionBindReqTCP",),
        "ldap": ("LDAPBindReq",),
        "postgresql": ("SMBProgNeg",),
        "rdp": ("TLSSessionReq", "TerminalServer"),
    }
)
"""Probes that name the product of a service which our own signatures know."""
