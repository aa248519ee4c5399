"""Database servers: what their first words say of version and encryption. Nobody logs in."""

from __future__ import annotations

import re
import struct
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from checks.facts.network.databases import DatabaseServer, DatabaseServers, Encryption
from scanner.collect.collector import Collected
from scanner.collect.network import web
from scanner.collect.network.ask.databases import SSL_REQUEST, shown_answer
from scanner.collect.network.ask.frames import Frames, conversation, speaks, told
from scanner.collect.network.ask.question import Asked, Question
from scanner.collect.network.talk import Talk, TalkError

MESSAGE_LIMIT = 8_192
_VERSION_LIMIT = 40
_MYSQL_TLS = 0x0800
_PRELOGIN = struct.pack("!BHHBHHB", 0, 11, 6, 1, 17, 1, 0xFF) + bytes(6) + b"\x00"
_MSSQL: Mapping[int, Encryption] = MappingProxyType(
    {
        0: Encryption.OFFERED,
        1: Encryption.OFFERED,
        2: Encryption.MISSING,
        3: Encryption.REQUIRED,
    }
)
_ORACLE = b"(DESCRIPTION=(CONNECT_DATA=(COMMAND=ping)))"


async def _mysql(asked: Asked, talk: Talk) -> DatabaseServer:
    """The greeting that a server sends by itself (protocol version 10)."""
    frames = Frames(talk)
    head = await frames.exactly(4)
    size = int.from_bytes(head[:3], "little")
    if not 10 <= size <= MESSAGE_LIMIT:
        raise TalkError("no greeting of MySQL came back")
    body = await frames.exactly(size)
    if body[0] == 0xFF:
        raise TalkError(f"the server turns this address away: {shown_answer(body[3:])}")
    version, mark, rest = body[1:].partition(b"\x00")
    if body[0] != 10 or not mark or len(rest) < 15:
        raise TalkError("a greeting of MySQL that decides nothing")
    [abilities] = struct.unpack_from("<H", rest, 13)
    number = re.sub(r"^5\.5\.5-(?=\d+\.\d+\.\d+-MariaDB)", "", shown_answer(version))
    product = "MariaDB" if b"MariaDB" in version else "MySQL"
    encryption = Encryption.OFFERED if abilities & _MYSQL_TLS else Encryption.MISSING
    return DatabaseServer(asked.port.name, product, number[:_VERSION_LIMIT], encryption)


async def _postgres(asked: Asked, talk: Talk) -> DatabaseServer:
    await talk.send(SSL_REQUEST)
    answer = await Frames(talk).exactly(1)
    if answer not in (b"S", b"N"):
        raise TalkError("no answer of PostgreSQL came back")
    if answer == b"S":
        # One letter may be anybody's: only a handshake shows that it was meant.
        await talk.tls(web.client_context())
        return DatabaseServer(asked.port.name, "PostgreSQL", "", Encryption.OFFERED)
    return DatabaseServer(asked.port.name, "PostgreSQL", "", Encryption.MISSING)


async def _mssql(asked: Asked, talk: Talk) -> DatabaseServer:
    """The answer to a PRELOGIN that leaves everything open ([MS-TDS] 2.2.6.5)."""
    await talk.send(struct.pack("!BBHHBB", 0x12, 1, 8 + len(_PRELOGIN), 0, 0, 0) + _PRELOGIN)
    frames = Frames(talk)
    kind, _, size = struct.unpack("!BBH", (await frames.exactly(8))[:4])
    if kind != 4 or not 14 <= size <= MESSAGE_LIMIT:
        raise TalkError("no answer of SQL Server came back")
    body = await frames.exactly(size - 8)
    options = _options(body)
    number, mode = options.get(0, b""), options.get(1, b"")
    if len(number) < 4 or len(mode) != 1 or mode[0] not in _MSSQL:
        raise TalkError("an answer of SQL Server that decides nothing")
    major, minor, build = struct.unpack_from("!BBH", number)
    return DatabaseServer(
        asked.port.name, "Microsoft SQL Server", f"{major}.{minor}.{build}", _MSSQL[mode[0]]
    )


