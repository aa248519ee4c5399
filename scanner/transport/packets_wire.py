"""What the process with the raw sockets and its parent say to each other: one JSON object per line."""

from __future__ import annotations

import msgspec

from scanner.transport.sent import Sent

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of one line, either way; the longest is a list of 65,536 addresses."""

MAX_STATES = 20_000_000
"""Most (address, port) pairs of one sweep; each takes a byte in the child."""

OPEN, CLOSED, FILTERED, SILENT, NOT_ASKED = "ocfs?"
"""One letter per port: answered yes, answered no, refused by a filter, no answer, nothing was sent."""


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="start"):
    """First line: who may be sent to in this whole life, how fast, and for how many seconds.

    `settle` is how many seconds late answers are waited for after the last packet of a pass.
    """

    addresses: tuple[str, ...]
    rate: float
    per_host: float
    seconds: float
    settle: float


class Discover(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="discover"):
    """Which of these answer ARP (on the link) or ICMP echo (behind a router)."""

    addresses: tuple[str, ...]


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sweep"):
    """How these TCP ports of these addresses answer a SYN."""

    addresses: tuple[str, ...]
    ports: tuple[int, ...]


class Ready(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ready"):
    """The sockets are open. `elsewhere` are the addresses that frames cannot reach from here."""

    interfaces: tuple[str, ...]
    elsewhere: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="refused"):
    """Nothing was sent, and why."""

    reason: str


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="found"):
    """A live address, its MAC where it is on the link, and what it answered (`arp`, `icmp-echo`)."""

    address: str
    mac: str
    how: str


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="answers"):
    """One letter per port of the sweep, in its order."""

    address: str
    states: str


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="log"):
    """What was sent since the last log."""

    entries: tuple[Sent, ...]


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="done"):
    """The request is finished; `whole` is false where time ran out before everything was sent."""

    sent: int
    seconds: float
    whole: bool


Request = Start | Discover | Sweep
Response = Ready | Refused | Found | Answers | Log | Done
