"""How services encrypt, and who they say they are."""

from __future__ import annotations

from datetime import datetime

import msgspec

from checks.facts.snapshot import Fact


class TlsVersionSupport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions (`SSLv3`, `TLSv1.0` … `TLSv1.3`) that one port accepted, and those it refused by an alert.

    A version in neither was not decided: the server reset, stalled or answered nonsense.
    """

    port: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]


class TlsVersions(Fact, frozen=True, forbid_unknown_fields=True):
    """Which versions of TLS each TLS port negotiates, from one hello per version."""

    services: tuple[TlsVersionSupport, ...]


class TlsCipherSupport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weak cipher suites that one port picked when it was offered nothing else; empty if it refused."""

    port: str
    weak: tuple[str, ...]


class TlsCiphers(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether a TLS port can be talked into a broken cipher suite (NULL, anonymous, export, RC4, DES)."""

    services: tuple[TlsCipherSupport, ...]


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate that one port presents to a client that names no host.

    `names` are the DNS names and addresses of its subjectAltName. `key_bits` is the size of the modulus
    or curve; `signature_hash` is empty for algorithms without one (Ed25519). `self_signed` is true only
    if its own key verifies its signature. `fingerprint` is the SHA-256 of the whole, in hex.
    """

    port: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str
    key_bits: int
    signature_hash: str
    self_signed: bool
    fingerprint: str


class TlsCertificates(Fact, frozen=True, forbid_unknown_fields=True):
    """The certificate of each TLS port of the address."""

    address: str
    certificates: tuple[Certificate, ...]
