"""`inventory`, `segmentation` and `scans export` over a store, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.facts.snapshot import Snapshot
from checks.model import Kind, Target
from scanner.cli.start import run
from scanner.inventory import read_inventory
from scanner.store.record import JobState, ScanState
from scanner.store.store import Store
from tests.scanner.derive.test_network_segmentation import NO_ZONES, SCOPE, address, network, record

AT = "2026-11-23T10:00:00Z"
WEB = address("10.2.0.5", "tcp/443 https", "tcp/22 ssh", names=("mac:52:54:00:12:34:56",))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BARTIZAN_STORE", str(tmp_path / "b.db"))
    monkeypatch.setenv("COLUMNS", "200")
    return Store.open(str(tmp_path / "b.db"))


def scanned(into: Store, *snapshots: Snapshot, scope: str = SCOPE) -> None:
    target = Target(Kind.NETWORK, "servers", "net:10.2.0.0/24")
    number = into.start_scan(record(scope), AT, [target])
    [job] = into.jobs(number)
    into.finish_job(number, job.id, JobState.DONE, AT, snapshots=snapshots)
    into.set_scan(number, state=ScanState.COLLECTED, at=AT)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run(list(words)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_the_matrix_is_a_table_and_json(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    scanned(store, WEB, network())
    table = said(capsys, "segmentation")
    assert "leaks (1)" in table
    assert "no scan from zone servers" in table
    cells = json.loads(said(capsys, "segmentation", "1", "--json"))["cells"]
    [cell] = [one for one in cells if one["state"] == "leaks"]
    assert (cell["source"], cell["zone"], cell["allowed"]) == ("office", "servers", "tcp/443, udp/53")
    assert len(cell["findings"]) == 1


def test_without_zones_there_is_no_matrix(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    scanned(store, WEB, network(), scope=NO_ZONES)
    assert "declares no zones" in said(capsys, "segmentation", code=2)


def test_a_list_is_written_once_and_replaced_only_when_told(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    scanned(store, WEB, network())
    assert "inventory.yaml: 1 machine with 2 open ports approved" in said(capsys, "inventory", "accept")
    file = Path("inventory.yaml")
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_text()
    assert [host.name for host in read_inventory(first.encode(), "x").hosts] == ["10.2.0.5"]
    assert "says so already" in said(capsys, "inventory", "accept")
    scanned(store, WEB, address("10.2.0.9", "tcp/80 http"), network())
    refused = said(capsys, "inventory", "accept", code=2)
    assert "+ 10.2.0.9" in refused
    assert "nothing was written; --force replaces it" in refused
    assert file.read_text() == first
    assert "+ 10.2.0.9" in said(capsys, "inventory", "accept", "--force")
    assert "10.2.0.9" in file.read_text()
    assert "52:54:00:12:34:56" in said(capsys, "inventory", "show")
    assert len(json.loads(said(capsys, "inventory", "show", "--json"))) == 2


def test_a_list_that_cannot_be_read_or_learnt_is_one_line(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "there is no such file" in said(capsys, "inventory", "show", "gone.yaml", code=2)
    scanned(store, network(live=0))
    assert "saw no address of a network" in said(capsys, "inventory", "accept", code=2)
    scanned(store, WEB, network())
    Path("inventory.yaml").write_text("version: 2\n")
    assert "inventory.yaml:1: version" in said(capsys, "inventory", "accept", "--force", code=2)
    assert Path("inventory.yaml").read_text() == "version: 2\n"


def test_an_export_says_the_head_and_a_folder_is_no_file(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    scanned(store, WEB, network())
    told = said(capsys, "scans", "export", "--out", "view.btz")
    assert told.strip() == f"view.btz: 2 snapshots of scan 1, chain head {store.scan().head}"
    assert Path("view.btz").stat().st_mode & 0o777 == 0o600
    assert "none/view.btz" in said(capsys, "scans", "export", "--out", "none/view.btz", code=2)
