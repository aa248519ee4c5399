"""Message brokers."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A broker. `engine` is ACTIVEMQ or RABBITMQ, `own_key` that its storage is under a key of one's own.

    `general` and `audit` are the logs that it sends; `alone` that it is one machine in one zone.
    """

    arn: str
    id: str
    name: str
    region: str
    engine: str
    version: str
    public: bool
    own_key: bool
    minor_upgrades: bool
    general: bool
    audit: bool
    alone: bool
    subnets: tuple[str, ...]
    groups: tuple[str, ...]


class Brokers(Fact, frozen=True, forbid_unknown_fields=True):
    """All brokers."""

    account: str
    brokers: tuple[Broker, ...]
