from __future__ import annotations

import msgspec
import pytest

from checks.facts.network import OpenPort
from checks.facts.snapshot import Gap
from checks.model import Confidence, Outcome, Surface
from checks.network.exposure import DOORS
from tests.checks.network.judging import CATALOGUE, answers, filled, judge, open_ports, outcomes

SERVICES = {
    "network.exposure.telnet": ("telnet", 23),
    "network.exposure.remote-shells": ("rlogin", 513),
    "network.exposure.remote-desktop": ("rdp", 3389),
    "network.exposure.vnc": ("vnc", 5900),
    "network.exposure.file-sharing": ("smb", 445),
    "network.exposure.windows-management": ("winrm", 5985),
    "network.exposure.x11": ("x11", 6000),
    "network.exposure.network-files": ("nfs", 2049),
    "network.exposure.hypervisors": ("proxmox", 8006),
    "network.exposure.clusters": ("etcd", 2379),
    "network.exposure.device-management": ("mikrotik", 8291),
    "network.exposure.databases": ("postgresql", 5432),
}


def test_every_door_is_tested() -> None:
    assert set(SERVICES) == {door.id for door in DOORS}
    assert all(door.id in CATALOGUE.checks for door in DOORS)


@pytest.mark.parametrize(("check", "known"), SERVICES.items())
def test_an_identified_service_fails_on_any_port(check: str, known: tuple[str, int]) -> None:
    service, _ = known
    [finding] = judge(check, open_ports(OpenPort(40_000, "tcp", service, "Thing", "1.2")), answers())
    assert (finding.outcome, finding.on, finding.port) == (Outcome.FAIL, "tcp/40000", "tcp/40000")
    assert finding.confidence is Confidence.CONFIRMED
    assert finding.surface is Surface.SERVICE
    assert finding.saw == f"{service} Thing 1.2, reached from inside"
    assert finding.fix_key == "close:10.0.0.5:tcp/40000"
    filled(check, finding)


def test_a_database_asked_from_its_own_machine_is_not_judged() -> None:
    """Bound to loopback is as it should be; whether others reach it, a look from there cannot tell."""
    port = OpenPort(5432, "tcp", "postgresql")
    here = msgspec.structs.replace(open_ports(port), vantage="loopback", address="127.0.0.1")
    [finding] = judge("network.exposure.databases", here, answers())
    assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, "tcp/5432")
    assert finding.needs == "a scan from another machine"
    [telnet] = judge(
        "network.exposure.telnet",
        msgspec.structs.replace(open_ports(OpenPort(23, "tcp", "telnet")), vantage="loopback"),
        answers(),
    )
    assert telnet.outcome is Outcome.FAIL


@pytest.mark.parametrize(("check", "known"), SERVICES.items())
def test_an_unidentified_service_on_its_usual_port_fails_with_less_confidence(
    check: str, known: tuple[str, int]
) -> None:
    _, number = known
    [finding] = judge(check, open_ports(OpenPort(number, "tcp")), answers())
    assert finding.outcome is Outcome.FAIL
    assert finding.confidence is Confidence.LIKELY
    filled(check, finding)


@pytest.mark.parametrize(("check", "known"), SERVICES.items())
def test_only_a_reset_shows_that_a_port_is_closed(check: str, known: tuple[str, int]) -> None:
    _, number = known
    on = f"tcp/{number}"
    assert outcomes(judge(check, open_ports(), answers(closed=(number,)))) == {on: Outcome.PASS}
    [silent] = judge(check, open_ports(), answers(silent=(number,)))
    assert (silent.on, silent.outcome) == (on, Outcome.UNKNOWN)
    assert "two tries" in silent.reason


def test_closing_a_port_spares_the_machine_itself() -> None:
    [finding] = judge("network.exposure.telnet", open_ports(OpenPort(23, "tcp", "telnet")), answers())
    lines = finding.fix.snippets[0].do.splitlines()
    accept = next(i for i, line in enumerate(lines) if line.endswith("iifname lo accept"))
    assert accept < next(i for i, line in enumerate(lines) if line.endswith("drop"))


@pytest.mark.parametrize("check", SERVICES)
def test_what_was_not_asked_is_not_a_pass(check: str) -> None:
    assert outcomes(judge(check, open_ports(), answers(closed=(1,)))) == {"": Outcome.NOT_APPLICABLE}
    gap = Gap("OpenPorts", "65 of 100 ports were not asked")
    assert outcomes(judge(check, open_ports(), answers(), gaps=(gap,))) == {"": Outcome.UNKNOWN}
    assert outcomes(judge(check, answers(), gaps=(gap,))) == {"": Outcome.UNKNOWN}


def test_another_service_on_the_usual_port_passes() -> None:
    findings = judge("network.exposure.telnet", open_ports(OpenPort(23, "tcp", "ssh")), answers())
    assert outcomes(findings) == {"tcp/23": Outcome.PASS}
    assert findings[0].saw == "ssh speaks there"


def test_an_open_port_is_never_also_closed() -> None:
    # The second pass of a sweep can contradict the first; the open answer is the one that counts.
    findings = judge(
        "network.exposure.telnet", open_ports(OpenPort(23, "tcp", "telnet")), answers(closed=(23,))
    )
    assert outcomes(findings) == {"tcp/23": Outcome.FAIL}


@pytest.mark.parametrize(
    ("check", "number"),
    [
        ("network.exposure.clusters", 2379),
        ("network.exposure.databases", 9200),
        ("network.exposure.windows-management", 5985),
        ("network.exposure.hypervisors", 8006),
    ],
)
def test_http_on_a_port_whose_own_service_speaks_it_is_no_other_service(check: str, number: int) -> None:
    [finding] = judge(check, open_ports(OpenPort(number, "tcp", "http")), answers())
    assert (finding.outcome, finding.confidence) == (Outcome.FAIL, Confidence.LIKELY)
    assert "on its usual port" in finding.saw
    [behind] = judge(check, open_ports(OpenPort(number, "tcp", "http", "nginx", "1.22.1")), answers())
    assert (behind.outcome, "nginx answers there" in behind.reason) == (Outcome.UNKNOWN, True)
    [other] = judge(check, open_ports(OpenPort(number, "tcp", "ssh", "OpenSSH", "9.2p1")), answers())
    assert other.outcome is Outcome.PASS
