"""The messages of SSH (RFC 4253) as bytes: packets, strings, and the lists of algorithms. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass

KEXINIT, NEWKEYS, KEX_INIT, KEX_REPLY, GEX_GROUP, GEX_REQUEST = 20, 21, 30, 31, 31, 34
DISCONNECT, SERVICE_REQUEST, SERVICE_ACCEPT, LOGIN_REQUEST, LOGIN_FAILURE, LOGIN_SUCCESS = 1, 5, 6, 50, 51, 52
TO_IGNORE = frozenset({2, 3, 4, 7, 53})
"""Messages that decide nothing: ignore, unimplemented, debug, extensions, and a login's banner."""
PACKET_LIMIT = 35_000
"""Bytes of a packet that everybody must take (RFC 4253, 6.1); larger ones are not waited for."""
_LISTS = 10


class SshWireError(ValueError):
    """The bytes are not what SSH says they should be."""


@dataclass(frozen=True, slots=True)
class KexInit:
    """The lists of a KEXINIT message, in its order."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[tuple[str, ...], tuple[str, ...]]
    macs: tuple[tuple[str, ...], tuple[str, ...]]
    payload: bytes


def packet_length(data: bytes) -> int:
    """Bytes of the first packet in all, or 0 while its length is not there yet.

    Raises:
        SshWireError: a length that no packet has.

    """
    if len(data) < 4:
        return 0
    [length] = struct.unpack_from("!I", data)
    if not 5 <= length <= PACKET_LIMIT:
        raise SshWireError(f"a packet that says it has {length} bytes")
    return 4 + int(length)


def payload(packet: bytes) -> bytes:
    """What is in an unencrypted packet.

    Raises:
        SshWireError: a padding longer than the packet.

    """
    size = len(packet) - 5 - packet[4]
    if size < 1:
        raise SshWireError("a packet with more padding than content")
    return packet[5 : 5 + size]


def packet(content: bytes) -> bytes:
    """The content as an unencrypted packet."""
    fill = 8 - (len(content) + 5) % 8
    fill += 8 if fill < 4 else 0
    return struct.pack("!IB", len(content) + fill + 1, fill) + content + b"\x00" * fill


def read_kexinit(content: bytes) -> KexInit:
    """The lists of the server.

    Raises:
        SshWireError: another message, or lists that do not fit into it.

    """
    if not content or content[0] != KEXINIT:
        raise SshWireError("the first message is not KEXINIT")
    lists, position = [], 17
    for _ in range(_LISTS):
        text, position = read_string(content, position)
        lists.append(tuple(name for name in text.decode("ascii", "replace").split(",") if name))
    return KexInit(lists[0], lists[1], (lists[2], lists[3]), (lists[4], lists[5]), content)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What our KEXINIT offers, best first; ciphers and MACs are the same for both directions."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreed:
    """Our message, and what follows from it: ciphers and MACs as (to the server, from the server).

    They are empty where the server has none that we speak: then the exchange can be had, and no more.
    """

    message: bytes
    kex: str
    ciphers: tuple[str, str]
    macs: tuple[str, str]


def our_kexinit(server: KexInit, cookie: bytes, wanted: Wanted) -> Agreed:
    """What to answer to the lists of the server.

    Raises:
        SshWireError: it offers no key exchange or host key that is wanted.

    """
    kex = next((name for name in wanted.kex if name in server.kex), "")
    keys = [name for name in wanted.host_keys if name in server.host_keys]
    if not kex or not keys:
        what = "key exchange" if not kex else "kind of host key"
        raise SshWireError(f"it offers no {what} that the prober speaks")
    ciphers = tuple(_common(wanted.ciphers, theirs) for theirs in server.ciphers)
    macs = tuple(_common(wanted.macs, theirs) for theirs in server.macs)
    lists = (
        (kex,),
        tuple(keys),
        # Where nothing is common the server still has to agree, so that it goes on to prove its key.
        *(ours or theirs for ours, theirs in zip(ciphers, server.ciphers, strict=True)),
        *(ours or theirs for ours, theirs in zip(macs, server.macs, strict=True)),
        ("none", "zlib@openssh.com", "zlib"),
        ("none", "zlib@openssh.com", "zlib"),
        (),
        (),
    )
    body = b"".join(string(",".join(names).encode("ascii", "replace")) for names in lists)
    message = bytes([KEXINIT]) + cookie[:16] + body + b"\x00" * 5
    return Agreed(message, kex, _first_of(ciphers), _first_of(macs))


def _common(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in ours if name in theirs)


def _first_of(lists: tuple[tuple[str, ...], ...]) -> tuple[str, str]:
    out, back = (names[0] if names else "" for names in lists)
    return out, back


def read_string(data: bytes, position: int) -> tuple[bytes, int]:
    """The string at that position, and where the next thing begins.

    Raises:
        SshWireError: it does not fit into the data.

    """
    if position + 4 > len(data):
        raise SshWireError("a message that ends too early")
    [length] = struct.unpack_from("!I", data, position)
    end = position + 4 + int(length)
    if end > len(data):
        raise SshWireError("a message that lies about a length")
    return data[position + 4 : end], end


def string(data: bytes) -> bytes:
    """The data with its length before it."""
    return struct.pack("!I", len(data)) + data


def mpint(number: bytes) -> bytes:
    """A positive number as SSH writes it."""
    trimmed = number.lstrip(b"\x00")
    return string(b"\x00" + trimmed if trimmed and trimmed[0] & 0x80 else trimmed)
