"""Where accounts come from, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.accounts import Account, Accounts, Group, Groups, Passwords
from checks.host import account_sources
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

ROOT = Account("root", 0, 0, "/root", "/bin/bash")
WHEEL = Group("root", 0)


@pytest.mark.parametrize("check", checks_of(account_sources))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


def test_lines_of_nis_fail_in_each_file() -> None:
    accounts, groups = Accounts((ROOT,), 1000, included=("+", "-bob")), Groups((WHEEL,), ("+",))
    bad = failing(account_sources.nis, accounts, groups)
    assert sorted(bad) == ["+ in /etc/group", "+ in /etc/passwd", "-bob in /etc/passwd"]
    found = judged(account_sources.nis, accounts, groups)
    assert {finding.fix_key for finding in found} == {"nis:lines"}


def test_files_without_such_lines_pass() -> None:
    assert failing(account_sources.nis, Accounts((ROOT,), 1000), Groups((WHEEL,))) == []
    assert failing(account_sources.nis_passwords, Passwords(())) == []


def test_a_line_of_nis_among_the_hashes_fails() -> None:
    assert failing(account_sources.nis_passwords, Passwords((), included=("+",))) == ["+"]


def test_accounts_of_a_directory_were_not_looked_at() -> None:
    found = judged(account_sources.local, Accounts((ROOT,), 1000, directories=("sss", "ldap")))
    assert [(f.on, f.outcome) for f in found] == [
        ("accounts of ldap", Outcome.UNKNOWN),
        ("accounts of sss", Outcome.UNKNOWN),
    ]
    assert failing(account_sources.local, Accounts((ROOT,), 1000)) == []
