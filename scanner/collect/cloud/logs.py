"""Collects log groups, metric filters, and who may write into the logs: one list each."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.logs import LogGroup, LogGroups, MetricFilter, MetricFilters
from checks.facts.cloud.resource_policies import LogPolicies, ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, group, number, some, text
from scanner.collect.cloud.lists import listing
from scanner.collect.cloud.policies import parse

GROUPS = Call("logs", "DescribeLogGroups", (LogGroups,), key="logGroups", page=50)
FILTERS = Call("logs", "DescribeMetricFilters", (MetricFilters,), key="metricFilters", page=50)
POLICIES = Call("logs", "DescribeResourcePolicies", (LogPolicies,), key="resourcePolicies")


def _group(place: Place, raw: Raw) -> LogGroup:
    return LogGroup(
        arn=text(raw, "arn").removesuffix(":*"),
        name=text(raw, "logGroupName"),
        region=place.region,
        # The class that only passes lines on keeps them for a day, and has no setting.
        days=1 if text(raw, "logGroupClass", "") == "DELIVERY" else number(raw, "retentionInDays", 0),
        key=text(raw, "kmsKeyId", ""),
    )


def _filter(place: Place, raw: Raw) -> MetricFilter:
    metrics = [_metric(one) for one in some(raw, "metricTransformations")]
    return MetricFilter(
        name=text(raw, "filterName"),
        region=place.region,
        group=text(raw, "logGroupName"),
        pattern=text(raw, "filterPattern", ""),
        metrics=tuple(sorted(metrics)),
    )


def _metric(raw: Raw) -> str:
    """The metric as `Alarm` names it."""
    keys = sorted(map(str, group(raw, "dimensions")))
    name = f"{text(raw, 'metricNamespace')}/{text(raw, 'metricName')}"
    return f"{name} by {', '.join(keys)}" if keys else name


def _policy(place: Place, raw: Raw) -> ResourcePolicy:
    name = text(raw, "policyName")
    return ResourcePolicy(
        place.arn("logs", f"resource-policy:{name}"), name, place.region, parse(text(raw, "policyDocument"))
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("log groups", GROUPS, _group, named="logGroupName")
    yield listing("metric filters", FILTERS, _filter, named="filterName")
    yield listing("log policies", POLICIES, _policy, named="policyName")
