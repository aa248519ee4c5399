"""Front pages, redirects, and what web servers give out: real ones, and fakes for what no package gives."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from time import monotonic

import pytest

from checks.catalogue import load
from checks.facts.network import OpenPort
from checks.facts.network.consoles import Consoles
from checks.facts.network.logins import ApiLogins
from checks.facts.network.web import Cookie, HttpAnswer, HttpAnswers, Shown, WebPath, WebPaths
from checks.network import web_files
from scanner.collect.collector import Collected
from scanner.collect.network.ask import http as question
from scanner.collect.network.ask import http_apis, http_page, http_redirects, web_marks
from scanner.collect.network.ask.consoles_table import CONSOLES
from scanner.collect.network.ask.http_interfaces import Candidate, candidates, reception, said
from scanner.collect.network.ask.http_redirects import Followed, Place, target
from scanner.collect.network.ask.question import Asked
from scanner.collect.network.web import Response
from scanner.transport.sent import Sent
from tests.lab.asking import AT, LOCAL, ask, line, only, reason
from tests.lab.daemons import daemon, folder
from tests.lab.parts import free_port, program
from tests.lab.services import certificate, http, inside_tls, running, serving

Answering = Callable[[str, str, str], bytes]
"""What a fake server says to a method, a path and the whole head of a request."""


def page(body: bytes | str = b"", status: str = "200 OK", *headers: str) -> bytes:
    """One answer, after which the connection stays."""
    data = body if isinstance(body, bytes) else body.encode()
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers, "", "")
    return "\r\n".join(lines).encode() + data


def server(answer: Answering) -> Callable[[socket.socket], None]:
    """A fake web server that keeps its connections."""

    def handle(connection: socket.socket) -> None:
        heard = b""
        while True:
            while b"\r\n\r\n" not in heard:
                more = connection.recv(65_536)
                if not more:
                    return
                heard += more
            head, _, heard = heard.partition(b"\r\n\r\n")
            words = head.decode("latin-1")
            length = next(
                (int(x[15:]) for x in words.lower().split("\r\n") if x.startswith("content-length:")), 0
            )
            while len(heard) < length:
                heard += connection.recv(65_536)
            heard = heard[length:]
            method, path = words.split(" ")[:2]
            said = answer(method, path, words)
            if not said:
                return
            connection.sendall(said)
            if "\r\nConnection: close" in words:
                return

    return handle


def probe(
    number: int, *, tls: bool = False, log: list[Sent] | None = None, seconds: float = 4.0
) -> Collected:
    port = OpenPort(number, "tcp", "http", tls=tls)

    async def work() -> Collected:
        return await question.ask(Asked(line(seconds, log), LOCAL, port, AT, question.FACTS))

    return asyncio.run(work())


def front(number: int, *, tls: bool = False) -> HttpAnswer:
    [answer] = only(probe(number, tls=tls), HttpAnswers).answers
    return answer


def paths(number: int) -> dict[str, WebPath]:
    return {path.thing: path for path in only(probe(number), WebPaths).paths}


def shown(number: int) -> set[str]:
    return {thing for thing, path in paths(number).items() if path.shown is Shown.YES}


# --- real servers ---


@pytest.mark.real
def test_nginx_that_lists_its_files_gives_out_its_repository() -> None:
    with daemon("nginx-listing") as nginx:
        found = probe(nginx.tcp[0])
    things = {path.thing: path for path in only(found, WebPaths).paths}
    assert {name for name, path in things.items() if path.shown is Shown.YES} == {"listing", "git"}
    assert all(path.shown is Shown.NO for name, path in things.items() if name not in ("listing", "git"))
    assert things["trace"].saw == "status 405, no echo"
    told = " ".join(source.excerpt for source in found.sources)
    assert "refs/heads" not in told, "the contents are looked at and forgotten"


@pytest.mark.real
def test_a_plain_nginx_is_asked_for_few_things_over_two_connections() -> None:
    log: list[Sent] = []
    heard = 0
    with daemon("nginx-plain") as nginx:
        found = probe(nginx.tcp[0], log=log)
        things = only(found, WebPaths).paths
    heard = 1 + 1 + sum(1 for path in things if path.path.startswith("/") and path.thing != "listing")
    assert len(log) == 2
    assert heard <= 12
    assert {path.shown for path in things} == {Shown.NO}
    assert only(found, Consoles).consoles == ()
    assert only(found, ApiLogins).apis == ()


@pytest.mark.real
def test_nginx_with_every_header_shows_them_over_tls() -> None:
    with daemon("nginx-good") as nginx:
        tls, plain = nginx.tcp
        good = front(tls, tls=True)
        assert front(plain).location == f"https://127.0.0.1:{tls}/"
        assert shown(plain) == set()
    assert good.hsts.startswith("max-age=31536000")
    assert (good.content_type_options, good.frame_options) == ("nosniff", "deny")
    assert (good.frame_ancestors, good.referrer_policy) == ("'none'", "no-referrer")
    assert (good.content_type, good.whole) == ("text/html", True)


@pytest.mark.real
@pytest.mark.parametrize("name", ["lighttpd", "python-http"])
def test_other_servers_list_their_files_too(name: str) -> None:
    with daemon(name) as running:
        assert shown(running.tcp[0]) == {"listing"}


@pytest.mark.real
def test_a_real_login_page_over_http_is_seen() -> None:
    with daemon("nginx-login") as nginx:
        answer = front(nginx.tcp[0])
    assert (answer.title, answer.password_form, answer.tls) == ("Sign in", True, False)


@pytest.mark.real
def test_a_real_server_that_echoes_trace_is_found(tmp_path: Path) -> None:
    """Python's own server with the one method that it lacks: nginx and lighttpd refuse TRACE."""

    def trace(self: SimpleHTTPRequestHandler) -> None:
        said = f"{self.requestline}\r\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    own = {"do_TRACE": trace, "protocol_version": "HTTP/1.1", "log_message": lambda *_: None}
    echo = type("Echo", (SimpleHTTPRequestHandler,), own)
    (tmp_path / ".env").write_text("# settings\n\nDB_PASSWORD=not-to-be-kept\nexport KEY_2=b\n")
    (tmp_path / ".DS_Store").write_bytes(b"\0\0\0\1Bud1\0\0")
    (tmp_path / ".svn").mkdir()
    (tmp_path / ".svn" / "entries").write_text("12\n")
    (tmp_path / "index.html").write_text("<title>mine</title>")

    def handle(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            echo(connection, ("127.0.0.1", 0), None, directory=str(tmp_path))

    with serving(handle) as number:
        found = probe(number)
    things = {path.thing: path for path in only(found, WebPaths).paths}
    yes = {name for name, path in things.items() if path.shown is Shown.YES}
    assert yes == {"trace", "env", "ds-store", "subversion"}
    assert "not-to-be-kept" not in repr(found)


# --- redirects ---


@contextlib.contextmanager
def trap(address: str = "127.0.0.2") -> Iterator[tuple[int, list[bytes]]]:
    """A listener that nobody may reach; its port, and what reached it."""
    reached: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        reached.append(b"connected")
        reached.append(connection.recv(100))

    with serving(handle, address=address) as number:
        yield number, reached


def asked_within(number: int, allowed: set[str], log: list[Sent]) -> HttpAnswer:
    """The front page as a scan sees it whose scope is these addresses alone."""

    async def work() -> Collected:
        over = line(4.0, log)
        object.__setattr__(over, "allowed", lambda address: str(address) in allowed)
        port = OpenPort(number, "tcp", "http")
        return await question.ask(Asked(over, LOCAL, port, AT, frozenset({HttpAnswers})))

    [answer] = only(asyncio.run(work()), HttpAnswers).answers
    return answer


@pytest.mark.parametrize("form", ["http://127.0.0.2:{}/", "//127.0.0.2:{}/x", "HTTP://127.0.0.2:{}"])
def test_nothing_is_sent_where_a_redirect_leads_off_the_scope(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[Sent] = []
    with trap() as (other, reached):
        # The port may be one on which the web is usual: the address alone must stop it.
        monkeypatch.setattr(http_redirects, "WEB_PORTS", frozenset({other}))
        with serving(http("302 Found", Location=form.format(other))) as number:
            answer = asked_within(number, {"127.0.0.1"}, log)
    assert reached == []
    assert {sent.destination for sent in log} == {"127.0.0.1"}
    assert (answer.status, answer.landed) == (302, "")
    assert answer.astray == "the redirect leads off the scope, to 127.0.0.2"


def test_a_redirect_within_the_scope_is_followed_to_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[Sent] = []
    form = '<title>There</title><input type="password">'
    with serving(http(body=form), address="127.0.0.2") as other:
        monkeypatch.setattr(http_redirects, "WEB_PORTS", frozenset({other}))
        with serving(http("302 Found", Location=f"http://127.0.0.2:{other}/in?token=secret")) as number:
            answer = asked_within(number, {"127.0.0.1", "127.0.0.2"}, log)
    assert answer.landed == f"http://127.0.0.2:{other}/in"
    assert (answer.status, answer.title, answer.password_form) == (302, "There", True)
    assert [sent.destination for sent in log] == ["127.0.0.1", "127.0.0.2"]


@pytest.mark.real
def test_a_real_redirect_to_an_address_outside_is_noted_and_not_followed() -> None:
    log: list[Sent] = []
    with daemon("nginx-redirect") as nginx:
        answer = asked_within(nginx.tcp[0], {"127.0.0.1"}, log)
    assert answer.astray == "the redirect leads off the scope, to 203.0.113.9"
    assert {sent.destination for sent in log} == {"127.0.0.1"}


@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere.test/", "http://127.0.0.1@127.0.0.2/", "http://2130706434/", "http://0x7f000002/",
        "http://127.2/", "http://127.0.0.1.elsewhere.test/", "http://[::1]/", "http://[::ffff:127.0.0.2]/",
        "ftp://127.0.0.1/", "javascript:alert(1)", "http://127.0.0.1:99999/",
        "http://127.0.0.1:9100/", "http://127.0.0.1:22/", "\\\\127.0.0.2\\x", "http://[fe80::1%25eth0]/",
        "/a b", "/\u202e", "http://127.0.0.1:0x50/", "http://[127.0.0.1", "//user:word@127.0.0.1/",
    ],
)  # fmt: skip
def test_locations_that_are_no_address_of_the_scope_go_nowhere(location: str) -> None:
    here = Place(LOCAL, 8080, False, "/")
    with pytest.raises(ValueError, match="redirect"):
        target(location, here, lambda address: address == LOCAL)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/in", "http://127.0.0.1:12345/in"),
        ("in?x=1", "http://127.0.0.1:12345/a/in"),
        ("?x", "http://127.0.0.1:12345/a/b"),
        ("https://127.0.0.1/", "https://127.0.0.1:443/"),
        ("//127.0.0.1:12345", "http://127.0.0.1:12345/"),
    ],
)
def test_locations_of_the_same_address_are_understood(location: str, url: str) -> None:
    assert target(location, Place(LOCAL, 12_345, False, "/a/b"), lambda _: False).url == url


