"""The certificates that a TLS port presents, and whether a path leads from them to a root."""

from __future__ import annotations

import _ssl
import ssl
import warnings
from datetime import UTC
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from checks.facts.network.tls import Certificate, ChainLink, TlsCertificates, TlsChain, TlsChains, TlsTrusts
from checks.facts.snapshot import Fact, source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network import hello, web
from scanner.collect.network.ask import tls_suites, tls_trust
from scanner.collect.network.ask.question import undecided
from scanner.collect.network.ask.tls_entrance import Entrance, Good, in_words
from scanner.collect.network.talk import TalkError

NAME_LIMIT = 250
NAMES_LIMIT = 100
_KINDS = (TlsCertificates, TlsChains, TlsTrusts)
CHAIN_LIMIT = 30
"""Certificates of one port that are read; nobody needs more than five."""


async def collect(entrance: Entrance) -> Collected:
    """The certificate, the chain and its trust, as far as they are wanted."""
    asked = entrance.asked
    try:
        async with entrance.talk() as talk:
            tls = await talk.tls(web.client_context())
            chain = presented(tls)
            version = tls.version() or ""
            agreed = f"{version} {(tls.cipher() or ('',))[0]}"
        if not chain:
            return _undecided(
                entrance, "the server presented no certificate", TlsCertificates, TlsChains, TlsTrusts
            )
        one = read_certificate(asked.port.name, chain[0], entrance.via)
    except TalkError as error:
        return _undecided(entrance, str(error), *_KINDS)
    except (ValueError, UnsupportedAlgorithm) as error:
        return _undecided(entrance, _unreadable(error), *_KINDS)
    found = Collected()
    if TlsCertificates in asked.wanted:
        other, why_not = await _other(entrance, one, version)
        found += _certificates(entrance, (one, other) if other else (one,), agreed, why_not)
    if asked.wanted & {TlsChains, TlsTrusts}:
        found += _chain(entrance, one, chain)
    return found


