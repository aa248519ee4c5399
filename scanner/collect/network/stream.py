"""Asynchronous work in a thread of its own, whose results come out one by one as they are ready."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_GLANCE = 0.1
"""Seconds between two looks at whether somebody wants to stop."""


@dataclass(frozen=True)
class _End(Generic[T]):
    """Nothing follows; `error` is why, where the work failed."""

    error: BaseException | None = None


def streamed(
    work: Callable[[Callable[[T], None]], Coroutine[Any, Any, None]],
    check: Callable[[], None],
    stop: threading.Event,
) -> Iterator[T]:
    """What `work` gives to its argument, in order and at once; its error, if any, after that.

    `check` raises when somebody wants to stop. Whoever stops taking the results sets `stop` by that, and
    the work is cancelled. The thread is gone when the iterator ends.
    """
    ready: queue.SimpleQueue[T | _End[T]] = queue.SimpleQueue()

    async def watched() -> None:
        task = asyncio.ensure_future(work(ready.put))
        try:
            while not (await asyncio.wait({task}, timeout=_GLANCE))[0]:
                check()
                if stop.is_set():
                    return
        finally:
            if not task.done():
                # What runs in other threads hears of it by this event.
                stop.set()
                task.cancel()
                await asyncio.wait({task})
        task.result()

    def run() -> None:
        error: BaseException | None = None
        try:
            asyncio.run(watched())
        except BaseException as failed:  # noqa: BLE001 - raised again where the results are taken
            error = failed
        ready.put(_End(error))

    thread = threading.Thread(target=run, name="bartizan-network", daemon=True)
    thread.start()
    try:
        while not isinstance(one := ready.get(), _End):
            yield one
        if one.error is not None:
            raise one.error
    finally:
        stop.set()
        thread.join()
