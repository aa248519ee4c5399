"""What a TLS port negotiates, and the certificate that it presents."""

from __future__ import annotations

import os
import warnings
from datetime import UTC

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from checks.facts.network import OpenPort
from checks.facts.network.tls import (
    Certificate,
    TlsCertificates,
    TlsCiphers,
    TlsCipherSupport,
    TlsVersions,
    TlsVersionSupport,
)
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network import hello, web
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import TalkError

NAME_LIMIT = 250
NAMES_LIMIT = 100
_OLD = frozenset({"SSLv3", "TLSv1.0", "TLSv1.1"})
Answer = hello.ServerHello | hello.Alert


async def ask(asked: Asked) -> Collected:
    """Versions, weak ciphers and the certificate, as far as they are wanted."""
    found = Collected()
    if TlsCertificates in asked.wanted:
        found += await _certificate(asked)
    if asked.wanted & {TlsVersions, TlsCiphers}:
        found += await _support(asked)
    return found


async def _support(asked: Asked) -> Collected:
    answers: dict[str, Answer | str] = {}
    for version in reversed(tuple(hello.VERSIONS)):
        answers[version] = await _offer(asked, version)
        if answers[version] == hello.Alert(hello.INTERNAL_ERROR):
            # A fault passes, a security level stays: what comes twice is how the server is set.
            answers[version] = await _offer(asked, version)
    accepted = tuple(
        v for v in hello.VERSIONS if isinstance(a := answers[v], hello.ServerHello) and a.version == v
    )
    found = Collected()
    if TlsVersions in asked.wanted:
        found += _versions(asked, answers, accepted)
    if TlsCiphers in asked.wanted:
        found += await _ciphers(asked, accepted)
    return found


def _versions(asked: Asked, answers: dict[str, Answer | str], accepted: tuple[str, ...]) -> Collected:
    # A refusal counts only of a server that shook hands in some other version: whoever refuses
    # everything may be refusing us.
    refused = tuple(v for v in hello.VERSIONS if accepted and _is_refusal(answers[v], v))
    lines = "\n".join(f"{asked.port.name} {v}: {_in_words(answers[v], v)}" for v in hello.VERSIONS)
    fact = TlsVersions((TlsVersionSupport(asked.port.name, accepted, refused),))
    how = f"one TLS hello per version to {asked.address} {asked.port.name}"
    found = Collected((fact,), sources=(source(TlsVersions, how, asked.at, lines, asked.port.name),))
    order = tuple(hello.VERSIONS)
    newest = order.index(accepted[-1]) if accepted else len(order)
    for version in order[:newest]:
        if version not in accepted + refused:
            found += undecided(TlsVersions, asked, f"{version}: {_in_words(answers[version], version)}")
    return found


async def _ciphers(asked: Asked, accepted: tuple[str, ...]) -> Collected:
    older = [v for v in accepted if v != "TLSv1.3"]
    if not older and "TLSv1.3" in accepted:
        # TLS 1.3 has no weak suites, and nothing older is spoken here: that is the answer.
        answer: Answer | str = hello.Alert(min(hello.REFUSALS))
    else:
        newest = older[-1] if older else "TLSv1.2"
        answer = await _offer(asked, newest, tuple(hello.WEAK_CIPHERS))
    if isinstance(answer, hello.ServerHello):
        weak: tuple[str, ...] = (hello.WEAK_CIPHERS.get(answer.cipher, f"suite {answer.cipher:#06x}"),)
    elif answer and isinstance(answer, hello.Alert) and answer.number in hello.REFUSALS and accepted:
        weak = ()
    else:
        reason = f"an offer of weak ciphers only: {_in_words(answer, 'TLSv1.2')}"
        return undecided(TlsCiphers, asked, reason)
    said = f"{asked.port.name} picked {weak[0]}" if weak else f"{asked.port.name} refused all weak ciphers"
    how = f"a TLS hello with weak ciphers only to {asked.address} {asked.port.name}"
    fact = TlsCiphers((TlsCipherSupport(asked.port.name, weak),))
    return Collected((fact,), sources=(source(TlsCiphers, how, asked.at, said, asked.port.name),))