def _options(body: bytes) -> Mapping[int, bytes]:
    found: dict[int, bytes] = {}
    for at in range(0, min(len(body), 200), 5):
        if body[at] == 0xFF or at + 5 > len(body):
            break
        kind, place, size = struct.unpack_from("!BHH", body, at)
        if place + size > len(body):
            raise TalkError("an answer of SQL Server that lies about its lengths")
        found[kind] = body[place : place + size]
    return found


async def _oracle(asked: Asked, talk: Talk) -> DatabaseServer:
    """The answer of a listener to a ping, which tells its version."""
    head = struct.pack("!HHHHHHHHHHI", 0x0136, 0x012C, 0, 0x0800, 0x7FFF, 0x7F08, 0, 1, len(_ORACLE), 58, 0)
    connect = (head + b"\x41\x41" + bytes(24))[:50] + _ORACLE
    await talk.send(struct.pack("!HHBBH", 8 + len(connect), 0, 1, 0, 0) + connect)
    frames = Frames(talk)
    size, _, kind = struct.unpack("!HHB", (await frames.exactly(8))[:5])
    if kind not in (2, 4) or not 8 <= size <= MESSAGE_LIMIT:
        raise TalkError("no answer of an Oracle listener came back")
    body = await frames.exactly(size - 8)
    number = re.search(rb"\(VSNNUM=(\d{1,10})\)", body)
    if not number:
        raise TalkError("an answer of an Oracle listener that decides nothing")
    return DatabaseServer(asked.port.name, "Oracle Database", _vsnnum(int(number[1])), Encryption.UNTOLD)


def _vsnnum(number: int) -> str:
    """The version in the number of a listener, whose parts became longer with release 18."""
    major = number >> 24 & 0xFF
    if major >= 18:
        rest = (number >> 16 & 0xFF, number >> 12 & 0xF, number >> 4 & 0xFF, number & 0xF)
    else:
        rest = (number >> 20 & 0xF, number >> 12 & 0xFF, number >> 8 & 0xF, number & 0xFF)
    return ".".join(map(str, (major, *rest)))


async def _redis(asked: Asked, talk: Talk) -> DatabaseServer:
    """A server that understands commands outside TLS; Redis never starts TLS later."""
    await talk.send(b"*1\r\n$4\r\nPING\r\n")
    answer = await Frames(talk).line()
    if not re.match(rb"\+PONG$|-(?:NOAUTH|NOPERM|DENIED|ERR|WRONGPASS) ", answer):
        raise TalkError(f"an answer to PING that decides nothing: {shown_answer(answer)}")
    return DatabaseServer(asked.port.name, "Redis", "", Encryption.MISSING)


_Greeting = Callable[[Asked, Talk], Awaitable[DatabaseServer]]


def _asking(product: str, greeting: _Greeting) -> Callable[[Asked], Awaitable[Collected]]:
    async def look(asked: Asked) -> tuple[DatabaseServers, str]:
        if asked.port.tls:
            server = DatabaseServer(asked.port.name, product, "", Encryption.FIRST)
        else:
            async with conversation(asked) as talk:
                server = await greeting(asked, talk)
        said = f"{server.product} {server.version}".strip() + f", TLS: {server.encryption}"
        return DatabaseServers((server,)), said

    return told(DatabaseServers, "the first words of a database client", look)


def _question(
    product: str, greeting: _Greeting, names: frozenset[str], ports: frozenset[int], needs: str
) -> Question:
    ask = _asking(product, greeting)
    return Question(frozenset({DatabaseServers}), speaks(names, ports), ask, needs)


QUESTIONS = (
    _question(
        "MySQL",
        _mysql,
        frozenset({"mysql"}),
        frozenset({3306}),
        "the greeting of MySQL and MariaDB servers",
    ),
    _question(
        "PostgreSQL",
        _postgres,
        frozenset({"postgresql"}),
        frozenset({5432, 5433}),
        "the question of a PostgreSQL client whether the server speaks TLS",
    ),
    _question(
        "Microsoft SQL Server",
        _mssql,
        frozenset({"mssql", "ms-sql-s"}),
        frozenset({1433}),
        "the first message of a SQL Server client, before a login",
    ),
    _question(
        "Oracle Database",
        _oracle,
        frozenset({"oracle", "oracle-tns"}),
        frozenset({1521, 2483}),
        "a ping of Oracle listeners, which tells their version",
    ),
    _question("Redis", _redis, frozenset({"redis"}), frozenset(), "a Redis PING outside TLS"),
)
