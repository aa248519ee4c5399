"""A scan of a network of our own: swept, logged in to, merged, and nothing sent beside the scope."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.network import Wire, capture, syn_of
from tests.lab.ssh import LabServer, running_sshd

pytestmark = pytest.mark.real

BARTIZAN = Path(sys.executable).with_name("bartizan")
HOST, EXCLUDED, SCANNER = "10.88.0.2", "10.88.0.3", "10.88.0.6"

SCOPE = """\
version: 1
organisation: Lab
authorisation: {{by: The tests, reference: this file, until: 2099-12-31}}
networks:
  - {{name: lab, cidrs: [10.88.0.0/29], zone: servers, vantage: inside, ports: [22, {port}]}}
hosts:
  - {{name: web-1, address: {host}, port: {port}, user: root, key: "file:{key}", known_hosts: "file:{known}",
     zone: servers, value: important, owner: Web team}}
exclude: ["{excluded}"]
rate: {{packets_per_second: 2000, per_host: 500}}
"""


@dataclass(frozen=True)
class Lab:
    """What the scan of the lab printed, stored and sent."""

    findings: list[dict[str, object]]
    out: str
    sent_to: frozenset[str]
    asked_for: frozenset[str]
    server: LabServer
    probes: list[dict[str, object]]
    syns: list[tuple[str, int]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        # No gateway anywhere: if the lab is not up, nothing leaves the machine.
        scanner = wire.host(f"{SCANNER}/29")
        host = wire.host(f"{HOST}/29")
        wire.join(host, f"{EXCLUDED}/29")
        extra = f"PermitRootLogin yes\nListenAddress {HOST}\n"
        server = host.inside(lambda: stack.enter_context(running_sshd(folder, extra)))
        known = folder / "known"
        known.write_text(server.known_hosts.read_text().replace("[127.0.0.1]", f"[{HOST}]"))
        scope = folder / "scope.yaml"
        words = {"port": server.port, "key": server.key, "known": known, "host": HOST, "excluded": EXCLUDED}
        scope.write_text(SCOPE.format(**words))
        env = {**os.environ, "BARTIZAN_STORE": str(folder / "b.db")}

        def scan() -> subprocess.CompletedProcess[str]:
            command = [str(BARTIZAN), "scan", "--scope", str(scope), "--out", str(folder / "report")]
            command += ["--probe-log", str(folder / "probes.jsonl")]
            return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)

        with capture(scanner) as frames:
            done = scanner.inside(scan)
        assert done.returncode == 0, done.stderr
        listed = subprocess.run(
            [str(BARTIZAN), "findings", "--format", "jsonl"],
            capture_output=True,
            text=True,
            env=env,
            check=True,
        )
        yield Lab(
            [json.loads(line) for line in listed.stdout.splitlines()],
            done.stdout,
            frozenset(str(ipaddress.ip_address(f[30:34])) for f in frames if f[12:14] == b"\x08\x00"),
            frozenset(str(ipaddress.ip_address(f[38:42])) for f in frames if f[12:14] == b"\x08\x06"),
            server,
            [json.loads(line) for line in (folder / "probes.jsonl").read_text().splitlines()],
            [syn for syn in map(syn_of, frames) if syn],
        )


def test_the_network_and_the_login_are_one_asset(lab: Lab) -> None:
    assert "2 of 2 targets seen" in lab.out
    by_kind = {kind: {f["asset"] for f in lab.findings if f["kind"] == kind} for kind in ("host", "network")}
    assert len(by_kind["host"]) == 1
    assert by_kind["host"] <= by_kind["network"]


def test_the_exposure_of_a_setting_is_what_the_probe_saw(lab: Lab) -> None:
    [one] = [
        f
        for f in lab.findings
        if f["check"] == "host.ssh.root-login"
        and f["outcome"] == "fail"
        and str(lab.server.port) in str(f["on"])
    ]
    assert f'tcp/{lab.server.port} answered a SYN probe from "inside"' in str(one["explanation"])
    assert "E0.35" in str(one["explanation"])
    assert "important" in str(one["explanation"])


def test_nothing_was_sent_to_what_is_excluded_or_outside(lab: Lab) -> None:
    assert HOST in lab.sent_to
    network = ipaddress.ip_network("10.88.0.0/29")
    assert all(ipaddress.ip_address(one) in network for one in lab.sent_to | lab.asked_for)
    assert EXCLUDED not in lab.sent_to | lab.asked_for


def test_the_log_of_probes_is_what_the_wire_saw(lab: Lab) -> None:
    """Each SYN of the sweep is a line; the kernel's own belong to conversations and to the login."""
    # The scanner's own address is asked inside the machine: nothing of that is on the wire.
    probes = [p for p in lab.probes if p["destination"] != SCANNER]
    swept = [(p["destination"], p["port"]) for p in probes if p["kind"] == "tcp-syn"]
    talks = [(p["destination"], p["port"]) for p in probes if p["kind"] in ("tcp-talk", "tcp-connect")]
    assert swept
    login = (HOST, lab.server.port)
    assert Counter(lab.syns) == Counter([*swept, *talks, login])


def test_the_host_was_asked_over_one_connection_and_one_exec(lab: Lab) -> None:
    assert lab.server.logged("Accepted publickey") == 1
    assert lab.server.logged("Starting session: command") == 1
