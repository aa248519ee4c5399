"""The messages of SMB 1, SMB 2 and 3, and NTLM that ask without a login. Pure.

After [MS-SMB2], [MS-CIFS] and [MS-NLMP].
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from uuid import UUID

from checks.fix import printable
from scanner.collect.network.ask.ber import tlv

MESSAGE_LIMIT = 60_000
NAME_LIMIT = 100
SUCCESS = 0
MORE_PROCESSING = 0xC0000016
PENDING = 0x00000103
REFUSALS = {
    0xC0000022: "access denied",
    0xC0000061: "privilege not held",
    0xC000006D: "logon failure",
    0xC000006E: "account restriction",
    0xC0000072: "account disabled",
    0xC000015B: "logon type not granted",
    0xC0000193: "account expired",
    0xC0000413: "authentication firewall",
}
"""Statuses by which a server says that this caller may not come in."""

NEGOTIATE, SESSION_SETUP, TREE_CONNECT = 0, 1, 3
_DIALECTS = {0x0202: "2.0.2", 0x0210: "2.1", 0x0300: "3.0", 0x0302: "3.0.2", 0x0311: "3.1.1"}
_NTLM = b"NTLMSSP\x00"
_NTLM_FLAGS = 0x00088205
_NTLM_ANONYMOUS = 0x00000800
_TOLD = {1: "computer", 2: "domain", 3: "DNS name", 4: "DNS domain", 5: "forest"}


class SmbError(ValueError):
    """The answer is no SMB, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What a server settled on: its dialect, its signing, its name."""

    dialect: str
    signing_enabled: bool
    signing_required: bool
    guid: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """An SMB 2 or 3 answer: its status, its session and tree, and what follows the head."""

    command: int
    status: int
    session: int
    tree: int
    body: bytes


def framed(message: bytes) -> bytes:
    """The message as it goes over TCP."""
    return struct.pack("!I", len(message)) + message


def netbios_request() -> bytes:
    """The request for a session on port 139, to whatever server is there."""
    names = _netbios_name(b"*SMBSERVER") + _netbios_name(b"BARTIZAN")
    return struct.pack("!BBH", 0x81, 0, len(names)) + names


def _netbios_name(name: bytes) -> bytes:
    padded = name.ljust(15) + b"\x20"
    return b"\x20" + bytes(half + 0x41 for byte in padded for half in (byte >> 4, byte & 0xF)) + b"\x00"


def smb1_negotiate() -> bytes:
    """The first message of a client that knows nothing but SMB 1."""
    head = b"\xffSMB" + bytes((0x72,)) + bytes(4) + struct.pack("<BHH8sHHHHH", 0x18, 0x4801, 0, bytes(8), 0,
                                                                0xFFFF, 0xFEFF, 0, 1)  # fmt: skip
    dialects = b"\x02NT LM 0.12\x00"
    return head + b"\x00" + struct.pack("<H", len(dialects)) + dialects


def read_smb1(data: bytes) -> Negotiated | None:
    """What an SMB 1 server settled on; None where it says that it knows none of what was offered.

    Raises:
        SmbError: no answer to a negotiation of SMB 1.

    """
    if len(data) < 35 or data[:5] != b"\xffSMB\x72":
        raise SmbError("the answer is no SMB 1")
    [status] = struct.unpack_from("<I", data, 5)
    words = data[32]
    [index] = struct.unpack_from("<H", data, 33)
    if words == 0 and status:
        return None
    if words == 1 and index == 0xFFFF:
        return None
    if words not in (13, 17) or index != 0 or len(data) < 36:
        raise SmbError("an answer of SMB 1 that decides nothing")
    mode = data[35]
    return Negotiated("1.0", bool(mode & 0x04) or bool(mode & 0x08), bool(mode & 0x08))


def negotiate(salt: bytes) -> bytes:
    """The first message of a client that knows SMB 2 and 3; `salt` is 32 fresh bytes."""
    dialects = struct.pack(f"<{len(_DIALECTS)}H", *_DIALECTS)
    fixed = 36 + len(dialects)
    padding = -(64 + fixed) % 8
    integrity = struct.pack("<HHH", 1, len(salt), 1) + salt
    ciphers = struct.pack("<HHH", 2, 2, 1)
    contexts = _context(1, integrity) + _context(2, ciphers)
    body = struct.pack("<HHHHI", 36, len(_DIALECTS), 1, 0, 0x7F) + salt[:16]
    body += struct.pack("<IHH", 64 + fixed + padding, 2, 0) + dialects + bytes(padding) + contexts
    return _head(NEGOTIATE, 0) + body


def _context(kind: int, data: bytes) -> bytes:
    return struct.pack("<HHI", kind, len(data), 0) + data + bytes(-len(data) % 8)


def read(data: bytes) -> Message:
    """The SMB 2 or 3 answer in these bytes.

    Raises:
        SmbError: no such answer.

    """
    if len(data) < 66 or data[:4] != b"\xfeSMB" or not data[16] & 1:
        raise SmbError("the answer is no SMB 2")
    status, command = struct.unpack_from("<IH", data, 8)
    tree, session = struct.unpack_from("<IQ", data, 36)
    return Message(command, status, session, tree, data[64:])


def read_negotiated(message: Message) -> Negotiated:
    """What an SMB 2 or 3 server settled on.

    Raises:
        SmbError: it did not.

    """
    if message.command != NEGOTIATE or message.status or len(message.body) < 64:
        raise SmbError(f"the negotiation ended with the status {message.status:#010x}")
    _, mode, dialect = struct.unpack_from("<HHH", message.body)
    if dialect not in _DIALECTS:
        raise SmbError(f"the server chose the dialect {dialect:#06x}, which was not offered")
    guid = str(UUID(bytes_le=message.body[8:24]))
    return Negotiated(_DIALECTS[dialect], bool(mode & 3), bool(mode & 2), guid)


def session_setup(token: bytes, number: int, session: int = 0) -> bytes:
    """A step of the login with this security token."""
    body = struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token
    return _head(SESSION_SETUP, number, session) + body


def session_flags(message: Message) -> int:
    """1 for a guest, 2 for nobody; 0 for an account."""
    return int(struct.unpack_from("<H", message.body, 2)[0]) if len(message.body) >= 4 else 0


def tree_connect(path: str, number: int, session: int) -> bytes:
    """The request to connect to this share."""
    name = path.encode("utf-16-le")
    return _head(TREE_CONNECT, number, session) + struct.pack("<HHHH", 9, 0, 72, len(name)) + name


def _head(command: int, number: int, session: int = 0) -> bytes:
    credit = 0 if command == NEGOTIATE else 1
    return b"\xfeSMB" + struct.pack(
        "<HHIHHIIQIIQ16s", 64, credit, 0, command, 31, 0, 0, number, 0xFEFF, 0, session, bytes(16)
    )


def hello_token() -> bytes:
    """The SPNEGO token that begins NTLM."""
    ntlm = _NTLM + struct.pack("<II", 1, _NTLM_FLAGS) + bytes(16)
    mechanisms = tlv(0xA0, tlv(0x30, bytes.fromhex("060a2b06010401823702020a")))
    inner = tlv(0xA0, tlv(0x30, mechanisms, tlv(0xA2, tlv(0x04, ntlm))))
    return tlv(0x60, bytes.fromhex("06062b0601050502"), inner)


def anonymous_token() -> bytes:
    """The SPNEGO token that ends NTLM for somebody without a name and without a password."""
    place = 64
    empty = struct.pack("<HHI", 0, 0, place)
    lm = struct.pack("<HHI", 1, 1, place)
    fields = lm + empty * 4 + struct.pack("<HHI", 0, 0, place + 1)
    ntlm = _NTLM + struct.pack("<I", 3) + fields + struct.pack("<I", _NTLM_FLAGS | _NTLM_ANONYMOUS) + b"\x00"
    return tlv(0xA1, tlv(0x30, tlv(0xA2, tlv(0x04, ntlm))))


def told(body: bytes) -> tuple[str, ...]:
    """What the NTLM challenge in this answer says of the server: `computer FILES`, `version 6.1.7601`."""
    at = body.find(_NTLM + b"\x02\x00\x00\x00")
    challenge = body[at:] if at >= 0 else b""
    if len(challenge) < 48:
        return ()
    size, _, place = struct.unpack_from("<HHI", challenge, 40)
    names = _pairs(challenge[place : place + size]) if place + size <= len(challenge) else ()
    if len(challenge) < 56 or not int.from_bytes(challenge[20:24], "little") & 0x02000000:
        return names
    major, minor, build = struct.unpack_from("<BBH", challenge, 48)
    return (*names, f"version {major}.{minor}.{build}") if major else names


def _pairs(block: bytes) -> tuple[str, ...]:
    found: list[str] = []
    while len(block) >= 4 and len(found) < len(_TOLD):
        kind, size = struct.unpack_from("<HH", block)
        if kind == 0 or 4 + size > len(block):
            break
        name = block[4 : 4 + size].decode("utf-16-le", "backslashreplace")
        if kind in _TOLD and name:
            found.append(f"{_TOLD[kind]} {printable(name)[:NAME_LIMIT]}")
        block = block[4 + size :]
    return tuple(found)
