"""What the process that compares replies is told and answers: one line of JSON each."""

from __future__ import annotations

import msgspec

from scanner.collect.network.service_probes import Named

LINE_LIMIT = 256 * 1024


class Compare(msgspec.Struct, frozen=True):
    """Which signature does this reply to this probe fit?"""

    number: int
    protocol: str
    probe: str
    reply: bytes


class Compared(msgspec.Struct, frozen=True):
    """The answer to the question of that number; see `service_probes_match.Verdict`."""

    number: int
    named: Named | None = None
    further: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
