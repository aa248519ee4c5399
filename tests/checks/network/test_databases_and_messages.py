"""Brokers that serve strangers, and databases without TLS."""

from __future__ import annotations

import msgspec
import pytest

from checks.facts.network import OpenPorts
from checks.facts.network.databases import DatabaseServer, DatabaseServers, Encryption
from checks.facts.network.logins import Login
from checks.facts.network.messages import (
    AmqpLogins,
    CassandraLogins,
    KafkaLogins,
    MqttLogins,
    NatsLogins,
    ZookeeperLogins,
)
from checks.model import Exploit, Outcome
from checks.network.messages import BROKERS
from tests.checks.network.judging import CATALOGUE, hold_by, judge, open_ports, outcomes

LOGINS = {
    "network.databases.cassandra-login": CassandraLogins,
    "network.messages.mqtt-login": MqttLogins,
    "network.messages.kafka-login": KafkaLogins,
    "network.messages.nats-login": NatsLogins,
    "network.messages.amqp-anonymous": AmqpLogins,
    "network.messages.zookeeper-commands": ZookeeperLogins,
}


def test_every_broker_is_tested() -> None:
    assert {one.id for one in BROKERS} <= set(LOGINS)


@pytest.mark.parametrize("check", LOGINS)
def test_a_server_that_serves_a_stranger_fails(check: str) -> None:
    fact = LOGINS[check]
    served = Login("tcp/7000", needed=False, answer="served", version="1.0")
    guarded = Login("tcp/7000", needed=True, answer="who are you")
    hold_by(check, fact((served,)), fact((guarded,)), "tcp/7000")
    assert CATALOGUE.checks[check].exploit is Exploit.NO_EXPLOIT_NEEDED


def database(encryption: Encryption) -> DatabaseServers:
    return DatabaseServers((DatabaseServer("tcp/3306", "MySQL", "8.0", encryption),))


def test_a_database_without_tls_fails() -> None:
    check = "network.databases.tls"
    missing, offered = database(Encryption.MISSING), database(Encryption.OFFERED)
    hold_by(check, missing, offered, "tcp/3306", open_ports())
    for encryption in (Encryption.REQUIRED, Encryption.FIRST):
        assert outcomes(judge(check, database(encryption), open_ports())) == {"tcp/3306": Outcome.PASS}


def test_a_database_that_does_not_tell_or_is_asked_from_its_own_machine_is_unknown() -> None:
    check = "network.databases.tls"
    [finding] = judge(check, database(Encryption.UNTOLD), open_ports())
    assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, "tcp/3306")
    here: OpenPorts = msgspec.structs.replace(open_ports(), vantage="loopback")
    [finding] = judge(check, database(Encryption.MISSING), here)
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "a scan from another machine")
