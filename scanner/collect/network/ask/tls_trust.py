"""Whether a path leads from a certificate to a root in the store of the scanner's own machine."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from checks.facts.network.tls import Certificate, TlsTrust, TlsTrusts
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask.question import undecided
from scanner.collect.network.ask.tls_entrance import Entrance

REASON_LIMIT = 300
_ANY_USE = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
STORE_LIMIT = 4_000_000
"""Bytes of a store; the usual ones have a quarter of a million."""


@dataclass(frozen=True)
class Roots:
    """A store of roots by name: its file. `subjects` are the names of the roots."""

    name: str
    store: verification.Store
    subjects: frozenset[x509.Name]


def collect(entrance: Entrance, one: Certificate, chain: tuple[bytes, ...]) -> Collected:
    """The trust of a certificate that was read already; a gap where this machine has no roots."""
    asked = entrance.asked
    try:
        roots = read_roots(store_file())
    except (OSError, ValueError) as error:
        reason = f"this machine has no readable store of roots ({printable(str(error))[:REASON_LIMIT]})"
        return undecided(TlsTrusts, asked, reason)
    reason = distrust(one, chain, roots, datetime.fromisoformat(asked.at))
    fact = TlsTrust(
        port=one.port,
        trusted=not reason,
        reason=reason,
        store=roots.name,
        self_signed=one.self_signed,
        fingerprint=one.fingerprint,
        days=(one.not_after - one.not_before).days,
        via=entrance.via,
    )
    said = f"{one.port} with the roots of {roots.name}: {reason or 'trusted'}; revocation not asked"
    how = f"the chain of {asked.address} {asked.port.name}, followed by the scanner itself"
    return Collected((TlsTrusts((fact,)),), sources=(source(TlsTrusts, how, asked.at, said, one.port),))


def store_file() -> str:
    """The file of this machine's roots: that of its OpenSSL, or what SSL_CERT_FILE names; maybe none."""
    return ssl.get_default_verify_paths().cafile or ""


@cache
def read_roots(file: str) -> Roots:
    """The store in a file of PEM certificates.

    Raises:
        OSError: it cannot be read.
        ValueError: there is none, or it holds no certificate that can be read.

    """
    if not file:
        raise ValueError("none is set up")
    with Path(file).open("rb") as opened:
        data = opened.read(STORE_LIMIT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        roots = x509.load_pem_x509_certificates(data)
    return Roots(file, verification.Store(roots), frozenset(one.subject for one in roots))


def distrust(one: Certificate, chain: tuple[bytes, ...], roots: Roots, at: datetime) -> str:
    """Why no path leads from the first certificate of the chain to one of the roots; empty if one does."""
    if not one.names:
        return "it names no host in its subjectAltName, which clients demand"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        leaf, *others = (x509.load_der_x509_certificate(der) for der in chain)
        try:
            # Its age is the question of other checks; here it is taken at a time of its own.
            when = min(max(at, one.not_before), one.not_after)
            # Whose name it is is theirs too, so it is followed like one of a client, which has no name.
            _policy(roots).time(when.replace(tzinfo=None)).build_client_verifier().verify(leaf, others)
        except verification.VerificationError as error:
            return printable(_why(leaf, others, roots, str(error)))[:REASON_LIMIT]
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            return printable(f"it cannot be followed: {error}")[:REASON_LIMIT]
    return ""


def _policy(roots: Roots) -> verification.PolicyBuilder:
    """Paths by signatures, names and times; what else a root of one's own lacks does not matter."""
    loose, either = verification.ExtensionPolicy.permit_all(), verification.Criticality.AGNOSTIC
    loose = loose.may_be_present(x509.ExtendedKeyUsage, either, _for_servers)
    return (
        verification.PolicyBuilder()
        .store(roots.store)
        .extension_policies(
            ca_policy=loose.require_present(x509.BasicConstraints, either, None).may_be_present(
                x509.KeyUsage, either, _signs
            ),
            ee_policy=loose.require_present(x509.SubjectAlternativeName, either, None),
        )
    )


def _for_servers(_: verification.Policy, __: x509.Certificate, uses: x509.ExtendedKeyUsage | None) -> None:
    if uses is not None and not {ExtendedKeyUsageOID.SERVER_AUTH, _ANY_USE} & set(uses):
        raise ValueError("a certificate of the path is not meant for servers (extendedKeyUsage)")


def _signs(_: verification.Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("a certificate of the path may not sign others (keyUsage)")


def _why(leaf: x509.Certificate, others: list[x509.Certificate], roots: Roots, told: str) -> str:
    top, left = leaf, list(others)
    while top.issuer != top.subject:
        above = next((other for other in left if other.subject == top.issuer), None)
        if above is None:
            break
        left.remove(above)
        top = above
    if top.issuer == top.subject and top.subject not in roots.subjects:
        what = "it" if top is leaf else f"its root {top.subject.rfc4514_string()[:150]}"
        return f"{what} is not in this store"
    if top.issuer not in roots.subjects:
        return f"its issuer {top.issuer.rfc4514_string()[:150]} is neither presented nor in this store"
    # What comes before are the words of the library for a reason of ours.
    return told.rpartition("ValueError: ")[2].partition(" (encountered")[0]
