"""One network looked at from inside and, past a firewall, from outside; both views joined in one scan."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

from scanner.cli.start import run as command
from tests.lab.network import Namespace, Wire
from tests.lab.services import running

pytestmark = pytest.mark.real

HOST, INNER, OUTER = "10.88.0.2", "10.88.0.6", "10.89.0.6"
OPEN, SHUT = 6379, 6380
"""Two stores without a login; the firewall lets the first one through."""

SCOPE = """\
version: 1
organisation: Lab
authorisation: {{by: The tests, reference: this file, until: 2099-12-31}}
networks:
  - {{name: servers, cidrs: [10.88.0.0/30], vantage: {vantage}, ports: [22, 6379, 6380], udp: none}}
zones:
  - {{name: servers, networks: [10.88.0.0/30]}}
  - {{name: office, networks: [10.77.0.0/29]}}
reach:
  - {{from: outside, to: servers, ports: [22]}}
  - {{from: outside, to: servers, ports: [22], required: true}}
rate: {{packets_per_second: 2000, per_host: 500}}
"""


@dataclass(frozen=True)
class Places:
    """Two scanners, each with a store and a scope of its own, and what the first of them joined."""

    folder: Path
    inner: Namespace
    known: dict[int, dict[tuple[str, str, str], dict[str, object]]] = field(default_factory=dict)

    def run(self, *words: str, store: str = "inner", code: int = 0) -> str:
        """The output of a command over that store, in this process; it must end with that code."""
        env = {"BARTIZAN_STORE": str(self.folder / f"{store}.db"), "COLUMNS": "200"}
        kept = io.BytesIO()
        said = io.TextIOWrapper(kept, encoding="utf-8", write_through=True)
        with (
            mock.patch.dict(os.environ, env),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            ended = command(list(words))
        text = kept.getvalue().decode()
        assert ended == code, text
        return text

    def findings(self, scan: int) -> dict[tuple[str, str, str], dict[str, object]]:
        """Those of a scan by check, asset name and object."""
        if scan in self.known:
            return self.known[scan]
        listed = self.run("findings", str(scan), "--format", "jsonl").splitlines()
        found = [json.loads(line) for line in listed if line.startswith("{")]
        self.known[scan] = {(f["check"], f["target"], f["on"]): f for f in found}
        return self.known[scan]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("places")
    with contextlib.ExitStack() as stack:
        inside, outside = Wire(stack), Wire(stack)
        host = inside.host(f"{HOST}/29", gateway="10.88.0.1")
        inner = inside.host(f"{INNER}/29")
        wall = inside.host("10.88.0.1/29")
        outside.join(wall, "10.89.0.1/29")
        outer = outside.host(f"{OUTER}/29", gateway="10.89.0.1")
        wall.command("sysctl", "-qw", "net.ipv4.ip_forward=1")
        wall.command(
            "nft",
            "add table ip wall; add chain ip wall f { type filter hook forward priority 0; policy drop; }; "
            f"add rule ip wall f ct state established accept; add rule ip wall f tcp dport {OPEN} accept",
        )
        for port in (OPEN, SHUT):
            words = ("--port", str(port), "--bind", HOST, "127.0.0.1", "--protected-mode", "no", "--save", "")
            server = running("redis-server", *words, "--dir", str(folder), port=port)
            host.inside(partial(stack.enter_context, server))
        for name, vantage in (("inner", "servers"), ("outer", "outside")):
            (folder / f"{name}.yaml").write_text(SCOPE.format(vantage=vantage))
        here = Places(folder, inner)
        with outer.entered():
            here.run("collect", "--no-nmap", "--scope", "outer.yaml", store="outer")
        here.run("scans", "export", "--out", "outside.btz", store="outer")
        joined = ("--no-nmap", "--scope", "inner.yaml", "--out", "both", "--view", "outside.btz")
        with inner.entered():
            here.run("scan", *joined)
        here.run("scans", "export", "--out", "inside.btz")
        yield here


def test_only_what_outside_saw_open_is_reachable_from_the_internet(places: Places) -> None:
    found = places.findings(1)
    reached = str(found["network.databases.redis-login", HOST, f"tcp/{OPEN}"]["explanation"])
    hidden = str(found["network.databases.redis-login", HOST, f"tcp/{SHUT}"]["explanation"])
    assert f'tcp/{OPEN} answered a SYN probe from "outside"' in reached or (
        f'tcp/{OPEN} answered a connect probe from "outside"' in reached
    )
    assert "E1.0" in reached
    assert '"outside"' not in hidden
    assert "E0.35" in hidden


def test_both_views_are_one_machine_and_the_ledger_holds_both(places: Places) -> None:
    assets = {str(f["asset"]) for key, f in places.findings(1).items() if key[1] == HOST}
    assert len(assets) == 1
    shown = places.run("scans", "show", "1")
    assert "2 planned = 2 done + 0 failed + 0 not scanned" in shown
    assert "servers from outside" in shown
    page = (places.folder / "both" / "index.html").read_text()
    assert "2 planned = 2 done + 0 failed + 0 not scanned" in page
    assert "scan 1 of another scanner was added" in page


def test_the_matrix_says_what_each_place_saw(places: Places) -> None:
    matrix = json.loads(places.run("segmentation", "1", "--json"))
    cells = {(c["source"], c["zone"]): c for c in matrix["cells"]}
    assert cells["outside", "servers"]["state"] == "leaks"
    assert cells["outside", "servers"]["leaks"] == 1
    assert cells["outside", "servers"]["blocked"] == ["outside → servers tcp/22"]
    assert cells["servers", "servers"]["state"] == "free"
    assert cells["office", "servers"]["state"] == "not tested"
    assert cells["office", "servers"]["reason"] == "no scan from zone office"
    leaks = {key: f for key, f in places.findings(1).items() if key[0] == "network.segmentation.leak"}
    assert [key[2] for key, f in leaks.items() if f["outcome"] == "fail"] == [f"tcp/{OPEN}"]
    page = (places.folder / "both" / "segmentation.html").read_text()
    assert "✕" in page
    assert "no scan from zone office" in page


def test_a_view_is_added_to_a_scan_that_was_only_collected(places: Places) -> None:
    assert "servers from servers" not in places.run("scans", "show", "1", store="outer")
    said = places.run("assess", "1", "--view", "inside.btz", store="outer")
    assert "Scan 1: 2 of 2 targets seen" in said
    assert 'from "servers" scan 1 of another scanner was added' in said
    assert "servers from servers" in places.run("scans", "show", "1", store="outer")


def test_a_view_from_the_same_place_is_refused_before_anything_is_sent(places: Places) -> None:
    log = places.folder / "probes.jsonl"
    with places.inner.entered():
        words = ("--scope", "inner.yaml", "--view", "inside.btz", "--probe-log", str(log))
        said = places.run("scan", *words, code=2)
    assert 'looked at net:10.88.0.0/30 from "servers", too' in said
    assert not log.exists()


def test_a_changed_file_is_refused_with_one_line(places: Places) -> None:
    whole = (places.folder / "outside.btz").read_bytes()
    (places.folder / "bent.btz").write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    said = places.run("assess", "1", "--view", "bent.btz", code=2)
    assert said.startswith("bartizan: bent.btz: ")
    assert len(said.strip().splitlines()) == 1
