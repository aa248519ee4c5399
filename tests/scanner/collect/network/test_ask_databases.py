"""First words of database servers: real ones where there are packages, else made of bytes."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.databases import DatabaseServer, DatabaseServers, Encryption
from scanner.collect.collector import Collected
from scanner.collect.network.ask import databases_greet
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import daemon
from tests.lab.services import answering, certificate, inside_tls, mute, redis, saying, serving


def probe(number: int, service: str, *, tls: bool = False, seconds: float = 3.0) -> Collected:
    port = OpenPort(number, "tcp", service, tls=tls)
    [question] = [one for one in databases_greet.QUESTIONS if one.applies(port)]
    return ask(question.ask, port, DatabaseServers, seconds=seconds)


def told(number: int, service: str) -> DatabaseServer:
    [server] = only(probe(number, service), DatabaseServers).servers
    return server


@pytest.mark.real
def test_a_real_mariadb_tells_its_version() -> None:
    with daemon("mariadb") as running:
        found = probe(running.tcp[0], "mysql", seconds=8.0)
    [server] = only(found, DatabaseServers).servers
    assert server.product == "MariaDB"
    assert server.version.startswith("10.")
    assert server.encryption in (Encryption.MISSING, Encryption.OFFERED)


@pytest.mark.real
def test_a_real_redis_without_tls(tmp_path: Path) -> None:
    with redis(tmp_path, "secret") as number:
        assert told(number, "redis").encryption is Encryption.MISSING


def test_postgresql_starts_tls_or_says_that_it_does_not(tmp_path: Path) -> None:
    made = certificate(tmp_path, bits=0)

    def starts(connection: socket.socket) -> None:
        assert connection.recv(8) == bytes.fromhex("0000000804d2162f")
        connection.sendall(b"S")
        inside_tls(made, mute)(connection)

    with serving(starts) as number:
        assert told(number, "postgresql").encryption is Encryption.OFFERED
    with serving(answering(lambda _: b"N")) as number:
        assert told(number, "postgresql").encryption is Encryption.MISSING


def greeting(version: bytes, abilities: int) -> bytes:
    body = b"\x0a" + version + b"\x00" + bytes(4) + b"saltsalt\x00" + struct.pack("<HBHH", abilities, 8, 2, 0)
    return len(body).to_bytes(3, "little") + b"\x00" + body


@pytest.mark.parametrize(
    ("version", "abilities", "seen"),
    [
        (b"8.0.36", 0xFFFF, ("MySQL", "8.0.36", Encryption.OFFERED)),
        (b"5.7.1-log", 0xF7FF, ("MySQL", "5.7.1-log", Encryption.MISSING)),
        (
            b"5.5.5-10.11.6-MariaDB-0+deb12u1",
            0xFFFF,
            ("MariaDB", "10.11.6-MariaDB-0+deb12u1", Encryption.OFFERED),
        ),
        (b"11.4.2-MariaDB", 0, ("MariaDB", "11.4.2-MariaDB", Encryption.MISSING)),
        (b"8.0\x1b[31m", 0, ("MySQL", "8.0\\u001b[31m", Encryption.MISSING)),
    ],
)
def test_greetings_of_mysql(version: bytes, abilities: int, seen: tuple[str, str, Encryption]) -> None:
    with serving(saying(greeting(version, abilities))) as number:
        server = told(number, "mysql")
    assert (server.product, server.version, server.encryption) == seen


def test_a_mysql_that_turns_this_address_away_is_a_gap() -> None:
    words = b"\xff\x6a\x04Host '10.0.0.9' is not allowed to connect"
    with serving(saying(len(words).to_bytes(3, "little") + b"\x00" + words)) as number:
        assert "turns this address away" in reason(probe(number, "mysql"), DatabaseServers)


def mssql(mode: int | None, version: bytes = bytes((15, 0, 0x10, 0x4D, 0, 0)), place: int = 11) -> bytes:
    options = struct.pack("!BHH", 0, place, 6)
    options += struct.pack("!BHHB", 1, place + 6, 1, 0xFF) if mode is not None else b"\xff" + bytes(5)
    body = options + version + bytes((mode or 0,))
    return struct.pack("!BBHHBB", 4, 1, 8 + len(body), 0, 1, 0) + body


@pytest.mark.parametrize(
    ("mode", "encryption"),
    [(0, Encryption.OFFERED), (1, Encryption.OFFERED), (2, Encryption.MISSING), (3, Encryption.REQUIRED)],
)
def test_prelogins_of_sql_server(mode: int, encryption: Encryption) -> None:
    heard: list[bytes] = []

    def reply(data: bytes) -> bytes:
        heard.append(data)
        return mssql(mode)

    with serving(answering(reply)) as number:
        server = told(number, "mssql")
    assert (server.version, server.encryption) == ("15.0.4173", encryption)
    [question] = heard
    assert (question[0], struct.unpack_from("!H", question, 2)[0]) == (0x12, len(question))


@pytest.mark.parametrize(
    "answer", [mssql(None), mssql(9), mssql(1, place=60_000), b"\x04\x01\xff\xff" + bytes(99)]
)
def test_prelogins_that_decide_nothing_are_gaps(answer: bytes) -> None:
    with serving(answering(lambda _: answer)) as number:
        assert reason(probe(number, "mssql", seconds=0.6), DatabaseServers)


def oracle(text: bytes, kind: int = 4) -> bytes:
    body = struct.pack("!BBH", 0, 0, len(text)) + text
    return struct.pack("!HHBBH", 8 + len(body), 0, kind, 0, 0) + body


@pytest.mark.parametrize(
    ("number_told", "version"),
    [(186647040, "11.2.0.2.0"), (0x13030000, "19.3.0.0.0"), (318767104, "19.0.0.0.0")],
)
def test_pings_of_oracle_listeners(number_told: int, version: str) -> None:
    text = f"(DESCRIPTION=(TMP=)(VSNNUM={number_told})(ERR=0)(ALIAS=LISTENER))".encode()
    heard: list[bytes] = []

    def reply(data: bytes) -> bytes:
        heard.append(data)
        return oracle(text)

    with serving(answering(reply)) as number:
        server = told(number, "oracle")
    assert (server.version, server.encryption) == (version, Encryption.UNTOLD)
    [question] = heard
    size, place = struct.unpack_from("!H", question, 0)[0], struct.unpack_from("!H", question, 26)[0]
    assert (size, question[4]) == (len(question), 1)
    assert question[place:] == b"(DESCRIPTION=(CONNECT_DATA=(COMMAND=ping)))"


@pytest.mark.parametrize(
    ("service", "answer"),
    [
        ("oracle", lambda _: oracle(b"(ERR=1189)")),
        ("oracle", lambda _: oracle(b"(VSNNUM=1)", kind=9)),
        ("oracle", lambda _: b"\xff\xff\x00\x00\x04\x00\x00\x00"),
        ("postgresql", lambda _: b"E"),
        ("redis", lambda _: b"HTTP/1.1 400 no\r\n"),
        ("redis", lambda _: b"x" * 9_000),
        ("mysql", lambda _: b""),
    ],
)
def test_words_that_decide_nothing_are_gaps(service: str, answer: Callable[[bytes], bytes]) -> None:
    with serving(answering(answer)) as number:
        assert reason(probe(number, service, seconds=0.6), DatabaseServers)


def test_tls_from_the_first_byte_needs_no_question() -> None:
    [server] = only(probe(1, "redis", tls=True), DatabaseServers).servers
    assert server.encryption is Encryption.FIRST
