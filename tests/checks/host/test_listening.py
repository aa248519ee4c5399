"""The sockets of a host and what stands behind them, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.services import Listener, ListeningProgram, ListeningPrograms, ListeningServices
from checks.host import listening
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

SSH = Listener("tcp", "*", 22, "sshd", (10,), (0,))


def sockets(*more: Listener) -> ListeningServices:
    return ListeningServices((SSH, *more))


def programs(*more: ListeningProgram) -> ListeningPrograms:
    sshd = ListeningProgram(10, "/usr/sbin/sshd", False, "openssh-server", False)
    return ListeningPrograms((sshd, *more), "dpkg")


@pytest.mark.parametrize("check", checks_of(listening))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


def test_each_unplanned_port_on_all_interfaces_is_one_finding() -> None:
    odd = Listener("tcp", "*", 8081, "node"), Listener("tcp", "*", 8081, "node", (3,))
    found = sockets(*odd, Listener("tcp", "10.0.0.5", 9000, "x"), Listener("tcp", "127.0.0.1", 9001, "x"))
    assert failing(listening.known_ports, found) == ["tcp/8081"]
    [bad] = judged(listening.known_ports, found)
    assert (bad.severity, bad.port, bad.fix_key) == (Severity.LOW, "tcp/8081", "port:tcp/8081")
    assert failing(listening.known_ports, found, allowed=frozenset({"tcp/22", "tcp/8081"})) == []
    assert failing(listening.known_ports, sockets(), allowed=frozenset()) == ["tcp/22"]


def test_a_program_of_no_package_fails_and_one_of_a_package_passes() -> None:
    odd = Listener("tcp", "*", 4444, "x", (11,), (0,))
    found = programs(ListeningProgram(11, "/dev/shm/x", False, "", False))
    assert failing(listening.packaged, sockets(odd), found) == ["tcp/4444: /dev/shm/x"]
    assert failing(listening.packaged, sockets(), programs()) == []
    allowed = frozenset({"/dev/shm/*"})
    assert failing(listening.packaged, sockets(odd), found, allowed=allowed) == []


def test_a_deleted_program_of_no_package_says_so_and_an_updated_one_passes() -> None:
    odd = Listener("tcp", "*", 4444, "x", (11,), (0,))
    found = judged(
        listening.packaged, sockets(odd), programs(ListeningProgram(11, "/tmp/x", True, "", False))
    )
    [bad] = [one for one in found if one.outcome is Outcome.FAIL]
    assert "deleted" in bad.saw
    updated = programs(ListeningProgram(11, "/usr/sbin/x", True, "x", False))
    assert failing(listening.packaged, sockets(odd), updated) == []


def test_a_program_that_is_not_seen_or_lives_in_a_container_is_unknown() -> None:
    hidden = Listener("tcp", "*", 2049, "")
    inside = Listener("tcp", "*", 8080, "app", (12,), (0,))
    found = programs(ListeningProgram(12, "/app", False, "", True))
    assert outcomes(judged(listening.packaged, sockets(hidden, inside), found)) == {
        "tcp/2049": Outcome.UNKNOWN,
        "tcp/8080: /app": Outcome.UNKNOWN,
        "listening programs": Outcome.PASS,
    }


def test_nothing_that_was_seen_is_no_pass() -> None:
    findings = judged(
        listening.packaged,
        ListeningServices((Listener("tcp", "*", 22, ""),)),
        ListeningPrograms((), "dpkg"),
    )
    assert {one.outcome for one in findings} == {Outcome.UNKNOWN}


def test_a_service_whose_processes_all_run_as_root_fails() -> None:
    bad = Listener("tcp", "*", 8081, "node", (3,), (0,))
    assert failing(listening.not_root, sockets(bad)) == ["tcp/8081: node"]
    assert failing(listening.not_root, sockets(bad), allowed=frozenset({"sshd", "node"})) == []


@pytest.mark.parametrize(
    "good",
    [
        Listener("tcp", "*", 80, "nginx", (3, 4), (0, 33)),
        Listener("tcp", "*", 8081, "node", (3,), (1000,)),
        Listener("tcp", "127.0.0.1", 631, "cupsd", (3,), (0,)),
    ],
)
def test_workers_accounts_of_their_own_and_loopback_pass(good: Listener) -> None:
    assert failing(listening.not_root, sockets(good)) == []


def test_processes_that_are_not_seen_are_unknown() -> None:
    found = outcomes(judged(listening.not_root, sockets(Listener("tcp", "*", 8081, ""))))
    assert found == {"tcp/8081": Outcome.UNKNOWN, "listening services": Outcome.PASS}


def test_mail_from_strangers() -> None:
    local = Listener("tcp", "127.0.0.1", 25, "master"), Listener("tcp", "::1", 25, "master")
    assert failing(listening.mail_local, sockets(*local)) == []
    wide = Listener("tcp", "*", 25, "master")
    assert failing(listening.mail_local, sockets(*local, wide)) == ["tcp/25"]
    assert failing(listening.mail_local, sockets(wide), allowed=frozenset({"tcp/25"})) == []