def test_an_address_of_ipv6_is_written_as_one() -> None:
    here = Place(ip_address("::1"), 80, False, "/")
    assert target("/x", here, lambda _: False).url == "http://[::1]:80/x"


def test_redirects_in_a_circle_and_without_an_end_are_left() -> None:
    log: list[Sent] = []
    with serving(server(lambda *_: page(b"", "302 Found", "Location: /"))) as number:
        assert "in a circle" in asked_within(number, {"127.0.0.1"}, log).astray

    def onward(_: str, path: str, __: str) -> bytes:
        return page(b"", "302 Found", f"Location: {path}x")

    log.clear()
    with serving(server(onward)) as number:
        answer = asked_within(number, {"127.0.0.1"}, log)
    assert answer.astray.startswith(f"more than {http_redirects.MOST_HOPS} redirects")
    assert len(log) == 1 + http_redirects.MOST_HOPS


# --- the front page ---


def test_cookies_origins_and_headers_are_told_without_values() -> None:
    heard: list[str] = []
    headers = (
        "Set-Cookie: id=secret-value; Secure; HttpOnly; Path=/",
        "Set-Cookie: theme=secret-value; path=/",
        "Access-Control-Allow-Credentials: TRUE",
        f"Content-Security-Policy: default-src {'x ' * 500}; frame-ancestors 'self' ; x",
    )

    def answer(method: str, path: str, words: str) -> bytes:
        heard.append(words)
        origin = next(x[8:] for x in words.split("\r\n") if x.startswith("Origin: ")) if path == "/" else ""
        return page("<title>x</title>", "200 OK", f"Access-Control-Allow-Origin: {origin}", *headers)

    with serving(server(answer)) as number:
        found = ask(question.ask, OpenPort(number, "tcp", "http"), HttpAnswers)
    [told] = only(found, HttpAnswers).answers
    assert told.cookies == (Cookie("id", True, True), Cookie("theme", False, False))
    assert (told.cors_origin, told.cors_credentials) == ("https://nobody.invalid", True)
    assert told.frame_ancestors == "'self'"
    assert "secret-value" not in repr(found)
    assert len(heard) == 1, "who wants the front page alone is asked for nothing more"


