from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from checks.facts.network.tls import (
    Certificate,
    ChainLink,
    TlsCertificates,
    TlsChain,
    TlsChains,
    TlsSetting,
    TlsSettings,
    TlsTrust,
    TlsTrusts,
)
from checks.model import Outcome
from tests.checks.network.judging import NOW, hold_by, judge, outcomes

PORT = "tcp/443"
GOOD = TlsTrust(PORT, True, "", "the store", False, "ab" * 32, 90)
LINK = ChainLink("CN=middle", "CN=root", NOW + timedelta(days=900), "RSA", 4096, "sha256", False, "cd" * 32)


def trust(**changes: object) -> TlsTrusts:
    return TlsTrusts((msgspec.structs.replace(GOOD, **changes),))


def chain(**changes: object) -> TlsChains:
    return TlsChains((TlsChain(PORT, (msgspec.structs.replace(LINK, **changes),), True),))


def test_a_chain_to_nowhere_fails_with_the_reason() -> None:
    broken = trust(trusted=False, reason="its root CN=x is not in this store")
    hold_by("network.tls-trust.chain", broken, trust(), PORT)
    [finding] = judge("network.tls-trust.chain", broken)
    assert finding.saw == "its root CN=x is not in this store"
    own = trust(trusted=False, self_signed=True, reason="it is not in this store")
    assert outcomes(judge("network.tls-trust.chain", own)) == {PORT: Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize(("days", "outcome"), [(398, Outcome.PASS), (399, Outcome.FAIL)])
def test_the_life_of_trusted_certificates_is_bounded(days: int, outcome: Outcome) -> None:
    check = "network.tls-trust.lifetime"
    assert outcomes(judge(check, trust(days=days))) == {PORT: outcome}
    private = trust(days=3650, trusted=False, reason="x")
    assert outcomes(judge(check, private)) == {PORT: Outcome.NOT_APPLICABLE}
    hold_by(check, trust(days=825), trust(), PORT)


def test_a_broken_hash_above_the_certificate_fails_unless_a_root_made_it_for_itself() -> None:
    check = "network.tls-trust.intermediate-hash"
    hold_by(check, chain(signature_hash="sha1"), chain(), PORT)
    assert outcomes(judge(check, chain(signature_hash="sha1", self_signed=True))) == {PORT: Outcome.PASS}


def certificate(must_staple: bool) -> TlsCertificates:
    one = Certificate(
        PORT, "CN=web", "CN=authority", ("web.example.org",), NOW, NOW, "RSA", 2048, "sha256", False,
        "ab" * 32, must_staple=must_staple,
    )  # fmt: skip
    return TlsCertificates("10.0.0.5", (one,))


def setting(version: str, stapled: bool) -> TlsSettings:
    return TlsSettings((TlsSetting(PORT, version, True, False, False, stapled, ""),))


def test_a_status_that_is_demanded_must_come() -> None:
    check = "network.tls-trust.stapling"
    demanded = certificate(must_staple=True)
    hold_by(check, setting("TLSv1.2", False), setting("TLSv1.2", True), PORT, demanded)
    assert outcomes(judge(check, demanded, setting("", False))) == {PORT: Outcome.UNKNOWN}
    assert outcomes(judge(check, demanded, TlsSettings(()))) == {PORT: Outcome.UNKNOWN}
    [finding] = judge(check, certificate(must_staple=False), setting("TLSv1.2", False))
    assert (finding.outcome, "revocation not asked" in finding.reason) == (Outcome.NOT_APPLICABLE, True)
