"""TLS hellos of our own, so that any version and cipher can be offered whatever OpenSSL here allows. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
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
        0x0060: "RSA export RC4-56 MD5", 0x0061: "RSA export RC2-56", 0x0062: "RSA export DES",
        0x0063: "DHE-DSS export DES", 0x0064: "RSA export RC4-56 SHA", 0x0065: "DHE-DSS export RC4-56",
        0x0066: "DHE-DSS RC4 SHA", 0x0046: "anonymous DH CAMELLIA128", 0x0089: "anonymous DH CAMELLIA256",
        0x009B: "anonymous DH SEED",
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
FALLBACK = 0x5600
"""The suite by which a client says that it would speak a newer version as well (RFC 7507)."""
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019, 0x001E, 0x001A, 0x001B, 0x001C)
_SIGNATURES = (
    0x0804, 0x0805, 0x0806, 0x0807, 0x0808, 0x0403, 0x0503, 0x0603, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
    0x0402, 0x0202,
)  # fmt: skip
_PADDING, _PADDED_FROM, _PADDED = 21, 240, 512
"""Some balancers hang on a hello of 256 to 511 bytes (RFC 7685), so those are filled up."""
_RECORD_LIMIT = 18_432
_HELLO, _CHAIN, _KEYS, _DONE, _STAPLE = 2, 11, 12, 14, 22
"""Kinds of handshake messages; `_STAPLE` is CertificateStatus."""
_SUPPORTED_VERSIONS = 43

REFUSALS = frozenset({40, 70, 71})
"""Alerts that decide: handshake_failure, protocol_version, insufficient_security."""
INTERNAL_ERROR = 80
"""What OpenSSL 3 at its default security level answers to a version before TLS 1.2."""
INAPPROPRIATE_FALLBACK = 86

STATUS, ALPN, HEARTBEAT, RENEGOTIATED = 5, 16, 15, 0xFF01
"""Numbers of extensions: a stapled status, the protocol inside, heartbeats, secure renegotiation."""


@dataclass(frozen=True, slots=True)
class ServerHello:
    """The server goes along: the version and cipher suite that it chose, and what else it takes up.

    `compression` is the number of its method (0 is none); `extensions` are the numbers that it answered;
    `alpn` is the protocol that it chose for the inside, empty where none was offered or taken.
    """

    version: str
    cipher: int
    compression: int = 0
    extensions: frozenset[int] = frozenset()
    alpn: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """The server says no, by the number of its alert."""

    number: int


@dataclass(frozen=True, slots=True)
class Flight:
    """What a server of TLS 1.2 or older says up to its ServerHelloDone.

    `stapled` is whether a certificate status came with it; `keys` the content of its ServerKeyExchange,
    empty where the suite needs none; `chain` its certificates in DER, up to the first that lies about its
    length.
    """

    hello: ServerHello
    stapled: bool
    keys: bytes
    chain: tuple[bytes, ...] = ()

    @property
    def prime_bits(self) -> int:
        """Bits of the prime of a suite of finite-field Diffie-Hellman."""
        size = int.from_bytes(self.keys[:2], "big")
        return int.from_bytes(self.keys[2 : 2 + size], "big").bit_length()


class NotTlsError(ValueError):
    """The answer is not TLS, or contradicts itself."""


def client_hello(
    newest: str, random: bytes, ciphers: tuple[int, ...] = (), *, curious: bool = False, alpn: bool = False
) -> bytes:
    """The first record of a client that speaks nothing newer than this version.

    `random` is 64 fresh bytes: the client's random and a key share. Without `ciphers`, those that
    ordinary servers of that version know. `curious` offers also what a client had better not take up
    (compression, heartbeats) and asks for a stapled status; `alpn` offers HTTP/2 and HTTP/1.1.
    """
    number = VERSIONS[newest]
    chosen = ciphers or (_MODERN + _ORDINARY if newest == "TLSv1.3" else _ORDINARY)
    suites = struct.pack(f"!{len(chosen) + 1}H", *chosen, _RENEGOTIATION_INFO)
    old = newest != "TLSv1.3"
    body = (
        struct.pack("!H", min(number, 0x0303))
        + random[:32]
        + b"\x00"
        + struct.pack("!H", len(suites))
        + suites
        + (b"\x02\x01\x00" if curious and old else b"\x01\x00")
    )
    if newest != "SSLv3":
        extensions = _extensions(newest, random[32:64])
        if curious and old:
            extensions += _extension(STATUS, b"\x01\x00\x00\x00\x00") + _extension(HEARTBEAT, b"\x02")
        if alpn:
            extensions += _extension(ALPN, b"\x00\x0c\x02h2\x08http/1.1")
        missing = _PADDED - len(body) - len(extensions) - 6
        if len(body) + len(extensions) > _PADDED_FROM and missing > 0:
            extensions += _extension(_PADDING, b"\x00" * max(0, missing - 4))
        body += struct.pack("!H", len(extensions)) + extensions
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16" + struct.pack("!HH", min(number, 0x0301), len(handshake)) + handshake


def read_answer(data: bytes) -> ServerHello | Alert | None:
    """What the server decided, or None while more bytes are needed.

    Raises:
        NotTlsError: the bytes are no TLS.

    """
    handshake = bytearray()
    for record in _records(data):
        if isinstance(record, Alert):
            return record
        handshake += record
        if len(handshake) >= 4 and len(handshake) >= 4 + int.from_bytes(handshake[1:4], "big"):
            return _server_hello(bytes(handshake))
        if len(handshake) > _RECORD_LIMIT:
            raise NotTlsError("a hello without an end")
    return None


def read_flight(data: bytes) -> Flight | Alert | None:
    """All that a server of TLS 1.2 or older says before the client has to answer, or None as above.

    Raises:
        NotTlsError: the bytes are no TLS, or begin to be encrypted.

    """
    handshake = bytearray()
    for record in _records(data):
        if isinstance(record, Alert):
            return record
        handshake += record
    position = 0
    said: dict[int, bytes] = {}
    while position + 4 <= len(handshake):
        size = int.from_bytes(handshake[position + 1 : position + 4], "big")
        message = bytes(handshake[position : position + 4 + size])
        if len(message) < 4 + size:
            return None
        said.setdefault(message[0], message)
        position += 4 + size
        if message[0] == _DONE:
            return _flight(said)
    return None


def _records(data: bytes) -> Iterator[bytes | Alert]:
    """The content of each whole record of a handshake, and the first fatal alert."""
    position = 0
    while position + 5 <= len(data):
        kind, major, _, length = struct.unpack_from("!BBBH", data, position)
        if kind not in (0x15, 0x16) or major != 3 or not 0 < length <= _RECORD_LIMIT:
            raise NotTlsError("the answer is not TLS")
        record = data[position + 5 : position + 5 + length]
        position += 5 + length
        if len(record) < length:
            return
        if kind == 0x16:
            yield record
        elif length != 2:
            raise NotTlsError("an alert of the wrong length")
        elif record[0] == 2:
            yield Alert(record[1])
        # A warning decides nothing; the answer follows it.


def _flight(said: Mapping[int, bytes]) -> Flight:
    if _HELLO not in said:
        raise NotTlsError("the first message is not a ServerHello")
    chosen = _server_hello(said[_HELLO])
    chain = tuple(_chain(said.get(_CHAIN, b"")[7:]))
    return Flight(chosen, len(said.get(_STAPLE, b"")) > 8, said.get(_KEYS, b"")[4:], chain)


def _chain(listed: bytes) -> Iterator[bytes]:
    while len(listed) > 3 and len(listed) >= (end := 3 + int.from_bytes(listed[:3], "big")):
        yield listed[3:end]
        listed = listed[end:]


def _server_hello(handshake: bytes) -> ServerHello:
    body = handshake[4 : 4 + int.from_bytes(handshake[1:4], "big")]
    if handshake[0] != 2 or len(body) < 38:
        raise NotTlsError("the first message is not a ServerHello")
    [version] = struct.unpack_from("!H", body)
    session = body[34]
    if len(body) < 38 + session:
        raise NotTlsError("a ServerHello that lies about its length")
    cipher, compression = struct.unpack_from("!HB", body, 35 + session)
    answered = _answered(body[38 + session :])
    selected = answered.get(_SUPPORTED_VERSIONS, b"")
    version = int.from_bytes(selected, "big") if len(selected) == 2 else version
    name = next((n for n, number in VERSIONS.items() if number == version), "")
    if not name:
        raise NotTlsError(f"the server chose the version {version:#06x}, which does not exist")
    alpn = answered.get(ALPN, b"")[3:].decode("ascii", "replace")[:32]
    return ServerHello(name, cipher, compression, frozenset(answered), alpn if alpn.isprintable() else "")


def _answered(block: bytes) -> dict[int, bytes]:
    """The extensions of a ServerHello, up to the first that lies about its length."""
    found: dict[int, bytes] = {}
    position = 2
    while position + 4 <= len(block):
        kind, size = struct.unpack_from("!HH", block, position)
        if position + 4 + size > len(block):
            break
        found[kind] = block[position + 4 : position + 4 + size]
        position += 4 + size
    return found


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
