from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from scanner.collect.network import ports
from tests.lab.asking import hasten, who, who_all
from tests.lab.services import (
    answering,
    certificate,
    dripping,
    endless,
    endless_lines,
    http,
    inside_tls,
    memcached,
    mute,
    openssl_server,
    postgres,
    redis,
    reset,
    resetting,
    saying,
    serving,
    sshd,
    vsftpd,
)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)


@pytest.mark.real
def test_real_servers_are_identified(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("redis", "guarded", "ftp", "ssh")]
    for folder in folders:
        folder.mkdir()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        servers = [
            enter(redis(folders[0])),
            enter(redis(folders[1], "secret")),
            enter(memcached()),
            enter(postgres())[0],
            enter(vsftpd(folders[2], anonymous=False)),
            enter(sshd(folders[3])),
            enter(openssl_server(certificate(tmp_path), "-tls1_2")),
        ]
        found = [one.port for one in who_all(*servers)]
    names = ["redis", "redis", "memcached", "postgresql", "ftp", "ssh", ""]
    assert [port.service for port in found] == names
    ftp, ssh, unknown = found[4:]
    assert (ftp.product, ftp.version) == ("vsftpd", "3.0.3")
    assert (ssh.product, ssh.tls) == ("OpenSSH", False)
    assert ssh.banner.startswith("SSH-2.0-OpenSSH_")
    assert ssh.cpe[0].startswith("cpe:/a:openbsd:openssh:")
    assert unknown.tls
    assert unknown.note


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

    with serving(listen, port=number):
        found = who(number)
        sleep(0.05)
    assert not done.is_set()
    assert heard == []
    assert not found.spoke
    assert "a byte can disturb" in found.port.note
