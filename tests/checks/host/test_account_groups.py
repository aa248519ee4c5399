"""Groups of a host, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.accounts import Account, Accounts, Group, Groups
from checks.host import account_groups
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

ROOT = Account("root", 0, 0, "/root", "/bin/bash")
ANN = Account("ann", 1000, 1000, "/home/ann", "/bin/bash")
BOB = Account("bob", 1001, 999, "/home/bob", "/bin/bash")
OWN = (Group("root", 0), Group("ann", 1000))
PEOPLE = Accounts((ROOT, ANN), 1000)


@pytest.mark.parametrize("check", checks_of(account_groups))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize("name", ["docker", "lxd", "disk"])
def test_a_member_of_a_group_like_root_fails(name: str) -> None:
    groups = Groups((*OWN, Group(name, 999, ("ann", "root"))))
    assert failing(account_groups.like_root, PEOPLE, groups) == [f"ann in {name}"]
    assert failing(account_groups.like_root, PEOPLE, groups, allowed=frozenset({"ann"})) == []


def test_whose_primary_group_it_is_is_a_member_too() -> None:
    groups = Groups((*OWN, Group("docker", 999)))
    assert failing(account_groups.like_root, Accounts((ROOT, BOB), 1000), groups) == ["bob in docker"]


def test_empty_groups_and_other_groups_pass() -> None:
    groups = Groups((*OWN, Group("docker", 999), Group("users", 100, ("ann",))))
    assert failing(account_groups.like_root, PEOPLE, groups) == []


def test_a_member_of_shadow_fails() -> None:
    assert failing(account_groups.shadow, PEOPLE, Groups((*OWN, Group("shadow", 42, ("ann",))))) == ["ann"]
    assert failing(account_groups.shadow, PEOPLE, Groups((*OWN, Group("shadow", 42)))) == []
    [none] = judged(account_groups.shadow, PEOPLE, Groups(OWN))
    assert none.outcome is Outcome.NOT_APPLICABLE


def test_shared_ids_and_names_given_twice_fail() -> None:
    groups = Groups((*OWN, Group("twin", 1000), Group("root", 7)))
    assert failing(account_groups.own_ids, groups) == ["group id 1000", "the name root"]
    assert failing(account_groups.own_ids, Groups(OWN)) == []


def test_a_primary_group_that_is_not_there_fails() -> None:
    assert failing(account_groups.primary, Accounts((ROOT, ANN, BOB), 1000), Groups(OWN)) == ["bob"]
    assert failing(account_groups.primary, PEOPLE, Groups(OWN)) == []
