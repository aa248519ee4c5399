"""Accounts of a host, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.accounts import Account, Accounts, Password, Passwords, PasswordState
from checks.facts.snapshot import Gap
from checks.host import accounts
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

ROOT = Account("root", 0, 0, "/root", "/bin/bash")
WWW = Account("www-data", 33, 33, "/var/www", "/usr/sbin/nologin")
ALICE = Account("alice", 1000, 1000, "/home/alice", "/bin/bash")
LOCKED = Password("root", PasswordState.LOCKED, "")
STRONG = Password("alice", PasswordState.SET, "yescrypt")


def people(*more: Account) -> Accounts:
    return Accounts((ROOT, WWW, ALICE, *more), 1000)


def words(*more: Password) -> Passwords:
    return Passwords((LOCKED, STRONG, *more))


def account(name: str, uid: int, shell: str = "/bin/sh", *, here: bool = False) -> Account:
    return Account(name, uid, uid, "/", shell, here)


@pytest.mark.parametrize("check", checks_of(accounts))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


def test_a_second_root_fails() -> None:
    assert failing(accounts.uid_zero, people(account("toor", 0))) == ["toor"]


def test_one_root_passes() -> None:
    assert failing(accounts.uid_zero, people()) == []


def test_a_root_by_another_name_alone_fails() -> None:
    assert failing(accounts.uid_zero, Accounts((account("admin", 0),), 1000)) == ["admin"]


def test_an_empty_password_fails() -> None:
    guest = Password("guest", PasswordState.EMPTY, "")
    assert failing(accounts.empty_password, people(account("guest", 1001)), words(guest)) == ["guest"]


def test_passwords_and_locks_pass() -> None:
    assert failing(accounts.empty_password, people(), words()) == []


def test_without_shadow_the_question_of_empty_passwords_stays_open() -> None:
    [finding] = judged(accounts.empty_password, people(), gaps=[Gap("Passwords", "needs root")])
    assert finding.outcome is Outcome.UNKNOWN


def test_a_hash_in_passwd_fails() -> None:
    assert failing(accounts.password_outside_shadow, people(account("old", 1002, here=True))) == ["old"]


def test_passwords_in_shadow_pass() -> None:
    assert failing(accounts.password_outside_shadow, people()) == []


@pytest.mark.parametrize("scheme", ["md5", "des", "bsdi", "nt", "sha1", "unrecognised"])
def test_a_weak_hash_fails(scheme: str) -> None:
    assert failing(accounts.password_hash, words(Password("bob", PasswordState.SET, scheme))) == ["bob"]


def test_strong_hashes_pass() -> None:
    assert failing(accounts.password_hash, words()) == []


def test_the_weak_hash_of_a_locked_account_opens_nothing() -> None:
    assert failing(accounts.password_hash, words(Password("bob", PasswordState.LOCKED, "md5"))) == []


def test_a_system_account_with_a_shell_fails() -> None:
    service = account("app", 998, "/bin/bash")
    found = judged(
        accounts.system_shells, people(service), words(Password("app", PasswordState.SET, "sha512"))
    )
    assert [(f.on, f.outcome, f.severity) for f in found] == [("app", Outcome.FAIL, Severity.MEDIUM)]


def test_without_a_password_it_weighs_less() -> None:
    service = account("app", 998, "/bin/bash")
    [finding] = judged(
        accounts.system_shells, people(service), words(Password("app", PasswordState.LOCKED, ""))
    )
    assert finding.severity is Severity.LOW


def test_an_empty_shell_is_a_shell() -> None:
    assert failing(accounts.system_shells, people(account("app", 998, "")), words()) == ["app"]


def test_an_allowed_system_account_and_people_pass() -> None:
    postgres = account("postgres", 101, "/bin/bash")
    assert failing(accounts.system_shells, people(postgres), words(), allowed=frozenset({"postgres"})) == []


def test_a_shared_id_and_a_name_given_twice_fail() -> None:
    twice = people(account("bob", 1000), account("www-data", 34, "/bin/false"))
    assert failing(accounts.own_ids, twice) == ["the name www-data", "user id 1000"]


def test_different_ids_pass() -> None:
    assert failing(accounts.own_ids, people()) == []


def test_an_empty_password_in_passwd_opens_the_account_too() -> None:
    bob = Account("bob", 1001, 1001, "/home/bob", "/bin/bash", password_here=True, password_empty=True)
    assert failing(accounts.empty_password, Accounts((ROOT, bob), 1000), Passwords(())) == ["bob"]


@pytest.mark.parametrize(
    ("name", "uid", "shell", "bad"),
    [
        ("games", 5, "/usr/local/bin/nologin", True),
        ("games", 5, "/tmp/nologin", True),
        ("nobody", 65534, "/bin/bash", True),
        ("nobody", 65534, "/sbin/nologin", False),
        ("games", 5, "/usr/bin/false", False),
        ("sync", 4, "/bin/sync", False),
    ],
)
def test_a_program_elsewhere_is_no_nologin(name: str, uid: int, shell: str, bad: bool) -> None:
    assert failing(accounts.system_shells, people(account(name, uid, shell)), words()) == (
        [name] if bad else []
    )
