"""Identities that mail is sent from."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Sender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verified sender: a whole `domain` or one address; `signs` if AWS signs its mail (DKIM)."""

    arn: str
    name: str
    region: str
    domain: bool
    signs: bool


class Senders(Fact, frozen=True, forbid_unknown_fields=True):
    """All senders that AWS has verified."""

    account: str
    regions: tuple[str, ...]
    senders: tuple[Sender, ...]
