"""Certificates, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.certificates import AddedAuthorities, Certificate, Certificates
from checks.facts.snapshot import Gap
from checks.host import certificates
from checks.model import Finding, Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown


def one(**changes: Any) -> Certificate:
    fields: dict[str, Any] = {
        "path": "/etc/ssl/shop.pem",
        "subject": "CN=shop.example",
        "issuer": "CN=Example CA",
        "begins": "2026-01-01T00:00:00Z",
        "ends": "2027-06-01T00:00:00Z",
        "key": "RSA",
        "bits": 2048,
        "digest": "sha256",
        "fingerprint": "ab" * 32,
        "self_signed": False,
        "used_by": ("/etc/nginx/sites-enabled/shop",),
    }
    return Certificate(**{**fields, **changes})


def only(check: Check[Any], found: Certificate) -> Finding:
    [finding] = judged(check, Certificates((found,)))
    return finding


@pytest.mark.parametrize("check", checks_of(certificates))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


# The checks are asked on 2026-11-23.
@pytest.mark.parametrize(
    ("begins", "ends", "severity"),
    [
        ("2026-01-01T00:00:00Z", "2027-06-01T00:00:00Z", None),
        ("2026-01-01T00:00:00Z", "2026-12-24T00:00:00Z", None),
        ("2026-01-01T00:00:00Z", "2026-12-20T00:00:00Z", Severity.MEDIUM),
        ("2026-01-01T00:00:00Z", "2026-11-23T11:59:00Z", Severity.HIGH),
        ("2026-12-01T00:00:00Z", "2027-12-01T00:00:00Z", Severity.HIGH),
    ],
)
def test_how_long_a_certificate_is_valid(begins: str, ends: str, severity: Severity | None) -> None:
    finding = only(certificates.expiry, one(begins=begins, ends=ends))
    assert (finding.severity if finding.outcome is Outcome.FAIL else None) is severity


def test_the_number_of_days_can_be_set() -> None:
    soon = Certificates((one(ends="2026-12-20T00:00:00Z"),))
    assert failing(certificates.expiry, soon, days=14) == []


def test_one_renewal_closes_both_findings_of_a_certificate() -> None:
    bad = one(ends="2026-01-01T00:00:00Z", bits=1024)
    keys = {only(check, bad).fix_key for check in (certificates.expiry, certificates.strength)}
    assert keys == {"certificate:" + "ab" * 32}


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ({}, False),
        ({"bits": 1024}, True),
        ({"key": "EC", "bits": 256}, False),
        ({"key": "EC", "bits": 192}, True),
        ({"key": "DSA", "bits": 3072}, True),
        ({"key": "Ed25519", "bits": 256, "digest": ""}, False),
        ({"digest": "sha1"}, True),
        ({"digest": "sha1", "self_signed": True}, False),
        ({"digest": "md5"}, True),
    ],
)
def test_strength(changes: dict[str, Any], fails: bool) -> None:
    found = Certificates((one(**changes),))
    assert failing(certificates.strength, found) == (["/etc/ssl/shop.pem"] if fails else [])


@pytest.mark.parametrize("check", [certificates.expiry, certificates.strength])
def test_a_certificate_that_nothing_uses_is_not_judged(check: Check[Any]) -> None:
    found = Certificates((one(ends="2020-01-01T00:00:00Z", bits=512, used_by=()),))
    [finding] = judged(check, found)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    gap = Gap("Certificates", "may not be read", "/etc/letsencrypt/live")
    assert outcomes(judged(check, found, gaps=[gap])) == {"/etc/letsencrypt/live": Outcome.UNKNOWN}


def test_an_added_authority_is_listed_once() -> None:
    twice = AddedAuthorities((one(path="/a.crt"), one(path="/b.crt")))
    [finding] = judged(certificates.added_authorities, twice)
    assert (finding.outcome, finding.severity) == (Outcome.FAIL, Severity.INFO)
    assert finding.on == "CN=shop.example (abababababababab)"
    assert "`/a.crt`" in finding.fix.do
    assert failing(certificates.added_authorities, AddedAuthorities(())) == []
