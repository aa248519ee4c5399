"""Keys, accounts and rights across hosts, judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.fleet import (
    FleetAccounts,
    FleetHostKeys,
    FleetKeys,
    FleetSudo,
    KeyUse,
    OtherIds,
    RootUse,
    SharedHostKey,
)
from checks.facts.host.ssh_keys import AuthorizedKey, AuthorizedKeys
from checks.facts.snapshot import Fact
from checks.host import fleet
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

USE = KeyUse("SHA256:k", "ann@laptop", ("root",), 30, ("deploy", "root"), ("web-1: root", "web-2: deploy"))
SHARED = SharedHostKey("/etc/ssh/ssh_host_rsa_key", "SHA256:h", "rsa", ("web-2",))


@pytest.mark.parametrize("check", checks_of(fleet))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("check", "fact"),
    [
        (fleet.key_reuse, FleetKeys((), 1)),
        (fleet.shared_host_key, FleetHostKeys((), 1)),
        (fleet.passwordless_root, FleetSudo((), 1)),
        (fleet.user_ids, FleetAccounts((), 1)),
    ],
)
def test_one_host_alone_is_compared_with_nothing(check: Check[Any], fact: Fact) -> None:
    [finding] = judged(check, fact)
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.needs


def test_a_key_on_many_hosts_fails_as_one_action() -> None:
    [bad] = judged(fleet.key_reuse, FleetKeys((USE,), 40))
    assert (bad.outcome, bad.on) == (Outcome.FAIL, "SHA256:k (ann@laptop)")
    assert bad.fix_key == "ssh-key:SHA256:k"
    assert "30 hosts" in bad.fix.action
    assert "web-2: deploy" in bad.fix.do


def test_a_key_on_few_hosts_or_a_known_one_passes() -> None:
    few = msgspec.structs.replace(USE, hosts=5)
    assert failing(fleet.key_reuse, FleetKeys((few,), 40)) == []
    for name in ("SHA256:k", "ann@laptop"):
        assert failing(fleet.key_reuse, FleetKeys((USE,), 40), known=frozenset({name})) == []
    assert failing(fleet.key_reuse, FleetKeys((), 2)) == []


def test_a_key_under_many_names_fails_on_one_host_too() -> None:
    wide = msgspec.structs.replace(USE, hosts=1, names=("a", "b", "c"))
    found = outcomes(judged(fleet.key_reuse, FleetKeys((wide,), 1)))
    assert sorted(found.values()) == [Outcome.FAIL, Outcome.UNKNOWN]


def test_a_host_key_of_two_hosts_fails() -> None:
    [bad] = judged(fleet.shared_host_key, FleetHostKeys((SHARED,), 2))
    assert (bad.on, bad.fix_key) == ("SHA256:h", "host-key:SHA256:h")
    assert failing(fleet.shared_host_key, FleetHostKeys((), 2)) == []


def test_root_without_a_password_on_two_hosts_fails() -> None:
    free = RootUse("deploy", 2, ("web-1", "web-2"))
    [bad] = judged(fleet.passwordless_root, FleetSudo((free,), 9))
    assert (bad.saw, bad.fix_key) == ("on 2 of 9 hosts", "sudo-free:deploy")
    assert failing(fleet.passwordless_root, FleetSudo((free,), 9), allowed=frozenset({"deploy"})) == []
    assert failing(fleet.passwordless_root, FleetSudo((RootUse("x", 1, ("web-1",)),), 9)) == []


def test_an_account_with_two_ids_fails() -> None:
    [bad] = judged(fleet.user_ids, FleetAccounts((OtherIds("ann", 1000, (1001, 1005), 3, "web-2"),), 9))
    assert (bad.on, bad.saw) == ("ann", "1000; 1001, 1005 on 3 others such as web-2")
    assert failing(fleet.user_ids, FleetAccounts((), 9)) == []


def opened(*comments: str, options: tuple[str, ...] = ()) -> AuthorizedKeys:
    keys = [
        AuthorizedKey("deploy", "/f", at, f"SHA256:{at}", "ed25519", 256, comment, options)
        for at, comment in enumerate(comments)
    ]
    return AuthorizedKeys(tuple(keys), (), (".ssh/authorized_keys",))


def test_an_account_that_many_people_open_fails() -> None:
    assert failing(fleet.shared_accounts, opened("ann", "bob", "eve", "dan")) == ["deploy"]
    assert failing(fleet.shared_accounts, opened("", "", "", "")) == ["deploy"]


def test_one_person_with_many_keys_and_keys_of_jobs_pass() -> None:
    assert failing(fleet.shared_accounts, opened("ann", "ann", "ann", "ann")) == []
    assert failing(fleet.shared_accounts, opened("a", "b", "c", "d", options=("command=",))) == []
    assert failing(fleet.shared_accounts, opened("a", "b"), max_people=1) == ["deploy"]
