"""Collects the alarms of a region, with whom they tell by way of composite alarms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, floor

from checks.facts.cloud.alarms import Alarm, Alarms
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, items, number, some, text
from scanner.collect.cloud.lists import whole
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

ALARMS = Call("cloudwatch", "DescribeAlarms", (Alarms,), key="MetricAlarms", page=100)
_KINDS = ("MetricAlarm", "CompositeAlarm")
"""Without being asked for them AWS leaves composite alarms out."""
_NAMED = re.compile(r'\bALARM\s*\(\s*(?:"([^"]*)"|([^\s()"]+))\s*\)')
_ANY_OF = re.compile(r"(?:[\s()]|\bOR\b)*")


@dataclass(frozen=True, slots=True)
class _Composite:
    """A composite alarm: the alarms of its rule, whether any one of them raises it, and what it starts."""

    arn: str
    name: str
    of: frozenset[str]
    any_of: bool
    actions: frozenset[str]


def alarms(place: Place) -> Collected:
    """The metric alarms of the region."""
    pages = place.pages(ALARMS, AlarmTypes=list(_KINDS))
    try:
        raw = [one for page in pages for one in items(page, ALARMS.key)]
        above = [_composite(one) for page in pages for one in some(page, "CompositeAlarms")]
    except UnreadableError as error:
        raise NotRead(ALARMS, Refused(Because.UNREADABLE, str(error))) from None
    found, lost = place.read(raw, ALARMS, "AlarmArn", partial(_alarm, place.region, above))
    return lost + whole(place, ALARMS, Alarms, found)


def _alarm(region: str, above: Sequence[_Composite], raw: Raw) -> Alarm:
    parts = (group(one, "MetricStat") for one in some(raw, "Metrics"))
    own = map(str, some(raw, "AlarmActions")) if flag(raw, "ActionsEnabled", True) else ()
    # A composite alarm hears of the state of an alarm whose own actions are switched off.
    passed_on = _passed_on(text(raw, "AlarmName"), text(raw, "AlarmArn"), above)
    return Alarm(
        arn=text(raw, "AlarmArn"),
        name=text(raw, "AlarmName"),
        region=region,
        # An alarm on an expression has no metric of its own.
        metric=_metric(raw),
        acts=flag(raw, "ActionsEnabled", True) or bool(passed_on),
        actions=tuple(sorted({*own, *passed_on})),
        rises=not text(raw, "ComparisonOperator", "").startswith("Less"),
        parts=tuple(sorted({_metric(group(one, "Metric")) for one in parts if one})),
        events=_events(raw),
        periods=_periods(raw),
    )


def _events(raw: Raw) -> int:
    """How many ones of a period raise the alarm; 0 where its threshold is no number, or one of an expression.

    Sums are what such metrics are counted by; the mean or the highest of ones is never more than one, and an
    alarm that waits for more than that is as good as one that waits for many.
    """
    threshold = raw.get("Threshold")
    if raw.get("Metrics") or not isinstance(threshold, int | float):
        return 0
    if text(raw, "ComparisonOperator", "") == "GreaterThanOrEqualToThreshold":
        return max(1, ceil(threshold))
    return max(1, floor(threshold) + 1)


def _periods(raw: Raw) -> int:
    """How many periods in a row have to be bad; where silence says nothing, a single one is enough."""
    if text(raw, "TreatMissingData", "missing") != "notBreaching":
        return 1
    return number(raw, "DatapointsToAlarm", number(raw, "EvaluationPeriods", 1))


def _composite(raw: Raw) -> _Composite:
    rule = text(raw, "AlarmRule", "")
    acts = flag(raw, "ActionsEnabled", True)
    return _Composite(
        arn=text(raw, "AlarmArn"),
        name=text(raw, "AlarmName"),
        of=frozenset(quoted or bare for quoted, bare in _NAMED.findall(rule)),
        any_of=bool(_ANY_OF.fullmatch(_NAMED.sub("", rule))) and not text(raw, "ActionsSuppressor", ""),
        actions=frozenset(map(str, some(raw, "AlarmActions"))) if acts else frozenset(),
    )


def _passed_on(name: str, arn: str, above: Sequence[_Composite]) -> frozenset[str]:
    """What the composite alarms above an alarm start when it is raised.

    One that takes more than this alarm stands there itself: whether it is raised depends on others.
    """
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [(name, arn)]
    while waiting:
        here = set(waiting.pop())
        for one in above:
            if here.isdisjoint(one.of) or one.arn in seen:
                continue
            seen.add(one.arn)
            if not one.any_of:
                found.add(one.arn)
                continue
            found |= one.actions
            waiting.append((one.name, one.arn))
    return frozenset(found)


def _metric(raw: Raw) -> str:
    """The metric as `MetricFilter` names it, so that the two can be held together."""
    keys = sorted(text(one, "Name") for one in some(raw, "Dimensions"))
    name = f"{text(raw, 'Namespace', '')}/{text(raw, 'MetricName', '')}"
    return f"{name} by {', '.join(keys)}" if keys else name


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("cloudwatch alarms", True, (ALARMS,), alarms)
