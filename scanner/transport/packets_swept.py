"""What a sweep of ports saw at one address: one byte per port, whatever way the ports were asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Self

OPEN, CLOSED, FILTERED, SILENT, NOT_ASKED = "ocfs?"
"""One letter per port: answered yes, answered no, refused by a filter, no answer, nothing was sent."""

_LETTERS = OPEN + CLOSED + FILTERED + SILENT + NOT_ASKED
_ONLY = {letter: bytes(chr(value) == letter for value in range(256)) for letter in _LETTERS}


@dataclass(frozen=True, slots=True)
class Swept:
    """How the ports of one address answered: `states` has one letter for each of `ports`.

    Many addresses share one tuple of ports, so that an address costs a byte per port.
    """

    ports: tuple[int, ...] = ()
    states: bytes = b""

    @classmethod
    def of(
        cls,
        *,
        open: Sequence[int] = (),  # noqa: A002 - the word of the state
        closed: Sequence[int] = (),
        filtered: Sequence[int] = (),
        silent: Sequence[int] = (),
    ) -> Self:
        """The answers told by state; every port named here was asked."""
        told = {OPEN: open, CLOSED: closed, FILTERED: filtered, SILENT: silent}
        letters = {port: letter for letter, ports in told.items() for port in ports}
        ports = tuple(sorted(letters))
        return cls(ports, "".join(letters[port] for port in ports).encode())

    @property
    def open(self) -> tuple[int, ...]:
        """The ports that took a connection."""
        return self._those(OPEN)

    @property
    def closed(self) -> tuple[int, ...]:
        """The ports that refused one."""
        return self._those(CLOSED)

    @property
    def filtered(self) -> tuple[int, ...]:
        """The ports for which a filter refused."""
        return self._those(FILTERED)

    @property
    def silent(self) -> tuple[int, ...]:
        """The ports that were asked and did not answer."""
        return self._those(SILENT)

    @property
    def asked(self) -> int:
        """How many ports were asked."""
        return len(self.states) - self.states.count(NOT_ASKED.encode())

    @property
    def answered(self) -> bool:
        """True where the address itself answered at least one port."""
        return OPEN.encode() in self.states or CLOSED.encode() in self.states

    def count(self, *letters: str) -> int:
        """How many ports stand at one of these letters."""
        return sum(self.states.count(letter.encode()) for letter in letters)

    def ranges(self, *letters: str) -> tuple[tuple[int, int], ...]:
        """The ports that stand at one of these letters, as the fewest ranges (both ends included), sorted."""
        found: list[tuple[int, int]] = []
        for run in re.finditer(b"[%s]+" % "".join(letters).encode(), self.states):
            ports = self.ports[run.start() : run.end()]
            if ports == tuple(range(ports[0], ports[0] + len(ports))):
                found.append((ports[0], ports[-1]))
            else:
                found.extend((port, port) for port in ports)
        joined: list[tuple[int, int]] = []
        for first, last in sorted(found):
            if joined and first == joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], last)
            else:
                joined.append((first, last))
        return tuple(joined)

    def told(self) -> Self:
        """The same answers in the form of `of`: without the ports that were not asked."""
        return type(self).of(open=self.open, closed=self.closed, filtered=self.filtered, silent=self.silent)

    def _those(self, letter: str) -> tuple[int, ...]:
        return tuple(compress(self.ports, self.states.translate(_ONLY[letter])))
