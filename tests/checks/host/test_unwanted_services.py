"""Servers that a host should not offer, judged from packages, units, sockets and processes together."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.packages import Package, Packages
from checks.facts.host.services import Listener, ListeningServices
from checks.facts.host.units import Process, Processes, Unit, Units
from checks.host import unwanted_services
from checks.host.unwanted_table import UNWANTED
from checks.model import Confidence, Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

SERVERS = {check.id.rpartition(".")[2]: check for check in unwanted_services.SERVERS}
WITH_SERVER = [row for row in UNWANTED if row.programs or row.switch]


def packages(*names: str) -> Packages:
    return Packages("dpkg", tuple(Package(name, "1", "amd64", name, "1") for name in ("bash", *names)))


def units(*found: Unit) -> Units:
    return Units("systemd", True, (Unit("ssh.service", "enabled", "active"), *found))


def sockets(*found: Listener) -> ListeningServices:
    return ListeningServices((Listener("tcp", "*", 22, "sshd"), *found))


def processes(*names: str) -> Processes:
    return Processes((Process("sshd", 0), *(Process(name[:15], 0) for name in names)))


def nothing() -> tuple[Packages, Units, ListeningServices, Processes]:
    return packages(), units(), sockets(), processes()


@pytest.mark.parametrize("check", checks_of(unwanted_services))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize("row", UNWANTED, ids=lambda row: row.id)
def test_a_host_without_it_passes(row: Any) -> None:
    assert failing(SERVERS[row.id], *nothing()) == []


@pytest.mark.parametrize("row", [row for row in UNWANTED if not row.switch], ids=lambda row: row.id)
def test_an_installed_package_fails_mildly_while_nothing_of_it_runs(row: Any) -> None:
    for name in row.packages:
        [bad] = judged(SERVERS[row.id], packages(name), units(), sockets(), processes())
        assert (bad.on, bad.outcome, bad.severity) == (name, Outcome.FAIL, row.idle)
        assert bad.fix.snippets[0].do.startswith(f"package={name}\n")


@pytest.mark.parametrize("row", [row for row in WITH_SERVER if not row.switch], ids=lambda row: row.id)
def test_one_that_runs_or_starts_fails_with_the_severity_of_its_kind(row: Any) -> None:
    name, unit = row.packages[0], row.units[0]
    unit = unit if "." in unit else f"{unit}.service"
    starting = units(Unit(unit, "enabled", "inactive"))
    [starts] = judged(SERVERS[row.id], packages(name), starting, sockets(), processes())
    [runs] = judged(SERVERS[row.id], packages(name), units(), sockets(), processes(row.programs[0]))
    assert starts.severity == runs.severity == row.severity
    assert f"{unit} is enabled" in starts.saw
    assert "runs" in runs.saw


def test_the_role_of_the_host_is_no_failure() -> None:
    found = packages("bind9"), units(), sockets(Listener("udp", "*", 53, "named")), processes("named")
    [bad] = judged(SERVERS["dns"], *found)
    assert (bad.outcome, bad.severity, bad.port) == (Outcome.FAIL, Severity.MEDIUM, "udp/53")
    assert failing(SERVERS["dns"], *found, allowed=frozenset({"bind9"})) == []


def test_the_resolver_of_systemd_on_loopback_is_no_dns_server() -> None:
    local = sockets(Listener("udp", "127.0.0.53", 53, "systemd-resolve"))
    assert failing(SERVERS["dns"], packages(), units(), local, processes("systemd-resolve")) == []


def test_a_server_that_no_package_brought_is_found_by_its_name_and_not_removed_by_a_package_manager() -> None:
    found = packages(), units(), sockets(Listener("tcp", "*", 2323, "in.telnetd")), processes("in.telnetd")
    [bad] = judged(SERVERS["telnet"], *found)
    assert (bad.on, bad.outcome, bad.severity) == ("in.telnetd", Outcome.FAIL, Severity.CRITICAL)
    assert bad.saw.startswith("no package")
    assert bad.fix.snippets[0].do.startswith("package=''\n[ \"$package\" ] ||")


@pytest.mark.parametrize(
    ("unit", "listener"),
    [
        (Unit("telnet.socket", "enabled", "active"), Listener("tcp", "*", 23, "systemd")),
        (Unit("telnet.socket", "static", "active"), None),
        (None, Listener("tcp", "10.0.0.5", 23, "inetd")),
        (None, Listener("tcp", "*", 2323, "in.telnetd")),
    ],
)
def test_a_server_that_another_program_starts_is_found_without_its_package(
    unit: Unit | None, listener: Listener | None
) -> None:
    found = units(*([unit] if unit else [])), sockets(*([listener] if listener else []))
    [bad] = judged(SERVERS["telnet"], packages(), *found, processes())
    assert (bad.outcome, bad.severity) == (Outcome.FAIL, Severity.CRITICAL)
    assert "no package" in bad.saw


@pytest.mark.parametrize("active", ["", "inactive", "failed"])
def test_a_unit_that_a_removed_package_has_left_starts_nothing(active: str) -> None:
    left = units(Unit("vsftpd.service", "enabled", active))
    assert failing(SERVERS["ftp"], packages(), left, sockets(), processes()) == []


def test_a_port_whose_program_could_not_be_seen_neither_passes_nor_fails() -> None:
    found = packages(), units(), sockets(Listener("tcp", "*", 23, "")), processes()
    [finding] = judged(SERVERS["telnet"], *found)
    assert finding.outcome is Outcome.UNKNOWN
    assert "ss -lntup" in finding.needs
    [likely] = judged(SERVERS["telnet"], packages("telnetd"), units(), found[2], processes())
    assert (likely.outcome, likely.confidence) == (Outcome.FAIL, Confidence.LIKELY)


def test_a_port_on_loopback_or_of_another_program_is_none_of_it() -> None:
    other = sockets(Listener("tcp", "127.0.0.1", 23, ""), Listener("tcp", "*", 21, "sshd"))
    assert failing(SERVERS["telnet"], packages(), units(), other, processes()) == []
    assert failing(SERVERS["ftp"], packages(), units(), other, processes()) == []


def test_rsync_is_a_tool_until_its_daemon_listens_or_runs() -> None:
    tool = packages("rsync"), units(Unit("rsync.service", "enabled", "inactive")), sockets(), processes()
    assert failing(SERVERS["rsync"], *tool) == []
    serving = sockets(Listener("tcp", "*", 873, "rsync"))
    [bad] = judged(SERVERS["rsync"], packages("rsync"), tool[1], serving, processes("rsync"))
    assert (bad.outcome, bad.severity, bad.on) == (Outcome.FAIL, Severity.MEDIUM, "rsync")
    assert "unit=rsync.service" in bad.fix.snippets[0].do
    active = units(Unit("rsync.service", "enabled", "active"))
    assert failing(SERVERS["rsync"], packages("rsync"), active, sockets(), processes()) == ["rsync"]


def test_two_packages_of_one_kind_are_two_removals() -> None:
    found = packages("cups", "cups-daemon"), units(), sockets(), processes()
    assert outcomes(judged(SERVERS["cups"], *found)) == {"cups": Outcome.FAIL, "cups-daemon": Outcome.FAIL}


def test_every_row_has_words_of_its_own() -> None:
    for words in (
        [row.id for row in UNWANTED],
        [row.why for row in UNWANTED],
        [row.name for row in UNWANTED],
    ):
        assert len(set(words)) == len(words)
