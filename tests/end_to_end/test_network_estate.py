"""One scan of a network of sixty hosts: everything planted is found, nothing else, and no harm is done."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from scanner.collect.network.ports import FRAGILE
from tests.lab.estate import Estate, estate, leftovers
from tests.lab.estate_plan import NETWORK, PLAN, SCANNER, SIX_NETWORK, Planned
from tests.lab.network import capture

pytestmark = pytest.mark.real

BARTIZAN = Path(sys.executable).with_name("bartizan")
START_SECONDS, SCAN_SECONDS = 60, 120
"""Bounds for a machine that does other things as well: alone it takes 10 and 30."""
MIDDLEBOX, TWO_FAMILIES = 43, 44

SCOPE = """\
version: 1
organisation: Lab
authorisation: {{by: The tests, reference: this file, until: 2099-12-31}}
networks:
  - {{name: lab, cidrs: ["{network}"], zone: servers, vantage: inside, ports: {tcp}, udp: {udp}}}
  - {{name: lab-six, cidrs: ["{six}/128"], zone: servers, vantage: inside, ports: {tcp}, udp: none}}
exclude: ["{scanner}"]
rate: {{packets_per_second: 5000, per_host: 2000}}
"""


@dataclass(frozen=True)
class Scanned:
    """The estate after the scan, and what the scan printed, sent and found."""

    network: Estate
    started: float
    seconds: float
    out: str
    by_outcome: Mapping[tuple[str, str], frozenset[tuple[str, str]]] = field(repr=False)
    probes: tuple[Mapping[str, object], ...] = field(repr=False)
    frames: tuple[bytes, ...] = field(repr=False)

    def judged(self, target: str, outcome: str) -> frozenset[str]:
        """The checks with that outcome at that address."""
        return frozenset(check for check, _ in self.by_outcome.get((target, outcome), ()))

    @property
    def fleet(self) -> frozenset[str]:
        """The checks that fail for several machines at once: findings of one of them or of the network."""
        failed = {c for (_, out), judged in self.by_outcome.items() if out == "fail" for c, _ in judged}
        return frozenset(check for check in failed if check.startswith("network.fleet."))


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanned]:
    folder = tmp_path_factory.mktemp("estate")
    began = monotonic()
    with estate() as network:
        started = monotonic() - began
        env = {**os.environ, "BARTIZAN_STORE": str(folder / "b.db")}
        command = scan_command(folder, network)
        began = monotonic()
        with capture(network.scanner) as frames:
            done = network.scanner.inside(lambda: run(command, env), SCAN_SECONDS + 30)
        seconds = monotonic() - began
        assert done.returncode == 0, done.stderr
        listed = run([str(BARTIZAN), "findings", "--format", "jsonl"], env)
        by_outcome: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for line in listed.stdout.splitlines():
            one = json.loads(line)
            by_outcome[one["target"], one["outcome"]].add((one["check"], one["on"]))
        frozen = {key: frozenset(found) for key, found in by_outcome.items()}
        lines = (folder / "probes.jsonl").read_text().splitlines()
        probes = tuple(json.loads(line) for line in lines)
        yield Scanned(network, started, seconds, done.stdout, frozen, probes, tuple(frames))
    assert leftovers() == ()


def scan_command(folder: Path, network: Estate) -> list[str]:
    """The command line of the scan; its scope names the ports that are planted and some that are not."""
    tcp = sorted({port for _, port in network.open} | set(FRAGILE) | {8443, 9090})
    six = ipaddress.ip_address(planned(TWO_FAMILIES).six_address)
    words = {"network": NETWORK, "six": six, "scanner": SCANNER, "tcp": tcp,
             "udp": [53, 69, 111, 123, 161, 623, 11211]}  # fmt: skip
    scope = folder / "scope.yaml"
    scope.write_text(SCOPE.format(**words))
    return [str(BARTIZAN), "scan", "--scope", str(scope), "--out", str(folder / "report"),
            "--probe-log", str(folder / "probes.jsonl")]  # fmt: skip


def run(command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, env=env, timeout=SCAN_SECONDS + 20, check=False
    )


def planned(number: int) -> Planned:
    """The host with that number."""
    [one] = [host for host in PLAN if host.number == number]
    return one


def test_the_estate_starts_and_the_scan_ends_in_time(scanned: Scanned) -> None:
    assert scanned.started < START_SECONDS
    assert scanned.seconds < SCAN_SECONDS


def test_exactly_the_planted_ports_are_open(scanned: Scanned) -> None:
    assert len(PLAN) == 60
    assert len(scanned.network.open) > 45
    box = planned(MIDDLEBOX).address
    found = {
        (target, int(on.removeprefix("tcp/")))
        for (target, _), judged in scanned.by_outcome.items()
        for check, on in judged
        if check == "network.coverage.identified" and on.startswith("tcp/") and ":" not in target
    }
    asked_only = {(a, p) for a, p in scanned.network.open if p in FRAGILE}
    assert {one for one in found if one[0] != box} - asked_only == scanned.network.open - asked_only


@pytest.mark.parametrize("host", [h for h in PLAN if h.fails], ids=lambda host: host.name)
def test_every_planted_problem_is_found(scanned: Scanned, host: Planned) -> None:
    assert host.fails - scanned.judged(host.address, "fail") == frozenset()


@pytest.mark.parametrize("host", [h for h in PLAN if h.passes], ids=lambda host: host.name)
def test_every_counterpart_passes(scanned: Scanned, host: Planned) -> None:
    assert host.passes - scanned.judged(host.address, "pass") == frozenset()


def test_no_clean_host_has_a_failure(scanned: Scanned) -> None:
    clean = [host for host in PLAN if host.clean]
    assert len(clean) > 15
    assert {h.name: f for h in clean if (f := scanned.judged(h.address, "fail"))} == {}


def test_silence_is_no_pass(scanned: Scanned) -> None:
    """Neither a port that accepts and says nothing, nor an address that drops everything."""
    silent = {(host.address, f"tcp/{port}") for host in PLAN for port in host.silent}
    dropping = {host.address for host in PLAN if host.name == "drops-all"}
    for (target, outcome), judged in scanned.by_outcome.items():
        if outcome == "pass":
            assert not [check for check, on in judged if (target, on) in silent]
            if target in dropping:
                assert not [check for check, _ in judged if ".exposure." in check or ".snmp." in check]


def test_a_middlebox_is_one_finding(scanned: Scanned) -> None:
    address = planned(MIDDLEBOX).address
    assert scanned.judged(address, "fail") == {"network.coverage.middlebox"}
    assert scanned.judged(address, "pass") == frozenset()


def test_a_port_that_is_open_over_ipv6_alone_is_found(scanned: Scanned) -> None:
    assert "network.fleet.ipv6-bypass" in scanned.fleet


def test_printers_and_controllers_get_no_byte(scanned: Scanned) -> None:
    assert scanned.network.fragile_bytes() == 0
    touched = [p for p in scanned.probes if p["port"] in FRAGILE]
    assert touched
    assert not [p for p in touched if p["kind"] not in ("tcp-syn", "tcp-reset", "tcp-connect")]


def test_nothing_was_sent_outside_the_scope(scanned: Scanned) -> None:
    inside = (ipaddress.ip_network(NETWORK), ipaddress.ip_network(SIX_NETWORK))
    sent = {ipaddress.ip_address(f[30:34]) for f in scanned.frames if f[12:14] == b"\x08\x00"}
    logged = {ipaddress.ip_address(str(p["destination"])) for p in scanned.probes}
    assert sent
    assert all(any(one in network for network in inside) for one in sent | logged)
    assert ipaddress.ip_address(SCANNER) not in sent | logged
