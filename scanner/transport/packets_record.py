"""What one request has sent so far, and how the parent hears of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from time import monotonic

import msgspec

from scanner.transport.packets_board import ECHOED, LOST, Board
from scanner.transport.packets_wire import Done, Frames, Log, Response, pack

STDOUT = 1
_LOG_FRAMES = 64
_MOST_PACKED = 4_096


class Record:
    """Counts what is sent, and tells every frame of it where the parent wants that."""

    def __init__(self, board: Board, *, keeps_log: bool) -> None:
        self._board = board
        self._keeps_log = keeps_log
        self._log: list[Frames] = []
        self._packed: dict[Sequence[int], tuple[str, ...]] = {}
        self.begin()

    def begin(self) -> None:
        """Starts counting for a request."""
        counts = self._board.counts
        self._began, self._echoed, self._lost = monotonic(), counts[ECHOED], counts[LOST]
        self._frames, self._slowest = 0, 0.0
        self._packed.clear()

    def done(self, *, whole: bool) -> Done:
        """What is to be said at the end of a request."""
        counts = self._board.counts
        sent = self._frames + counts[ECHOED] - self._echoed
        seconds = monotonic() - self._began
        return Done(sent, seconds, whole, counts[LOST] - self._lost, self._slowest)

    def slowed(self, rate: float) -> None:
        """The rate went down to this one."""
        self._slowest = min(rate, self._slowest or rate)

    def sent(self, frames: Frames, count: int) -> None:
        """These frames left."""
        self._frames += count
        if self._keeps_log:
            self._log.append(frames)
            if len(self._log) >= _LOG_FRAMES:
                self.flush()

    def counted(self, count: int) -> bool:
        """Counts frames of which nobody wants a line; False where somebody does."""
        if not self._keeps_log:
            self._frames += count
        return not self._keeps_log

    def packed(self, those: Sequence[int], hosts: Sequence[bytes]) -> tuple[str, ...]:
        """The addresses of these hosts as ranges; the same ones come again for every port."""
        key = those if isinstance(those, range) else tuple(those)
        if key not in self._packed:
            if len(self._packed) > _MOST_PACKED:
                self._packed.clear()
            self._packed[key] = pack(hosts[host] for host in those)
        return self._packed[key]

    def flush(self) -> None:
        """Tells what was not told yet."""
        if self._log:
            say(Log(tuple(self._log)))
            self._log.clear()


def say(response: Response) -> None:
    """One line to the parent.

    Raises:
        OSError: the parent is gone.

    """
    line = memoryview(msgspec.json.encode(response) + b"\n")
    while line:
        line = line[os.write(STDOUT, line) :]
