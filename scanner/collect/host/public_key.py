"""Reads the public half of an SSH key: its kind, its length, its fingerprint."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NamedTuple

_KINDS = {
    "ssh-ed25519": "ed25519",
    "ssh-rsa": "rsa",
    "ssh-dss": "dsa",
    "ecdsa-sha2-nistp256": "ecdsa",
    "ecdsa-sha2-nistp384": "ecdsa",
    "ecdsa-sha2-nistp521": "ecdsa",
    "sk-ssh-ed25519@openssh.com": "ed25519-sk",
    "sk-ecdsa-sha2-nistp256@openssh.com": "ecdsa-sk",
}
_BITS = {"ed25519": 256, "ed25519-sk": 256, "ecdsa-sk": 256}
_MODULUS = {"rsa": 2, "dsa": 1}
"""Which of the fields after the name is as long as the key: RSA has the exponent first."""


class PublicKey(NamedTuple):
    """What a public key tells. `bits` is 0 for a kind that we do not know."""

    fingerprint: str
    kind: str
    bits: int


def public_key(kind: str, blob: str) -> PublicKey:
    """The key that stands in a file as this kind and this base64 text.

    Raises:
        ValueError: it is none, or one of another kind than the text says.

    """
    try:
        data = base64.b64decode(blob, validate=True)
    except binascii.Error:
        raise ValueError("a public key is not base64") from None
    fields = _fields(data)
    if not fields or fields[0].decode("ascii", "replace") != kind:
        raise ValueError("a public key is not of the kind that it is said to be")
    short = _KINDS.get(kind, kind)
    bits = _BITS.get(short, 0)
    if kind.startswith("ecdsa-sha2-nistp"):
        bits = int(kind.removeprefix("ecdsa-sha2-nistp"))
    elif short in _MODULUS:
        if len(fields) <= _MODULUS[short]:
            raise ValueError("a public key is cut short")
        bits = int.from_bytes(fields[_MODULUS[short]], "big").bit_length()
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return PublicKey(f"SHA256:{digest}", short, bits)


def _fields(data: bytes) -> list[bytes]:
    """The length-prefixed fields of RFC 4253; what does not fit its length gives none at all."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if at + size > len(data):
            return []
        found.append(data[at : at + size])
        at += size
    return found
