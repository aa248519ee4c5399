"""Examples of the checks of trails."""

from __future__ import annotations

from collections.abc import Mapping

from checks.facts.cloud.cloudtrail import (
    Trail,
    TrailBucketLock,
    TrailBucketLocks,
    TrailDataSelectors,
    TrailLogGroup,
    TrailLogGroups,
    TrailObjectEvents,
    Trails,
    TrailState,
    TrailStates,
)
from tests.checks.cloud.examples.records import A, Facts, R

HERE = (R,)
TRAIL = f"arn:aws:cloudtrail:{R}:{A}:trail/all"
GROUP = f"arn:aws:logs:{R}:{A}:log-group:trail:*"
ALL = Trails(A, HERE, (Trail(TRAIL, "all", R, True, False, True, "logs", ""),))


def states(*, logging: bool = True, error: str = "", log_error: str = "") -> TrailStates:
    return TrailStates(A, (TrailState(TRAIL, R, logging, error, log_error),))


def data(*, reads: bool = False, writes: bool = False, functions: bool = False, **state: bool) -> Facts:
    """A trail of all regions, its state, and the data events that it records."""
    chosen = TrailDataSelectors(A, (TrailObjectEvents(TRAIL, R, reads, writes, functions),))
    return ALL, states(logging=state.get("logging", True)), chosen


def lock(mode: str, days: int) -> Facts:
    return ALL, TrailBucketLocks(A, (TrailBucketLock("logs", mode, days),))


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.cloudtrail.bucket-lock": (lock("", 0), lock("COMPLIANCE", 365)),
    "cloud.cloudtrail.delivery": ((states(error="AccessDenied"),), (states(),)),
    "cloud.cloudtrail.function-calls": (data(reads=True, writes=True), data(functions=True)),
    "cloud.cloudtrail.log-group": (
        (TrailLogGroups(A, (TrailLogGroup(TRAIL, R, ""),)),),
        (TrailLogGroups(A, (TrailLogGroup(TRAIL, R, GROUP),)),),
    ),
    "cloud.cloudtrail.log-group-delivery": ((states(log_error="AccessDenied"),), (states(),)),
    "cloud.cloudtrail.object-reads": (data(writes=True), data(reads=True)),
    "cloud.cloudtrail.object-writes": (data(reads=True), data(writes=True)),
}
