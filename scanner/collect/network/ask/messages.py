"""Message brokers and coordination: whether they serve a stranger. Nothing is published or subscribed to."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Awaitable, Callable

from checks.facts.network import OpenPort
from checks.facts.network.logins import Login
from checks.facts.network.messages import (
    AmqpLogins,
    CassandraLogins,
    KafkaLogins,
    MqttLogins,
    NatsLogins,
    ZookeeperLogins,
)
from checks.facts.snapshot import Fact
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask.databases import LoginFact, decided, shown_answer
from scanner.collect.network.ask.frames import Frames, conversation, leave, speaks
from scanner.collect.network.ask.question import Asked, Question
from scanner.collect.network.talk import Talk, TalkError

FRAME_LIMIT = 60_000
_CQL_ERROR, _CQL_STARTUP, _CQL_READY, _CQL_AUTHENTICATE = 0, 1, 2, 3
_MQTT_REFUSED = {4: "bad user name or password", 5: "not authorized", 0x86: "bad user name or password",
                 0x87: "not authorized"}  # fmt: skip
_KAFKA_SASL, _KAFKA_STATE = 33, 34
_VERSION_LIMIT = 30


async def _cassandra(asked: Asked, talk: Talk) -> Login:
    """The start of the native protocol, version 3, which names no account."""
    body = struct.pack("!H", 1) + _short(b"CQL_VERSION") + _short(b"3.0.0")
    await talk.send(struct.pack("!BBhBI", 3, 0, 0, _CQL_STARTUP, len(body)) + body)
    frames = Frames(talk)
    version, _, _, code, size = struct.unpack("!BBhBI", await frames.exactly(9))
    if not version & 0x80 or size > FRAME_LIMIT:
        raise TalkError("no answer of Cassandra came back")
    content = await frames.exactly(size)
    if code == _CQL_READY:
        return Login(asked.port.name, needed=False, answer="READY without a login")
    if code == _CQL_AUTHENTICATE:
        return Login(asked.port.name, needed=True, answer=f"AUTHENTICATE: {shown_answer(content[2:])}")
    raise TalkError(f"an answer to STARTUP that decides nothing: {shown_answer(content[6:])}")


def _short(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


async def _zookeeper(asked: Asked, talk: Talk) -> Login:
    await talk.send(b"srvr")
    line = await Frames(talk).line()
    version = re.match(rb"Zookeeper version: ([\w.]{1,30})", line)
    if version:
        return Login(
            asked.port.name, needed=False, answer="srvr told its state", version=version[1].decode("ascii")
        )
    if line.startswith(b"srvr is not executed because it is not in the whitelist"):
        return Login(asked.port.name, needed=True, answer="srvr is not allowed")
    raise TalkError(f"an answer to srvr that decides nothing: {shown_answer(line)}")


async def _mqtt(asked: Asked, talk: Talk) -> Login:
    """A clean session of MQTT 3.1.1 without a user; it ends before a topic is named."""
    body = _short(b"MQTT") + struct.pack("!BBH", 4, 2, 10)
    # A name of its own each time: a broker hangs up on an older client of the same name.
    body += _short(b"bartizan-" + os.urandom(4).hex().encode())
    await talk.send(struct.pack("!BB", 0x10, len(body)) + body)
    kind, size, _, code = struct.unpack("!BBBB", await Frames(talk).exactly(4))
    if kind != 0x20 or size < 2:
        raise TalkError("no answer of MQTT came back")
    if code == 0:
        await leave(talk, b"\xe0\x00")
        return Login(asked.port.name, needed=False, answer="CONNECT was accepted without a user")
    if code in _MQTT_REFUSED:
        return Login(asked.port.name, needed=True, answer=f"CONNECT was refused: {_MQTT_REFUSED[code]}")
    raise TalkError(f"CONNECT was answered with the code {code}, which decides nothing")


async def _nats(asked: Asked, talk: Talk) -> Login:
    frames = Frames(talk)
    word, _, told = (await frames.line(16_384)).partition(b" ")
    try:
        info = json.loads(told)
    except (ValueError, RecursionError):
        info = None
    if word != b"INFO" or not isinstance(info, dict):
        raise TalkError("no greeting of NATS")
    version = printable(str(info.get("version", "")))[:_VERSION_LIMIT]
    if info.get("tls_required") is True and not asked.port.tls:
        raise TalkError("it answers only inside TLS, which this conversation did not start")
    # Strangers may be given an account all the same (no_auth_user): only CONNECT shows it.
    await talk.send(b'CONNECT {"verbose":false,"pedantic":false,"name":"bartizan"}\r\nPING\r\n')
    line = await frames.line()
    if line == b"PONG":
        return Login(asked.port.name, needed=False, answer="PING was answered", version=version)
    if line.startswith(b"-ERR") and b"uthoriz" in line:
        return Login(asked.port.name, needed=True, answer=shown_answer(line), version=version)
    raise TalkError(f"an answer to PING that decides nothing: {shown_answer(line)}")


async def _amqp(asked: Asked, talk: Talk) -> Login:
    """The mechanisms of AMQP 0-9-1, which the server names first; the conversation ends there."""
    await talk.send(b"AMQP\x00\x00\x09\x01")
    frames = Frames(talk)
    kind, channel, size = struct.unpack("!BHI", await frames.exactly(7))
    if (kind, channel) != (1, 0) or not 12 <= size <= FRAME_LIMIT:
        raise TalkError("no answer of AMQP 0-9-1 came back")
    body = await frames.exactly(size)
    if body[:4] != b"\x00\x0a\x00\x0a":
        raise TalkError("the server does not begin a connection of AMQP")
    rest = _after(body[6:])
    if len(rest) < 4 or int.from_bytes(rest[:4], "big") > len(rest) - 4:
        raise TalkError("a start of AMQP that lies about its lengths")
    named = rest[4 : 4 + int.from_bytes(rest[:4], "big")]
    if not named.split():
        raise TalkError("a start of AMQP without a way to log in")
    version = re.search(rb"\x07versionS\x00\x00\x00.([\w.+-]{1,30})", body)
    told = version[1].decode("ascii", "replace") if version else ""
    anonymous = b"ANONYMOUS" in named.upper().split()
    answer = f"mechanisms {shown_answer(named)}" if not anonymous else "ANONYMOUS is among the mechanisms"
    return Login(asked.port.name, needed=not anonymous, answer=answer, version=told)


def _after(data: bytes) -> bytes:
    """What follows a table whose length leads it."""
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 or size > len(data) - 4:
        raise TalkError("a start of AMQP that lies about its lengths")
    return data[4 + size :]


async def _kafka(asked: Asked, talk: Talk) -> Login:
    """The brokers of the cluster, with no topic asked for; where that is closed, whether a login is known."""
    try:
        answer = await _kafka_call(talk, 3, 1, struct.pack("!i", 0))
    except TalkError as refused:
        return await _kafka_login(asked, str(refused))
    [brokers] = struct.unpack_from("!i", answer) if len(answer) >= 4 else (-1,)
    if not 1 <= brokers <= 10_000 or len(answer) < 4 + brokers * 12:
        raise TalkError("an answer of Kafka that decides nothing")
    return Login(asked.port.name, needed=False, answer=f"Metadata: {brokers} brokers were told")


async def _kafka_login(asked: Asked, why: str) -> Login:
    """What the broker says to the name of a login that does not exist: it knows logins, or has none."""
    async with conversation(asked) as talk:
        answer = await _kafka_call(talk, 17, 0, _short(b"BARTIZAN"))
    [code] = struct.unpack_from("!h", answer) if len(answer) >= 2 else (0,)
    if code == _KAFKA_SASL:
        return Login(asked.port.name, needed=True, answer="Metadata is closed; a login (SASL) is asked for")
    raise TalkError(f"Metadata was not answered ({why}), and no login is asked for")


async def _kafka_call(talk: Talk, key: int, version: int, body: bytes) -> bytes:
    request = struct.pack("!hhi", key, version, 7) + _short(b"bartizan") + body
    await talk.send(struct.pack("!i", len(request)) + request)
    frames = Frames(talk)
    size, number = struct.unpack("!ii", await frames.exactly(8))
    if number != 7 or not 4 <= size <= FRAME_LIMIT:
        raise TalkError("no answer of Kafka came back")
    return await frames.exactly(size - 4)


Decide = Callable[[Asked, Talk], Awaitable[Login]]


def _question(
    fact: type[Fact], how: str, build: LoginFact, decide: Decide, applies: Callable[[OpenPort], bool]
) -> Question:
    ask: Callable[[Asked], Awaitable[Collected]] = decided(fact, build, how, decide)
    return Question(frozenset({fact}), applies, ask, f"{how}, without a login")


def _speaks(*names: str, ports: tuple[int, ...]) -> Callable[[OpenPort], bool]:
    return speaks(frozenset(names), frozenset(ports))


QUESTIONS = (
    _question(
        CassandraLogins,
        "a Cassandra STARTUP",
        CassandraLogins,
        _cassandra,
        _speaks("cassandra", "cassandra-native", ports=(9042,)),
    ),
    _question(
        ZookeeperLogins,
        "a ZooKeeper srvr command",
        ZookeeperLogins,
        _zookeeper,
        _speaks("zookeeper", ports=(2181,)),
    ),
    _question(
        MqttLogins, "an MQTT CONNECT", MqttLogins, _mqtt, _speaks("mqtt", "secure-mqtt", ports=(1883, 8883))
    ),
    _question(NatsLogins, "a NATS CONNECT and PING", NatsLogins, _nats, _speaks("nats", ports=(4222,))),
    _question(
        AmqpLogins, "the greeting of AMQP", AmqpLogins, _amqp, _speaks("amqp", "amqps", ports=(5671, 5672))
    ),
    _question(
        KafkaLogins,
        "a Kafka Metadata request for no topic",
        KafkaLogins,
        _kafka,
        _speaks("kafka", ports=(9092,)),
    ),
)
