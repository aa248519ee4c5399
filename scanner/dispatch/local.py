"""The default dispatcher: threads of this process, with a bounded window of jobs under way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from scanner.collect.collector import CollectError, Failure
from scanner.dispatch.jobs import Job, Result, Work

log = logging.getLogger(__name__)


class LocalDispatcher:
    """Runs up to `workers` jobs at once and never holds more than twice that many.

    `cancelled` is set from outside (Ctrl-C): no new job begins, those under way see it in their
    context, and every job that did not begin comes back as interrupted.
    """

    def __init__(self, workers: int = 8, cancelled: threading.Event | None = None) -> None:
        self.workers = workers
        self.cancelled = cancelled or threading.Event()

    def run(self, jobs: Iterable[Job], work: Work) -> Iterator[Result]:
        """The results as they come, each job exactly once."""
        waiting = iter(jobs)
        under_way: dict[Future[Result], Job] = {}
        with ThreadPoolExecutor(self.workers, thread_name_prefix="job") as pool:
            while True:
                for job in islice(waiting, 2 * self.workers - len(under_way)):
                    under_way[pool.submit(self._guarded, job, work)] = job
                if not under_way:
                    return
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    del under_way[future]
                    yield future.result()

    def _guarded(self, job: Job, work: Work) -> Result:
        if self.cancelled.is_set():
            return Result(job, error=CollectError(Failure.INTERRUPTED, "stopped before it began"))
        try:
            return work(job)
        except CollectError as error:
            return Result(job, error=error)
        except Exception as error:
            log.exception("job %s broke", job.target.spec)
            kind = type(error).__name__
            return Result(job, error=CollectError(Failure.INTERNAL, f"internal error: {kind}: {error}"))
