"""Examples of the checks of alarms: a whole chain from the trail to somebody who hears, and its links."""

from __future__ import annotations

from collections.abc import Mapping

from checks.cloud.watched import WATCHED
from checks.facts.cloud.alarms import Alarm, Alarms
from checks.facts.cloud.cloudtrail import (
    Trail,
    TrailEvents,
    TrailLogGroup,
    TrailLogGroups,
    Trails,
    TrailSelectors,
    TrailState,
    TrailStates,
)
from checks.facts.cloud.logs import MetricFilter, MetricFilters
from checks.facts.cloud.sns import Subscription, Subscriptions
from tests.checks.cloud.examples.records import A, Facts, R

HERE = (R,)
TRAIL = f"arn:aws:cloudtrail:{R}:{A}:trail/all"
GROUP = f"arn:aws:logs:{R}:{A}:log-group:trail:*"
TOPIC = f"arn:aws:sns:{R}:{A}:security"
A_TRAIL = Trail(TRAIL, "all", R, True, False, True, "logs", "")
A_STATE = TrailState(TRAIL, R, True, "")
ALL_EVENTS = TrailEvents(TRAIL, R, True, True)
A_GROUP = TrailLogGroup(TRAIL, R, GROUP)
AN_ALARM = Alarm("arn:alarm", "alarm", R, "ns/m", True, (TOPIC,))
HEARD = Subscription("arn:s", R, TOPIC, "email", "", True)


def a_filter(pattern: str, name: str = "f", metric: str = "ns/m", group: str = "trail") -> MetricFilter:
    return MetricFilter(name, R, group, pattern, (metric,))


def chain(
    *filters: MetricFilter,
    trail: Trail = A_TRAIL,
    state: TrailState | None = A_STATE,
    events: TrailEvents | None = ALL_EVENTS,
    group: TrailLogGroup | None = A_GROUP,
    alarms: tuple[Alarm, ...] = (AN_ALARM,),
    heard: tuple[Subscription, ...] = (HEARD,),
) -> Facts:
    """A trail, its state and events, its log group, filters, alarms, and subscribers."""
    return (
        Trails(A, HERE, (trail,)),
        TrailStates(A, (state,) if state else ()),
        TrailSelectors(A, (events,) if events else ()),
        TrailLogGroups(A, (group,) if group else ()),
        MetricFilters(A, HERE, filters),
        Alarms(A, HERE, alarms),
        Subscriptions(A, HERE, heard),
    )


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    f"cloud.alarms.{one.name}": (chain(a_filter(one.pattern), heard=()), chain(a_filter(one.pattern)))
    for one in WATCHED
}