async def _offer(asked: Asked, version: str, ciphers: tuple[int, ...] = ()) -> Answer | str:
    """What the server does with a hello of that version, or why that is not known."""
    data = b""
    try:
        async with asked.line.talk(asked.address, asked.port.number) as talk:
            await talk.send(hello.client_hello(version, os.urandom(64), ciphers))
            while (answer := hello.read_answer(data)) is None:
                more = await talk.read()
                if not more:
                    return "the server closed the connection without an alert"
                data += more
            return answer
    except (TalkError, hello.NotTlsError) as error:
        return str(error)


def _is_refusal(answer: Answer | str, version: str) -> bool:
    match answer:
        case hello.Alert(number):
            return number in hello.REFUSALS or (number == hello.INTERNAL_ERROR and version in _OLD)
        case hello.ServerHello(chosen, _):
            # It chose an older version than the newest that was offered: it does not speak this one.
            return chosen != version
        case _:
            return False


def _in_words(answer: Answer | str, version: str) -> str:
    match answer:
        case hello.Alert(number):
            return f"refused with alert {number}{' twice' if number == hello.INTERNAL_ERROR else ''}"
        case hello.ServerHello(chosen, _):
            return "accepted" if chosen == version else f"answered with {chosen}"
        case _:
            return str(answer)


async def _certificate(asked: Asked) -> Collected:
    try:
        async with asked.line.talk(asked.address, asked.port.number) as talk:
            tls = await talk.tls(web.client_context())
            der = tls.getpeercert(binary_form=True)
            agreed = f"{tls.version()} {(tls.cipher() or ('',))[0]}"
        if not der:
            return undecided(TlsCertificates, asked, "the server presented no certificate")
        one = read_certificate(asked.port.name, der)
    except TalkError as error:
        return undecided(TlsCertificates, asked, str(error))
    except (ValueError, UnsupportedAlgorithm) as error:
        reason = f"the certificate cannot be read: {printable(str(error))[:NAME_LIMIT]}"
        return undecided(TlsCertificates, asked, reason)
    lines = (
        f"{one.port} {agreed}",
        f"subject {one.subject}; issuer {one.issuer}; names {', '.join(one.names) or 'none'}",
        f"valid from {one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}",
        f"key {one.key_type} {one.key_bits}; signature {one.signature_hash or 'without a hash'}; "
        f"self-signed {'yes' if one.self_signed else 'no'}; SHA-256 {one.fingerprint}",
    )
    how = f"a TLS handshake with {asked.address} {asked.port.name}"
    fact = TlsCertificates(str(asked.address), (one,))
    evidence = source(TlsCertificates, how, asked.at, "\n".join(lines), asked.port.name)
    return Collected((fact,), sources=(evidence,))


def read_certificate(port: str, der: bytes) -> Certificate:
    """The certificate in these bytes.

    Raises:
        ValueError: it cannot be parsed.
        UnsupportedAlgorithm: a key or signature of an unknown kind.

    """
    with warnings.catch_warnings():
        # A malformed serial number or key is the server's; the values that count are still read.
        warnings.simplefilter("ignore")
        one = x509.load_der_x509_certificate(der)
        kind, bits = _key(one)
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


def _key(one: x509.Certificate) -> tuple[str, int]:
    key = one.public_key()
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size
        case dsa.DSAPublicKey():
            return "DSA", key.key_size
        case ec.EllipticCurvePublicKey():
            return "EC", key.key_size
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256
        case ed448.Ed448PublicKey():
            return "Ed448", 456
        case _:
            raise UnsupportedAlgorithm(f"a key of the type {type(key).__name__}")


def _self_signed(one: x509.Certificate) -> bool:
    if one.subject != one.issuer:
        return False
    try:
        one.verify_directly_issued_by(one)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _applies(port: OpenPort) -> bool:
    return port.tls


QUESTION = Question(
    frozenset({TlsVersions, TlsCiphers, TlsCertificates}),
    _applies,
    ask,
    "TLS handshakes, one per version and one with weak ciphers only",
)