@pytest.mark.parametrize(
    ("body", "product"),
    [
        ("<title>Welcome to nginx!</title>", "nginx"),
        ("<title>Apache2 Debian Default Page: It works</title>", "Apache httpd"),
        ("<html><body><h1>It works!</h1></body></html>", "Apache httpd"),
        ("<title>IIS Windows Server</title>", "Microsoft IIS"),
        ("<title>Apache Tomcat/9.0.70</title>", "Apache Tomcat"),
        ("<title>Welcome to our shop</title>", ""),
    ],
)
def test_the_first_page_of_a_package_is_known(body: str, product: str) -> None:
    with serving(http(body=body)) as number:
        assert front(number).default_page == product


def test_a_title_full_of_escapes_is_printable_and_a_page_of_starts_costs_little() -> None:
    hostile = "<title>\x1b[2J&#27;&#x202e;\u200b</title>" + "<input " * 30_000 + "<title" * 30_000
    began = monotonic()
    with serving(http(body=hostile)) as number:
        answer = front(number)
    assert monotonic() - began < 4
    assert answer.title.isprintable()
    assert not answer.password_form
    assert not answer.whole, "longer than what is looked at"


# --- what is given out ---

CONTENTS = {
    "git": ("/.git/HEAD", "ref: refs/heads/main\n"),
    "subversion": ("/.svn/entries", "12\r\n"),
    "env": ("/.env", "APP_KEY=x\nAPP_DEBUG=true\n"),
    "ds-store": ("/.DS_Store", "\0\0\0\1Bud1"),
    "server-status": ("/server-status", "<html><head><title>Apache Status</title>"),
    "phpinfo": ("/phpinfo.php", "<title>PHP 8.2.7 - phpinfo()</title>"),
    "wordpress-backup": ("/wp-config.php.bak", "<?php define( 'DB_PASSWORD', 'x' );"),
    "werkzeug": ("/console", "<title>Console // Werkzeug Debugger</title>"),
    "symfony-profiler": ("/_profiler/", "<title>Symfony Profiler</title>"),
    "laravel-ignition": ("/_ignition/health-check", '{"can_execute_commands":true}'),
    "actuator": ("/actuator/env", '{"activeProfiles":[],"propertySources":[]}'),
    "pprof": ("/debug/pprof/", "<title>/debug/pprof/</title>\nTypes of profiles available:"),
}
MISSING = "404 Not Found"
HINTS = "<a href=index.php> wp-content laravel symfony"


