"""What is left of people who left, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.accounts import Account, Accounts
from checks.facts.host.ssh_keys import AuthorizedKey, AuthorizedKeys
from checks.host import leavers
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

GONE = frozenset({"Ann", "bob.b"})


def accounts(shell: str = "/bin/bash") -> Accounts:
    people = (Account("root", 0, 0, "/root", "/bin/sh"), Account("ann", 1000, 1000, "/home/ann", shell))
    return Accounts(people, 1000)


def opened(comment: str) -> AuthorizedKeys:
    key = AuthorizedKey("deploy", "/home/deploy/.ssh/authorized_keys", 4, "SHA256:k", "ed25519", 256, comment)
    return AuthorizedKeys((key,), (), (".ssh/authorized_keys",))


@pytest.mark.parametrize("check", checks_of(leavers))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(("check", "fact"), [(leavers.accounts, accounts()), (leavers.keys, opened("ann"))])
def test_without_a_list_nobody_can_say(check: Check[Any], fact: Any) -> None:
    [finding] = judged(check, fact)
    assert finding.outcome is Outcome.UNKNOWN
    assert "leavers" in finding.needs


@pytest.mark.parametrize("shell", ["/bin/bash", ""])
def test_an_account_of_somebody_who_left_fails(shell: str) -> None:
    [bad] = judged(leavers.accounts, accounts(shell), leavers=GONE)
    assert (bad.on, bad.outcome, bad.fix_key) == ("ann", Outcome.FAIL, "leaver:Ann")


def test_accounts_without_a_session_and_those_of_others_pass() -> None:
    assert failing(leavers.accounts, accounts("/usr/sbin/nologin"), leavers=GONE) == []
    assert failing(leavers.accounts, accounts(), leavers=frozenset({"eve"})) == []


@pytest.mark.parametrize("comment", ["ann", "ANN@laptop", "key of ann", "bob.b@corp", "old: bob.b"])
def test_a_key_that_names_somebody_who_left_fails(comment: str) -> None:
    [bad] = judged(leavers.keys, opened(comment), leavers=GONE)
    assert bad.outcome is Outcome.FAIL
    assert bad.fix_key in ("leaver:Ann", "leaver:bob.b")


@pytest.mark.parametrize("comment", ["hannah", "ann-marie@x", "annabel", "bob@corp", "mary.ann", ""])
def test_a_name_inside_of_another_is_somebody_else(comment: str) -> None:
    assert failing(leavers.keys, opened(comment), leavers=GONE) == []
