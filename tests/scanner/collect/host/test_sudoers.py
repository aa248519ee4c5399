"""The rules of sudo: aliases, tags, and the order in which sudo reads its files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.host.sudoers import SudoCommand, Sudoers
from scanner.collect.host.sudoers import parse


def read(*lines: str) -> Sudoers:
    [fact] = parse("\n".join(lines)).facts
    assert isinstance(fact, Sudoers)
    return fact


def commands(*lines: str) -> list[tuple[str, str, tuple[str, ...]]]:
    [rule] = read(*(f"/etc/sudoers:{line}" for line in lines)).rules
    return [(one.command, one.runas, one.tags) for one in rule.commands]


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ("(ALL:ALL) ALL", [("ALL", "ALL:ALL", ())]),
        ("NOPASSWD:ALL", [("ALL", "", ("NOPASSWD",))]),
        (
            "(root) NOPASSWD: SETENV: /a, PASSWD: /b",
            [("/a", "root", ("NOPASSWD", "SETENV")), ("/b", "root", ("PASSWD", "SETENV"))],
        ),
        ("(root, www : adm) /a : web = (bob) /b", [("/a", "root,www:adm", ()), ("/b", "bob", ())]),
        ("(root) /a, (bob) /b, /c", [("/a", "root", ()), ("/b", "bob", ()), ("/c", "bob", ())]),
        ("sha256:abc= /a", [("/a", "", ())]),
        ("(root) CWD=/tmp NOEXEC: /a", [("/a", "root", ("NOEXEC",))]),
        (r"(root) /a x\,y, /b", [(r"/a x\,y", "root", ()), ("/b", "root", ())]),
        ("/bin/find / ( -name a ) -print, /b", [("/bin/find / ( -name a ) -print", "", ()), ("/b", "", ())]),
        ('(root) /a ""', [('/a ""', "root", ())]),
    ],
)  # fmt: skip
def test_commands(grants: str, expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    assert commands(f"bob ALL={grants}") == expected


def test_aliases_are_resolved_wherever_they_stand() -> None:
    rule = read(
        "/etc/sudoers:OPS, eve ALL = (AS) NOPASSWD: TOOLS, !EDIT",
        "/etc/sudoers:User_Alias OPS = ann, %ops, !INTERNS : INTERNS = dan",
        "/etc/sudoers:Runas_Alias AS = root, www",
        "/etc/sudoers:@includedir /etc/sudoers.d",
        "/etc/sudoers.d/a:Cmnd_Alias TOOLS = /bin/id, EDIT : EDIT = /bin/vi, \\",
        "/etc/sudoers.d/a:   /bin/ed",
    ).rules[0]
    assert rule.users == ("ann", "%ops", "!dan", "eve")
    assert [(one.command, one.runas) for one in rule.commands] == [
        ("/bin/id", "root,www"),
        ("/bin/vi", "root,www"),
        ("/bin/ed", "root,www"),
        ("!/bin/vi", "root,www"),
        ("!/bin/ed", "root,www"),
    ]


def test_an_alias_of_itself_ends_and_an_unknown_one_stays() -> None:
    assert commands("Cmnd_Alias A = B : B = A", "bob ALL=A, C")[-1] == ("C", "", ())


def test_the_folder_is_read_by_name_and_where_it_is_included() -> None:
    fact = read(
        "/etc/sudoers:Defaults a=1",
        "/etc/sudoers:@includedir /etc/sudoers.d",
        "/etc/sudoers:Defaults a=4",
        "/etc/sudoers.d/20:Defaults a=3",
        "/etc/sudoers.d/10:Defaults a=2",
    )
    assert [one.setting for one in fact.defaults] == ["a=1", "a=2", "a=3", "a=4"]
    assert [one.setting for one in fact.values("a")] == ["a=1", "a=2", "a=3", "a=4"]
    assert fact.values("b") == ()


@pytest.mark.parametrize(
    ("runas", "root"),
    [
        ("", True),
        ("root", True),
        ("ALL", True),
        ("#0", True),
        ("bob,root:adm", True),
        ("bob", False),
        (":adm", True),
    ],
)
def test_who_runs_as_root(runas: str, root: bool) -> None:
    assert SudoCommand("/a", runas).as_root is root


@given(st.text(alphabet='aAL=():,!\\" \t%#_CmndlisDeft/*', max_size=80))
def test_any_line_is_read_or_refused(line: str) -> None:
    seen = parse(f"/etc/sudoers:root ALL=(ALL) ALL\n/etc/sudoers:{line}\n")
    [fact] = seen.facts
    assert isinstance(fact, Sudoers)
    assert fact.rules[0].users == ("root",)


@pytest.mark.parametrize("folder", ["/etc/sudoers.d", '"/etc/sudoers.d"', "/etc/sudoers.d/"])
def test_the_folder_counts_where_it_is_included_however_that_is_written(folder: str) -> None:
    lines = ["/etc/sudoers:Defaults a", "/etc/sudoers.d/x:Defaults b"]
    found = parse("\n".join([f"/etc/sudoers:@includedir {folder}", *lines]))
    [fact] = found.facts
    assert isinstance(fact, Sudoers)
    assert [one.setting for one in fact.defaults] == ["b", "a"]
    assert not found.gaps


def test_a_folder_that_nothing_includes_is_not_in_force() -> None:
    fact = read(
        "/etc/sudoers:Defaults a", "/etc/sudoers.d/x:Defaults use_pty", "/etc/sudoers.d/x:ann ALL=ALL"
    )
    assert [one.setting for one in fact.defaults] == ["a"]
    assert fact.rules == ()


def test_rules_of_a_directory_are_a_gap_and_the_version_is_told() -> None:
    told = "version\t1.9.15\nsources\tfiles [SUCCESS=return] sss\n/etc/sudoers:root ALL=(ALL) ALL"
    found = parse(told)
    [fact] = found.facts
    assert isinstance(fact, Sudoers)
    assert fact.version == "1.9.15"
    [gap] = found.gaps
    assert (gap.fact, gap.where) == ("Sudoers", "sss")
    assert not parse("sources\tfiles\n/etc/sudoers:root ALL=(ALL) ALL").gaps
