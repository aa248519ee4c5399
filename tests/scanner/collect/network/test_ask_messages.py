"""Message brokers: made of bytes, exactly as their protocols say, for none of them is installed here."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

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
from scanner.collect.collector import Collected
from scanner.collect.network.ask import messages
from tests.lab.asking import ask, only, reason
from tests.lab.services import answering, certificate, inside_tls, serving

QUESTIONS = {fact: one for one in messages.QUESTIONS for fact in one.facts}
KINDS = (AmqpLogins, CassandraLogins, KafkaLogins, MqttLogins, NatsLogins, ZookeeperLogins)
Reply = Callable[[bytes], bytes]


def always(answer: bytes) -> Reply:
    return lambda _: answer


def probe(fact: type[Fact], number: int, *, tls: bool = False, seconds: float = 3.0) -> Collected:
    return ask(QUESTIONS[fact].ask, OpenPort(number, "tcp", tls=tls), fact, seconds=seconds)


def told(fact: type[Fact], reply: Reply, greeting: bytes = b"") -> Login:
    with serving(answering(reply, greeting)) as number:
        made = only(probe(fact, number), fact)
    assert isinstance(made, KINDS)
    [login] = made.servers
    assert login.port == f"tcp/{number}"
    return login


def undecided(fact: type[Fact], reply: Reply, greeting: bytes = b"") -> str:
    with serving(answering(reply, greeting)) as number:
        return reason(probe(fact, number, seconds=0.6), fact)


def cql(code: int, body: bytes = b"", version: int = 0x83) -> bytes:
    return struct.pack("!BBhBI", version, 0, 0, code, len(body)) + body


def test_cassandra() -> None:
    heard: list[bytes] = []

    def ready(data: bytes) -> bytes:
        heard.append(data)
        return cql(2)

    assert not told(CassandraLogins, ready).needed
    assert heard == [bytes.fromhex("030000000100000016") + b"\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0"]
    name = b"\x00\x2forg.apache.cassandra.auth.PasswordAuthenticator"
    login = told(CassandraLogins, lambda _: cql(3, name))
    assert login.needed
    assert "PasswordAuthenticator" in login.answer
    error = struct.pack("!IH", 10, 3) + b"bad"
    for answer in (
        cql(0, error),
        cql(2, version=3),
        cql(9),
        b"\x83\x00\x00\x00\x02\xff\xff\xff\xff",
        b"\x83",
    ):
        assert undecided(CassandraLogins, always(answer))


def test_zookeeper() -> None:
    state = b"Zookeeper version: 3.8.0-5a02a05, built on 2022-02-25 08:49 UTC\nLatency min/avg/max: 0/0.0/0\n"
    login = told(ZookeeperLogins, lambda heard: state if heard == b"srvr" else b"")
    assert (login.needed, login.version) == (False, "3.8.0")
    refusal = b"srvr is not executed because it is not in the whitelist.\n"
    assert told(ZookeeperLogins, lambda _: refusal).needed
    for answer in (b"", b"This ZooKeeper instance is not currently serving requests\n", b"x" * 9_000):
        assert undecided(ZookeeperLogins, always(answer))


@pytest.mark.parametrize(("code", "needed"), [(0, False), (4, True), (5, True)])
def test_mqtt(code: int, needed: bool) -> None:
    heard: list[bytes] = []

    def reply(data: bytes) -> bytes:
        heard.append(data)
        return bytes((0x20, 2, 0, code)) if data[0] == 0x10 else b""

    assert told(MqttLogins, reply).needed is needed
    connect = heard[0]
    assert connect[1] == len(connect) - 2
    assert connect[2:12] == b"\x00\x04MQTT\x04\x02\x00\x0a"
    assert b"bartizan-" in connect


@pytest.mark.parametrize(
    "answer", [b"\x20\x02\x00\x01", b"\x20\x02\x00\x03", b"\x30\x02\x00\x00", b"\x20\x00"]
)
def test_mqtt_that_decides_nothing(answer: bytes) -> None:
    assert undecided(MqttLogins, lambda _: answer)


def test_mqtt_inside_tls(tmp_path: Path) -> None:
    made = certificate(tmp_path, bits=0)
    with serving(inside_tls(made, answering(lambda _: b"\x20\x02\x00\x05"))) as number:
        assert only(probe(MqttLogins, number, tls=True), MqttLogins).servers[0].needed


INFO = b'INFO {"server_id":"X","version":"2.9.10","max_payload":1048576%s} \r\n'


def test_nats() -> None:
    login = told(NatsLogins, lambda _: b"PONG\r\n", INFO % b"")
    assert (login.needed, login.version) == (False, "2.9.10")
    guarded = INFO % b',"auth_required":true'
    assert told(NatsLogins, lambda _: b"-ERR 'Authorization Violation'\r\n", guarded).needed
    # Strangers may be given an account of their own (no_auth_user).
    assert not told(NatsLogins, lambda _: b"PONG\r\n", guarded).needed
    assert undecided(NatsLogins, lambda _: b"", guarded)
    assert told(NatsLogins, lambda _: b"-ERR 'Authorization Violation'\r\n", INFO % b"").needed
    assert undecided(NatsLogins, lambda _: b"-ERR 'Unknown'\r\n", INFO % b"")
    assert "inside TLS" in undecided(NatsLogins, lambda _: b"", INFO % b',"tls_required":true')
    for greeting in (b"INFO []\r\n", b"INFO " + b"[" * 5_000 + b"\r\n", b"+OK\r\n", b"I" * 40_000):
        assert undecided(NatsLogins, lambda _: b"", greeting)


def start(mechanisms: bytes, *, table: int | None = None, long: int | None = None) -> bytes:
    properties = b"\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.10.8"
    body = b"\x00\x0a\x00\x0a\x00\x09" + struct.pack("!I", len(properties) if table is None else table)
    body += properties + struct.pack("!I", len(mechanisms) if long is None else long) + mechanisms
    body += struct.pack("!I", 5) + b"en_US"
    return struct.pack("!BHI", 1, 0, len(body)) + body + b"\xce"


@pytest.mark.parametrize(
    ("mechanisms", "needed"),
    [
        (b"PLAIN AMQPLAIN", True),
        (b"ANONYMOUS PLAIN AMQPLAIN", False),
        (b"X-" + b"LONG" * 60 + b" ANONYMOUS", False),
    ],
)
def test_amqp(mechanisms: bytes, needed: bool) -> None:
    login = told(AmqpLogins, lambda _: start(mechanisms))
    assert (login.needed, login.version) == (needed, "3.10.8")
    assert ("ANONYMOUS" if not needed else mechanisms.decode()) in login.answer


@pytest.mark.parametrize(
    "answer",
    [
        b"AMQP\x00\x01\x00\x00",
        start(b""),
        start(b"PLAIN", table=0xFFFFFF),
        start(b"PLAIN", long=0xFFFFFF),
        b"\x01\x00\x00\xff\xff\xff\xff",
        b"\x01\x00\x00\x00\x00\x00\x10" + bytes(17),
    ],
)
def test_amqp_that_decides_nothing(answer: bytes) -> None:
    assert undecided(AmqpLogins, lambda _: answer)


def kafka(body: bytes, number: int = 7) -> bytes:
    return struct.pack("!ii", 4 + len(body), number) + body


BROKERS = (
    struct.pack("!ii", 1, 0) + b"\x00\x07kafka-0" + struct.pack("!ih", 9092, -1) + struct.pack("!ii", 0, 0)
)


def test_kafka() -> None:
    def serves(heard: bytes) -> bytes:
        assert struct.unpack_from("!ihh", heard) == (len(heard) - 4, 3, 1)
        return kafka(BROKERS)

    login = told(KafkaLogins, serves)
    assert (login.needed, login.answer) == (False, "Metadata: 1 brokers were told")

    def asks(heard: bytes) -> bytes:
        [key] = struct.unpack_from("!h", heard, 4)
        return kafka(struct.pack("!hih", 33, 1, 5) + b"PLAIN") if key == 17 else b""

    login = told(KafkaLogins, asks)
    assert login.needed
    assert "SASL" in login.answer


@pytest.mark.parametrize(
    "answer",
    [
        kafka(struct.pack("!hi", 34, 0)),
        kafka(b""),
        kafka(BROKERS, number=8),
        kafka(struct.pack("!i", 9_000)),
        struct.pack("!ii", 0x7FFFFFFF, 7),
        b"",
    ],
)
def test_kafka_that_decides_nothing(answer: bytes) -> None:
    assert undecided(KafkaLogins, lambda _: answer)


def test_where_nobody_was_named_the_usual_port_counts() -> None:
    applies = QUESTIONS[MqttLogins].applies
    assert applies(OpenPort(1883, "tcp"))
    assert applies(OpenPort(40_000, "tcp", "mqtt"))
    assert not applies(OpenPort(1883, "tcp", "http"))
    assert not applies(OpenPort(1883, "udp"))
