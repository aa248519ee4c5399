"""How services encrypt, and who they say they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address

from checks.check import check
from checks.facts.network.tls import Certificate, TlsCertificates, TlsCiphers, TlsVersions
from checks.model import Exploit, Impact, Severity, Surface
from checks.network.tls_fixes import OLDEST_VERSION, SOUND_CIPHERS, new_certificate
from checks.verdict import Verdicts, expect, not_applicable, unknown

_SECRET = re.compile(r"\bAES\d")
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "localhost6"})


def placed(found: TlsCertificates) -> Iterator[tuple[str, Certificate]]:
    """Each certificate and the name of its place: its port, and the kind of key where it is the second."""
    seen: set[str] = set()
    for one in found.certificates:
        yield (f"{one.port} {one.key_type}" if one.port in seen else one.port), one
        seen.add(one.port)


def _values(one: Certificate) -> dict[str, str]:
    return {"fingerprint": one.fingerprint}


@check(
    "network.tls.legacy-versions",
    title="Services speak TLS 1.2 or newer only",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.POC,
    surface=Surface.SERVICE,
    fix=OLDEST_VERSION,
    refs=("https://www.rfc-editor.org/rfc/rfc8996",),
)
def legacy_versions(
    found: TlsVersions, *, forbidden: frozenset[str] = frozenset({"SSLv3", "TLSv1.0", "TLSv1.1"})
) -> Verdicts:
    """Old versions of TLS rest on broken hashes and ciphers; an attacker on the path reads or alters."""
    for service in found.services:
        offered = [version for version in service.accepted if version in forbidden]
        open_question = sorted(forbidden - {*service.accepted, *service.refused})
        if open_question and not offered:
            reason = f"{', '.join(open_question)} neither accepted nor refused"
            yield unknown(service.port, reason, needs=f"an answer from {service.port}", port=service.port)
            continue
        yield expect(
            not offered,
            on=service.port,
            saw=service.accepted,
            want="TLSv1.2 or newer only",
            port=service.port,
        )


@check(
    "network.tls.weak-ciphers",
    title="Services refuse broken cipher suites",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.POC,
    surface=Surface.SERVICE,
    fix=SOUND_CIPHERS,
    refs=("https://www.rfc-editor.org/rfc/rfc9325",),
)
def weak_ciphers(found: TlsCiphers) -> Verdicts:
    """Suites without encryption, without authentication or with RC4, DES and export keys hide nothing."""
    for service in found.services:
        yield expect(
            not service.weak,
            on=service.port,
            saw=service.weak or "all refused",
            want="all refused",
            port=service.port,
            # Mail servers greet strangers whose certificate nobody checks: there a suite without one that
            # still encrypts loses nothing against an attacker who listens.
            severity=Severity.LOW if _only_anonymous(service.weak) and service.via == "smtp" else None,
        )


def _only_anonymous(suites: tuple[str, ...]) -> bool:
    return bool(suites) and all(
        name.startswith("anonymous") and _SECRET.search(name) is not None for name in suites
    )


@check(
    "network.tls.certificate-expired",
    title="No service presents a certificate outside its time",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=new_certificate(
        "Renew the expired certificates",
        "Renew the certificate, install it, and let a machine renew it from now on.",
        "-dates   # notAfter in the future",
    ),
)
def certificate_expired(found: TlsCertificates, *, now: datetime) -> Verdicts:
    """An expired certificate stops clients, or teaches people to click warnings away."""
    for on, one in placed(found):
        yield expect(
            one.not_before <= now <= one.not_after,
            on=on,
            saw=f"valid from {one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}",
            want="valid today",
            port=one.port,
            values=_values(one),
        )


@check(
    "network.tls.certificate-expiring",
    title="No certificate is about to expire",
    severity=Severity.MEDIUM,
    impact=Impact.MINOR,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=new_certificate(
        "Renew the certificates that are about to expire",
        "Renew the certificate before it expires, and let a machine renew it from now on.",
        "-enddate   # more than a month ahead",
    ),
)
def certificate_expiring(found: TlsCertificates, *, now: datetime, days: int = 30) -> Verdicts:
    """A certificate that runs out takes its service down on a day that is known in advance."""
    for on, one in placed(found):
        if one.not_after < now:
            yield not_applicable(on, f"it expired on {one.not_after:%Y-%m-%d}")
            continue
        yield expect(
            one.not_after - now >= timedelta(days=days),
            on=on,
            saw=f"valid to {one.not_after:%Y-%m-%d}, {(one.not_after - now).days} days",
            want=f"{days} days or more",
            port=one.port,
            values=_values(one),
        )


@check(
    "network.tls.certificate-self-signed",
    title="No service presents a self-signed certificate",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=new_certificate(
        "Replace self-signed certificates",
        "Get the certificate from an authority that the clients trust: a public one or your own.",
        "-issuer -subject   # the issuer is an authority",
    ),
)
def certificate_self_signed(found: TlsCertificates) -> Verdicts:
    """Nobody can tell a self-signed certificate from that of an attacker on the path."""
    for on, one in placed(found):
        yield expect(
            not one.self_signed,
            on=on,
            saw=f"issued by {one.issuer}",
            want="issued by an authority",
            port=one.port,
            values=_values(one),
        )


@check(
    "network.tls.certificate-key",
    title="Certificates have keys of a sound size",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=new_certificate(
        "Replace certificates with short keys",
        "Make a new key (RSA of 3072 bits, or P-256) and get a certificate for it.",
        "-text | grep 'Public-Key'   # 2048 bit or more for RSA",
    ),
)
def certificate_key(found: TlsCertificates, *, rsa_bits: int = 2048, curve_bits: int = 224) -> Verdicts:
    """Short keys can be computed from the certificate; then anybody can be the server."""
    for on, one in placed(found):
        least = rsa_bits if one.key_type in ("RSA", "DSA") else curve_bits
        yield expect(
            one.key_bits >= least and one.key_type != "DSA",
            on=on,
            saw=f"{one.key_type} {one.key_bits}",
            want=f"RSA of {rsa_bits} bits or a curve of {curve_bits} or more",
            port=one.port,
            values=_values(one),
        )


@check(
    "network.tls.certificate-hash",
    title="Certificates are signed with a sound hash",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=new_certificate(
        "Replace certificates that are signed with SHA-1 or MD5",
        "Get a new certificate that is signed with SHA-256.",
        "-text | grep 'Signature Algorithm'   # sha256 or better",
    ),
)
def certificate_hash(
    found: TlsCertificates, *, broken: frozenset[str] = frozenset({"md2", "md4", "md5", "sha1"})
) -> Verdicts:
    """Signatures over MD5 and SHA-1 were forged in practice; modern clients refuse them."""
    for on, one in placed(found):
        yield expect(
            one.signature_hash not in broken,
            on=on,
            saw=one.signature_hash or "an algorithm without a separate hash",
            want="SHA-256 or better",
            port=one.port,
            # Nobody relies on the signature that a certificate makes for itself.
            severity=Severity.LOW if one.self_signed else None,
            values=_values(one),
        )


@check(
    "network.tls.certificate-names",
    title="Certificates name the server that presents them",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=new_certificate(
        "Replace certificates that name another server",
        "Get a certificate whose subjectAltName holds the names under which clients reach this service.",
        "-ext subjectAltName   # the names of this service",
    ),
)
def certificate_names(found: TlsCertificates, *, names: frozenset[str] = frozenset()) -> Verdicts:
    """A certificate for another name makes clients fail, or makes people switch the comparison off."""
    for on, one in placed(found):
        fits = found.address in one.names or any(_covers(n, w) for n in one.names for w in names)
        useless = all(name.lower() in _LOCAL_NAMES for name in one.names)
        if one.names and useless and ip_address(found.address).is_loopback:
            # On its own machine a service may well be called localhost.
            fits = True
        if not fits and not names and not useless:
            reason = f"reached by its address; the certificate is for {', '.join(one.names[:5])}"
            yield unknown(on, reason, needs="the threshold `names` of this check", port=one.port)
            continue
        yield expect(
            fits,
            on=on,
            saw=one.names,
            want=found.address if not names else tuple(sorted({found.address, *names})),
            port=one.port,
            values=_values(one),
        )


def _covers(pattern: str, name: str) -> bool:
    """Whether a name of a certificate, maybe with a wildcard as its first label, is that name."""
    pattern, name = pattern.lower(), name.lower()
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:] and "." in pattern[2:]
    return pattern == name
