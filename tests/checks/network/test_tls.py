from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from checks.facts.network.tls import (
    Certificate,
    TlsCertificates,
    TlsCiphers,
    TlsCipherSupport,
    TlsVersions,
    TlsVersionSupport,
)
from checks.model import Outcome, Severity
from tests.checks.network.judging import NOW, hold_by, judge, outcomes

PORT = "tcp/443"
OLD = ("SSLv3", "TLSv1.0", "TLSv1.1")
GOOD = Certificate(
    port=PORT,
    subject="CN=web",
    issuer="CN=authority",
    names=("10.0.0.5", "web.example.org"),
    not_before=NOW - timedelta(days=30),
    not_after=NOW + timedelta(days=60),
    key_type="RSA",
    key_bits=2048,
    signature_hash="sha256",
    self_signed=False,
    fingerprint="ab" * 32,
)


def presented(**changes: object) -> TlsCertificates:
    return TlsCertificates("10.0.0.5", (msgspec.structs.replace(GOOD, **changes),))


def versions(accepted: tuple[str, ...], refused: tuple[str, ...]) -> TlsVersions:
    return TlsVersions((TlsVersionSupport(PORT, accepted, refused),))


def test_old_versions_fail() -> None:
    hold_by(
        "network.tls.legacy-versions",
        versions(("TLSv1.0", "TLSv1.2"), ("SSLv3", "TLSv1.1", "TLSv1.3")),
        versions(("TLSv1.2", "TLSv1.3"), OLD),
        PORT,
    )


def test_a_version_that_was_not_decided_is_unknown_and_never_a_pass() -> None:
    [finding] = judge("network.tls.legacy-versions", versions(("TLSv1.2",), ("SSLv3", "TLSv1.1")))
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.reason == "TLSv1.0 neither accepted nor refused"
    [worse] = judge("network.tls.legacy-versions", versions(("TLSv1.1", "TLSv1.2"), ("SSLv3",)))
    assert (worse.outcome, worse.saw) == (Outcome.FAIL, "TLSv1.1, TLSv1.2")


def test_a_baseline_may_forbid_more() -> None:
    fact = versions(("TLSv1.2", "TLSv1.3"), OLD)
    findings = judge("network.tls.legacy-versions", fact, forbidden=frozenset({*OLD, "TLSv1.2"}))
    assert outcomes(findings) == {PORT: Outcome.FAIL}


def test_weak_ciphers_fail() -> None:
    hold_by(
        "network.tls.weak-ciphers",
        TlsCiphers((TlsCipherSupport(PORT, ("RSA RC4 SHA",)),)),
        TlsCiphers((TlsCipherSupport(PORT, ()),)),
        PORT,
    )


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("network.tls.certificate-expired", {"not_after": NOW - timedelta(seconds=1)}),
        ("network.tls.certificate-expired", {"not_before": NOW + timedelta(seconds=1)}),
        ("network.tls.certificate-expiring", {"not_after": NOW + timedelta(days=30, seconds=-1)}),
        ("network.tls.certificate-self-signed", {"self_signed": True}),
        ("network.tls.certificate-key", {"key_bits": 1024}),
        ("network.tls.certificate-key", {"key_type": "DSA", "key_bits": 4096}),
        ("network.tls.certificate-key", {"key_type": "EC", "key_bits": 192}),
        ("network.tls.certificate-hash", {"signature_hash": "sha1"}),
        ("network.tls.certificate-hash", {"signature_hash": "md5"}),
        ("network.tls.certificate-names", {"names": ()}),
        ("network.tls.certificate-names", {"names": ("localhost",)}),
    ],
)
def test_what_is_wrong_with_a_certificate_fails(check: str, changes: dict[str, object]) -> None:
    hold_by(check, presented(**changes), presented(), PORT)


def test_one_certificate_on_two_ports_is_one_action() -> None:
    other = msgspec.structs.replace(GOOD, port="tcp/8443")
    fact = TlsCertificates(
        "10.0.0.5", tuple(msgspec.structs.replace(c, self_signed=True) for c in (GOOD, other))
    )
    assert {f.fix_key for f in judge("network.tls.certificate-self-signed", fact)} == {
        "certificate:" + "ab" * 32
    }


def test_a_curve_of_256_bits_is_sound() -> None:
    findings = judge("network.tls.certificate-key", presented(key_type="EC", key_bits=256))
    assert outcomes(findings) == {PORT: Outcome.PASS}


def test_the_day_at_the_border_of_the_threshold_passes() -> None:
    findings = judge("network.tls.certificate-expiring", presented(not_after=NOW + timedelta(days=30)))
    assert outcomes(findings) == {PORT: Outcome.PASS}


def test_an_expired_certificate_is_not_about_to_expire() -> None:
    findings = judge("network.tls.certificate-expiring", presented(not_after=NOW - timedelta(days=1)))
    assert outcomes(findings) == {PORT: Outcome.NOT_APPLICABLE}


def test_the_hash_of_a_self_signed_certificate_weighs_less() -> None:
    [own] = judge("network.tls.certificate-hash", presented(signature_hash="sha1", self_signed=True))
    [other] = judge("network.tls.certificate-hash", presented(signature_hash="sha1"))
    assert (own.severity, other.severity) == (Severity.LOW, Severity.MEDIUM)


def test_localhost_is_the_right_name_on_loopback_only() -> None:
    check = "network.tls.certificate-names"
    for address, names, outcome in (
        ("127.0.0.1", ("localhost",), Outcome.PASS),
        ("127.0.0.1", (), Outcome.FAIL),
        ("10.0.0.5", ("localhost",), Outcome.FAIL),
    ):
        fact = msgspec.structs.replace(presented(names=names), address=address)
        assert outcomes(judge(check, fact)) == {PORT: outcome}


def test_names_are_compared_with_what_the_baseline_gives() -> None:
    check = "network.tls.certificate-names"
    fact = presented(names=("*.example.org",))
    assert outcomes(judge(check, fact)) == {PORT: Outcome.UNKNOWN}
    assert outcomes(judge(check, fact, names=frozenset({"www.example.org"}))) == {PORT: Outcome.PASS}
    for wrong in ("www.example.com", "a.b.example.org", "example.org"):
        assert outcomes(judge(check, fact, names=frozenset({wrong}))) == {PORT: Outcome.FAIL}
