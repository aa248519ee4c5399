"""The encrypted packets of SSH (RFC 4253, 4344, 5647, and OpenSSH's own), one direction at a time. Pure."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.poly1305 import Poly1305

from scanner.collect.network.ask.ssh_kex import Secrets
from scanner.collect.network.ask.ssh_wire import PACKET_LIMIT, SshWireError

_BLOCK = 16
_SIZES: Mapping[str, int] = MappingProxyType(
    {
        "aes128-ctr": 16,
        "aes256-ctr": 32,
        "aes192-ctr": 24,
        "aes128-gcm@openssh.com": 16,
        "aes256-gcm@openssh.com": 32,
        "chacha20-poly1305@openssh.com": 64,
        "aes128-cbc": 16,
        "aes256-cbc": 32,
    }
)
_HASHES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "hmac-sha2-256-etm@openssh.com": ("sha256", 32),
        "hmac-sha2-512-etm@openssh.com": ("sha512", 64),
        "hmac-sha1-etm@openssh.com": ("sha1", 20),
        "hmac-sha2-256": ("sha256", 32),
        "hmac-sha2-512": ("sha512", 64),
        "hmac-sha1": ("sha1", 20),
    }
)
CIPHERS = tuple(_SIZES)
MACS = tuple(_HASHES)


class Direction(Protocol):
    """One direction of an encrypted connection; it counts its packets.

    To read one packet: `head` bytes, then as many as `rest` says, then `open`.
    """

    head: int

    def seal(self, content: bytes) -> bytes:
        """The content as an encrypted packet."""

    def rest(self, head: bytes) -> int:
        """How many bytes follow the head.

        Raises:
            SshWireError: a length that no packet has.

        """

    def open(self, rest: bytes) -> bytes:
        """The content of the packet.

        Raises:
            SshWireError: it is not sealed with our key.

        """


def direction(cipher: str, mac: str, secrets: Secrets, letters: bytes, sequence: int) -> Direction:
    """What seals or opens with these algorithms; `letters` are those of IV, key and MAC key.

    `sequence` is the number of packets that this direction already had.
    """
    key = secrets.key(letters[1:2], _SIZES[cipher])
    if cipher.startswith("chacha20"):
        return _ChaCha(key, sequence)
    if "-gcm" in cipher:
        return _Gcm(key, secrets.key(letters[:1], 12))
    name, size = _HASHES[mac]
    seal_key = secrets.key(letters[2:], size)

    def tag(data: bytes) -> bytes:
        return hmac.digest(seal_key, data, name)

    iv = secrets.key(letters[:1], _BLOCK)
    mode = modes.CTR(iv) if cipher.endswith("ctr") else modes.CBC(iv)
    return _Block(Cipher(algorithms.AES(key), mode), tag, size, sequence, etm="-etm@" in mac)


def _padded(content: bytes, clear: int) -> bytes:
    """The packet before encryption; `clear` bytes of it do not count for the padding."""
    fill = _BLOCK - (len(content) + 5 - clear) % _BLOCK
    fill += _BLOCK if fill < 4 else 0
    return struct.pack("!IB", len(content) + fill + 1, fill) + content + b"\x00" * fill


def _content(packet: bytes) -> bytes:
    size = len(packet) - 5 - packet[4]
    if size < 1:
        raise SshWireError("a packet with more padding than content")
    return packet[5 : 5 + size]


def _length(head: bytes) -> int:
    length = int.from_bytes(head[:4], "big")
    if not 5 <= length <= PACKET_LIMIT:
        raise SshWireError(f"a packet that says it has {length} bytes")
    return length


def _same(one: bytes, other: bytes) -> None:
    if not hmac.compare_digest(one, other):
        raise SshWireError("a packet that is not sealed with the key of this connection")


class _Block:
    """AES in CTR or CBC mode with an HMAC, over the plain or over the encrypted packet."""

    def __init__(
        self,
        cipher: Cipher[modes.CTR | modes.CBC],
        tag: Callable[[bytes], bytes],
        size: int,
        sequence: int,
        *,
        etm: bool,
    ) -> None:
        self._in, self._out = cipher.decryptor(), cipher.encryptor()
        self._tag, self._size, self._sequence, self._etm = tag, size, sequence, etm
        self.head = 4 if etm else _BLOCK
        self._begun = b""

    def seal(self, content: bytes) -> bytes:
        packet = _padded(content, 4 if self._etm else 0)
        number = struct.pack("!I", self._sequence)
        self._sequence += 1
        if self._etm:
            sealed = packet[:4] + self._out.update(packet[4:])
            return sealed + self._tag(number + sealed)
        return self._out.update(packet) + self._tag(number + packet)

    def rest(self, head: bytes) -> int:
        self._begun = head if self._etm else self._in.update(head)
        length = _length(self._begun)
        if (length + 4 - (4 if self._etm else 0)) % _BLOCK:
            raise SshWireError("a packet that is no multiple of its block")
        return length + 4 - self.head + self._size

    def open(self, rest: bytes) -> bytes:
        body, seal = rest[: -self._size], rest[-self._size :]
        number = struct.pack("!I", self._sequence)
        self._sequence += 1
        if self._etm:
            _same(self._tag(number + self._begun + body), seal)
            return _content(self._begun + self._in.update(body))
        packet = self._begun + self._in.update(body)
        _same(self._tag(number + packet), seal)
        return _content(packet)


class _Gcm:
    """AES-GCM: the length is in clear text and part of what is sealed."""

    head = 4

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._cipher = AESGCM(key)
        self._fixed, self._count = iv[:4], int.from_bytes(iv[4:], "big")
        self._begun = b""

    def seal(self, content: bytes) -> bytes:
        packet = _padded(content, 4)
        return packet[:4] + self._cipher.encrypt(self._nonce(), packet[4:], packet[:4])

    def rest(self, head: bytes) -> int:
        self._begun = head
        return _length(head) + 16

    def open(self, rest: bytes) -> bytes:
        try:
            return _content(self._begun + self._cipher.decrypt(self._nonce(), rest, self._begun))
        except InvalidTag:
            raise SshWireError("a packet that is not sealed with the key of this connection") from None

    def _nonce(self) -> bytes:
        nonce = self._fixed + (self._count % 2**64).to_bytes(8, "big")
        self._count += 1
        return nonce


class _ChaCha:
    """OpenSSH's ChaCha20 and Poly1305: one key for the length, one for the rest."""

    head = 4

    def __init__(self, key: bytes, sequence: int) -> None:
        self._main, self._for_length, self._sequence = key[:32], key[32:], sequence
        self._begun = b""

    def seal(self, content: bytes) -> bytes:
        packet = _padded(content, 4)
        sealed = self._stream(self._for_length, 0, packet[:4]) + self._stream(self._main, 1, packet[4:])
        sealed += self._tag(sealed)
        self._sequence += 1
        return sealed

    def rest(self, head: bytes) -> int:
        self._begun = head
        return _length(self._stream(self._for_length, 0, head)) + 16

    def open(self, rest: bytes) -> bytes:
        body, seal = rest[:-16], rest[-16:]
        _same(self._tag(self._begun + body), seal)
        packet = b"\x00" * 4 + self._stream(self._main, 1, body)
        self._sequence += 1
        return _content(packet)

    def _tag(self, data: bytes) -> bytes:
        return Poly1305.generate_tag(self._stream(self._main, 0, b"\x00" * 32), data)

    def _stream(self, key: bytes, block: int, data: bytes) -> bytes:
        nonce = struct.pack("<Q", block) + struct.pack("!Q", self._sequence)
        return Cipher(algorithms.ChaCha20(key, nonce), mode=None).encryptor().update(data)
