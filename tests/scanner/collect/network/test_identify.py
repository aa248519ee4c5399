from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path
from time import monotonic, sleep

import pytest

from checks.facts.network import OpenPort
from scanner.collect.network import identify as identification
from scanner.collect.network import ports
from scanner.collect.network.identify import Identified, identify
from scanner.collect.network.naming import service_name
from scanner.collect.network.service_probes_book import Book, Comparer, open_book
from scanner.transport import nmap
from scanner.transport.nmap import Profile
from tests.lab.asking import LOCAL, hasten, line, who, who_all
from tests.lab.daemons import daemon
from tests.lab.services import (
    answering,
    certificate,
    dripping,
    endless,
    endless_lines,
    http,
    inside_tls,
    mute,
    reset,
    resetting,
    saying,
    serving,
)

OWN = IPv4Address("127.41.0.1")
"""For fixed ports: on the usual loopback address, another test or an outgoing connection may hold them."""


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)


def book() -> Book:
    found = open_book(nmap.find())
    assert found is not None, "nmap and its service-probe file are not installed; they are parts of this test"
    return found


def compared(*numbers: int, seconds: float = 6.0) -> tuple[OpenPort, ...]:
    """What speaks on each of these ports by nmap's signatures too, all asked at once."""

    async def work() -> list[Identified]:
        said: list[str] = []
        comparer = Comparer(book(), said.append)
        await comparer.compare("NULL", b"warm")
        try:
            over = line(seconds)
            return await asyncio.gather(*(identify(over, LOCAL, number, comparer) for number in numbers))
        finally:
            await comparer.stop()
            assert said == []

    return tuple(found.port for found in asyncio.run(work()))


@pytest.fixture(scope="module")
def started() -> Iterator[dict[str, tuple[int, ...]]]:
    """The real servers of this module, by name, with their ports; started side by side."""
    names = sorted({*NMAPS_WORDS, *OURS, *LIKE_NMAP})
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        servers = [daemon(name) for name in names]
        found = [pool.submit(server.__enter__) for server in servers]
        for server, one in zip(servers, found, strict=True):
            if one.exception() is None:
                stack.push(server)
        yield {name: one.result().tcp for name, one in zip(names, found, strict=True)}


OURS = {
    "sshd-good": "ssh",
    "redis-good": "redis",
    "memcached": "memcached",
    "postgres-good": "postgresql",
    "slapd-good": "ldap",
    "bind-good": "dns",
}
"""Servers that are named without nmap, and what they are named."""
LIKE_NMAP = ("sshd-good", "dropbear", "nginx-good", "ftp-cleartext", "rsync-open", "vnc-good")
NMAPS_WORDS = {
    "redis-good": ("redis", "Redis key-value store", ""),
    "memcached": ("memcached", "Memcached", ""),
    "postgres-good": ("postgresql", "PostgreSQL DB", "9.6.0 or later"),
    "slapd-good": ("ldap", "OpenLDAP", "2.2.X - 2.3.X"),
    "bind-good": ("dns", "ISC BIND", ""),
    "xrdp-tls": ("rdp", "xrdp", ""),
}
"""What nmap 7.93 says of servers that wait for a question of their own kind, when it tries all it has."""


