"""Which signature of the service-probe file a reply fits, within a bounded time and few compilations."""

from __future__ import annotations

import contextlib
import re
import signal
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import process_time

from scanner.collect.network.service_probes import (
    Named,
    Probe,
    Signature,
    named,
    required,
    service_of,
    signature,
)

REPLY_LIMIT = 16_384
"""Bytes of a reply that are looked at."""
PATTERN_SECONDS = 0.1
REPLY_SECONDS = 1.0
MOST_NEXT = 6
USUAL_RARITY = 7
"""nmap's own limit unless it is told otherwise; rarer probes are sent only to their own ports."""


class _SlowError(Exception):
    """A pattern takes too long for this reply."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply is, the probes that may tell more where that is soft, and what was given up."""

    named: Named | None = None
    further: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()


@dataclass(slots=True)
class _Line:
    """A signature; compiled once it is needed, given up once it was too slow."""

    signature: Signature
    compiled: re.Pattern[bytes] | None = None
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class _Lines:
    """The signatures of one probe, with what a text must hold for each: as it is, or in lower case."""

    lines: tuple[_Line, ...]
    exact: tuple[tuple[bytes, int], ...]
    lowered: tuple[tuple[bytes, int], ...]

    def worth_a_try(self, reply: bytes, lowered: bytes) -> Iterator[_Line]:
        """The signatures that this reply may fit, in their order."""
        places = [place for needed, place in self.exact if needed in reply]
        places += [place for needed, place in self.lowered if needed in lowered]
        return (self.lines[place] for place in sorted(places))


@dataclass
class Matcher:
    """The signatures of all probes, read as they are needed.

    Long patterns are broken off by an alarm of the operating system, so this works in the main thread of a
    process that has no other use for that alarm.
    """

    probes: Mapping[tuple[str, str], Probe]
    _read: dict[tuple[str, str], _Lines] = field(default_factory=dict)

    def warm(self, protocol: str, name: str) -> None:
        """Reads the signatures of one probe ahead of the first reply."""
        self._lines((protocol, name))

    def match(self, protocol: str, name: str, reply: bytes) -> Verdict:
        """What the reply to that probe says of the service, by the first signature that fits."""
        reply = reply[:REPLY_LIMIT]
        lowered = reply.lower()
        ways = self._ways(protocol, name)
        for key in ways:
            self._lines(key)
        # Time of the processor: a busy machine makes no pattern slow.
        until = process_time() + REPLY_SECONDS
        given_up: list[str] = []
        soft: Named | None = None
        for key in ways:
            found = self._first(key, reply, lowered, until, given_up)
            if found and not found.soft:
                return Verdict(found, (), tuple(given_up))
            soft = soft or found
            if process_time() >= until:
                given_up.append("the reply as a whole took too long to compare")
                break
        further = self._further(protocol, name, soft.service) if soft else ()
        return Verdict(soft, further, tuple(given_up))

    def _ways(self, protocol: str, name: str) -> list[tuple[str, str]]:
        probe = self.probes.get((protocol, name))
        names = (name, *(probe.fallback if probe else ()), *(("NULL",) if protocol == "tcp" else ()))
        # The names of UDP probes stand in the fallbacks of TCP ones, for they share their signatures.
        keys = (
            key
            for one in names
            for key in ((protocol, one), ("udp", one))
            if self.probes.get(key) is not None
        )
        return list(dict.fromkeys(keys))

    def _first(
        self, key: tuple[str, str], reply: bytes, lowered: bytes, until: float, given_up: list[str]
    ) -> Named | None:
        for line in self._lines(key).worth_a_try(reply, lowered):
            if line.dropped:
                continue
            left = min(PATTERN_SECONDS, until - process_time())
            if left <= 0:
                return None
            try:
                with _alarm(left):
                    if line.compiled is None:
                        line.compiled = _compiled(line.signature)
                    found = line.compiled.search(reply)
            except _SlowError:
                line.dropped = True
                given_up.append(line.signature.text)
                continue
            except (re.error, RecursionError, OverflowError, MemoryError):
                line.dropped = True
                continue
            if found:
                return named(line.signature, found)
        return None

    def _lines(self, key: tuple[str, str]) -> _Lines:
        if key not in self._read:
            probe = self.probes.get(key)
            read = [one for line in (probe.lines if probe else ()) if (one := signature(*line))]
            exact: list[tuple[bytes, int]] = []
            lowered: list[tuple[bytes, int]] = []
            for place, one in enumerate(read):
                group = lowered if one.flags & re.IGNORECASE else exact
                group.append((required(one.pattern, one.flags), place))
            self._read[key] = _Lines(tuple(_Line(one) for one in read), tuple(exact), tuple(lowered))
        return self._read[key]

    def _further(self, protocol: str, name: str, service: str) -> tuple[str, ...]:
        """The other probes that have signatures of this service, in the order of the file."""
        names = [
            probe.name
            for probe in self.probes.values()
            if probe.protocol == protocol
            and probe.name not in ("NULL", name)
            and probe.rarity <= USUAL_RARITY
            and any(service_of(line) == service for _, line in probe.lines)
        ]
        return tuple(names[:MOST_NEXT])


def _compiled(one: Signature) -> re.Pattern[bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(one.pattern, one.flags)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raises `_SlowError` inside the block once the seconds are over."""

    def ring(_number: int, _frame: object) -> None:
        raise _SlowError

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
