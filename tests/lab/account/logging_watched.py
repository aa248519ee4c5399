"""Alarms on events of the trail: chains from a filter to somebody who hears, each broken at another link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checks.cloud.watched import WATCHED
from tests.lab.account.logging_trails import GROUP, STOPPED_GROUP, group_arn
from tests.lab.account_logging import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

SPACE = "Logging"
HEARD = "logging-heard"
"""The topic that somebody reads."""
PENDING = "logging-pending"
"""A topic with one subscription, which nobody has confirmed."""
PROPOSED: Mapping[str, str] = {one.name: one.pattern for one in WATCHED}


@dataclass(frozen=True)
class Link:
    """A filter with its alarm: what differs from a chain that is whole."""

    pattern: str
    group: str = GROUP
    region: str = MAIN
    acts: bool = True
    topic: str = HEARD
    rises: bool = True
    expression: bool = False
    threshold: float = 1.0


_IAM = PROPOSED["iam-changes"].strip("{ }").split(" || ")
CLEAN: Mapping[str, tuple[str, bool, tuple[Link, ...]]] = {
    "refused-calls": (
        "the two in another order, without quotes and parentheses",
        True,
        (Link("{ $.errorCode = AccessDenied* || $.errorCode = *UnauthorizedOperation }"),),
    ),
    "sign-in-without-mfa": (
        "turned around, and of every kind of user",
        True,
        (Link('{$.additionalEventData.MFAUsed!="Yes"&&$.eventName="ConsoleLogin"}'),),
    ),
    "iam-changes": (
        "two filters with alarms of their own, half of the calls each",
        True,
        (
            Link("{ " + " || ".join(_IAM[:7]) + " }"),
            Link("{ " + " || ".join(reversed(_IAM[7:])) + " }"),
        ),
    ),
    "failed-sign-ins": (
        "by the answer instead of the message, and only where there are several",
        True,
        (
            Link(
                "{ ($.eventName = ConsoleLogin) && ($.responseElements.ConsoleLogin = Failure) }",
                threshold=5,
            ),
        ),
    ),
    "bucket-policies": ("as proposed", False, (Link(PROPOSED["bucket-policies"]),)),
    "networks": (
        "stars instead of names, an alarm on an expression",
        True,
        (Link('{ ($.eventSource = "ec2.*") && ($.eventName = "*Vpc*") }', expression=True),),
    ),
    "organization": (
        "everything that the service writes",
        True,
        (Link('{ ($.eventSource = "organizations.amazonaws.com") && ($.readOnly IS FALSE) }'),),
    ),
}
"""Chains that are whole: what it is, whether a naive reading gets it wrong, and the links."""
BROKEN: Mapping[str, tuple[str, bool, tuple[Link, ...]]] = {
    "root-use": (
        "its pattern leaves out sign-ins to the console",
        True,
        (Link('{ ($.userIdentity.type = "Root") && ($.eventType = "AwsApiCall") }'),),
    ),
    "trail-changes": (
        "its pattern leaves out that a trail is stopped",
        True,
        (Link(PROPOSED["trail-changes"].replace("StopLogging", "StopLoging")),),
    ),
    "key-deletion": (
        "its alarm does not act",
        True,
        (Link(PROPOSED["key-deletion"], acts=False),),
    ),
    "config-changes": (
        "its alarm waits for five changes in five minutes",
        True,
        (Link(PROPOSED["config-changes"], threshold=5),),
    ),
    "security-groups": (
        "nobody has confirmed to be told",
        True,
        (Link(PROPOSED["security-groups"], topic=PENDING),),
    ),
    "network-acls": (
        "its filter is at a trail that is stopped",
        True,
        (Link(PROPOSED["network-acls"], group=STOPPED_GROUP, region=OTHER),),
    ),
    "gateways": (
        "its filter is at a log group into which no trail writes",
        True,
        (Link(PROPOSED["gateways"], group="logging-app"),),
    ),
    "routes": ("its alarm is raised by silence", True, (Link(PROPOSED["routes"], rises=False),)),
}
"""Chains that are broken, in the same form."""


def plant(lab: Lab) -> None:
    """Builds them in the log groups of `logging_trails`."""
    first = len(lab.planted)
    for region in (MAIN, OTHER):
        sns = lab.client("sns", region)
        heard = sns.create_topic(Name=HEARD)["TopicArn"]
        sns.create_topic(Name=PENDING)
        if region == MAIN:
            sns.subscribe(TopicArn=heard, Protocol="email", Endpoint="security@example.org")
    for chains, say in ((CLEAN, lab.clean), (BROKEN, lab.problem)):
        for name, (note, fools, links) in chains.items():
            for number, link in enumerate(links):
                put_link(lab, f"{name}-{number}", link)
            group = links[0].group, links[0].region
            say(f"cloud.alarms.{name}", name, note, fools=fools, names=_names(lab, name, *group))
    with_peers(lab, first)


def _names(lab: Lab, name: str, group: str, region: str) -> tuple[str, ...]:
    where = group_arn(lab, group, region)
    return (f"{name}-0", where, group, lab.account, f"arn:aws:iam::{lab.account}:root")


def drop_filter(lab: Lab, name: str, group: str = GROUP, region: str = MAIN) -> None:
    """Deletes a filter; the emulator keeps several of one name, where AWS puts the last over the others."""
    logs = lab.client("logs", region)
    while logs.describe_metric_filters(logGroupName=group, filterNamePrefix=name)["metricFilters"]:
        logs.delete_metric_filter(logGroupName=group, filterName=name)


def put_link(lab: Lab, name: str, link: Link) -> None:
    """Writes a filter and the alarm on its metric, over those of the same name."""
    drop_filter(lab, name, link.group, link.region)
    lab.client("logs", link.region).put_metric_filter(
        logGroupName=link.group,
        filterName=name,
        filterPattern=link.pattern,
        metricTransformations=[{"metricNamespace": SPACE, "metricName": name, "metricValue": "1"}],
    )
    topic = f"arn:aws:sns:{link.region}:{lab.account}:{link.topic}"
    metric: dict[str, Any] = {"Namespace": SPACE, "MetricName": name}
    watched: dict[str, Any] = {**metric, "Statistic": "Sum", "Period": 300}
    if link.expression:
        parts = {"Metric": metric, "Period": 300, "Stat": "Sum"}
        watched = {
            "Metrics": [
                {"Id": "m1", "MetricStat": parts, "ReturnData": False},
                {"Id": "e1", "Expression": "FILL(m1, 0)", "ReturnData": True},
            ]
        }
    lab.client("cloudwatch", link.region).put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        Threshold=link.threshold,
        ComparisonOperator="GreaterThanOrEqualToThreshold" if link.rises else "LessThanThreshold",
        ActionsEnabled=link.acts,
        AlarmActions=[topic] if link.topic else [],
        **watched,
    )
