from __future__ import annotations

import msgspec
import pytest

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.facts.network.tls import (
    TlsCiphers,
    TlsCipherSupport,
    TlsFallback,
    TlsFallbacks,
    TlsGroup,
    TlsGroups,
    TlsSetting,
    TlsSettings,
    TlsSuites,
    TlsSuiteSupport,
)
from checks.facts.snapshot import Snapshot
from checks.facts.untold import mark
from checks.model import Confidence, Kind, Outcome, Severity, Target
from tests.checks.network.judging import CATALOGUE, NOW, hold_by, judge, outcomes

PORT = "tcp/443"
SOUND = TlsSetting(
    PORT, "TLSv1.2", renegotiation=True, compression=False, heartbeat=False, stapled=False, alpn="h2"
)


def settings(**changes: object) -> TlsSettings:
    return TlsSettings((msgspec.structs.replace(SOUND, **changes),))


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("network.tls-settings.secure-renegotiation", {"renegotiation": False}),
        ("network.tls-settings.compression", {"compression": True}),
    ],
)
def test_bad_options_fail(check: str, changes: dict[str, object]) -> None:
    hold_by(check, settings(**changes), settings(), PORT)
    newest = settings(version="", renegotiation=False)
    assert outcomes(judge(check, newest)) == {PORT: Outcome.PASS}


def suites(*, fresh: bool = True, newest: str = "TLSv1.3") -> TlsSuites:
    return TlsSuites((TlsSuiteSupport(PORT, "TLSv1.2", ("RSA AES256 GCM",), True, "", fresh, newest),))


def test_no_forward_secrecy_fails() -> None:
    hold_by("network.tls-settings.forward-secrecy", suites(fresh=False), suites(), PORT)


def test_a_service_without_tls_1_3_fails() -> None:
    check = "network.tls-settings.newest-version"
    hold_by(check, suites(newest="TLSv1.2"), suites(), PORT)
    assert outcomes(judge(check, suites(newest=""))) == {PORT: Outcome.UNKNOWN}


def test_short_groups_fail() -> None:
    check = "network.tls-settings.key-exchange-group"
    hold_by(check, TlsGroups((TlsGroup(PORT, 1024),)), TlsGroups((TlsGroup(PORT, 2048),)), PORT)
    assert outcomes(judge(check, TlsGroups((TlsGroup(PORT, 0),)))) == {PORT: Outcome.PASS}


def test_a_fallback_that_is_not_noticed_fails() -> None:
    def fallback(guarded: bool) -> TlsFallbacks:
        return TlsFallbacks((TlsFallback(PORT, "TLSv1.1", guarded),))

    hold_by("network.tls-settings.fallback-guard", fallback(False), fallback(True), PORT)


@pytest.mark.parametrize(
    ("version", "outcome"),
    [
        ("1.0.1", Outcome.FAIL),
        ("1.0.1e-fips", Outcome.FAIL),
        ("1.0.1f", Outcome.FAIL),
        ("1.0.1g", Outcome.PASS),
        ("1.0.1u", Outcome.PASS),
        ("1.0.2-beta1", Outcome.FAIL),
        ("1.0.2k", Outcome.PASS),
        ("1.0.0", Outcome.PASS),
        ("1.0.10", Outcome.PASS),
        ("0.9.8y", Outcome.PASS),
    ],
)
def test_heartbeats_count_with_the_versions_that_do_them_wrong(version: str, outcome: Outcome) -> None:
    fact = settings(heartbeat=True, library=f"OpenSSL/{version}")
    [finding] = judge("network.tls-settings.heartbleed", fact)
    assert finding.outcome is outcome
    if outcome is Outcome.FAIL:
        assert finding.confidence is Confidence.POSSIBLE


def test_heartbleed_is_held_by_its_three_answers() -> None:
    check = "network.tls-settings.heartbleed"
    hold_by(check, settings(heartbeat=True, library="OpenSSL/1.0.1e"), settings(), PORT)
    [finding] = judge(check, settings(heartbeat=True))
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "the version of OpenSSL on the host")


@pytest.mark.parametrize(
    ("suite", "via", "severity"),
    [
        ("anonymous DH AES128", "smtp", Severity.LOW),
        ("anonymous ECDH NULL SHA", "smtp", Severity.HIGH),
        ("anonymous DH export RC4-40", "smtp", Severity.HIGH),
        ("RSA RC4 SHA", "smtp", Severity.HIGH),
        ("anonymous DH AES128", "imap", Severity.HIGH),
        ("anonymous DH AES128", "", Severity.HIGH),
    ],
)
def test_an_anonymous_suite_weighs_less_between_mail_servers(
    suite: str, via: str, severity: Severity
) -> None:
    [finding] = judge("network.tls.weak-ciphers", TlsCiphers((TlsCipherSupport(PORT, (suite,), via),)))
    assert (finding.outcome, finding.severity) == (Outcome.FAIL, severity)


def test_what_an_old_snapshot_does_not_tell_stays_open() -> None:
    """Snapshots from before `via` was there are judged as before, but where the answer hangs on it."""

    def judged(*weak: str) -> Outcome:
        fact = TlsCiphers((TlsCipherSupport(PORT, weak),))
        raw = msgspec.json.encode({"services": [{"port": PORT, "weak": list(weak)}]})
        mark(fact, raw)
        one = CATALOGUE.checks["network.tls.weak-ciphers"]
        demand = Demand(one, {}, one.severity, {}, "test", "test")
        target = Target(Kind.NETWORK, "10.0.0.5", "net:10.0.0.5")
        snapshot = Snapshot(target, "2026-11-23T12:00:00Z", ("a",), facts={"TlsCiphers": fact})
        [finding] = evaluate([demand], snapshot, now=NOW)
        return finding.outcome

    assert judged() is Outcome.PASS
    assert judged("RSA RC4 SHA") is Outcome.FAIL
    assert judged("anonymous DH AES128") is Outcome.UNKNOWN
