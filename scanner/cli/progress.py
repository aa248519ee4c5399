"""How a collection goes on, on stderr: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from checks.fix import printable
from checks.model import Kind
from scanner.cli.text import of_target
from scanner.dispatch.jobs import Job, Result

_WORDS = {Kind.HOST: "hosts", Kind.NETWORK: "networks", Kind.AWS: "AWS accounts"}
_EVERY = 15.0


class Lines:
    """Plain lines for logs and pipes: at the start and the end, per failed target, and every 15 s."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._totals: dict[Kind, int] = {}
        self._done: dict[Kind, int] = {}
        self._spoke = clock()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """The last count."""
        if self._totals:
            self._say(self._counts())

    def begin(self, totals: Mapping[Kind, int]) -> None:
        """Says what there is to do."""
        self._totals = dict(totals)
        self._done = dict.fromkeys(totals, 0)
        if totals:
            self._say("collecting: " + ", ".join(f"{n} {_word(k, n)}" for k, n in totals.items()))

    def progress(self, job: Job, done: int, total: int) -> None:
        """Speaks now and then."""
        with self._lock:
            if self._clock() - self._spoke >= _EVERY:
                self._spoke = self._clock()
                self._say(f"{job.target.name}: {done} of {total}")

    def end(self, result: Result) -> None:
        """Counts, and names a target that gave nothing."""
        with self._lock:
            kind = result.job.target.kind
            self._done[kind] = self._done.get(kind, 0) + (result.error is None)
            if result.error:
                self._say(of_target(result.job.target.name, result.error.said))

    def _counts(self) -> str:
        return "collected: " + ", ".join(
            f"{self._done[k]} of {n} {_word(k, n)}" for k, n in self._totals.items()
        )

    @staticmethod
    def _say(line: str) -> None:
        print(printable(line), file=sys.stderr, flush=True)


class Bars:
    """One bar per kind of target, with the time left; failures as lines above them."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        # Without markup: names of targets are data, not formatting.
        self._console = Console(stderr=True, markup=False, highlight=False, emoji=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left", markup=False),
            TimeRemainingColumn(),
            TextColumn("{task.fields[now]}", markup=False),
            console=self._console,
        )
        self._tasks: dict[Kind, object] = {}
        self._parts: dict[int, tuple[Kind, float]] = {}
        self._finished: dict[Kind, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Shows the bars."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the bars as they are."""
        for task in self._tasks.values():
            self._progress.update(task, now="")  # type: ignore[arg-type]
        self._progress.stop()

    def begin(self, totals: Mapping[Kind, int]) -> None:
        """One bar per kind."""
        for kind, total in totals.items():
            self._finished[kind] = 0
            self._tasks[kind] = self._progress.add_task(_word(kind, 2).ljust(12), total=total, now="")

    def progress(self, job: Job, done: int, total: int) -> None:
        """Moves the bar by the part of the target that is done."""
        with self._lock:
            self._parts[job.id] = (job.target.kind, done / total if total else 0.0)
            self._show(job.target.kind, f"{printable(job.target.name)} {done}/{total}")

    def end(self, result: Result) -> None:
        """Moves the bar by one."""
        with self._lock:
            kind = result.job.target.kind
            self._parts.pop(result.job.id, None)
            self._finished[kind] = self._finished.get(kind, 0) + 1
            if result.error:
                self._console.print(printable(of_target(result.job.target.name, result.error.said)))
            self._show(kind, "")

    def _show(self, kind: Kind, now: str) -> None:
        task = self._tasks.get(kind)
        if task is not None:
            done = self._finished[kind] + sum(part for of, part in self._parts.values() if of is kind)
            self._progress.update(task, completed=done, now=now[:40])  # type: ignore[arg-type]


def listener() -> Bars | Lines:
    """Bars where stderr is a terminal, else lines."""
    return Bars() if sys.stderr.isatty() else Lines()


def _word(kind: Kind, count: int) -> str:
    word = _WORDS[kind]
    return word[:-1] if count == 1 else word
