"""Several jobs at once, with a bound on how many and on how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
_GLANCE_SECONDS = 0.1


class Outcome(Generic[T]):
    """What became of one job: a value, an error, or neither where it did not end in time."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.error: Exception | None = None
        self.ended = False


def run_all(
    jobs: Sequence[Callable[[], T]],
    *,
    workers: int,
    until: float,
    stop: Callable[[], bool] = lambda: False,
    ended: Callable[[int], None] = lambda _count: None,
) -> list[Outcome[T]]:
    """The outcome of each job, in the order of the jobs.

    `until` is a time of `time.monotonic()`. What has not ended by then, or once `stop` says so, is left
    behind: the threads are daemons, so that a peer that never ends its answer cannot hold the program.
    `ended(count)` is told how many jobs have ended.
    """
    outcomes: list[Outcome[T]] = [Outcome() for _ in jobs]
    lock = threading.Lock()
    waiting = iter(range(len(jobs)))
    all_done = threading.Event()
    count = 0

    def work() -> None:
        nonlocal count
        while time.monotonic() < until and not stop():
            with lock:
                index = next(waiting, None)
            if index is None:
                return
            outcome = outcomes[index]
            try:
                outcome.value = jobs[index]()
            except Exception as error:  # noqa: BLE001 - the caller decides what an error means
                outcome.error = error
            outcome.ended = True
            with lock:
                count += 1
                try:
                    ended(count)
                finally:
                    if count == len(jobs):
                        all_done.set()

    for _ in range(min(max(1, workers), len(jobs))):
        threading.Thread(target=work, daemon=True).start()
    while jobs and time.monotonic() < until and not stop() and not all_done.wait(_GLANCE_SECONDS):
        pass
    # A copy, since a thread left behind may still write into the originals.
    return [_copy(outcome) for outcome in outcomes]


def _copy(outcome: Outcome[T]) -> Outcome[T]:
    copy: Outcome[T] = Outcome()
    copy.ended, copy.value, copy.error = outcome.ended, outcome.value, outcome.error
    return copy
