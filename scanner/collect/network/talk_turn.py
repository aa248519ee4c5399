"""A turn among the few conversations that one address may have at once, taken in the middle of one."""

from __future__ import annotations

import asyncio

TURN_SECONDS = 0.5
"""A turn that was taken late is given back after this time: a port that drips holds nobody up."""


class Turn:
    """The turn of one conversation; without `waits_for` there is none to take."""

    def __init__(self) -> None:
        self._of: asyncio.Semaphore | None = None
        self._held: asyncio.Semaphore | None = None
        self._back: asyncio.TimerHandle | None = None
        self._clock: asyncio.Timeout | None = None
        self._latest = 0.0
        self.waited = 0.0
        """Seconds that were spent waiting for it."""

    def timed(self, clock: asyncio.Timeout, latest: float) -> None:
        """Names the clock of the conversation, and the moment after which nobody waits any more."""
        self._clock, self._latest = clock, latest

    def waits_for(self, turns: asyncio.Semaphore) -> None:
        """Names what `take` takes one of."""
        self._of = turns

    async def take(self) -> None:
        """Takes it, once; the clock of the conversation stands still meanwhile.

        It is given back at the end of the conversation, or after `TURN_SECONDS`.
        """
        turns, self._of = self._of, None
        if turns is None:
            return
        loop = asyncio.get_running_loop()
        asked, ends = loop.time(), self._clock.when() if self._clock else None
        if self._clock and ends is not None:
            self._clock.reschedule(max(ends, self._latest))
        await turns.acquire()
        self._held = turns
        self.waited = loop.time() - asked
        if self._clock and ends is not None:
            self._clock.reschedule(ends + self.waited)
        self._back = loop.call_later(TURN_SECONDS, self.give_back)

    def give_back(self) -> None:
        """Gives it back; safe to call twice."""
        self._of = None
        if self._back is not None:
            self._back.cancel()
        if self._held is not None:
            self._held.release()
            self._held = None
