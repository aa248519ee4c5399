"""The first messages of SSH (RFC 4253, 5656, 8731): lists of algorithms and the proof of a host key. Pure."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

KEXINIT, ECDH_INIT, ECDH_REPLY = 20, 30, 31
PACKET_LIMIT = 35_000
"""Bytes of a packet that everybody must take (RFC 4253, 6.1); larger ones are not waited for."""
_LISTS = 10

HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
)
"""The kinds of host key whose proof we can verify, in the order in which we ask for them."""
RSA_KEYS = tuple(name for name in HOST_KEYS if "rsa" in name)

KEX: Mapping[str, str] = MappingProxyType(
    {
        "curve25519-sha256": "sha256",
        "curve25519-sha256@libssh.org": "sha256",
        "ecdh-sha2-nistp256": "sha256",
        "ecdh-sha2-nistp384": "sha384",
        "ecdh-sha2-nistp521": "sha512",
    }
)
"""The key exchanges that we speak, best first, and the hash of each."""

_CURVES: Mapping[str, ec.EllipticCurve] = MappingProxyType(
    {"nistp256": ec.SECP256R1(), "nistp384": ec.SECP384R1(), "nistp521": ec.SECP521R1()}
)
_RSA_HASHES: Mapping[str, hashes.HashAlgorithm] = MappingProxyType(
    {"rsa-sha2-512": hashes.SHA512(), "rsa-sha2-256": hashes.SHA256(), "ssh-rsa": hashes.SHA1()}  # noqa: S303
)


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


@dataclass(frozen=True, slots=True)
class Proof:
    """A host key whose owner signed our exchange: `blob` is the public key as SSH writes it."""

    algorithm: str
    bits: int
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As OpenSSH prints it: `SHA256:` and the unpadded base64."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


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
        text, position = _string(content, position)
        lists.append(tuple(name for name in text.decode("ascii", "backslashreplace").split(",") if name))
    return KexInit(lists[0], lists[1], (lists[2], lists[3]), (lists[4], lists[5]), content)


def our_kexinit(server: KexInit, cookie: bytes, wanted: tuple[str, ...] = HOST_KEYS) -> tuple[bytes, str]:
    """(our message, the key exchange that follows from it); the rest mirrors what the server offers.

    `wanted` are the kinds of host key that may answer, best first.

    Raises:
        SshWireError: the server offers no key exchange or host key that we speak.

    """
    kex = next((name for name in KEX if name in server.kex), "")
    keys = [name for name in wanted if name in server.host_keys]
    if not kex or not keys:
        what = "key exchange" if not kex else "kind of host key"
        raise SshWireError(f"it offers no {what} that the prober speaks")
    lists = (
        (kex,),
        tuple(keys),
        *server.ciphers,
        *server.macs,
        ("none", "zlib@openssh.com", "zlib"),
        ("none", "zlib@openssh.com", "zlib"),
        (),
        (),
    )
    body = b"".join(_packed(",".join(names).encode("ascii", "replace")) for names in lists)
    return bytes([KEXINIT]) + cookie[:16] + body + b"\x00" * 5, kex


@dataclass(frozen=True, slots=True)
class Exchange:
    """Our half of a key exchange: the public value to send, and what makes the shared secret of a reply."""

    public: bytes
    shared: Callable[[bytes], bytes]


def start_exchange(kex: str) -> Exchange:
    """A fresh key pair for that key exchange."""
    if kex.startswith("curve25519"):
        own = x25519.X25519PrivateKey.generate()
        raw = own.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return Exchange(raw, lambda peer: own.exchange(x25519.X25519PublicKey.from_public_bytes(peer)))
    curve = _CURVES[kex.removeprefix("ecdh-sha2-")]
    pair = ec.generate_private_key(curve)
    point = pair.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return Exchange(
        point,
        lambda peer: pair.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, peer)),
    )


def verify_reply(
    content: bytes, kex: str, exchange: Exchange, banners: tuple[bytes, bytes], inits: tuple[bytes, bytes]
) -> Proof:
    """The host key that signed this exchange. `banners` and `inits` are (ours, the server's).

    Raises:
        SshWireError: no reply, or a signature that the key does not bear out.

    """
    if not content or content[0] != ECDH_REPLY:
        raise SshWireError("no reply to the key exchange")
    blob, position = _string(content, 1)
    peer, position = _string(content, position)
    signature, _ = _string(content, position)
    try:
        secret = exchange.shared(peer)
        parts = (*banners, *inits, blob, exchange.public, peer)
        hashed = b"".join(map(_packed, parts)) + _mpint(secret)
        return _proved(blob, signature, hashlib.new(KEX[kex], hashed).digest())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SshWireError(f"a key or point that is none ({type(error).__name__})") from None
    except InvalidSignature:
        raise SshWireError("the host key does not bear out its signature") from None


def _proved(blob: bytes, signature: bytes, digest: bytes) -> Proof:
    name, _ = _string(blob, 0)
    kind = name.decode("ascii", "replace")
    text = kind.encode() + b" " + base64.b64encode(blob)
    key = serialization.load_ssh_public_key(text)
    by, position = _string(signature, 0)
    value, _ = _string(signature, position)
    match key:
        case ed25519.Ed25519PublicKey():
            key.verify(value, digest)
            return Proof(kind, 256, blob)
        case ec.EllipticCurvePublicKey():
            left, after = _string(value, 0)
            right, _ = _string(value, after)
            pair = encode_dss_signature(int.from_bytes(left, "big"), int.from_bytes(right, "big"))
            key.verify(pair, digest, ec.ECDSA(_curve_hash(key.key_size)))
            return Proof(kind, key.key_size, blob)
        case rsa.RSAPublicKey():
            algorithm = _RSA_HASHES.get(by.decode("ascii", "replace"))
            if algorithm is None:
                raise SshWireError("an RSA signature of an unknown kind")
            key.verify(value, digest, padding.PKCS1v15(), algorithm)
            return Proof(kind, key.key_size, blob)
        case _:
            raise SshWireError("a host key of an unknown kind")


def _curve_hash(bits: int) -> hashes.HashAlgorithm:
    if bits <= 256:
        return hashes.SHA256()
    return hashes.SHA384() if bits <= 384 else hashes.SHA512()


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    if position + 4 > len(data):
        raise SshWireError("a message that ends too early")
    [length] = struct.unpack_from("!I", data, position)
    end = position + 4 + int(length)
    if end > len(data):
        raise SshWireError("a message that lies about a length")
    return data[position + 4 : end], end


def _packed(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data


def _mpint(secret: bytes) -> bytes:
    trimmed = secret.lstrip(b"\x00")
    return _packed(b"\x00" + trimmed if trimmed and trimmed[0] & 0x80 else trimmed)
