"""The local dispatcher: every job comes back exactly once, whatever happens to it."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from checks.model import Kind, Target
from scanner.collect.collector import CollectError, Failure
from scanner.dispatch.jobs import Dispatcher, Job, Result
from scanner.dispatch.local import LocalDispatcher


def jobs(count: int) -> Iterator[Job]:
    return (Job(i, Target(Kind.HOST, f"h{i}", f"ssh://h{i}:22")) for i in range(count))


def fine(job: Job) -> Result:
    return Result(job)


def test_a_thousand_jobs_come_back_once_each() -> None:
    dispatcher: Dispatcher = LocalDispatcher(16)
    seen = Counter(result.job.id for result in dispatcher.run(jobs(1000), fine))
    assert seen == Counter(range(1000))


def test_a_broken_job_is_a_result_and_ends_no_other() -> None:
    def work(job: Job) -> Result:
        if job.id % 3 == 0:
            raise ZeroDivisionError("no such luck")
        if job.id % 3 == 1:
            raise CollectError(Failure.TIMEOUT, "too slow")
        return Result(job)

    failures = {r.job.id: r.error.failure if r.error else None for r in LocalDispatcher(4).run(jobs(9), work)}
    assert failures == {i: (Failure.INTERNAL, Failure.TIMEOUT, None)[i % 3] for i in range(9)}


def test_the_window_is_bounded() -> None:
    asked = itertools.count()
    drawn = 0

    def counted() -> Iterator[Job]:
        nonlocal drawn
        for job in jobs(10_000):
            drawn += 1
            yield job

    most = 0
    for _ in LocalDispatcher(4).run(counted(), fine):
        most = max(most, drawn - next(asked))
    assert most <= 2 * 4 + 1


def test_after_a_stop_nothing_begins_and_every_job_still_comes_back() -> None:
    cancelled = threading.Event()
    begun: list[int] = []

    def work(job: Job) -> Result:
        begun.append(job.id)
        cancelled.set()
        return Result(job)

    results = list(LocalDispatcher(1, cancelled).run(jobs(50), work))
    assert len(results) == 50
    assert begun == [0]
    assert {r.error.failure for r in results if r.error} == {Failure.INTERRUPTED}


@pytest.mark.parametrize("workers", [1, 3])
def test_no_jobs_no_results(workers: int) -> None:
    assert list(LocalDispatcher(workers).run(jobs(0), fine)) == []
