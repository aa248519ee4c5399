"""Importing: all or nothing, where the data comes from, and files that mean harm."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.intel import unpack
from scanner.intel.draft import day
from scanner.intel.importing import Offered, import_all, summary
from scanner.intel.store import Feeds
from scanner.intel.unpack import FeedError, Limits, Source
from tests.scanner.intel.feed_files import AT, FOLDER, bring, bring_file, tracker


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Feeds]:
    opened = Feeds.open(tmp_path / "feeds.db")
    yield opened
    opened.close()


def content(feeds: Feeds) -> list[str]:
    """Everything in the file, to see that nothing has changed."""
    return list(feeds.connection.iterdump())


def test_where_a_feed_came_from_is_kept(feeds: Feeds) -> None:
    [part] = bring(feeds, "kev.json")
    assert feeds.parts() == [part]
    assert part.origin == "kev.json"
    assert part.imported == AT
    assert part.size == (FOLDER / "kev.json").stat().st_size
    assert len(part.sha256) == 64
    assert feeds.path.stat().st_mode & 0o077 == 0


def test_a_feed_takes_the_place_of_its_former_data_and_of_no_other(feeds: Feeds) -> None:
    bring(feeds, "kev.json", "epss.csv")
    [before] = feeds.connection.execute("SELECT COUNT(*) FROM kev").fetchone()
    bring(feeds, "kev.csv")
    assert before > 2
    assert [name for (name,) in feeds.connection.execute("SELECT cve FROM kev ORDER BY cve")] == [
        "CVE-2017-0144",
        "CVE-2021-3156",
    ]
    assert [part.name for part in feeds.parts()] == ["epss", "kev"]
    assert feeds.connection.execute("SELECT COUNT(*) FROM epss").fetchone() == (3,)


def test_files_that_are_parts_of_one_feed_become_it_together(feeds: Feeds, tmp_path: Path) -> None:
    other = tmp_path / "CVE-2024-1.json"
    text = (FOLDER / "CVE-2024-6387.json").read_text().replace("CVE-2024-6387", "CVE-2024-1111")
    other.write_text(text)
    sources = [Source(FOLDER / "CVE-2024-6387.json"), Source(other)]
    parts = import_all(feeds, [Offered(one, one.label) for one in sources], at=AT)
    assert summary(parts) == [("ssvc", "2026-10-05", 2, 2, 0)]
    assert feeds.connection.execute("SELECT COUNT(*) FROM points").fetchone() == (2,)


@pytest.mark.parametrize("packing", ["plain", "gz", "bz2", "zip"])
def test_packed_or_not(feeds: Feeds, tmp_path: Path, packing: str) -> None:
    data = (FOLDER / "kev.json").read_bytes()
    path = tmp_path / "a-name-that-says-nothing"
    if packing == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("kev.json", data)
    else:
        path.write_bytes({"plain": data, "gz": gzip.compress(data), "bz2": bz2.compress(data)}[packing])
    [part] = bring_file(feeds, path)
    assert (part.name, part.count) == ("kev", 14)


def test_a_zip_of_records(feeds: Feeds, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(60):
            record = json.loads((FOLDER / "osv-debian.json").read_text())
            record["affected"][0]["package"]["name"] = f"package{number}"
            archive.writestr(f"DSA-{number}.json", json.dumps(record))
    [part] = bring_file(feeds, path)
    assert (part.name, part.count) == ("osv-debian", 60)
    [covered] = feeds.covered("debian")
    assert covered.place.tells == "state"


def test_advisories_for_few_packages_do_not_tell_of_all(feeds: Feeds) -> None:
    bring(feeds, "debian-tracker.json", date="2026-11-20")
    assert {covered.place.tells for covered in feeds.covered("debian")} == {"some"}


def test_a_broken_file_among_good_ones_changes_nothing(feeds: Feeds, tmp_path: Path) -> None:
    bring(feeds, "kev.json", "debian-dsa.jsonl")
    before = content(feeds)
    broken = tmp_path / "dsa.jsonl"
    broken.write_bytes((FOLDER / "debian-dsa.jsonl").read_bytes()[:-200])
    offered = [Offered(Source(FOLDER / "kev.csv"), "kev.csv"), Offered(Source(broken), "dsa.jsonl")]
    with pytest.raises(FeedError, match=r"dsa\.jsonl: not of the form"):
        import_all(feeds, offered, at=AT)
    assert content(feeds) == before


def test_data_without_a_day_asks_for_it(feeds: Feeds) -> None:
    with pytest.raises(FeedError, match="--date"):
        bring(feeds, "secdb-main.json")
    [part] = bring(feeds, "secdb-main.json", date="2026-11-20")
    assert part.date == "2026-11-20"


def test_data_of_tomorrow_is_not_believed(feeds: Feeds) -> None:
    with pytest.raises(FeedError, match="not come yet"):
        bring(feeds, "kev.json", date="2026-12-24")


ENTRY = b'{"cveID": "CVE-2024-1111", "dateAdded": "2024-01-01"}'
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"  \n\n ",
    "text": b"root:x:0:0:root:/root:/bin/bash\n",
    "no end": b'{"catalogVersion": "2026.01.01", "vulnerabilities": [',
    "nothing in it": b'{"catalogVersion": "2026.01.01", "vulnerabilities": []}',
    "wrong types": b'{"catalogVersion": "2026.01.01", "vulnerabilities": [{"cveID": 5, "dateAdded": []}]}',
    "no day": b'{"catalogVersion": "soon", "vulnerabilities": [' + ENTRY + b"]}",
    "no flaws": b'{"catalogVersion": "2026.01.01", "vulnerabilities": ['
    + ENTRY.replace(b"CVE", b"X")
    + b"]}",
    "deep": b'{"openssl": {"CVE-2024-1": {' + b'"a": {' * 100_000,
    "epss": b"cve,epss,percentile\nCVE-2024-1111,very,much\n",
    "csv": b"cveID,dateAdded\nCVE-2024-1111," + b'"' + b"x" * 200_000,
    "half a gzip": gzip.compress((FOLDER / "kev.json").read_bytes())[:400],
    "half a zip": b"PK\x03\x04" + b"\x00" * 50,
    "xz": b"\xfd7zXZ\x00\x00\x04",
    "zstd": b"\x28\xb5\x2f\xfd\x04\x00",
    "xml without end": (FOLDER / "updateinfo.xml").read_bytes()[:700],
    "entities": (
        b'<?xml version="1.0"?><updates><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        b"<update>&b;</update></updates>"
    ),
    "oval of two": (FOLDER / "ubuntu-usn.oval.xml")
    .read_bytes()
    .replace(
        b"<platform>Ubuntu 22.04 LTS", b"<platform>Ubuntu 24.04 LTS</platform><platform>Ubuntu 22.04 LTS"
    ),
    "updates of two": (FOLDER / "updateinfo.xml")
    .read_bytes()
    .replace(b'"1.amzn2023.0.1" version="8.5.0">', b'"1.fc40" version="8.5.0">'),
    "utf-16": '{"catalogVersion": "2026.01.01"}'.encode("utf-16"),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_what_is_broken_or_hostile_is_one_line_and_changes_nothing(
    feeds: Feeds, tmp_path: Path, name: str
) -> None:
    bring(feeds, "kev.json")
    before = content(feeds)
    path = tmp_path / "feed"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(FeedError) as caught:
        bring_file(feeds, path, "2026-11-20")
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert content(feeds) == before


def read_all(path: Path, sizes: list[int]) -> None:
    """Reads every document of a file to its end, and notes what came."""
    for _, stream in Source(path).documents():
        while data := stream.read(1 << 16):
            sizes.append(len(data))


def test_a_bomb_is_stopped_early(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b'{"catalogVersion": "2026.01.01", "vulnerabilities": [')
        for _ in range(90):
            file.write(b" " * (1 << 20))
    assert path.stat().st_size < 1 << 20
    read: list[int] = []
    with pytest.raises(FeedError, match="200 times"):
        read_all(path, read)
    assert sum(read) < 70 << 20


def test_a_zip_that_lies_about_its_sizes_is_counted_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.json", b" " * (40 << 20))
    with pytest.raises(FeedError, match="200 times"):
        read_all(path, [])


def test_limits() -> None:
    limits = Limits(1 << 40, most=100)
    limits.count(100)
    with pytest.raises(FeedError, match="no feed is that large"):
        limits.count(1)
    with pytest.raises(FeedError, match="one line"):
        list(unpack.lines(io.BytesIO(b"x" * (unpack.MOST_LINE + 2))))
    with pytest.raises(FeedError, match="larger than"):
        unpack.whole(io.BytesIO(b"12345"), 4)


def test_names_and_versions_that_are_none_are_counted_and_left_out(feeds: Feeds, tmp_path: Path) -> None:
    path = tracker(
        tmp_path / "tracker.json",
        [
            ("openssl", "CVE-2024-1111", "3.0.1-1"),
            ("$(id)", "CVE-2024-1111", "3.0.1-1"),
            ("evil\n", "CVE-2024-1111", "1"),
            ("curl", "CVE-2024-2222", "1 2"),
            ("curl", "CVE-2024-3333", "1;rm"),
            ("x" * 300, "CVE-2024-1111", "1"),
        ],
    )
    [part] = bring_file(feeds, path, "2026-11-20")
    assert part.skipped == 5
    found = {name for (name,) in feeds.connection.execute("SELECT DISTINCT package FROM advice")}
    assert "openssl" in found
    assert all(name == "openssl" or name.startswith("filler") for name in found)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T10:00:00Z", "2026-11-20"),
        ("2026.11.20", "2026-11-20"),
        ("2026-11-20 10:00", "2026-11-20"),
        (" 01 Apr 2023 ", "2023-04-01"),
    ],
)
def test_days(text: str, when: str) -> None:
    assert day(text) == when


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "31 Feb 2026", "20261"])
def test_no_days(text: str) -> None:
    with pytest.raises(FeedError):
        day(text)


# --- the file itself ---


def test_reading_makes_no_file(tmp_path: Path) -> None:
    assert Feeds.open_to_read(tmp_path / "none.db") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_none_of_ours_is_named(tmp_path: Path) -> None:
    path = tmp_path / "feeds.db"
    path.write_bytes(b"this is no database, but a text of some length" * 50)
    with pytest.raises(FeedError, match=r"feeds\.db"):
        Feeds.open(path)
    with pytest.raises(FeedError, match=r"feeds\.db"):
        Feeds.open_to_read(path)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feeds.db"
    Feeds.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(FeedError, match="format 99"):
        Feeds.open_to_read(path)


def test_who_reads_is_not_disturbed_by_an_import_and_cannot_write(tmp_path: Path) -> None:
    feeds = Feeds.open(tmp_path / "feeds.db")
    bring(feeds, "kev.json")
    reader = Feeds.open_to_read(tmp_path / "feeds.db")
    assert reader is not None
    with feeds.transaction():
        feeds.forget("kev")
        assert len(reader.parts()) == 1
    assert reader.parts() == []
    with pytest.raises(sqlite3.OperationalError):
        reader.connection.execute("DELETE FROM parts")
