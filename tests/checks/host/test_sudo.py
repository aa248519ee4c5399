"""Who becomes root through sudo, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.sudoers import SudoDefault, Sudoers, SudoRule
from checks.host import sudo
from checks.model import Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

FILE = "/etc/sudoers.d/deploy"
ROOT = SudoRule("/etc/sudoers", "root", "(ALL:ALL) ALL", no_password=False)
PTY = SudoDefault("/etc/sudoers", "", "use_pty")
FREE = SudoRule(FILE, "deploy", "(ALL) NOPASSWD: ALL", no_password=True)


def rules(*more: SudoRule, defaults: tuple[SudoDefault, ...] = (PTY,)) -> Sudoers:
    return Sudoers((ROOT, *more), defaults)


@pytest.mark.parametrize("check", checks_of(sudo))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


def test_a_rule_without_a_password_fails() -> None:
    assert failing(sudo.no_password, rules(FREE)) == [f"deploy in {FILE}"]


def test_one_command_weighs_less_than_all() -> None:
    one = SudoRule(FILE, "scan", "(root) NOPASSWD: /usr/sbin/sshd -T", no_password=True)
    severities = {f.on.split()[0]: f.severity for f in judged(sudo.no_password, rules(FREE, one))}
    assert severities == {"deploy": Severity.HIGH, "scan": Severity.MEDIUM}


def test_rules_with_a_password_and_allowed_accounts_pass() -> None:
    assert failing(sudo.no_password, rules()) == []
    assert failing(sudo.no_password, rules(FREE), allowed=frozenset({"deploy"})) == []


def test_switched_off_authentication_fails() -> None:
    off = SudoDefault("/etc/sudoers", ":deploy", "!authenticate")
    assert failing(sudo.authenticate, rules(defaults=(PTY, off))) == ["Defaults:deploy in /etc/sudoers"]


def test_authentication_as_it_comes_passes() -> None:
    assert failing(sudo.authenticate, rules()) == []


@pytest.mark.parametrize(
    "settings", [(), ("!use_pty",), ("use_pty", "!use_pty")], ids=["not set", "off", "off again"]
)
def test_no_terminal_of_its_own_fails(settings: tuple[str, ...]) -> None:
    defaults = tuple(SudoDefault("/etc/sudoers", "", one) for one in settings)
    assert failing(sudo.pty, rules(defaults=defaults)) == ["use_pty"]


def test_a_terminal_for_some_users_only_fails() -> None:
    assert failing(sudo.pty, rules(defaults=(SudoDefault("/etc/sudoers", ":bob", "use_pty"),))) == ["use_pty"]


def test_a_terminal_of_its_own_passes() -> None:
    assert failing(sudo.pty, rules()) == []


@pytest.mark.parametrize(
    ("grants", "severity"),
    [
        ("(root) NOPASSWD:ALL, !/bin/su", Severity.HIGH),
        ("(root) NOPASSWD: TOOLS", Severity.HIGH),
        ("(root) NOPASSWD: /bin/a, ALL", Severity.HIGH),
        ("(root) PASSWD: ALL : web = NOPASSWD: ALL", Severity.HIGH),
        ("(root) NOPASSWD:SETENV: /bin/a, /bin/b x", Severity.MEDIUM),
        ("(root) NOPASSWD: /bin/a, PASSWD: ALL", Severity.MEDIUM),
    ],
)
def test_only_named_programs_weigh_less(grants: str, severity: Severity) -> None:
    [found] = judged(sudo.no_password, rules(SudoRule(FILE, "ann,bob", grants, no_password=True)))
    assert found.severity is severity


def test_two_rules_of_one_account_are_one_finding_of_the_worse_weight() -> None:
    one = SudoRule(FILE, "deploy", "(root) NOPASSWD: /bin/a", no_password=True)
    [found] = judged(sudo.no_password, rules(one, FREE))
    assert (found.severity, found.saw) == (Severity.HIGH, f"{one.grants}; {FREE.grants}")


def test_a_group_that_is_never_asked_fails() -> None:
    exempt = SudoDefault("/etc/sudoers", "", "exempt_group=games")
    assert failing(sudo.authenticate, rules(defaults=(PTY, exempt))) == ["Defaults in /etc/sudoers"]


@pytest.mark.parametrize(
    ("version", "bad"), [("1.9.13", True), ("1.9.14", False), ("1.10", False), ("0.2.8", False), ("", True)]
)
def test_a_newer_sudo_needs_no_word_for_a_terminal_of_its_own(version: str, bad: bool) -> None:
    assert failing(sudo.pty, Sudoers((ROOT,), (), version)) == (["use_pty"] if bad else [])
    off = Sudoers((ROOT,), (SudoDefault("/etc/sudoers", "", "!use_pty"),), version)
    assert failing(sudo.pty, off) == ["use_pty"]


def test_a_terminal_that_is_taken_from_one_account_fails() -> None:
    off = SudoDefault(FILE, ":bob", "!use_pty")
    [finding] = [one for one in judged(sudo.pty, rules(defaults=(PTY, off))) if one.outcome.value == "fail"]
    assert finding.on == "Defaults:bob use_pty"
    assert "Defaults:bob use_pty" in finding.fix.snippets[0].do
