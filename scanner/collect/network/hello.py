"""TLS hellos of our own, so that any version and cipher can be offered whatever OpenSSL here allows. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

VERSIONS: Mapping[str, int] = MappingProxyType(
    {"SSLv3": 0x0300, "TLSv1.0": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
)
"""Name → number on the wire, oldest first."""

WEAK_CIPHERS: Mapping[int, str] = MappingProxyType(
    {
        0x0001: "RSA NULL MD5", 0x0002: "RSA NULL SHA", 0x003B: "RSA NULL SHA256",
        0xC001: "ECDH-ECDSA NULL SHA", 0xC006: "ECDHE-ECDSA NULL SHA", 0xC00B: "ECDH-RSA NULL SHA",
        0xC010: "ECDHE-RSA NULL SHA", 0xC015: "anonymous ECDH NULL SHA",
        0x0018: "anonymous DH RC4 MD5", 0x001B: "anonymous DH 3DES", 0x0034: "anonymous DH AES128",
        0x003A: "anonymous DH AES256", 0x006C: "anonymous DH AES128 SHA256",
        0x006D: "anonymous DH AES256 SHA256", 0x00A6: "anonymous DH AES128 GCM",
        0x00A7: "anonymous DH AES256 GCM", 0xC016: "anonymous ECDH RC4", 0xC017: "anonymous ECDH 3DES",
        0xC018: "anonymous ECDH AES128", 0xC019: "anonymous ECDH AES256",
        0x0003: "RSA export RC4-40", 0x0006: "RSA export RC2-40", 0x0008: "RSA export DES40",
        0x000B: "DH-DSS export DES40", 0x000E: "DH-RSA export DES40", 0x0011: "DHE-DSS export DES40",
        0x0014: "DHE-RSA export DES40", 0x0017: "anonymous DH export RC4-40",
        0x0019: "anonymous DH export DES40",
        0x0004: "RSA RC4 MD5", 0x0005: "RSA RC4 SHA", 0xC002: "ECDH-ECDSA RC4", 0xC007: "ECDHE-ECDSA RC4",
        0xC00C: "ECDH-RSA RC4", 0xC011: "ECDHE-RSA RC4",
        0x0009: "RSA DES", 0x000C: "DH-DSS DES", 0x000F: "DH-RSA DES", 0x0012: "DHE-DSS DES",
        0x0015: "DHE-RSA DES", 0x001A: "anonymous DH DES",
        0x000A: "RSA 3DES", 0x000D: "DH-DSS 3DES", 0x0010: "DH-RSA 3DES", 0x0013: "DHE-DSS 3DES",
        0x0016: "DHE-RSA 3DES", 0xC003: "ECDH-ECDSA 3DES", 0xC008: "ECDHE-ECDSA 3DES",
        0xC00D: "ECDH-RSA 3DES", 0xC012: "ECDHE-RSA 3DES",
    }
)  # fmt: skip
"""Cipher suites that give no secrecy, no authentication, or too little of either (RFC 7465, 9325)."""

_MODERN = (0x1301, 0x1302, 0x1303)
_ORDINARY = (
    0xC02C, 0xC02B, 0xCCA9, 0xC030, 0xC02F, 0xCCA8, 0x009F, 0x009E, 0xC00A, 0xC009, 0xC014, 0xC013,
    0x0039, 0x0033, 0x009D, 0x009C, 0x0035, 0x002F, 0xC012, 0x0016, 0x000A, 0x0005, 0x0004,
)  # fmt: skip
_RENEGOTIATION_INFO = 0x00FF
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019)
_SIGNATURES = (
    0x0804, 0x0805, 0x0806, 0x0807, 0x0403, 0x0503, 0x0603, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
)  # fmt: skip
_RECORD_LIMIT = 18_432
_SUPPORTED_VERSIONS = 43

REFUSALS = frozenset({40, 70, 71})
"""Alerts that decide: handshake_failure, protocol_version, insufficient_security."""
INTERNAL_ERROR = 80
"""What OpenSSL 3 at its default security level answers to a version before TLS 1.2."""


@dataclass(frozen=True, slots=True)
class ServerHello:
    """The server goes along: the version and cipher suite that it chose."""

    version: str
    cipher: int


@dataclass(frozen=True, slots=True)
class Alert:
    """The server says no, by the number of its alert."""

    number: int


class NotTlsError(ValueError):
    """The answer is not TLS, or contradicts itself."""


def client_hello(newest: str, random: bytes, ciphers: tuple[int, ...] = ()) -> bytes:
    """The first record of a client that speaks nothing newer than this version.

    `random` is 64 fresh bytes: the client's random and a key share. Without `ciphers`, those that
    ordinary servers of that version know.
    """
    number = VERSIONS[newest]
    chosen = ciphers or (_MODERN + _ORDINARY if newest == "TLSv1.3" else _ORDINARY)
    suites = struct.pack(f"!{len(chosen) + 1}H", *chosen, _RENEGOTIATION_INFO)
    body = (
        struct.pack("!H", min(number, 0x0303))
        + random[:32]
        + b"\x00"
        + struct.pack("!H", len(suites))
        + suites
        + b"\x01\x00"
    )
    if newest != "SSLv3":
        extensions = _extensions(newest, random[32:64])
        body += struct.pack("!H", len(extensions)) + extensions
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16" + struct.pack("!HH", min(number, 0x0301), len(handshake)) + handshake


def read_answer(data: bytes) -> ServerHello | Alert | None:
    """What the server decided, or None while more bytes are needed.

    Raises:
        NotTlsError: the bytes are no TLS.

    """
    handshake = b""
    while True:
        if len(data) < 5:
            return None
        kind, _, length = struct.unpack("!BHH", data[:5])
        if kind not in (0x15, 0x16) or data[1] != 3 or not 0 < length <= _RECORD_LIMIT:
            raise NotTlsError("the answer is not TLS")
        record, data = data[5 : 5 + length], data[5 + length :]
        if len(record) < length:
            return None
        if kind == 0x15:
            if length != 2:
                raise NotTlsError("an alert of the wrong length")
            if record[0] == 2:
                return Alert(record[1])
            continue  # a warning decides nothing; the answer follows it
        handshake += record
        if len(handshake) >= 4 and len(handshake) >= 4 + int.from_bytes(handshake[1:4], "big"):
            return _server_hello(handshake)
        if len(handshake) > _RECORD_LIMIT:
            raise NotTlsError("a hello without an end")


def _server_hello(handshake: bytes) -> ServerHello:
    body = handshake[4 : 4 + int.from_bytes(handshake[1:4], "big")]
    if handshake[0] != 2 or len(body) < 38:
        raise NotTlsError("the first message is not a ServerHello")
    [version] = struct.unpack_from("!H", body)
    session = body[34]
    if len(body) < 38 + session:
        raise NotTlsError("a ServerHello that lies about its length")
    [cipher] = struct.unpack_from("!H", body, 35 + session)
    version = _selected_version(body[38 + session :]) or version
    name = next((n for n, number in VERSIONS.items() if number == version), "")
    if not name:
        raise NotTlsError(f"the server chose the version {version:#06x}, which does not exist")
    return ServerHello(name, cipher)


def _selected_version(block: bytes) -> int:
    """The version in the extension that TLS 1.3 uses for it, or 0."""
    position = 2
    while position + 4 <= len(block):
        kind, size = struct.unpack_from("!HH", block, position)
        if kind == _SUPPORTED_VERSIONS and size == 2 and position + 6 <= len(block):
            return int.from_bytes(block[position + 4 : position + 6], "big")
        position += 4 + size
    return 0


def _extensions(newest: str, share: bytes) -> bytes:
    groups = struct.pack(f"!{len(_GROUPS)}H", *_GROUPS)
    signatures = struct.pack(f"!{len(_SIGNATURES)}H", *_SIGNATURES)
    found = _extension(10, struct.pack("!H", len(groups)) + groups) + _extension(11, b"\x01\x00")
    if VERSIONS[newest] >= VERSIONS["TLSv1.2"]:
        found += _extension(13, struct.pack("!H", len(signatures)) + signatures)
    if newest == "TLSv1.3":
        # Only 1.3: a server that does not speak it must say so instead of choosing an older one.
        found += _extension(_SUPPORTED_VERSIONS, b"\x02\x03\x04")
        found += _extension(51, struct.pack("!HHH", 36, 0x001D, 32) + share)
    return found


def _extension(number: int, content: bytes) -> bytes:
    return struct.pack("!HH", number, len(content)) + content
