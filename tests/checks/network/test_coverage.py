from __future__ import annotations

from checks.facts.network import NetworkCoverage, OpenPort
from checks.model import Outcome
from tests.checks.network.judging import answers, hold_by, judge, open_ports, outcomes


def coverage(*limits: str) -> NetworkCoverage:
    return NetworkCoverage("10.0.0.0/24", "inside", "syn", 256, 3, 0, 100, 25_000, 51.0, limits)


def test_everything_open_is_a_middlebox() -> None:
    hold_by("network.coverage.middlebox", answers(opened=201), answers(opened=200), "ports")


def test_an_unidentified_port_fails() -> None:
    hold_by(
        "network.coverage.identified",
        open_ports(OpenPort(4000, "tcp", note="it accepts a connection and says nothing")),
        open_ports(OpenPort(4000, "tcp", "ssh")),
        "tcp/4000",
    )


def test_limits_of_the_sweep_are_told() -> None:
    hold_by("network.coverage.complete", coverage("no raw sockets"), coverage(), "10.0.0.0/24")
    [finding] = judge("network.coverage.complete", coverage("no raw sockets", "nmap is not installed"))
    assert finding.saw == "no raw sockets; nmap is not installed"


def test_no_open_port_is_nothing_to_identify() -> None:
    assert outcomes(judge("network.coverage.identified", open_ports())) == {"": Outcome.NOT_APPLICABLE}
