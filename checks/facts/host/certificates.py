"""Certificates that the services of a host present, and authorities that were added to those it trusts."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first certificate of a file.

    `begins` and `ends` are times in RFC 3339, UTC. `key` is RSA, EC, DSA, Ed25519 or Ed448 with `bits`;
    `digest` is that of the signature (sha256), empty where the signature has none of its own.
    `fingerprint` is the SHA-256 of the certificate in hex. `used_by` are the configuration files that
    name it; without one it merely lies there.
    """

    path: str
    subject: str
    issuer: str
    begins: str
    ends: str
    key: str
    bits: int
    digest: str
    fingerprint: str
    self_signed: bool
    used_by: tuple[str, ...] = ()


class Certificates(Fact, frozen=True, forbid_unknown_fields=True):
    """The certificates of services, found by the configuration files that name them."""

    certificates: tuple[Certificate, ...]


class AddedAuthorities(Fact, frozen=True, forbid_unknown_fields=True):
    """Authorities that somebody added to those which the distribution trusts."""

    certificates: tuple[Certificate, ...]
