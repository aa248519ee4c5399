"""Updating: over a real server on loopback, only what has changed, and never where it may not go."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.intel import upstream
from scanner.intel.fetch import check_url, fetch
from scanner.intel.store import Feeds
from scanner.intel.unpack import FeedError
from scanner.intel.update import Updated, chosen, update
from tests.scanner.intel.feed_files import AT, FOLDER, bring

LATER = "2026-11-26T10:00:00Z"


class Publisher:
    """A web server with files, and what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.redirects: dict[str, str] = {}
        self.modified = "Fri, 20 Nov 2026 08:00:00 GMT"
        self.slow = 0.0
        self.cut = False
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked.append((self.path, dict(self.headers)))
                if self.path in publisher.redirects:
                    self.send_response(302)
                    self.send_header("Location", publisher.redirects[self.path])
                    self.end_headers()
                    return
                data = publisher.files.get(self.path)
                if data is None:
                    self.send_error(404)
                    return
                tag = f'"{hash(data)}"'
                if self.headers.get("If-None-Match") == tag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("ETag", tag)
                if publisher.modified:
                    self.send_header("Last-Modified", publisher.modified)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                for start in range(0, len(data), 4_096):
                    self.wfile.write(data[start : start + 4_096])
                    time.sleep(publisher.slow)
                    if publisher.cut:
                        return

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keeps the output of the tests clean."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Feeds]:
    opened = Feeds.open(tmp_path / "feeds.db")
    yield opened
    opened.close()


def done(feeds: Feeds, addresses: dict[str, str], at: str = AT) -> list[Updated]:
    return list(update(feeds, addresses, at=at))


def test_what_is_new_is_fetched_once_and_asked_for_by_its_marks_then(
    feeds: Feeds, publisher: Publisher
) -> None:
    publisher.files["/kev.json"] = (FOLDER / "kev.json").read_bytes()
    addresses = {"kev": f"{publisher.url}/kev.json"}
    [first] = done(feeds, addresses)
    assert (first.state, first.said) == ("new", "of 2025-08-25, 14 rows")
    [part] = feeds.parts()
    assert (part.origin, part.imported) == (addresses["kev"], AT)
    [second] = done(feeds, addresses, LATER)
    assert (second.state, second.said) == ("unchanged", "of 2025-08-25")
    asked = publisher.asked[-1][1]
    assert asked["If-None-Match"] == part.etag
    assert asked["If-Modified-Since"] == publisher.modified
    assert asked["User-Agent"].startswith("bartizan/")
    [part] = feeds.parts()
    assert part.imported == LATER
    publisher.files["/kev.json"] = (FOLDER / "kev.json").read_bytes() + b"\n"
    assert [one.state for one in done(feeds, addresses)] == ["new"]


def test_marks_of_another_address_are_not_used(feeds: Feeds, publisher: Publisher) -> None:
    publisher.files |= dict.fromkeys(("/a.json", "/b.json"), (FOLDER / "kev.json").read_bytes())
    done(feeds, {"kev": f"{publisher.url}/a.json"})
    assert [one.state for one in done(feeds, {"kev": f"{publisher.url}/b.json"})] == ["new"]


def test_data_without_a_day_has_that_of_the_file_on_the_server(feeds: Feeds, publisher: Publisher) -> None:
    publisher.files["/main.json"] = (FOLDER / "secdb-main.json").read_bytes()
    addresses = {"alpine-secdb-v3.20-main": f"{publisher.url}/main.json"}
    done(feeds, addresses)
    assert [part.date for part in feeds.parts()] == ["2026-11-20"]
    publisher.modified = ""
    feeds.connection.execute("UPDATE parts SET etag = ''")
    done(feeds, addresses)
    assert [part.date for part in feeds.parts()] == [AT[:10]]


def test_one_that_fails_keeps_its_old_data_and_stops_no_other(feeds: Feeds, publisher: Publisher) -> None:
    bring(feeds, "kev.json", "epss.csv")
    before = feeds.parts()
    publisher.files["/kev.json"] = (FOLDER / "kev.json").read_bytes()[:500]
    publisher.files["/epss.csv"] = (FOLDER / "epss.csv").read_bytes()
    found = done(
        feeds,
        {
            "kev": f"{publisher.url}/kev.json",
            "gone": f"{publisher.url}/gone",
            "epss": f"{publisher.url}/epss.csv",
        },
    )
    assert [(one.name, one.state) for one in found] == [
        ("kev", "failed"),
        ("gone", "failed"),
        ("epss", "new"),
    ]
    assert "404" in found[1].said
    assert all("\n" not in one.said for one in found)
    assert [part for part in feeds.parts() if part.name == "kev"] == [p for p in before if p.name == "kev"]
    assert not [path for path in feeds.path.parent.iterdir() if path.name.startswith(".feeds-")]