@pytest.mark.parametrize("name", CONTENTS)
def test_each_thing_is_known_by_its_mark_and_not_where_every_page_has_it(name: str) -> None:
    where, contents = CONTENTS[name]

    def only_there(_: str, path: str, __: str) -> bytes:
        if path == "/":
            return page(HINTS, "200 OK", "Server: Apache")
        return page(contents) if path == where else page("no", MISSING)

    with serving(server(only_there)) as number:
        found = paths(number)
    assert {thing for thing, path in found.items() if path.shown is Shown.YES} == {name}

    def everywhere(_: str, path: str, __: str) -> bytes:
        return page(HINTS, "200 OK", "Server: Apache") if path == "/" else page(contents)

    with serving(server(everywhere)) as number:
        found = paths(number)
    assert found[name].shown is Shown.UNDECIDED
    assert "looks the same" in found[name].saw


@pytest.mark.parametrize(
    ("thing", "body"),
    [
        ("django-debug", "<p>You're seeing this error because you have <code>DEBUG = True</code> in your"),
        ("rails-debug", "<h1>Routing Error</h1><p>Rails.root: /srv/app</p>"),
    ],
)
def test_debug_pages_show_where_no_page_is(thing: str, body: str) -> None:
    with serving(server(lambda _, path, __: page("hi") if path == "/" else page(body, MISSING))) as number:
        assert shown(number) == {thing}


