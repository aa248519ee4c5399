"""Streams and delivery streams."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.resource_policies import ResourcePolicy
from checks.facts.snapshot import Fact


class Stream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data stream: whether it is encrypted, and for how many hours it keeps what is put in."""

    arn: str
    name: str
    region: str
    encrypted: bool
    hours: int


class Streams(Fact, frozen=True, forbid_unknown_fields=True):
    """All data streams."""

    account: str
    streams: tuple[Stream, ...]


class StreamPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of the data streams."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A delivery stream of Firehose. `source` is where it takes its data from (`DirectPut`, …).

    Only one that is put into keeps data of its own on the way, and can encrypt it.
    """

    arn: str
    name: str
    region: str
    source: str
    encrypted: bool


class Deliveries(Fact, frozen=True, forbid_unknown_fields=True):
    """All delivery streams."""

    account: str
    streams: tuple[Delivery, ...]
