"""The ageing of passwords, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.accounts import Password, Passwords, PasswordState
from checks.facts.host.login_rules import LoginDefs
from checks.host import password_ageing
from checks.model import Outcome
from tests.checks.host.judging import NOW, checks_of, failing, judged, says_unknown

BY_ID = {check.id.rpartition(".")[2]: check for check in checks_of(password_ageing)}
GOOD_DEFS = LoginDefs(
    True, {"PASS_MAX_DAYS": "365", "PASS_MIN_DAYS": "1", "PASS_WARN_AGE": "7"}, {"INACTIVE": "30"}
)
RULES = {
    "maximum": ("maximum", "PASS_MAX_DAYS"),
    "minimum": ("minimum", "PASS_MIN_DAYS"),
    "warning": ("warning", "PASS_WARN_AGE"),
    "inactive": ("inactive", "INACTIVE"),
}
BAD = {"maximum": 99999, "minimum": 0, "warning": 3, "inactive": 90}
TODAY = int(NOW.timestamp()) // 86_400


def words(*, state: PasswordState = PasswordState.SET, **fields: Any) -> Passwords:
    good = {"changed": 20000, "minimum": 1, "maximum": 365, "warning": 7, "inactive": 30}
    return Passwords((Password("ann", state, "sha512", **{**good, **fields}),))


@pytest.mark.parametrize("check", checks_of(password_ageing))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize("rule", RULES)
def test_rules_for_new_accounts(rule: str) -> None:
    check, key = BY_ID[f"default-{rule}"], RULES[rule][1]
    assert failing(check, GOOD_DEFS) == []
    settings = {**GOOD_DEFS.settings, key: str(BAD[rule])}
    bad = LoginDefs(True, settings, {"INACTIVE": str(BAD[rule])})
    assert [on.partition(" ")[0] for on in failing(check, bad)] == [key]
    assert len(failing(check, LoginDefs(True, {}, {}))) == 1
    assert len(failing(check, LoginDefs(True, {key: "-1"}, {key: "-1"}))) == 1


@pytest.mark.parametrize("rule", RULES)
def test_a_host_without_such_tools_has_no_such_rules(rule: str) -> None:
    [finding] = judged(BY_ID[f"default-{rule}"], LoginDefs(False, {}, {}))
    assert finding.outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("rule", RULES)
def test_rules_of_existing_accounts(rule: str) -> None:
    check, field = BY_ID[rule], RULES[rule][0]
    assert failing(check, words()) == []
    bad: list[dict[str, Any]] = [{field: BAD[rule]}, {field: None}]
    for fields in bad:
        assert failing(check, words(**fields)) == ["ann"]


@pytest.mark.parametrize("rule", [*RULES, "last-change"])
def test_a_locked_account_has_no_password_to_end(rule: str) -> None:
    [finding] = judged(BY_ID[rule], words(state=PasswordState.LOCKED, maximum=99999, changed=99999))
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_an_account_can_be_left_out() -> None:
    [finding] = judged(BY_ID["maximum"], words(maximum=99999), exempt=frozenset({"ann"}))
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_the_fix_of_an_account_sets_what_the_threshold_asks_for() -> None:
    [finding] = judged(BY_ID["maximum"], words(maximum=99999), most=90)
    assert "days=90" in finding.fix.snippets[0].do
    assert "before=99999" in finding.fix.snippets[0].undo


@pytest.mark.parametrize(("changed", "bad"), [(TODAY - 9, []), (TODAY + 1, []), (TODAY + 2, ["ann"])])
def test_a_change_in_the_future_fails(changed: int, bad: list[str]) -> None:
    assert failing(password_ageing.last_change, words(changed=changed)) == bad


def test_defaults_that_may_not_be_read_are_not_called_missing() -> None:
    hidden = LoginDefs(True, {}, {}, ("/etc/default/useradd",))
    [finding] = judged(BY_ID["default-inactive"], hidden)
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "sudo: cat /etc/default/useradd")