def test_an_application_of_one_page_gives_nothing_out() -> None:
    """Every path answers 200 with the same page: no mark, so nothing is shown, and nothing is undecided."""
    with serving(server(lambda *_: page("<title>App</title><script src=/app.js></script>"))) as number:
        assert {path.shown for path in paths(number).values()} == {Shown.NO}


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests", "500 Error"])
def test_a_server_that_is_busy_decides_nothing(status: str) -> None:
    def busy(method: str, path: str, _: str) -> bytes:
        return page("hi") if (method, path) == ("GET", "/") else page("later", status)

    with serving(server(busy)) as number:
        found = paths(number)
    assert {path.shown for thing, path in found.items() if thing != "listing"} == {Shown.UNDECIDED}


def test_a_server_that_breaks_off_decides_nothing_and_is_not_asked_on() -> None:
    log: list[Sent] = []

    def breaks(_: str, path: str, __: str) -> bytes:
        return page("hi") if path == "/" else b""

    with serving(server(breaks)) as number:
        found = probe(number, log=log)
    states = {path.thing: path.shown for path in only(found, WebPaths).paths}
    assert states.pop("listing") is Shown.NO
    assert set(states.values()) == {Shown.UNDECIDED}
    assert len(log) == 3


def test_a_page_that_was_cut_before_its_mark_decides_nothing() -> None:
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"

    def cut(_: str, path: str, __: str) -> bytes:
        return packed if path == "/.env" else page("hi") if path == "/" else page("no", MISSING)

    with serving(server(cut)) as number:
        assert paths(number)["env"].shown is Shown.UNDECIDED


def test_web_pages_that_only_look_like_settings_are_none() -> None:
    for body in ("<html>A=b</html>", "a sentence\nKEY=x\n", "", "# only a comment\n", "{'A'='b'}"):

        def answer(_: str, path: str, __: str, body: str = body) -> bytes:
            return page("hi") if path == "/" else page(body) if path == "/.env" else page("", MISSING)

        with serving(server(answer)) as number:
            assert paths(number)["env"].shown is Shown.NO, body


