"""How accounts are used, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.accounts import Account, Accounts, Logins, Password, Passwords, PasswordState
from checks.host import account_logins
from checks.model import Confidence, Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

ANN = Account("ann", 1000, 1000, "/home/ann", "/bin/bash")
PEOPLE = Accounts(
    (Account("root", 0, 0, "/root", "/bin/bash"), ANN, Account("web", 33, 33, "/", "/bin/sh")), 1000
)
LONG_AGO, LATELY = "2026-01-02T03:04:05Z", "2026-11-20T03:04:05Z"


def password(state: PasswordState = PasswordState.SET, **fields: Any) -> Passwords:
    return Passwords((Password("ann", state, "sha512", **{"changed": 20000, **fields}),))


def stale(logins: Logins, passwords: Passwords | None = None, **options: Any) -> tuple[Outcome, Any]:
    [finding] = judged(account_logins.stale, PEOPLE, passwords or password(), logins, **options)
    return finding.outcome, finding


@pytest.mark.parametrize("check", checks_of(account_logins))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize("last", ["", LONG_AGO])
def test_an_account_that_nobody_uses_fails(last: str) -> None:
    outcome, finding = stale(Logins("lastlog", {"ann": last}))
    assert (outcome, finding.on, finding.confidence) == (Outcome.FAIL, "ann", Confidence.LIKELY)


@pytest.mark.parametrize(
    ("logins", "passwords"),
    [
        (Logins("lastlog", {"ann": LATELY}), password()),
        (Logins("lastlog", {"ann": ""}), password(changed=20770)),
        (Logins("lastlog", {"ann": ""}), password(expires=1)),
        (Logins("lastlog", {"ann": ""}, asking="ann"), password()),
    ],
    ids=["a login", "a new password", "expired", "the scan's own"],
)
def test_what_is_used_or_closed_passes(logins: Logins, passwords: Passwords) -> None:
    assert stale(logins, passwords)[0] is Outcome.PASS


def test_an_account_with_a_key_alone_weighs_less() -> None:
    _, finding = stale(Logins("lastlog", {"ann": ""}), password(PasswordState.LOCKED))
    assert (finding.severity, finding.confidence) == (Severity.LOW, Confidence.POSSIBLE)


def test_a_short_record_proves_nothing() -> None:
    outcome, finding = stale(Logins("wtmp", {}, since=LATELY))
    assert outcome is Outcome.UNKNOWN
    assert "2026-11-20" in finding.reason
    assert stale(Logins("wtmp", {}, since=LONG_AGO))[0] is Outcome.FAIL


def test_the_threshold_of_days_counts() -> None:
    assert stale(Logins("lastlog", {"ann": LONG_AGO}), days=365)[0] is Outcome.PASS


def test_nobody_to_judge_is_not_applicable() -> None:
    assert stale(Logins("lastlog", {"ann": ""}), allowed=frozenset({"ann"}))[0] is Outcome.NOT_APPLICABLE


def twins(*states: PasswordState) -> Passwords:
    return Passwords(
        tuple(Password(name, state, "sha512", twins=1) for name, state in zip("abc", states, strict=False))
    )


def test_one_hash_on_two_accounts_fails() -> None:
    both = twins(PasswordState.SET, PasswordState.SET)
    [finding] = judged(account_logins.own_password, both)
    assert (finding.outcome, finding.on) == (Outcome.FAIL, "a, b")
    assert failing(account_logins.own_password, twins(PasswordState.LOCKED, PasswordState.SET)) == ["a, b"]


def test_hashes_of_their_own_and_those_of_locked_accounts_pass() -> None:
    assert failing(account_logins.own_password, password()) == []
    assert failing(account_logins.own_password, twins(PasswordState.LOCKED, PasswordState.LOCKED)) == []


@pytest.mark.parametrize(
    ("state", "scheme", "outcome"),
    [
        (PasswordState.LOCKED, "", Outcome.PASS),
        (PasswordState.SET, "yescrypt", Outcome.PASS),
        (PasswordState.SET, "md5", Outcome.FAIL),
        (PasswordState.EMPTY, "", Outcome.FAIL),
    ],
)
def test_the_password_of_root(state: PasswordState, scheme: str, outcome: Outcome) -> None:
    [finding] = judged(account_logins.root_password, Passwords((Password("root", state, scheme),)))
    assert finding.outcome is outcome
    if state is PasswordState.EMPTY:
        assert finding.severity is Severity.CRITICAL


def test_without_a_line_for_root_its_password_is_not_known() -> None:
    [finding] = judged(account_logins.root_password, password())
    assert finding.outcome is Outcome.UNKNOWN