def test_a_file_that_is_another_feed_is_not_imported_as_this_one(feeds: Feeds, publisher: Publisher) -> None:
    publisher.files["/kev.json"] = (FOLDER / "epss.csv").read_bytes()
    [one] = done(feeds, {"kev": f"{publisher.url}/kev.json"})
    assert (one.state, "it is the feed epss and not kev" in one.said) == ("failed", True)
    assert feeds.parts() == []


def test_limits_of_size_and_of_time(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/big"] = b"x" * 100_000
    with pytest.raises(FeedError, match="larger than"):
        fetch(f"{publisher.url}/big", tmp_path / "big", most=50_000)
    publisher.slow = 0.2
    started = time.monotonic()
    with pytest.raises(FeedError, match=r"too slowly|timed out"):
        fetch(f"{publisher.url}/big", tmp_path / "big", seconds=0.5)
    assert time.monotonic() - started < 5


def test_an_answer_that_is_cut_off_is_none(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/big"] = b"x" * 100_000
    publisher.cut = True
    with pytest.raises(FeedError):
        fetch(f"{publisher.url}/big", tmp_path / "big")


def test_a_redirect_leads_only_where_one_may_go(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/here"] = b"fine"
    publisher.redirects = {
        "/near": f"{publisher.url}/here",
        "/plain": "http://feeds.example.org/kev.json",
        "/file": "file:///etc/passwd",
        "/ftp": "ftp://127.0.0.1/x",
        "/round": f"{publisher.url}/round",
    }
    assert fetch(f"{publisher.url}/near", tmp_path / "a").changed
    assert (tmp_path / "a").read_bytes() == b"fine"
    for path in ("/plain", "/file", "/ftp", "/round"):
        with pytest.raises(FeedError):
            fetch(f"{publisher.url}{path}", tmp_path / "b")


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="refused"):
        fetch("http://127.0.0.1:1/x", tmp_path / "x")


@pytest.mark.parametrize(
    "url",
    [
        "http://www.cisa.gov/kev.json",
        "http://127.0.0.1.example.org/",
        "http://localhost.example.org/",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https:///x",
        "kev.json",
        "https://user:secret@example.org/",
        "http://[::1",
        "",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(FeedError) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "http://127.0.0.1:8/x", "http://[::1]:8/x", "http://localhost/x"]
)
def test_addresses_that_are_taken(url: str) -> None:
    check_url(url)


# --- which ones ---


def test_without_a_choice_it_is_what_everybody_needs_and_what_is_here(feeds: Feeds) -> None:
    assert set(chosen(feeds, (), {})) == {"kev", "epss", "endoflife"}
    bring(feeds, "debian-dsa.jsonl", "changelogs.jsonl")
    found = chosen(feeds, (), {"own": "https://mirror.example.org/own.json"})
    assert set(found) == {"kev", "epss", "endoflife", "debian-dsa", "own"}
    assert found["own"] == "https://mirror.example.org/own.json"


def test_a_mirror_takes_the_place_of_the_publisher(feeds: Feeds) -> None:
    assert chosen(feeds, ["kev"], {"kev": "https://mirror/kev"}) == {"kev": "https://mirror/kev"}
    with pytest.raises(FeedError, match="no address is known for the feed nonsense"):
        chosen(feeds, ["nonsense"], {})


def test_every_address_of_the_table_is_one_that_may_be_asked() -> None:
    named = (
        "oval-ubuntu-jammy",
        "oval-rhel-9",
        "alpine-secdb-v3.20-main",
        "alpine-secdb-v3.20-community",
    )
    for name in (*upstream.URLS, *named):
        check_url(upstream.url_of(name))
    assert upstream.url_of("oval-ubuntu-nonsense") == ""
    assert upstream.url_of("oval-ubuntu-jammy").endswith("com.ubuntu.jammy.usn.oval.xml.bz2")
    assert upstream.advisories_for("rhel", "9") == "bartizan feeds update --only oval-rhel-9"
    assert upstream.advisories_for("amzn", "2023") == "bartizan feeds import FILE"
    assert upstream.advisories_for("alpine", "") == "bartizan feeds import FILE"