def test_a_port_that_gives_no_front_page_is_a_gap_for_every_fact(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    with serving(inside_tls(made, lambda connection: connection.close())) as number:
        found = probe(number, tls=True)
    for kind in question.FACTS - {ApiLogins}:
        assert reason(found, kind)
    assert found.facts == ()
    assert "ApiLogins" not in {gap.fact for gap in found.gaps}, "nothing hints at one: nothing to know"


def test_udp_ports_and_other_services_are_not_asked() -> None:
    assert question.applies(OpenPort(80, "tcp", "http"))
    assert question.applies(OpenPort(2379, "tcp", tls=True))
    assert not question.applies(OpenPort(80, "udp", "http"))
    assert not question.applies(OpenPort(22, "tcp", "ssh"))
    assert not question.applies(OpenPort(443, "tcp", tls=True))


@pytest.mark.parametrize(
    "unit",
    [b"<title", b"<input ", b"<input type   ", b"<title>" + b"x" * 300, b"title: ", b'"id" : 1 , ', b"0.9"],
)
def test_pages_made_to_hold_up_a_search_are_looked_at_quickly(unit: bytes) -> None:
    """Everything that looks at a page stands in one loop with all other conversations."""
    body = (unit * (http_redirects.PAGE_LIMIT // len(unit) + 1))[: http_redirects.PAGE_LIMIT]
    answer = Response(200, {f"x-{n}": "a" * 4_000 for n in range(16)}, body)
    followed = Followed((answer,))
    began = monotonic()
    http_page.answer(OpenPort(80, "tcp", "http"), followed)
    told = said(OpenPort(80, "tcp", "http"), followed)
    rows = (*http_apis.APIS, *CONSOLES)
    candidates(rows, 80, told)
    for row in rows:
        reception(Candidate(row, "known"), 80, answer, answer)
    for thing in web_marks.THINGS:
        thing.mark(answer)
    assert monotonic() - began < 1


# --- what looks like a pass or a failure and is none ---


def site(pages: dict[str, bytes], otherwise: bytes = b"") -> Callable[[socket.socket], None]:
    """A fake that answers these paths, and all others alike (not found)."""
    return server(lambda method, path, _: pages.get(path, otherwise or page("no", MISSING)))


def seen(pages: dict[str, bytes], otherwise: bytes = b"") -> dict[str, WebPath]:
    with serving(site(pages, otherwise)) as number:
        return paths(number)


def test_a_listing_behind_a_redirect_at_the_same_port_is_seen() -> None:
    listing = page("<title>Index of /pub/</title>")
    found = seen({"/": page("", "302 Found", "Location: /pub/"), "/pub/": listing})
    assert found["listing"].shown is Shown.YES


@pytest.mark.parametrize(
    "body", ["<title>Directory Listing For [/]</title>", "<h1>Index of /</h1>", "<title>listing directory /"]
)
def test_listings_of_other_servers_are_known(body: str) -> None:
    assert seen({"/": page(body)})["listing"].shown is Shown.YES


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("http://www.example.test:{}/x", Shown.UNDECIDED),
        ("https://www.example.test/x", Shown.NO),
        ("http://127.0.0.1:{}/x", Shown.NO),
        ("/x", Shown.NO),
    ],
)
def test_another_site_at_the_same_port_was_not_asked(location: str, shown: Shown) -> None:
    """A server that sends everybody to its name shows a stranger who has the address alone nothing of it."""

    def away(_: str, __: str, words: str) -> bytes:
        number = words.partition("Host: 127.0.0.1:")[2].partition("\r")[0]
        return page("", "301 Moved", f"Location: {location.format(number)}")

    with serving(server(away)) as number:
        found = probe(number)
    states = {p.thing: p.shown for p in only(found, WebPaths).paths if p.thing not in ("trace", "listing")}
    assert set(states.values()) == {shown}
    if shown is Shown.UNDECIDED:
        assert "www.example.test" in only(found, WebPaths).paths[1].saw
        assert "the name www.example.test" in reason(found, Consoles)


@pytest.mark.parametrize("status", ["400 Bad Request", "421 Misdirected Request", "408 Request Timeout"])
def test_a_server_that_understands_nobody_passes_nothing(status: str) -> None:
    found = seen({"/": page("hi")}, page("what?", status))
    assert {p.shown for name, p in found.items() if name not in ("listing", "trace")} == {Shown.UNDECIDED}


def test_one_path_that_is_refused_where_others_are_missing_is_not_given_out() -> None:
    for status in ("400 Bad Request", "401 Unauthorized", "403 Forbidden"):
        assert seen({"/": page("hi"), "/.env": page("", status)})["env"].shown is Shown.NO


def test_a_debug_page_says_what_it_is_at_its_end() -> None:
    long = page("x" * 60_000 + "you have <code>DEBUG = True</code>", MISSING)
    assert seen({"/": page("hi")}, long)["django-debug"].shown is Shown.YES
    cut = b"HTTP/1.1 404 Not Found\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"
    found = seen({"/": page("hi")}, cut)
    assert found["django-debug"].shown is Shown.UNDECIDED
    assert found["git"].shown is Shown.NO, "its status alone decides"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('KEY="-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nBgkqhkiG\n"\nB=1\n', Shown.YES),
        ('TEXT="first\nsecond\nthird"\n', Shown.YES),
        ("\ufeffA=1\nB=2\n", Shown.YES),
        ("<!doctype html>\nA=1", Shown.NO),
        ("Hostname: x\nGET /.env HTTP/1.1\n", Shown.NO),
    ],
)
def test_settings_are_told_from_what_looks_like_them(body: str, shown: Shown) -> None:
    assert seen({"/": page("hi"), "/.env": page(body)})["env"].shown is shown


