"""Whether packets get lost on the way: hosts that answered before fall silent all at once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from scanner.transport.packets_board import ANSWERED, LOST, Board
from scanner.transport.packets_swept import SILENT

WINDOW = 0.25
"""Seconds of sending that are judged at once."""
JUMP = 0.3
"""This much more of the questions unanswered than usual is loss, not a filter."""
ENOUGH = 40
"""Fewer questions than this say nothing."""
_MOST_ROWS = 64
_MEMORY = 0.8
_BETTER = 0.9
_NO_SHARE = 2.0
"""More than all: the share before the rate was halved, where it was not."""


@dataclass
class _Window:
    """What was asked in one stretch of time: (port's place, first host, last host + 1)."""

    began: float
    parts: list[tuple[int, int, int]] = field(default_factory=list)


class Watch:
    """Compares the share of unanswered questions, among the hosts that answered before, over time.

    A filter that drops a port makes a steady share; loss makes it jump. `late` is how many seconds an
    answer may take.
    """

    def __init__(self, board: Board, late: float) -> None:
        self._board = board
        self._late = late
        self._windows: deque[_Window] = deque()
        self._usual: float | None = None
        self._lost = board.counts[LOST]
        self._before = _NO_SHARE

    def asked(self, place: int, first: int, last: int, now: float) -> None:
        """One port was asked of these hosts."""
        if not self._windows or now - self._windows[-1].began > WINDOW:
            self._windows.append(_Window(now))
        parts = self._windows[-1].parts
        if len(parts) < _MOST_ROWS * 8:
            parts.append((place, first, last))

    def judge(self, now: float) -> bool | None:
        """True where loss shows, False where a stretch went as usual, None where nothing is to be said."""
        if self._board.counts[LOST] > self._lost:
            self._lost = self._board.counts[LOST]
            self._windows.clear()
            return True
        if not self._windows or now - self._windows[0].began < WINDOW + self._late:
            return None
        parts = self._windows.popleft().parts
        asked, silent = self._count(parts[:: max(1, len(parts) // _MOST_ROWS)])
        if asked < ENOUGH:
            return None
        share = silent / asked
        if self._usual is None:
            self._usual = share
        if share > self._usual + JUMP and share < _BETTER * self._before:
            # What was asked until now went out at the old rate, and says nothing about the new one.
            self._windows.clear()
            self._before = share
            return True
        # Where half the rate made it no better, the rate is not what makes it.
        self._usual = max(self._usual, share - JUMP) if share > self._usual + JUMP else self._usual
        self._before = _NO_SHARE
        self._usual = _MEMORY * self._usual + (1 - _MEMORY) * share
        return False

    def _count(self, parts: list[tuple[int, int, int]]) -> tuple[int, int]:
        """(questions to hosts that have answered before, how many of them stand unanswered)."""
        asked = silent = 0
        for place, first, last in parts:
            alive = self._board.alive[first:last]
            lively = alive.count(bytes([ANSWERED])) + alive.count(bytes([ANSWERED | 2]))
            # A host that never answered is silent on every port: it does not count.
            quiet = self._board.row(place, first, last).count(SILENT.encode()) - (last - first - lively)
            asked += lively
            silent += max(0, quiet)
        return asked, silent
