"""Alarms on what an intruder does in an account: from the trail to somebody who is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.check import Check, make_check
from checks.cloud.patterns import PatternError, read
from checks.cloud.setting import repair
from checks.cloud.watched import EVERYDAY, WATCHED, Watched
from checks.facts.cloud.alarms import Alarm, Alarms
from checks.facts.cloud.cloudtrail import Trail, TrailLogGroups, Trails, TrailSelectors, TrailStates
from checks.facts.cloud.logs import MetricFilter, MetricFilters
from checks.facts.cloud.sns import Subscriptions
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect, unknown

__all__ = ["ALARMS", "WATCHED"]

_GUIDE = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html"
_FIX_CLI = (
    "# TRAIL_LOG_GROUP is that of a running trail of all regions, TOPIC_ARN one with a subscriber.\n"
    'aws logs put-metric-filter --region @{region} --log-group-name "$TRAIL_LOG_GROUP" --filter-name @{name} '
    "--filter-pattern @{pattern} "
    "--metric-transformations metricNamespace=Bartizan,metricValue=1,metricName=@{name} &&\n"
    "aws cloudwatch put-metric-alarm --region @{region} --alarm-name @{name} --namespace Bartizan "
    "--metric-name @{name} --statistic Sum --period 300 --evaluation-periods 1 --threshold 1 "
    "--comparison-operator GreaterThanOrEqualToThreshold --treat-missing-data notBreaching "
    '--alarm-actions "$TOPIC_ARN"'
)
_FIX_UNDO = (
    "aws cloudwatch delete-alarms --region @{region} --alarm-names @{name}\n"
    'aws logs delete-metric-filter --region @{region} --log-group-name "$TRAIL_LOG_GROUP" --filter-name '
    "@{name}"
)
_FIX_TERRAFORM = (
    "# With the provider of region @{region}, that of a running trail of all regions and its log group:\n"
    'resource "aws_cloudwatch_log_metric_filter" "LABEL" {\n'
    "  name           = @{name}\n"
    "  log_group_name = var.trail_log_group\n"
    "  pattern        = @{pattern}\n"
    "  metric_transformation {\n"
    "    name      = @{name}\n"
    '    namespace = "Bartizan"\n'
    '    value     = "1"\n'
    "  }\n}\n"
    'resource "aws_cloudwatch_metric_alarm" "LABEL" {\n'
    "  alarm_name          = @{name}\n"
    '  namespace           = "Bartizan"\n'
    "  metric_name         = @{name}\n"
    '  statistic           = "Sum"\n'
    "  period              = 300\n"
    "  evaluation_periods  = 1\n"
    "  threshold           = 1\n"
    '  comparison_operator = "GreaterThanOrEqualToThreshold"\n'
    '  treat_missing_data  = "notBreaching"\n'
    "  alarm_actions       = [var.topic_arn] # a topic with a subscriber\n}\n"
)


@dataclass(frozen=True, slots=True)
class _Facts:
    """All links between a trail and somebody who reads."""

    trails: Trails
    states: TrailStates
    selectors: TrailSelectors
    groups: TrailLogGroups
    filters: MetricFilters
    alarms: Alarms
    subscriptions: Subscriptions


@dataclass(frozen=True, slots=True)
class _Chain:
    """Whether somebody is told, by which links or where it breaks, and whether all of it could be seen."""

    whole: bool
    told: str
    seen: bool = True


def _made(
    watched: Watched,
) -> Check[[Trails, TrailStates, TrailSelectors, TrailLogGroups, MetricFilters, Alarms, Subscriptions]]:
    def judge(  # noqa: PLR0917 - one fact per refusable read
        trails: Trails,
        states: TrailStates,
        selectors: TrailSelectors,
        groups: TrailLogGroups,
        filters: MetricFilters,
        alarms: Alarms,
        subscriptions: Subscriptions,
    ) -> Verdicts:
        facts = _Facts(trails, states, selectors, groups, filters, alarms, subscriptions)
        chains = list(_chains(watched, facts))
        whole = next((one for one in chains if one.whole), None)
        unseen = next((one for one in chains if not one.seen), None)
        if unseen and not whole:
            yield unknown(watched.name, unseen.told)
            return
        # The chain that breaks latest says most about what is missing; that of a stopped trail least.
        last = chains[-1].told if chains else "no trail of all regions"
        home = next((t.region for t in trails.trails if t.every_region), "us-east-1")
        yield expect(
            whole is not None,
            on=watched.name,
            saw=whole.told if whole else last,
            want="a running trail, a filter, an alarm, and somebody who is told",
            values={"name": watched.name, "pattern": watched.pattern, "region": home},
        )

    judge.__module__ = "checks.cloud.alarms"
    return make_check(
        judge,
        f"cloud.alarms.{watched.name}",
        title=f"Somebody is told of {watched.what}",
        severity=Severity.LOW,
        surface=Surface.CONTROL_PLANE,
        why=watched.why,
        fix=repair(
            f"Raise an alarm on {watched.what}",
            "Count the events in the log group of the trail with a metric filter, put an alarm on the "
            "metric, and let "
            "it tell a topic that somebody reads.",
            "aws cloudwatch describe-alarms --region @{region} --alarm-names @{name} "
            "--query 'MetricAlarms[].AlarmActions'   # a topic",
            _FIX_CLI,
            _FIX_UNDO,
            terraform=_FIX_TERRAFORM.replace("LABEL", watched.name.replace("-", "_")),
            hours=(0.5, 0.1),
            back="Delete the alarm and the filter.",
            key=f"alarms:{watched.name} @{{region}}",
        ),
        refs=(_GUIDE,),
    )


def _chains(watched: Watched, facts: _Facts) -> Iterator[_Chain]:
    """The chain of each trail of all regions, those that get furthest last."""
    groups = {one.arn: one.log_group for one in facts.groups.groups}
    late: list[_Chain] = []
    for trail in facts.trails.trails:
        if not trail.every_region:
            continue
        parts = groups.get(trail.arn, "").split(":")
        if trail.arn not in groups:
            yield _Chain(False, f"the log group of {trail.name} could not be read", seen=False)
        elif len(parts) < 7:
            yield _Chain(False, f"{trail.name} writes into no log group")
        elif parts[4] != facts.trails.account:
            yield _Chain(False, f"{trail.name} writes into a log group of account {parts[4]}", seen=False)
        elif silent := _silent(watched, trail, facts):
            yield silent
        else:
            late.append(_told(watched, trail, (parts[3], parts[6]), facts))
    yield from late


def _silent(watched: Watched, trail: Trail, facts: _Facts) -> _Chain | None:
    """Why the trail does not write these events into its log group, if it does not."""
    state = next((one for one in facts.states.states if one.arn == trail.arn), None)
    chosen = next((one for one in facts.selectors.events if one.arn == trail.arn), None)
    if state and not state.logging:
        return _Chain(False, f"{trail.name} is stopped")
    if state and state.log_error:
        return _Chain(False, f"{trail.name} cannot write into its log group: {state.log_error}")
    if chosen and not (chosen.writes and (chosen.reads or not watched.reads)):
        return _Chain(False, f"{trail.name} does not record all management events")
    if chosen and watched.sources & set(chosen.without):
        return _Chain(False, f"{trail.name} leaves out {', '.join(watched.sources & set(chosen.without))}")
    if state and chosen:
        return None
    return _Chain(False, f"what {trail.name} records could not be read", seen=False)


def _told(watched: Watched, trail: Trail, place: tuple[str, str], facts: _Facts) -> _Chain:
    """Whether each of the events is counted by a filter of the group with an alarm that somebody hears."""
    region, group = place
    if region not in facts.filters.regions:
        return _Chain(False, f"the filters of {region} could not be read", seen=False)
    counted, unclear = _counted(watched, place, facts.filters)
    ends = [(hits, _heard(one, facts, many=watched.many)) for one, hits in counted]
    wanted = frozenset(range(len(watched.events)))
    lacking = wanted.difference(*(hits for hits, end in ends if end.whole))
    if not lacking:
        return _Chain(True, f"{trail.name}, {'; '.join(_fewest(wanted, ends))}")
    if unclear:
        return _Chain(False, f"the pattern of {unclear[0]} is not understood", seen=False)
    uncounted = wanted.difference(*(hits for hits, _ in ends))
    if uncounted:
        found = dict.fromkeys(str(watched.events[at].get("eventName", "")) for at in sorted(uncounted))
        return _Chain(False, f"no filter of {group} counts {', '.join(found)}")
    broken = [[end for hits, end in ends if at in hits] for at in sorted(lacking)]
    # An event of which nobody is told for certain decides, whatever cannot be seen of the others.
    certain = [found for found in broken if all(end.seen for end in found)]
    return min((certain or broken)[0], key=lambda end: end.seen)


def _counted(
    watched: Watched, place: tuple[str, str], filters: MetricFilters
) -> tuple[list[tuple[MetricFilter, frozenset[int]]], list[str]]:
    """The filters of the group with the events that each counts, and those that are not understood."""
    counted: list[tuple[MetricFilter, frozenset[int]]] = []
    unclear = []
    for one in filters.filters:
        if (one.region, one.group) != place:
            continue
        try:
            test = read(one.pattern)
        except PatternError:
            unclear += [one.name] if _perhaps(one.pattern, watched) else []
            continue
        hits = frozenset(at for at, event in enumerate(watched.events) if test(event))
        if hits and not test(EVERYDAY):
            counted.append((one, hits))
    return counted, unclear


def _perhaps(pattern: str, watched: Watched) -> bool:
    """Whether a pattern that is not understood may count these events: for JSON, or by words of theirs."""
    words = {str(one[key]) for one in watched.events for key in ("eventName", "errorCode") if key in one}
    return pattern.lstrip().startswith("{") or any(word in pattern for word in words)


def _fewest(wanted: frozenset[int], ends: list[tuple[frozenset[int], _Chain]]) -> list[str]:
    """What is told by links that together cover all events, without those that add nothing."""
    told: list[str] = []
    for hits, end in sorted(ends, key=lambda pair: -len(pair[0])):
        if end.whole and hits & wanted:
            told.append(end.told)
            wanted -= hits
    return told


_PERHAPS = ("ssm-incidents", "ssm", "lambda", "cloudwatch")
"""Services that may tell somebody once an alarm starts them; the last one is a composite alarm."""


def _heard(one: MetricFilter, facts: _Facts, *, many: bool) -> _Chain:
    """Whether somebody hears of what this filter counts, at the first event or where there are `many`."""
    if one.region not in facts.alarms.regions:
        return _Chain(False, f"the alarms of {one.region} could not be read", seen=False)
    watching = [
        alarm
        for alarm in facts.alarms.alarms
        if alarm.region == one.region and alarm.rises and set(one.metrics) & {alarm.metric, *alarm.parts}
    ]
    if not watching:
        return _Chain(False, f"no alarm on {', '.join(one.metrics)}")
    if not many:
        prompt = [alarm for alarm in watching if alarm.events <= 1 and alarm.periods <= 1]
        if not prompt:
            return _Chain(False, _waits(watching[0]))
        watching = prompt
    actions = {action for alarm in watching if alarm.acts for action in alarm.actions}
    topics = {action for action in actions if action.split(":")[2:3] == ["sns"]}
    heard = [s for s in facts.subscriptions.subscriptions if s.confirmed and s.topic in topics]
    if heard:
        alarm = next(alarm for alarm in watching if alarm.acts and heard[0].topic in alarm.actions)
        return _Chain(True, f"{one.name}, {alarm.name}, {heard[0].protocol}")
    return _unheard(watching[0].name, actions, topics, facts)


def _waits(alarm: Alarm) -> str:
    """`the alarm logins waits for 5 events`, which somebody who is careful never makes."""
    if alarm.events > 1:
        return f"the alarm {alarm.name} waits for {alarm.events} events in one period"
    return f"the alarm {alarm.name} waits for events in {alarm.periods} periods"


def _unheard(alarm: str, actions: set[str], topics: set[str], facts: _Facts) -> _Chain:
    own = facts.subscriptions
    hidden = {t for t in topics if t.split(":")[4:5] != [own.account] or t.split(":")[3] not in own.regions}
    started = {action for action in actions if action.split(":")[2:3] in [[name] for name in _PERHAPS]}
    if hidden:
        return _Chain(False, f"who hears {', '.join(sorted(hidden))} could not be read", seen=False)
    if started:
        return _Chain(False, f"whom {', '.join(sorted(started))} tells cannot be seen", seen=False)
    if not topics:
        return _Chain(False, f"the alarm {alarm} tells nobody")
    return _Chain(False, f"nobody has confirmed a subscription of {', '.join(sorted(topics))}")


ALARMS = tuple(_made(one) for one in WATCHED)
"""One check for each event that somebody is to be told of."""