def test_a_server_that_echoes_what_it_is_asked_gives_nothing_out() -> None:
    """Soft errors name the path that was asked for; some redirect to it."""

    def echo(_: str, path: str, __: str) -> bytes:
        if path == "/":
            return page(HINTS, "200 OK", "Server: Apache", "X-Debug-Token: 1a2b3c")
        return page(f"<title>{path}</title><h1>{path} was not found</h1>GET {path}")

    def onward(_: str, path: str, __: str) -> bytes:
        front_page = page(HINTS, "200 OK", "X-Debug-Token: 1a2b3c")
        return front_page if path == "/" else page("", "302 Found", f"Location: /in?next={path}{path}")

    for handler in (echo, onward):
        with serving(server(handler)) as number:
            found = paths(number)
        assert "symfony-profiler" in found
        assert {path.shown for path in found.values()} == {Shown.NO}


def test_a_redirect_that_keeps_the_path_is_no_profiler() -> None:
    def upward(_: str, path: str, __: str) -> bytes:
        return page(HINTS) if path == "/" else page("", "301 Moved", f"Location: https://127.0.0.1{path}")

    with serving(server(upward)) as number:
        assert shown(number) == set()
    results = page("", "302 Found", "Location: /_profiler/empty/search/results?limit=10")
    assert seen({"/": page(HINTS), "/_profiler/": results})["symfony-profiler"].shown is Shown.YES


def test_a_page_that_cannot_exist_and_cannot_be_read_is_nothing_to_compare_with() -> None:
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"
    found = seen({"/": page("hi"), "/.git/HEAD": page("ref: refs/heads/main\n")}, packed)
    assert (found["git"].shown, found["git"].saw.endswith("could not be read")) == (Shown.UNDECIDED, True)


@pytest.mark.parametrize("status", ["401 Unauthorized", "503 Busy", "400 Bad Request", "429 Too Many"])
def test_a_front_page_that_hides_what_is_behind_it_is_no_page_without_a_console(status: str) -> None:
    with serving(server(lambda *_: page("no", status))) as number:
        assert f"status {status[:3]}" in reason(probe(number), Consoles)


def test_a_console_at_another_port_is_not_that_of_the_port_that_leads_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(server(lambda *_: page("<title>Grafana</title>"))) as other:
        monkeypatch.setattr(http_redirects, "WEB_PORTS", frozenset({other}))
        leads = page("", "302 Found", f"Location: http://127.0.0.1:{other}/login")
        with serving(server(lambda *_: leads)) as number:
            found = probe(number)
    assert only(found, HttpAnswers).answers[0].title == "Grafana"
    assert only(found, Consoles).consoles == ()


def test_no_secret_of_a_header_is_kept() -> None:
    headers = (
        "Location: https://user:hidden-1@127.0.0.3/in;jsessionid=hidden-2?token=hidden-3#hidden-4",
        'WWW-Authenticate: Digest realm="x", nonce="hidden-5", NTLM hidden-6',
        "Content-Security-Policy: script-src 'nonce-hidden-7'; report-uri /r?key=hidden-8, frame-ancestors",
        "Set-Cookie: id=hidden-9",
        "Set-Cookie: hidden-without-a-name",
    )
    with serving(server(lambda *_: page("", "302 Found", *headers))) as number:
        found = probe(number)
    assert "hidden" not in repr(found)
    [answer] = only(found, HttpAnswers).answers
    assert (answer.location, answer.frame_ancestors) == ("https://127.0.0.3/in", "'none'")
    assert answer.authenticate == ("digest", "ntlm")


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("id=x; Max-Age=0", 0), ("id=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/", 0),
        ("id=; Max-Age=-1", 0), ("id=x; Max-Age=07200", 1),
        ("id=x; Expires=Thu, 01 Jan 2037 00:00:00 GMT", 1), ("id=", 1),
    ],
)  # fmt: skip
def test_a_cookie_that_is_taken_back_needs_no_protection(raw: str, kept: int) -> None:
    with serving(http(Set_Cookie=raw)) as number:
        assert len(front(number).cookies) == kept


