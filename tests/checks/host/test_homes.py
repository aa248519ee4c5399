"""Home folders, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.accounts import Account, Accounts, Group, Groups
from checks.facts.host.files import FileMode
from checks.facts.host.homes import Homes
from checks.host import homes
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

PEOPLE = Accounts(
    (
        Account("root", 0, 0, "/root", "/bin/bash"),
        Account("ann", 1000, 1000, "/home/ann", "/bin/bash"),
        Account("postgres", 101, 101, "/var/lib/pg", "/bin/bash"),
        Account("nobody", 65534, 65534, "/nonexistent", "/usr/sbin/nologin"),
    ),
    1000,
)
GROUPS = Groups((Group("root", 0), Group("ann", 1000), Group("users", 100, ("ann", "bob"))))
ROOT = FileMode("/root", "0700", "root", "root", "directory")


def home(mode: str = "0750", owner: str = "ann") -> Homes:
    return Homes((ROOT, FileMode("/home/ann", mode, owner, owner, "directory")), ())


def dots(*files: FileMode, **fields: Any) -> Homes:
    return Homes(home().homes, (), dots=files, **fields)


def dot(name: str, mode: str = "0644", owner: str = "ann", group: str = "ann") -> FileMode:
    return FileMode(f"/home/ann/{name}", mode, owner, group, "regular file")


@pytest.mark.parametrize("check", checks_of(homes))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize("check", [homes.exist, homes.mode, homes.owner])
def test_a_home_that_may_not_be_looked_at_is_unknown(check: Check[Any]) -> None:
    found = Homes((ROOT,), (), unseen=("/home/ann",))
    assert outcomes(judged(check, PEOPLE, found)) == {
        "/root": Outcome.PASS,
        "/home/ann": Outcome.UNKNOWN,
    }


def test_a_missing_home_fails() -> None:
    assert failing(homes.exist, PEOPLE, Homes((ROOT,), ("/home/ann", "/var/lib/pg"))) == ["/home/ann"]
    assert failing(homes.exist, PEOPLE, home()) == []


@pytest.mark.parametrize(
    ("mode", "outcome", "severity"),
    [
        ("0700", Outcome.PASS, Severity.MEDIUM),
        ("0750", Outcome.PASS, Severity.MEDIUM),
        ("0755", Outcome.FAIL, Severity.MEDIUM),
        ("0770", Outcome.FAIL, Severity.MEDIUM),
        ("0707", Outcome.FAIL, Severity.HIGH),
    ],
)
def test_modes_of_homes(mode: str, outcome: Outcome, severity: Severity) -> None:
    [finding] = [one for one in judged(homes.mode, PEOPLE, home(mode)) if one.on == "/home/ann"]
    assert (finding.outcome, finding.severity) == (outcome, severity)


def test_a_home_of_somebody_else_fails() -> None:
    assert failing(homes.owner, PEOPLE, home(owner="bob")) == ["/home/ann"]
    assert failing(homes.owner, PEOPLE, home()) == []


def test_homes_of_services_are_not_those_of_people() -> None:
    service = FileMode("/var/lib/pg", "0777", "www-data", "www-data", "directory")
    for check in (homes.mode, homes.owner):
        assert failing(check, PEOPLE, Homes((*home().homes, service), ())) == []


@pytest.mark.parametrize(
    "file",
    [
        dot(".bashrc", "0666"),
        dot(".bashrc", "0664", group="users"),
        dot(".bashrc", owner="bob", group="bob"),
        dot(".profile", "0664", group="unknown"),
    ],
    ids=["everybody", "a group of several", "of another", "a group nobody knows"],
)
def test_a_dot_file_that_others_write_fails(file: FileMode) -> None:
    assert failing(homes.dot_files, PEOPLE, GROUPS, dots(file)) == [file.path]


@pytest.mark.parametrize("file", [dot(".bashrc", "0664"), dot(".bashrc", owner="root", group="root")])
def test_a_private_group_and_root_are_no_others(file: FileMode) -> None:
    assert failing(homes.dot_files, PEOPLE, GROUPS, dots(file)) == []


def test_homes_that_were_not_searched_are_unknown_and_never_passed() -> None:
    found = dots(unsearched=("/root", "/home/ann"))
    for check, facts in ((homes.dot_files, (PEOPLE, GROUPS, found)), (homes.forwarding, (found,))):
        answers = outcomes(judged(check, *facts))
        assert answers == {"/root": Outcome.UNKNOWN, "/home/ann": Outcome.UNKNOWN}


def test_a_forward_file_fails() -> None:
    assert failing(homes.forwarding, dots(dot(".forward"))) == ["/home/ann/.forward"]
    assert failing(homes.forwarding, dots()) == []


def test_a_group_that_is_the_first_of_another_account_is_not_private() -> None:
    more = Accounts((*PEOPLE.accounts, Account("mallory", 1001, 1000, "/home/mallory", "/bin/bash")), 1000)
    assert failing(homes.dot_files, more, GROUPS, dots(dot(".bashrc", "0664"))) == ["/home/ann/.bashrc"]


def test_a_home_that_belongs_to_another_leaves_the_files_in_it_to_its_account() -> None:
    taken = Homes(
        (ROOT, FileMode("/home/ann", "0750", "bob", "bob", "directory")), (), dots=(dot(".bashrc"),)
    )
    assert failing(homes.dot_files, PEOPLE, GROUPS, taken) == []
    foreign = Homes(taken.homes, (), dots=(dot(".bashrc", owner="bob", group="bob"),))
    [finding] = judged(homes.dot_files, PEOPLE, GROUPS, foreign)
    assert (finding.outcome, "chown -h ann" in finding.fix.snippets[0].do) == (Outcome.FAIL, True)
