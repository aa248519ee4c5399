"""What goes to a worker and what comes back: a job, and its snapshots or its failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from checks.facts.snapshot import Snapshot
from checks.model import Target
from scanner.collect.collector import CollectError

Work = Callable[["Job"], "Result"]


@dataclass(frozen=True, slots=True)
class Job:
    """One planned target. `id` is its row in the ledger, which is the truth; `attempt` counts from 1."""

    id: int
    target: Target
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: its snapshots, or why there are none. An error may come with snapshots.

    A network that was stopped half-way gives both: what was seen is evidence and is kept.
    """

    job: Job
    snapshots: tuple[Snapshot, ...] = ()
    error: CollectError | None = None


class Dispatcher(Protocol):
    """Runs jobs somewhere and gives the results as they come, in any order, each job exactly once."""

    def run(self, jobs: Iterable[Job], work: Work) -> Iterator[Result]:
        """The results; an exception inside `work` becomes a result, never an end of the others."""
        ...
