"""`bartizan feeds`: what it prints, how it ends, and what it never does."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click
import pytest

from scanner.cli.codes import COVERAGE, FINE, USAGE
from scanner.cli.start import run
from scanner.doctor import examine
from scanner.intel.status import states
from scanner.intel.store import Feeds
from tests.scanner.intel.feed_files import FOLDER, bring


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "feeds.db"
    monkeypatch.setenv("BARTIZAN_FEEDS", str(path))
    return path


def test_import_says_what_has_come(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["feeds", "import", str(FOLDER / "kev.json"), str(FOLDER / "debian-dsa.jsonl")]) == FINE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines[2:]] == [
        ["debian-dsa", "2023-03-13", "1", "79"],
        ["kev", "2025-08-25", "1", "14"],
    ]
    assert database.stat().st_mode & 0o077 == 0


def test_a_broken_file_is_one_line_and_a_usage_error(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["feeds", "import", str(FOLDER / "kev.json")]) == FINE
    bad = tmp_path / "bad\x1b[31m.json"
    bad.write_text('{"catalogVersion": "2026.01.01", "vulnerabilities": [')
    capsys.readouterr()
    assert run(["feeds", "import", str(FOLDER / "epss.csv"), str(bad)]) == USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "\x1b" not in said.err
    feeds = Feeds.open_to_read(database)
    assert feeds is not None
    assert [part.name for part in feeds.parts()] == ["kev"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["import"],
        ["import", "/nonexistent"],
        ["import", "/"],
        ["import", str(FOLDER / "secdb-main.json")],
        ["import", str(FOLDER / "secdb-main.json"), "--date", "soon"],
        ["update", "--only", "nonsense"],
        ["update", "--url", "kev"],
        ["update", "--url", "=https://x"],
        ["status", "--older-than", "-1"],
    ],
)
def test_mistakes_are_usage_errors(database: Path, arguments: list[str]) -> None:
    assert run(["feeds", *arguments]) == USAGE


def test_update_says_what_failed_and_ends_so(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["feeds", "update", "--only", "kev", "--url", "kev=http://127.0.0.1:1/kev.json"]) == COVERAGE
    said = capsys.readouterr()
    assert click.unstyle(said.out).startswith("✗ kev failed: http://127.0.0.1:1/kev.json")
    assert "fetching kev from http://127.0.0.1:1/kev.json" in said.err
    assert run(["feeds", "update", "--only", "kev", "--url", "kev=http://example.org/kev.json"]) == COVERAGE
    assert "over https only" in capsys.readouterr().out


def test_status_of_nothing_makes_no_file(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["feeds", "status"]) == FINE
    text = capsys.readouterr().out
    for name in ("kev", "epss", "ssvc", "endoflife", "advisories"):
        assert f"{name} is missing: " in text
    assert not database.exists()


def test_status_as_json_and_as_a_table(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["feeds", "import", str(FOLDER / "kev.json"), str(FOLDER / "changelogs.jsonl")]) == FINE
    capsys.readouterr()
    assert run(["feeds", "status", "--json"]) == FINE
    found = {one["feed"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["kev"]["state"] == "stale"
    assert found["kev"]["date"] == "2025-08-25"
    assert found["changelogs"]["covers"] == ["debian bookworm", "ubuntu jammy"]
    assert found["epss"]["state"] == "missing"
    assert len(found["kev"]["files"][0]["sha256"]) == 64
    assert run(["feeds", "status", "--older-than", "100000"]) == FINE
    text = capsys.readouterr().out
    assert "stale" not in text
    assert "debian bookworm; ubuntu jammy" in text


def test_the_age_of_a_feed(tmp_path: Path) -> None:
    feeds = Feeds.open(tmp_path / "feeds.db")
    bring(feeds, "epss.csv")
    [epss] = [one for one in states(feeds, date(2026, 12, 4)) if one.name == "epss"]
    assert (epss.age, epss.stale) == (14, False)
    [epss] = [one for one in states(feeds, date(2026, 12, 5)) if one.name == "epss"]
    assert (epss.age, epss.stale) == (15, True)
    assert epss.cost


def test_the_doctor_knows_the_feeds(database: Path, tmp_path: Path) -> None:
    assert run(["feeds", "import", str(FOLDER / "kev.json")]) == FINE
    found = {part.part: part for part in examine(str(tmp_path / "store.db"))}
    assert found["feed kev"].state == "here"
    assert "2025-08-25" in found["feed kev"].found
    assert found["feed advisories"].state == "missing"
    assert found["feed advisories"].cost
    database.write_bytes(b"nonsense, but long enough to be looked at" * 40)
    found = {part.part: part for part in examine(str(tmp_path / "store.db"))}
    assert found["feeds"].state == "broken"
