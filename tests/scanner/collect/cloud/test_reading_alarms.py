"""Whom an alarm tells by way of composite alarms."""

from __future__ import annotations

from typing import Any, cast

import pytest

from checks.facts.cloud.alarms import Alarm, Alarms
from scanner.collect.cloud.alarms import alarms
from scanner.collect.cloud.calls import NotRead, Place
from scanner.collect.collector import Context
from scanner.transport.aws import Aws, Identity
from tests.lab.aws import ACCOUNT, MAIN

STEM = f"arn:aws:cloudwatch:{MAIN}:{ACCOUNT}:alarm"
OWN, TEAM = (f"arn:aws:sns:{MAIN}:{ACCOUNT}:{name}" for name in ("own", "team"))


class _Told:
    """Answers the one call with these pages."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self.told = pages
        self.asked: dict[str, object] = {}

    def pages(self, service: str, region: str, operation: str, **parameters: object) -> Any:
        assert (service, region, operation) == ("cloudwatch", MAIN, "DescribeAlarms")
        self.asked = parameters
        return self.told


def one(name: str = "logins", **more: object) -> dict[str, Any]:
    """A metric alarm as AWS answers."""
    return {
        "AlarmName": name,
        "AlarmArn": f"{STEM}:{name}",
        "Namespace": "ns",
        "MetricName": "m",
        "ActionsEnabled": True,
        "AlarmActions": [OWN],
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


def above(rule: str, name: str = "above", **more: object) -> dict[str, Any]:
    """A composite alarm as AWS answers."""
    return {
        "AlarmName": name,
        "AlarmArn": f"{STEM}:{name}",
        "AlarmRule": rule,
        "ActionsEnabled": True,
        "AlarmActions": [TEAM],
        **more,
    }


def read(*pages: dict[str, Any]) -> tuple[Alarm, ...]:
    """The alarms that these pages tell of."""
    aws = _Told(*pages)
    place = Place(
        cast(Aws, aws), Identity(ACCOUNT, "aws", "arn", MAIN), MAIN, (MAIN,), False,
        frozenset({Alarms}), Context(),
    )  # fmt: skip
    [fact] = alarms(place).facts
    assert isinstance(fact, Alarms)
    assert aws.asked["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]
    assert (fact.account, fact.regions) == (ACCOUNT, (MAIN,))
    return fact.alarms


@pytest.mark.parametrize(
    ("rule", "actions"),
    [
        ('ALARM("logins")', {OWN, TEAM}),
        ("ALARM(logins)", {OWN, TEAM}),
        (f'ALARM("{STEM}:logins")', {OWN, TEAM}),
        ('(ALARM("other") OR ALARM("logins")) OR ALARM(third)', {OWN, TEAM}),
        ('ALARM("other")', {OWN}),
        ('ALARM("logins-2")', {OWN}),
        ('OK("logins")', {OWN}),
        # Whether these are raised depends on others.
        ('ALARM("logins") AND ALARM("other")', {OWN, f"{STEM}:above"}),
        ('ALARM("logins") AND NOT ALARM("deploying")', {OWN, f"{STEM}:above"}),
        ('ALARM("other") OR NOT ALARM("logins")', {OWN, f"{STEM}:above"}),
        ('ALARM("logins") OR OK("other")', {OWN, f"{STEM}:above"}),
        ("", {OWN}),
        ("ALARM(", {OWN}),
    ],
)
def test_a_composite_alarm_tells_for_those_of_its_rule(rule: str, actions: set[str]) -> None:
    [found] = read({"MetricAlarms": [one()], "CompositeAlarms": [above(rule)]})
    assert set(found.actions) == actions
    assert found.acts


def test_an_alarm_that_does_not_act_is_heard_by_what_is_above_it() -> None:
    quiet = one(ActionsEnabled=False)
    [found] = read({"MetricAlarms": [quiet], "CompositeAlarms": [above("ALARM(logins)")]})
    assert (found.acts, found.actions) == (True, (TEAM,))
    still = above("ALARM(logins)", ActionsEnabled=False)
    [found] = read({"MetricAlarms": [quiet], "CompositeAlarms": [still]})
    assert (found.acts, found.actions) == (False, ())


def test_composite_alarms_stand_on_each_other_and_on_other_pages() -> None:
    first = {"MetricAlarms": [one()], "CompositeAlarms": [above("ALARM(middle)", "top")]}
    second = {"MetricAlarms": [], "CompositeAlarms": [above("ALARM(logins)", "middle", AlarmActions=[])]}
    [found] = read(first, second)
    assert set(found.actions) == {OWN, TEAM}


def test_composite_alarms_in_a_ring_end() -> None:
    ring = [above("ALARM(logins) OR ALARM(b)", "a"), above("ALARM(a)", "b", AlarmActions=[])]
    [found] = read({"MetricAlarms": [one()], "CompositeAlarms": ring})
    assert set(found.actions) == {OWN, TEAM}


def test_one_that_another_alarm_holds_back_is_not_certain() -> None:
    held = above("ALARM(logins)", ActionsSuppressor="deploying")
    [found] = read({"MetricAlarms": [one()], "CompositeAlarms": [held]})
    assert set(found.actions) == {OWN, f"{STEM}:above"}


@pytest.mark.parametrize("page", [{}, {"MetricAlarms": [], "CompositeAlarms": [{"AlarmName": "nameless"}]}])
def test_an_answer_that_cannot_be_read_is_no_account_without_alarms(page: dict[str, Any]) -> None:
    with pytest.raises(NotRead):
        read(page)


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        ({"Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}, (1, 1)),
        ({"Threshold": 0.5, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}, (1, 1)),
        ({"Threshold": -3.0, "ComparisonOperator": "GreaterThanThreshold"}, (1, 1)),
        ({"Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold"}, (1, 1)),
        ({"Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}, (2, 1)),
        ({"Threshold": 4.2, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}, (5, 1)),
        # A band that AWS learns has no number, and what an expression makes of ones is not known.
        ({"ThresholdMetricId": "band", "ComparisonOperator": "GreaterThanUpperThreshold"}, (0, 1)),
        ({"Threshold": 9.0, "Metrics": [{"Id": "e1", "Expression": "m1 * 9"}]}, (0, 1)),
        ({"Threshold": 0.0, "EvaluationPeriods": 3}, (1, 1)),
        ({"Threshold": 0.0, "EvaluationPeriods": 3, "TreatMissingData": "notBreaching"}, (1, 3)),
        (
            {
                "Threshold": 0.0,
                "EvaluationPeriods": 3,
                "DatapointsToAlarm": 1,
                "TreatMissingData": "notBreaching",
            },
            (1, 1),
        ),
    ],
)
def test_what_it_takes_to_raise_an_alarm(alarm: dict[str, Any], expected: tuple[int, int]) -> None:
    [found] = read({"MetricAlarms": [one(**alarm)]})
    assert (found.events, found.periods) == expected