def test_attributes_of_cookies_are_known_with_values_too() -> None:
    with serving(http(Set_Cookie="id=x; Secure=true; HTTPONLY=")) as number:
        assert front(number).cookies == (Cookie("id", True, True),)


@pytest.mark.parametrize(
    "location",
    ["http://[::1%25x]:8080/", "http://[::ffff:127.0.0.1]:8080/", "http://127.0.0.2:12345/",
     "http:\\\\127.0.0.1/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.0.1.:8080/", "http://127.0.0.1%00.x/"],
)  # fmt: skip
def test_odd_forms_of_an_address_go_nowhere_though_every_address_is_allowed(location: str) -> None:
    with pytest.raises(ValueError, match="redirect"):
        target(location, Place(LOCAL, 12_345, False, "/"), lambda _: True)


@pytest.mark.parametrize(
    "location", ["///127.0.0.2/", "http:/127.0.0.2/", "http:127.0.0.2/", "/%0d%0aHost:x"]
)
def test_slashes_too_many_or_too_few_stay_at_the_server(location: str) -> None:
    there = target(location, Place(LOCAL, 12_345, False, "/"), lambda _: False)
    assert (there.address, there.port) == (LOCAL, 12_345)


def test_an_ordinary_server_is_asked_for_twelve_things_at_most() -> None:
    asked: list[str] = []

    def counting(_: str, path: str, __: str) -> bytes:
        asked.append(path)
        return page("<a href=index.php>", "200 OK", "Server: Apache") if path == "/" else page("no", MISSING)

    with serving(server(counting)) as number:
        probe(number)
    assert len(asked) <= 12


# --- what the fixes say, on a real nginx ---

CATALOGUE = load()
FIXED = (
    "network.http.version-disclosure",
    "network.http.hsts",
    "network.http.https-redirect",
    "network.http-headers.protection",
    "network.http-headers.cookies",
    *(leak.id for leak in web_files.LEAKS),
)


def follow_fixes(etc: Path, port: str) -> None:
    """Runs what the fixes for nginx say, below another folder and without the reload at their end."""
    for name in FIXED:
        [snippet] = CATALOGUE.checks[name].fix.snippets
        lines = [line for line in snippet.do.splitlines() if "systemctl" not in line]
        script = "\n".join(lines).replace("/etc/nginx", str(etc)).replace("@{port}", port)
        subprocess.run(["sh", "-euc", script], check=True)
        for path in re.findall(r"rm (\S+)", snippet.undo):
            assert Path(path.replace("/etc/nginx", str(etc))).is_file(), "what is undone was done"


@pytest.mark.real
def test_a_real_nginx_with_every_fix_of_ours_gives_nothing_out() -> None:
    port, plain = free_port(), free_port()
    with folder() as own:
        (own / "conf.d").mkdir()
        follow_fixes(own, f"127.0.0.1:{plain}")
        for path, contents in (value for value in CONTENTS.values()):
            (own / "site" / path.strip("/")).parent.mkdir(parents=True, exist_ok=True)
            if not path.endswith("/"):
                (own / "site" / path.strip("/")).write_text(contents)
        (own / "site" / "index.html").write_text(f"<title>mine</title>{HINTS}")
        config = own / "nginx.conf"
        config.write_text(
            f"pid {own}/nginx.pid; daemon off; events {{}}\n"
            f"http {{ access_log off; default_type text/html; include {own}/conf.d/*.conf;\n"
            f"server {{ listen 127.0.0.1:{port}; root {own}/site; include {own}/snippets/*.conf; }} }}\n"
        )
        command = ("nginx", "-p", str(own), "-c", str(config), "-e", "stderr")
        subprocess.run([program(command[0]), *command[1:], "-t"], check=True, capture_output=True)
        with running(*command, port=port):
            found = probe(port)
            leads = front(plain)
    assert {path.shown for path in only(found, WebPaths).paths} == {Shown.NO}
    [answer] = only(found, HttpAnswers).answers
    assert (answer.status, answer.title, answer.server) == (200, "mine", "nginx")
    assert answer.hsts == "max-age=31536000"
    assert (answer.content_type_options, answer.frame_options) == ("nosniff", "sameorigin")
    assert leads.location.startswith("https://127.0.0.1/")