@pytest.mark.real
def test_servers_that_wait_for_their_own_language_are_named_as_nmap_does(
    started: dict[str, tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    found = compared(*(started[name][0] for name in NMAPS_WORDS))
    words = {name: (p.service, p.product, p.version) for name, p in zip(NMAPS_WORDS, found, strict=True)}
    assert words == NMAPS_WORDS
    assert all(port.identified_by for port in found)


@pytest.mark.real
def test_the_same_is_said_as_by_a_run_of_nmap(started: dict[str, tuple[int, ...]]) -> None:
    numbers = sorted(number for name in LIKE_NMAP for number in started[name])
    ours = compared(*numbers)
    program = nmap.find()
    assert program is not None
    output = program.run(Profile.IDENTIFY, [LOCAL], numbers, seconds=90, cancelled=threading.Event())
    theirs = {port.number: port for port in output.hosts[0].ports}
    assert len(theirs) == len(numbers) >= 7
    for port in ours:
        seen = theirs[port.number]
        expected = (service_name(seen.service), seen.product, seen.version, seen.tunnel == "ssl", seen.cpe)
        assert (port.service, port.product, port.version, port.tls, port.cpe) == expected


@pytest.mark.real
def test_our_own_signatures_do_without_nmap(
    started: dict[str, tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    found = who_all(*(started[name][0] for name in OURS))
    assert [one.port.service for one in found] == list(OURS.values())
    assert found[0].port.cpe[0].startswith("cpe:/a:openbsd:openssh:")


def test_twenty_ports_that_say_nothing_cost_hardly_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with contextlib.ExitStack() as stack:
        numbers = [stack.enter_context(serving(server)) for server in (mute, dripping) for _ in range(10)]
        began = monotonic()
        found = compared(*numbers)
        assert monotonic() - began < 12
    assert not any(port.service for port in found)
    assert all(port.note for port in found)


def test_who_speaks_takes_turns_and_who_is_silent_holds_none() -> None:
    lock = threading.Lock()
    talking = most = 0

    def greet(connection: socket.socket) -> None:
        nonlocal talking, most
        connection.sendall(b"220 who knows\r\n")
        # Whoever asks further questions takes a turn before; there are none before the greeting is read.
        while connection.recv(100):
            with lock:
                talking += 1
                most = max(most, talking)
            sleep(0.05)
            with lock:
                talking -= 1
            connection.sendall(b"what?\r\n")

    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(serving(mute)) for _ in range(6)]
        talkers = [stack.enter_context(serving(greet)) for _ in range(6)]
        began = monotonic()
        found = compared(*silent, *talkers)
    assert [port.banner for port in found[6:]] == ["220 who knows"] * 6
    assert monotonic() - began < 9


def test_web_servers_are_identified_with_and_without_tls(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    with (
        serving(http(Server="nginx/1.25.3")) as plain,
        serving(inside_tls(made, http(Server="Caddy"))) as tls,
    ):
        found = who(plain).port
        assert (found.service, found.product, found.version, found.tls) == ("http", "nginx", "1.25.3", False)
        found = who(tls).port
        assert (found.service, found.product, found.tls, found.identified_by) == (
            "http",
            "Caddy",
            True,
            "tls",
        )


def test_a_port_that_complains_about_plain_http_is_asked_for_tls(tmp_path: Path) -> None:
    inner = inside_tls(certificate(tmp_path), http(Server="Apache/2.4.1"))
    complaint = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis is HTTPS; use https://"

    def handle(connection: socket.socket) -> None:
        if connection.recv(3, socket.MSG_PEEK) == b"GET":
            connection.recv(4096)
            connection.sendall(complaint)
        else:
            inner(connection)

    with serving(handle) as number:
        found = who(number).port
    assert (found.tls, found.product) == (True, "Apache httpd")


def speaking_late(seconds: float, *, strict: bool) -> Callable[[socket.socket], None]:
    """A server whose greeting comes late; a strict one drops whoever speaks before it."""

    def handle(connection: socket.socket) -> None:
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0:
            connection.settimeout(left)
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1000) or strict:
                    return
        connection.settimeout(5)
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.recv(1000)

    return handle


def test_first_words_that_come_late_are_heard_within_the_time_of_the_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy machine they come long after the usual patience, and some drop those who do not wait."""
    for name, seconds in (("LATE_SECONDS", 3.0), ("ANSWER_SECONDS", 0.3), ("SHORT_PATIENCE", 0.1)):
        monkeypatch.setattr(identification, name, seconds)
    with contextlib.ExitStack() as stack:
        servers = [
            speaking_late(seconds, strict=strict) for seconds in (0.5, 1.8) for strict in (True, False)
        ]
        numbers = [stack.enter_context(serving(server)) for server in servers]
        found = who_all(*numbers)
    assert [one.port.service for one in found] == ["ssh"] * 4
    assert {one.port.identified_by for one in found} == {"banner"}


def test_words_that_cross_the_hello_are_no_loss() -> None:
    seen: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        seen.append(connection.recv(1000))
        if seen[-1].startswith(b"\x16"):
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    with serving(handle) as number:
        assert who(number).port.service == "ssh"
    assert len(seen) == 2


def test_a_web_server_that_complains_of_the_hello_still_names_its_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def handle(connection: socket.socket) -> None:
        asked = connection.recv(1000)
        named = b"Server: nginx/1.25.3\r\n" if asked.startswith(b"GET") else b""
        connection.sendall(b"HTTP/1.1 400 Bad\r\n" + named + b"Connection: close\r\n\r\n")

    with serving(handle) as number:
        monkeypatch.setattr(identification, "TLS_FIRST", frozenset({number}))
        found = who(number).port
    assert (found.service, found.product, found.tls) == ("http", "nginx", False)


HOSTILE: dict[str, tuple[Callable[[socket.socket], None], bool]] = {
    "mute": (mute, False),
    "dripping": (dripping, True),
    "endless": (endless, False),
    "endless lines": (endless_lines, False),
    "reset": (reset, False),
    "reset after a byte": (resetting(1), False),
    "reset after a request": (resetting(100), False),
    "closing": (lambda connection: connection.close(), False),
    "zeros": (saying(b"\x00" * 3000), True),
    "escapes": (saying(b"\x1b[2J\x1b]0;owned\x07\xe2\x80\xae<script>alert(1)</script>\r\n"), True),
    "no text": (saying(b"\xff\xfe\xfd\xfc" * 50), True),
    "a record that lies": (saying(b"\x16\x03\x01\xff\xff" + b"\x02" * 500), True),
    "a hello that lies": (saying(b"\x16\x03\x03\x00\x04\x02\xff\xff\xff"), True),
    "a length that lies": (
        answering(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx"),
        True,
    ),
    "many headers": (answering(lambda _: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000), True),
    "lines before SSH": (saying(b"x" * 250 + b"\r\n" + b"y\r\n" * 5000 + b"SSH-2.0-x\r\n"), True),
    "a flood of options": (saying(b"\xff\xfd\x18" * 10_000), True),
}


def test_hostile_servers_neither_hang_nor_crash_nor_print() -> None:
    began = monotonic()
    with contextlib.ExitStack() as stack:
        numbers = [stack.enter_context(serving(server)) for server, _ in HOSTILE.values()]
        results = who_all(*numbers, seconds=2.0)
    assert monotonic() - began < 8
    for (name, (_, spoke)), number, found in zip(HOSTILE.items(), numbers, results, strict=True):
        port = found.port
        assert (port.number, found.spoke) == (number, spoke), name
        text = (port.service, port.product, port.version, port.banner, port.note)
        assert all(part.isprintable() for part in text), name
        assert port.service in ("", "http", "telnet"), name
        assert port.service or port.note, name


def test_a_handshake_that_stalls_is_left_in_time(tmp_path: Path) -> None:
    def stall(connection: socket.socket) -> None:
        hello = connection.recv(4096)
        if hello[:1] == b"\x16":
            connection.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")
        while connection.recv(4096):
            pass

    began = monotonic()
    with serving(stall) as number:
        assert not who(number, seconds=0.8).port.tls
    assert monotonic() - began < 8


@pytest.mark.parametrize("number", sorted(ports.FRAGILE))
def test_a_fragile_port_never_gets_a_byte(number: int) -> None:
    heard: list[bytes] = []
    done = threading.Event()

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(100))
        done.set()

    with serving(listen, number, str(OWN)):
        found = who(number, address=OWN)
        sleep(0.05)
    assert not done.is_set()
    assert heard == []
    assert not found.spoke
    assert "a byte can disturb" in found.port.note
