"""Notification topics and who gets what is sent to them."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A topic and its KMS key; empty where it has none."""

    arn: str
    name: str
    region: str
    key: str


class Topics(Fact, frozen=True, forbid_unknown_fields=True):
    """All topics."""

    account: str
    regions: tuple[str, ...]
    topics: tuple[Topic, ...]


class Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who gets what is sent to a topic. `account` is that of an endpoint with an ARN, else empty.

    `owner` is the account that subscribed, whatever the endpoint is.
    """

    arn: str
    region: str
    topic: str
    protocol: str
    account: str
    confirmed: bool
    owner: str = ""


class Subscriptions(Fact, frozen=True, forbid_unknown_fields=True):
    """All subscriptions; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
