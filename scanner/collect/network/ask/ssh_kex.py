"""Key exchanges of SSH (RFC 4253, 4419, 5656, 8731) and the proof of a host key. Pure but for fresh keys."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from scanner.collect.network.ask.ssh_wire import KEX_REPLY, SshWireError, mpint, read_string, string

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
        "diffie-hellman-group14-sha256": "sha256",
        "diffie-hellman-group16-sha512": "sha512",
        "diffie-hellman-group14-sha1": "sha1",
        "diffie-hellman-group1-sha1": "sha1",
    }
)
"""The key exchanges that we speak, best first, and the hash of each."""
GROUP_EXCHANGES = ("diffie-hellman-group-exchange-sha256", "diffie-hellman-group-exchange-sha1")
"""Those in which the server chooses the group."""

_CURVES: Mapping[str, ec.EllipticCurve] = MappingProxyType(
    {"nistp256": ec.SECP256R1(), "nistp384": ec.SECP384R1(), "nistp521": ec.SECP521R1()}
)
_RSA_HASHES: Mapping[str, hashes.HashAlgorithm] = MappingProxyType(
    {"rsa-sha2-512": hashes.SHA512(), "rsa-sha2-256": hashes.SHA256(), "ssh-rsa": hashes.SHA1()}  # noqa: S303
)


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


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a key exchange leaves: the name of its hash, the shared number (as an mpint), and its digest."""

    hash: str
    shared: bytes
    digest: bytes

    def key(self, letter: bytes, size: int) -> bytes:
        """The key of that letter (RFC 4253, 7.2)."""
        made = hashlib.new(self.hash, self.shared + self.digest + letter + self.digest).digest()
        while len(made) < size:
            made += hashlib.new(self.hash, self.shared + self.digest + made).digest()
        return made[:size]


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
    if kex.startswith("diffie-hellman-group"):
        return _finite_field(_primes()[kex.split("-")[2]])
    curve = _CURVES[kex.removeprefix("ecdh-sha2-")]
    pair = ec.generate_private_key(curve)
    point = pair.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return Exchange(
        point,
        lambda peer: pair.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, peer)),
    )


def _finite_field(prime: int) -> Exchange:
    own = secrets.randbits(512) | 1 << 511
    public = _plain(pow(2, own, prime))

    def shared(peer: bytes) -> bytes:
        value = int.from_bytes(peer, "big")
        if not 1 < value < prime - 1:
            raise ValueError("a public value outside of the group")
        return _plain(pow(value, own, prime))

    return Exchange(public, shared)


def _plain(number: int) -> bytes:
    """A positive number without its length, with the zero before a high bit that an mpint has."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


@cache
def _primes() -> Mapping[str, int]:
    """The primes of RFC 2409 and RFC 3526, by their definition: they are cut out of pi."""
    sizes = {"group1": (1024, 129093), "group14": (2048, 124476), "group16": (4096, 240904)}
    return {
        name: 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (_pi(bits - 130) + offset)
        for name, (bits, offset) in sizes.items()
    }


def _pi(bits: int) -> int:
    """Pi times 2 to the power of `bits`, rounded down (by Machin's formula)."""
    one = 1 << (bits + 64)

    def arctan(inverse: int) -> int:
        total, term, divisor = 0, one // inverse, 1
        while term:
            total += term // divisor if divisor % 4 == 1 else -(term // divisor)
            term //= inverse * inverse
            divisor += 2
        return total

    return (16 * arctan(5) - 4 * arctan(239)) >> 64


def verify_reply(
    content: bytes, kex: str, exchange: Exchange, banners: tuple[bytes, bytes], inits: tuple[bytes, bytes]
) -> tuple[Proof, Secrets]:
    """The host key that signed this exchange, and what both sides now share.

    `banners` and `inits` are (ours, the server's).

    Raises:
        SshWireError: no reply, or a signature that the key does not bear out.

    """
    if not content or content[0] != KEX_REPLY:
        raise SshWireError("no reply to the key exchange")
    blob, position = read_string(content, 1)
    peer, position = read_string(content, position)
    signature, _ = read_string(content, position)
    try:
        secret = exchange.shared(peer)
        parts = (*banners, *inits, blob, exchange.public, peer)
        hashed = b"".join(map(string, parts)) + mpint(secret)
        digest = hashlib.new(KEX[kex], hashed).digest()
        return _proved(blob, signature, digest), Secrets(KEX[kex], mpint(secret), digest)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SshWireError(f"a key or point that is none ({type(error).__name__})") from None
    except InvalidSignature:
        raise SshWireError("the host key does not bear out its signature") from None


def _proved(blob: bytes, signature: bytes, digest: bytes) -> Proof:
    name, _ = read_string(blob, 0)
    kind = name.decode("ascii", "replace")
    text = kind.encode() + b" " + base64.b64encode(blob)
    key = serialization.load_ssh_public_key(text)
    by, position = read_string(signature, 0)
    value, _ = read_string(signature, position)
    match key:
        case ed25519.Ed25519PublicKey():
            key.verify(value, digest)
            return Proof(kind, 256, blob)
        case ec.EllipticCurvePublicKey():
            left, after = read_string(value, 0)
            right, _ = read_string(value, after)
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