def presented(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """All certificates that came with the handshake, in DER and in the order of the server."""
    newer: Any = getattr(tls, "get_unverified_chain", None)
    if newer is not None:
        return tuple(newer())
    # Up to Python 3.12 the method is there, but only on the inner object.
    inner: Any = getattr(tls, "_sslobj")  # noqa: B009 - no attribute that types know
    encoding: Any = getattr(_ssl, "ENCODING_DER")  # noqa: B009
    return tuple(one.public_bytes(encoding) for one in inner.get_unverified_chain() or ())


def _undecided(entrance: Entrance, reason: str, *kinds: type[Fact]) -> Collected:
    wanted = [kind for kind in kinds if kind in entrance.asked.wanted]
    return sum((undecided(kind, entrance.asked, reason) for kind in wanted), Collected())


def _unreadable(error: Exception) -> str:
    return f"the certificate cannot be read: {printable(str(error))[:NAME_LIMIT]}"


async def _other(entrance: Entrance, one: Certificate, version: str) -> tuple[Certificate | None, str]:
    """The certificate with the other kind of key for clients that take no other, or why there is none.

    TLS 1.3 hides it; it is read from TLS 1.2, where many servers show it to old clients only.
    """
    if entrance.sparing:
        return None, ""
    if version in hello.VERSIONS:
        entrance.good = Good(version, () if version == "TLSv1.3" else tls_suites.ALL)
    suites = tls_suites.BY_CURVE if one.key_type == "RSA" else tls_suites.BY_RSA
    kind = "EC" if one.key_type == "RSA" else "RSA"
    flight = await entrance.flight("TLSv1.2", tuple(suites))
    if not isinstance(flight, hello.Flight) or not flight.chain:
        return None, f"another one with a key of the kind {kind}: {in_words(flight, 'TLSv1.2')}"
    try:
        other = read_certificate(one.port, flight.chain[0], entrance.via)
    except (ValueError, UnsupportedAlgorithm) as error:
        return None, f"another one with a key of the kind {kind}: {_unreadable(error)}"
    if other.key_type == one.key_type:
        return None, f"no other one with a key of the kind {kind}"
    return other, ""


def _certificates(
    entrance: Entrance, shown: tuple[Certificate, ...], agreed: str, why_no_other: str
) -> Collected:
    asked = entrance.asked
    lines = [f"{asked.port.name} {agreed}", *(line for one in shown for line in _told(one))]
    how = f"a TLS handshake with {asked.address} {asked.port.name}"
    fact = TlsCertificates(str(asked.address), shown)
    said = "\n".join((*lines, why_no_other) if why_no_other else lines)
    return Collected((fact,), sources=(source(TlsCertificates, how, asked.at, said, asked.port.name),))


def _told(one: Certificate) -> tuple[str, ...]:
    return (
        f"subject {one.subject}; issuer {one.issuer}; names {', '.join(one.names) or 'none'}",
        f"valid from {one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}; revocation not asked",
        f"key {one.key_type} {one.curve or one.key_bits}; signature "
        f"{one.signature_hash or 'without a hash'}; self-signed {'yes' if one.self_signed else 'no'}",
        f"SHA-256 {one.fingerprint}; of the key {one.key_fingerprint}",
    )


def _chain(entrance: Entrance, one: Certificate, chain: tuple[bytes, ...]) -> Collected:
    asked = entrance.asked
    if len(chain) > CHAIN_LIMIT:
        reason = f"{len(chain)} certificates; not more than {CHAIN_LIMIT} are read"
        return _undecided(entrance, reason, TlsChains, TlsTrusts)
    try:
        links = tuple(_link(read_certificate(one.port, der)) for der in chain[1:])
    except (ValueError, UnsupportedAlgorithm) as error:
        return _undecided(entrance, f"in its chain {_unreadable(error)}", TlsChains, TlsTrusts)
    found = Collected()
    if TlsChains in asked.wanted:
        issuers = (one.issuer, *(link.issuer for link in links[:-1]))
        ordered = all(i == link.subject for i, link in zip(issuers, links, strict=False))
        fact = TlsChains((TlsChain(one.port, links, ordered, entrance.via),))
        said = "\n".join(
            (
                f"{one.port} presents {len(links)} certificates besides its own",
                *(f"{link.subject}; issuer {link.issuer}; {link.signature_hash}" for link in links),
            )
        )
        how = f"a TLS handshake with {asked.address} {asked.port.name}"
        found += Collected((fact,), sources=(source(TlsChains, how, asked.at, said, one.port),))
    if TlsTrusts in asked.wanted:
        found += tls_trust.collect(entrance, one, chain)
    return found


def _link(one: Certificate) -> ChainLink:
    return ChainLink(
        subject=one.subject,
        issuer=one.issuer,
        not_after=one.not_after,
        key_type=one.key_type,
        key_bits=one.key_bits,
        signature_hash=one.signature_hash,
        self_signed=one.self_signed,
        fingerprint=one.fingerprint,
    )


def read_certificate(port: str, der: bytes, via: str = "") -> Certificate:
    """The certificate in these bytes.

    Raises:
        ValueError: it cannot be parsed.
        UnsupportedAlgorithm: a key or signature of an unknown kind.

    """
    with warnings.catch_warnings():
        # A malformed serial number or key is the server's; the values that count are still read.
        warnings.simplefilter("ignore")
        one = x509.load_der_x509_certificate(der)
        kind, bits, curve = _key(one)
        algorithm = one.signature_hash_algorithm
        return Certificate(
            port=port,
            subject=printable(one.subject.rfc4514_string())[:NAME_LIMIT],
            issuer=printable(one.issuer.rfc4514_string())[:NAME_LIMIT],
            names=_names(one),
            not_before=one.not_valid_before_utc.astimezone(UTC),
            not_after=one.not_valid_after_utc.astimezone(UTC),
            key_type=kind,
            key_bits=bits,
            signature_hash=algorithm.name if algorithm else "",
            self_signed=_self_signed(one),
            fingerprint=one.fingerprint(hashes.SHA256()).hex(),
            key_fingerprint=_key_fingerprint(one),
            curve=curve,
            must_staple=_must_staple(one),
            via=via,
        )


def _names(one: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [
        *extension.get_values_for_type(x509.DNSName),
        *(str(a) for a in extension.get_values_for_type(x509.IPAddress)),
    ]
    return tuple(printable(name)[:NAME_LIMIT] for name in names[:NAMES_LIMIT])


def _must_staple(one: x509.Certificate) -> bool:
    try:
        asked = one.extensions.get_extension_for_class(x509.TLSFeature).value
    except x509.ExtensionNotFound:
        return False
    return x509.TLSFeatureType.status_request in asked


def _key(one: x509.Certificate) -> tuple[str, int, str]:
    key = one.public_key()
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size, ""
        case dsa.DSAPublicKey():
            return "DSA", key.key_size, ""
        case ec.EllipticCurvePublicKey():
            return "EC", key.key_size, key.curve.name
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256, ""
        case ed448.Ed448PublicKey():
            return "Ed448", 456, ""
        case _:
            raise UnsupportedAlgorithm(f"a key of the type {type(key).__name__}")


def _key_fingerprint(one: x509.Certificate) -> str:
    key = one.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key)
    return digest.finalize().hex()


def _self_signed(one: x509.Certificate) -> bool:
    if one.subject != one.issuer:
        return False
    try:
        one.verify_directly_issued_by(one)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
