"""How services encrypt, and who they say they are.

`via` names the protocol that led into TLS (`smtp`, `ldap` …); it is empty where TLS comes first.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from checks.facts.snapshot import Fact


class TlsVersionSupport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions (`SSLv3`, `TLSv1.0` … `TLSv1.3`) that one port accepted, and those that it refused.

    It refused by an alert, or by closing in order, twice, while it took a good hello after each time. A
    version in neither was not decided: the server reset, stalled or answered nonsense.
    """

    port: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    via: str = ""


class TlsVersions(Fact, frozen=True, forbid_unknown_fields=True):
    """Which versions of TLS each TLS port negotiates, from one hello per version."""

    services: tuple[TlsVersionSupport, ...]


class TlsCipherSupport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weak cipher suites that one port picked when it was offered nothing else; empty if it refused."""

    port: str
    weak: tuple[str, ...]
    via: str = ""


class TlsCiphers(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether a TLS port can be talked into a broken cipher suite (NULL, anonymous, export, RC4, DES)."""

    services: tuple[TlsCipherSupport, ...]


class TlsSuiteSupport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sound cipher suites of one port, in the order in which it picked them.

    `version` is the newest version before 1.3 that it speaks, or `TLSv1.3`. `whole` is whether it was
    asked until it had no further suite; `order` is `server` or `client` by whose list decides, empty
    with fewer than two suites. `fresh_keys` is whether it takes a suite with forward secrecy. `newest` is
    the newest version of all that it speaks, empty where it did not decide about a newer one.
    """

    port: str
    version: str
    suites: tuple[str, ...]
    whole: bool
    order: str
    fresh_keys: bool
    newest: str
    via: str = ""


class TlsSuites(Fact, frozen=True, forbid_unknown_fields=True):
    """What TLS ports pick when they are offered all suites that are sound."""

    services: tuple[TlsSuiteSupport, ...]


class TlsSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one port takes up of the options of TLS 1.2 and older.

    `version` is the newest of those versions that it speaks; it is empty where it speaks 1.3 only, which
    has none of them. `stapled` is whether a certificate status came along. `alpn` is the protocol
    (`h2`, `http/1.1`) that a web server chose. `library` is the version of its TLS library (`OpenSSL/1.0.1e`)
    where it takes up heartbeats and says so by itself.
    """

    port: str
    version: str
    renegotiation: bool
    compression: bool
    heartbeat: bool
    stapled: bool
    alpn: str
    library: str = ""
    via: str = ""


class TlsSettings(Fact, frozen=True, forbid_unknown_fields=True):
    """The options of the TLS ports of the address."""

    services: tuple[TlsSetting, ...]


class TlsFallback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one port said to a client that fell back to `version` although it knew a newer one.

    `guarded` is whether it refused: with the alert that is meant for that, or by closing surely, as above.
    """

    port: str
    version: str
    guarded: bool
    via: str = ""


class TlsFallbacks(Fact, frozen=True, forbid_unknown_fields=True):
    """Ports that speak several versions before 1.3, and whether they notice a fallback (RFC 7507)."""

    services: tuple[TlsFallback, ...]


class TlsGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bits of the prime that one port uses for Diffie-Hellman; 0 where it refused all such suites."""

    port: str
    bits: int
    via: str = ""


class TlsGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """The finite-field groups of TLS ports."""

    services: tuple[TlsGroup, ...]


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate that one port presents to a client that names no host.

    `names` are the DNS names and addresses of its subjectAltName. `key_bits` is the size of the modulus
    or curve; `signature_hash` is empty for algorithms without one (Ed25519). `self_signed` is true only
    if its own key verifies its signature. `fingerprint` is the SHA-256 of the whole, `key_fingerprint`
    that of its public key (SubjectPublicKeyInfo), both in hex. `must_staple` is whether it demands that
    a status comes along (RFC 7633).
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
    key_fingerprint: str = ""
    curve: str = ""
    must_staple: bool = False
    via: str = ""


class TlsCertificates(Fact, frozen=True, forbid_unknown_fields=True):
    """The certificate of each TLS port of the address.

    A port that has another one with the other kind of key (RSA, or on a curve) for clients that take no
    other is there twice; the first is what a modern client is shown.
    """

    address: str
    certificates: tuple[Certificate, ...]

    def usual(self) -> tuple[Certificate, ...]:
        """Those that a modern client is shown: one of each port."""
        ports = [one.port for one in self.certificates]
        return tuple(one for n, one in enumerate(self.certificates) if ports.index(one.port) == n)


class ChainLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate that a port presents after its own; the fields as those of `Certificate`."""

    subject: str
    issuer: str
    not_after: datetime
    key_type: str
    key_bits: int
    signature_hash: str
    self_signed: bool
    fingerprint: str


class TlsChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one port presents besides its own certificate.

    `ordered` is whether each certificate is issued by the next one, going by their names.
    """

    port: str
    links: tuple[ChainLink, ...]
    ordered: bool
    via: str = ""


class TlsChains(Fact, frozen=True, forbid_unknown_fields=True):
    """The chains that the TLS ports of the address present."""

    services: tuple[TlsChain, ...]


class TlsTrust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a path leads from the certificate of one port to a root in the scanner's store.

    `store` names that store. The path was built for a time at which the certificate itself is valid, so
    that its age decides nothing here. `reason` says why there is no path. `self_signed` is that of the
    certificate, `fingerprint` its SHA-256, `days` for how long it was issued.
    """

    port: str
    trusted: bool
    reason: str
    store: str
    self_signed: bool
    fingerprint: str
    days: int
    via: str = ""


class TlsTrusts(Fact, frozen=True, forbid_unknown_fields=True):
    """What the scanner's own store of roots makes of the certificates of the address."""

    services: tuple[TlsTrust, ...]
