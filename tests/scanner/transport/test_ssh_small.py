"""Small systems and ordinary logins: Dropbear, BusyBox, without root and with what sudo allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.accounts import Accounts, Passwords
from checks.facts.host.system import OperatingSystem
from checks.facts.snapshot import Fact, Snapshot
from checks.model import Kind, Target
from scanner.collect.collector import Context
from scanner.collect.host.collect import collect, permissions
from scanner.needs import sudoers
from scanner.transport.ssh import run_script
from tests.lab.parts import program
from tests.lab.ssh import LabServer, running_small

pytestmark = pytest.mark.real
WANTED: frozenset[type[Fact]] = frozenset({OperatingSystem, Accounts, Passwords})


def seen(server: LabServer) -> Snapshot:
    before = server.logged("Child connection")
    snapshot = collect(Target(Kind.HOST, "small", "ssh://small:22"), WANTED, server.access(), Context())
    assert server.logged("Child connection") - before == 1
    return snapshot


def test_an_ordinary_login_sees_what_it_may_and_says_what_is_missing(tmp_path: Path) -> None:
    with running_small(tmp_path) as small:
        who = run_script(
            small.access(),
            f"id -u; tty; cmp /proc/$$/exe {program('busybox')} && echo small; sudo -n true",
            limit_bytes=4_096,
            context=Context(),
        )
        assert who.stdout.startswith(b"1500\nnot a tty\n")
        assert b"small\n" in who.stdout
        snapshot = seen(small)
    assert set(snapshot.facts) == {"OperatingSystem", "Accounts"}
    [gap] = snapshot.gaps
    assert gap.fact == "Passwords"
    assert "needs root" in gap.reason
    assert gap.needs


def test_what_sudo_allows_is_seen(tmp_path: Path) -> None:
    rules = sudoers(permissions(WANTED), "audit")
    with running_small(tmp_path, rules) as small:
        snapshot = seen(small)
    assert snapshot.gaps == ()
    assert set(snapshot.facts) == {"OperatingSystem", "Accounts", "Passwords"}


def test_a_sudo_that_wants_a_password_is_never_waited_for(tmp_path: Path) -> None:
    with running_small(tmp_path, "audit ALL=(ALL) ALL\n") as small:
        snapshot = seen(small)
    assert [gap.fact for gap in snapshot.gaps] == ["Passwords"]
