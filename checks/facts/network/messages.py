"""Whether message brokers and coordination services serve a stranger."""

from __future__ import annotations

from checks.facts.network.logins import Login
from checks.facts.snapshot import Fact


class CassandraLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Cassandra nodes, and whether each takes a client that names no account."""

    servers: tuple[Login, ...]


class ZookeeperLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """ZooKeeper servers, and whether each tells its state to whoever sends `srvr`."""

    servers: tuple[Login, ...]


class MqttLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """MQTT brokers, and whether each takes a client that names no account."""

    servers: tuple[Login, ...]


class KafkaLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Kafka brokers, and whether each tells its cluster without a login."""

    servers: tuple[Login, ...]


class NatsLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """NATS servers, and whether each takes a client that names no account."""

    servers: tuple[Login, ...]


class AmqpLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """AMQP brokers, and whether each offers a login without an account (the mechanism ANONYMOUS)."""

    servers: tuple[Login, ...]
