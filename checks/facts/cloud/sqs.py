"""Message queues."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Queue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A queue; `encrypted` by SQS's own key or one of KMS."""

    arn: str
    name: str
    region: str
    encrypted: bool
    dead_letters: bool


class Queues(Fact, frozen=True, forbid_unknown_fields=True):
    """All queues."""

    account: str
    regions: tuple[str, ...]
    queues: tuple[Queue, ...]
