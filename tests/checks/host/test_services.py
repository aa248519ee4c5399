"""What a host offers, and its clock, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.packages import Package, Packages
from checks.facts.host.services import Listener, ListeningServices, TimeKeeping
from checks.facts.host.units import Process, Processes, Unit, Units
from checks.host import services
from checks.model import Confidence, Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

SSH = Listener("tcp", "*", 22, "sshd")


def listening(*more: Listener) -> ListeningServices:
    return ListeningServices((SSH, *more))


@pytest.mark.parametrize("check", checks_of(services))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize("port", [21, 23, 512, 513, 514])
def test_a_service_that_takes_passwords_in_the_clear_fails(port: int) -> None:
    found = listening(Listener("tcp", "10.0.0.5", port, "in.old"))
    assert failing(services.plaintext_logins, found) == [f"tcp/{port} on 10.0.0.5"]
    [bad] = judged(services.plaintext_logins, found)
    assert bad.port == f"tcp/{port}"


def test_on_loopback_or_over_udp_it_passes() -> None:
    inner = (
        Listener("tcp", "127.0.0.1", 23, "x"),
        Listener("tcp", "::1", 21, "x"),
        Listener("udp", "*", 514, "rsyslogd"),
    )
    assert failing(services.plaintext_logins, listening(*inner)) == []


def test_a_program_that_could_not_be_seen_makes_it_likely_only() -> None:
    [bad] = judged(services.plaintext_logins, listening(Listener("tcp", "*", 23, "")))
    assert bad.confidence is Confidence.LIKELY


@pytest.mark.parametrize("port", [3306, 5432, 6379, 9200, 11211, 27017, 2375])
def test_a_store_on_all_addresses_fails(port: int) -> None:
    assert failing(services.open_stores, listening(Listener("tcp", "*", port, "store"))) == [f"tcp/{port}"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.5"])
def test_a_store_on_named_addresses_passes(address: str) -> None:
    assert failing(services.open_stores, listening(Listener("tcp", address, 6379, "redis"))) == []


def test_a_store_that_is_meant_to_be_open_passes() -> None:
    found = listening(Listener("tcp", "*", 5432, "postgres"))
    assert failing(services.open_stores, found, allowed_ports=frozenset({5432})) == []


@pytest.mark.parametrize(
    ("fact", "outcome"),
    [
        (TimeKeeping(("chronyd",), "synchronised", ""), Outcome.PASS),
        (TimeKeeping(("chronyd",), "unsynchronised", ""), Outcome.FAIL),
        (TimeKeeping((), "silent", ""), Outcome.FAIL),
        (TimeKeeping((), "synchronised", ""), Outcome.PASS),
        (TimeKeeping(("ntpd",), "silent", ""), Outcome.UNKNOWN),
        (TimeKeeping((), "silent", "docker"), Outcome.UNKNOWN),
    ],
)
def test_the_clock(fact: TimeKeeping, outcome: Outcome) -> None:
    [finding] = judged(services.time_sync, fact)
    assert finding.outcome is outcome


def units(*found: tuple[str, str]) -> Units:
    return Units("systemd", True, tuple(Unit(f"{name}.service", state, "inactive") for name, state in found))


@pytest.mark.parametrize(
    ("daemons", "starts", "found"),
    [
        (("chronyd",), (("chrony", "enabled"),), {"time daemons": Outcome.PASS}),
        (("chronyd", "ntpd"), (), {"ntpd": Outcome.FAIL}),
        (("chronyd",), (("systemd-timesyncd", "enabled"),), {"systemd-timesyncd": Outcome.FAIL}),
        (("chronyd",), (("systemd-timesyncd", "disabled"),), {"time daemons": Outcome.PASS}),
        (("ptp4l", "phc2sys"), (), {"time daemons": Outcome.NOT_APPLICABLE}),
        ((), (), {"time daemons": Outcome.NOT_APPLICABLE}),
    ],
)
def test_two_daemons_that_set_the_clock(
    daemons: tuple[str, ...], starts: tuple[tuple[str, str], ...], found: dict[str, Outcome]
) -> None:
    clock = TimeKeeping(daemons, "synchronised", "")
    assert outcomes(judged(services.one_time_daemon, clock, units(*starts))) == found


@pytest.mark.parametrize(
    ("installed", "state", "program", "outcome"),
    [
        ("cron", "enabled", "", Outcome.PASS),
        ("cron", "disabled", "cron", Outcome.PASS),
        ("cron", "disabled", "", Outcome.FAIL),
        ("cron", "", "", Outcome.UNKNOWN),
        ("bash", "", "", Outcome.NOT_APPLICABLE),
    ],
)
def test_the_scheduler(installed: str, state: str, program: str, outcome: Outcome) -> None:
    packages = Packages("dpkg", (Package(installed, "1", "amd64", installed, "1"),))
    known = units(("cron", state)) if state else units(("ssh", "enabled"))
    processes = Processes((Process("sshd", 0), *((Process(program, 0),) if program else ())))
    [finding] = judged(services.scheduler, packages, known, processes)
    assert finding.outcome is outcome
