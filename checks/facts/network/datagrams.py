"""How the UDP ports of an address answer."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class UdpSize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bytes of one question to a UDP port, and of the first datagram with which it was answered."""

    port: int
    asked: int
    heard: int


class UdpAnswers(Fact, frozen=True, forbid_unknown_fields=True):
    """How the UDP ports asked of one live address answered, and who asked from where.

    `open` answered with a datagram, `closed` with the error that nobody listens there; `silent` gave no
    answer to two tries or more: open or filtered, nobody can tell. A port in none of them was not asked.
    `sizes` are those of the open ports.
    """

    vantage: str
    asked: tuple[int, ...]
    open: tuple[int, ...]
    closed: tuple[int, ...]
    silent: tuple[int, ...]
    sizes: tuple[UdpSize, ...] = ()
