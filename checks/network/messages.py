"""Message brokers and coordination services that serve whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from checks.check import Check, make_check
from checks.facts.network.messages import (
    AmqpLogins,
    KafkaLogins,
    MqttLogins,
    NatsLogins,
    ZookeeperLogins,
)
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface, Weakness
from checks.network.logins import logins
from checks.verdict import Verdicts


@dataclass(frozen=True, slots=True)
class Broker:
    """A kind of broker: how its check is called, why it matters, and what to do. `run` judges its fact."""

    name: str
    title: str
    run: Callable[..., Verdicts]
    severity: Severity
    why: str
    action: str
    do: str
    verify: str
    commands: str
    undo: str


def _mqtt(found: MqttLogins) -> Verdicts:
    yield from logins(found.servers)


def _kafka(found: KafkaLogins) -> Verdicts:
    yield from logins(found.servers)


def _nats(found: NatsLogins) -> Verdicts:
    yield from logins(found.servers)


def _amqp(found: AmqpLogins) -> Verdicts:
    yield from logins(found.servers)


def _zookeeper(found: ZookeeperLogins) -> Verdicts:
    yield from logins(found.servers)


_BROKERS = (
    Broker(
        name="mqtt-login",
        title="Every MQTT broker asks for a login",
        run=_mqtt,
        severity=Severity.HIGH,
        why="A broker without logins lets anybody listen to every device and send commands in their names.",
        action="Ask for a login in the MQTT broker",
        do="Set `allow_anonymous false` with a `password_file` or client certificates (Mosquitto), give the "
        "devices their accounts first, and restrict topics by an access list.",
        verify="mosquitto_sub -h @{target} -p @{port} -t test -W 3   # not authorised",
        commands="# On @{target} (port @{port}), for Mosquitto, with the accounts in "
        "/etc/mosquitto/passwords:\n"
        "printf 'allow_anonymous false\\npassword_file /etc/mosquitto/passwords\\n' "
        "> /etc/mosquitto/conf.d/10-logins.conf\n"
        "systemctl restart mosquitto",
        undo="rm /etc/mosquitto/conf.d/10-logins.conf && systemctl restart mosquitto",
    ),
    Broker(
        name="kafka-login",
        title="Every Kafka broker asks for a login",
        run=_kafka,
        severity=Severity.HIGH,
        why="A broker without logins gives every message of every topic away and takes made-up ones.",
        action="Ask for a login in Kafka",
        do="Define a SASL_SSL listener with SCRAM accounts, move the clients and brokers to it, turn an "
        "authorizer on, and close the PLAINTEXT listener.",
        verify="timeout 30 kafka-broker-api-versions.sh --bootstrap-server @{target}:@{port}   # the "
        "connection fails",
        commands="# On @{target}, in the place of the listener on port @{port}:\n"
        "cp -p /etc/kafka/server.properties /etc/kafka/server.properties.before\n"
        "sed -i 's/PLAINTEXT:\\/\\//SASL_SSL:\\/\\//g' /etc/kafka/server.properties\n"
        "printf 'sasl.enabled.mechanisms=SCRAM-SHA-512\\n' >> /etc/kafka/server.properties\n"
        "systemctl restart kafka",
        undo="mv /etc/kafka/server.properties.before /etc/kafka/server.properties && systemctl restart kafka",
    ),
    Broker(
        name="nats-login",
        title="Every NATS server asks for a login",
        run=_nats,
        severity=Severity.HIGH,
        why="A NATS server without logins lets anybody read and send on every subject.",
        action="Ask for a login in NATS",
        do="Define accounts with users, keys or tokens in the `authorization` or `accounts` block, give "
        "them to "
        "the clients, and reload.",
        verify="timeout 10 nats --server @{target}:@{port} rtt   # authorization violation",
        commands="# On @{target} (port @{port}); give the token to the clients:\n"
        "cp -p /etc/nats-server.conf /etc/nats-server.conf.before\n"
        'printf \'authorization { token: "%s" }\\n\' "$(openssl rand -hex 32)" >> /etc/nats-server.conf\n'
        "nats-server --signal reload",
        undo="mv /etc/nats-server.conf.before /etc/nats-server.conf && nats-server --signal reload",
    ),
    Broker(
        name="amqp-anonymous",
        title="No AMQP broker offers logins without an account",
        run=_amqp,
        severity=Severity.MEDIUM,
        why="With the mechanism ANONYMOUS whoever reaches the broker reads and feeds its queues.",
        action="Take the anonymous mechanism out of the broker",
        do="Set `auth_mechanisms` to PLAIN and AMQPLAIN (better EXTERNAL, with client certificates) and "
        "`anonymous_login_user = none` in rabbitmq.conf, and restart.",
        verify="nmap -Pn -p @{port} --script amqp-info @{target}   # no ANONYMOUS among the mechanisms",
        commands="# On @{target} (port @{port}), for RabbitMQ:\n"
        "printf 'auth_mechanisms.1 = PLAIN\\nauth_mechanisms.2 = AMQPLAIN\\nanonymous_login_user = none\\n' "
        "> /etc/rabbitmq/conf.d/10-logins.conf\n"
        "systemctl restart rabbitmq-server",
        undo="rm /etc/rabbitmq/conf.d/10-logins.conf && systemctl restart rabbitmq-server",
    ),
    Broker(
        name="zookeeper-commands",
        title="ZooKeeper servers answer no commands of strangers",
        run=_zookeeper,
        severity=Severity.MEDIUM,
        why="Who gets answers from ZooKeeper is within reach of the tree that steers a whole cluster.",
        action="Limit ZooKeeper to the cluster's own nodes",
        do="Let only the nodes of the cluster reach the port, set `4lw.commands.whitelist=ruok`, and require "
        "logins (SASL) for clients.",
        verify="printf srvr | nc -w 3 @{target} @{port}   # not in the whitelist, or no answer",
        commands="# On @{target} (port @{port}):\n"
        "cp -p /etc/zookeeper/conf/zoo.cfg /etc/zookeeper/conf/zoo.cfg.before\n"
        "printf '4lw.commands.whitelist=ruok\\n' >> /etc/zookeeper/conf/zoo.cfg\n"
        "systemctl restart zookeeper",
        undo="mv /etc/zookeeper/conf/zoo.cfg.before /etc/zookeeper/conf/zoo.cfg\nsystemctl restart zookeeper",
    ),
)


def _check(broker: Broker) -> Check[Any]:
    return make_check(
        broker.run,
        f"network.messages.{broker.name}",
        title=broker.title,
        severity=broker.severity,
        exploit=Exploit.NO_EXPLOIT_NEEDED,
        surface=Surface.SERVICE,
        weakness=Weakness.WORLD_READABLE_STORE,
        why=broker.why,
        fix=Fix(
            action=broker.action,
            do=broker.do,
            verify=broker.verify,
            effort=Effort(setup=2.0, each=0.5),
            disruption=Disruption.RESTART,
            undo="Put the old configuration back and restart the service.",
            snippets=(Snippet(Language.SHELL, broker.commands, broker.undo),),
            key="broker-login:@{target}:@{on}",
        ),
    )


BROKERS = tuple(_check(broker) for broker in _BROKERS)
"""One check for each kind of broker."""
