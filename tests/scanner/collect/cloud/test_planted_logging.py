"""Trails, logs, alarms and what watches an account, as a scan finds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from checks.facts.cloud.alarms import Alarms
from checks.facts.cloud.cloudtrail import TrailLogGroups, Trails, TrailSelectors, TrailStates
from checks.facts.cloud.inspector import Coverage
from checks.facts.cloud.logs import MetricFilters
from checks.facts.cloud.sns import Subscriptions
from checks.facts.snapshot import decode, encode
from checks.model import Finding, Outcome
from scanner.collect.cloud import (
    alarms,
    cloudtrail,
    config,
    guardduty,
    inspector,
    logs,
    macie,
    registry,
    securityhub,
    sns,
)
from scanner.collect.cloud.calls import Call
from tests.lab.account.logging_watched import BROKEN, CLEAN, PENDING, PROPOSED, Link, drop_filter, put_link
from tests.lab.aws import Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_account import MAIN, OTHER
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

PLANTED = ("logging_services", "logging_trails", "logging_watched", "logging_last")
SERVICES = (
    "cloudtrail",
    "cloudwatch",
    "config",
    "guardduty",
    "inspector2",
    "logs",
    "macie2",
    "securityhub",
)
TOPICS = (alarms, cloudtrail, config, guardduty, inspector, logs, macie, securityhub)
OURS = [call for topic in TOPICS for one in topic.collectors() for call in one.calls] + [sns.SUBSCRIPTIONS]
CHAIN = (Trails, TrailStates, TrailSelectors, TrailLogGroups, MetricFilters, Alarms, Subscriptions)
"""The facts behind an alarm."""


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED) as world:
        yield world


def of_chain(world: World) -> dict[str, Finding]:
    """What the checks of alarms say now, by the name of what they watch."""
    checks = [f"cloud.alarms.{name}" for name in PROPOSED]
    return {f.on: f for f in world.judge(world.collect(*CHAIN), *checks)}


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)
    assert sum(one.bad for one in world.lab.planted) >= 35
    assert sum(not one.bad for one in world.lab.planted) >= 29
    assert sum(one.fools for one in world.lab.planted) >= 35
    assert set(PROPOSED) == {*CLEAN, *BROKEN}


def test_nothing_is_missing_and_nothing_crashes(world: World) -> None:
    assert not world.snapshot.gaps
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []
    types = {fact.__name__: fact for fact in registry.facts()}
    assert decode(encode(world.snapshot), types) == world.snapshot
    assert b"@example.org" not in encode(world.snapshot)


def test_all_that_is_declared_is_asked_and_nothing_else(world: World) -> None:
    world.collect()
    wanted = frozenset(n for d in world.demands for n in d.check.needs)
    asked = {(one.service, one.operation) for one in world.endpoint.asked if one.service in SERVICES}
    ours = {one for one in registry.allowed(wanted) if one[0] in SERVICES}
    assert asked == ours
    assert ours == {(call.service, call.operation) for call in OURS if call.service in SERVICES}


@pytest.mark.parametrize("call", OURS, ids=lambda call: call.label)
def test_a_refused_read_is_unknown_by_its_name_and_never_green(world: World, call: Call) -> None:
    hit = {d.check.id for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)}
    assert hit
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    needed = {n for d in world.demands if d.check.id in hit for n in d.check.needs}
    after = [f for f in world.judge(world.collect(*needed), *hit) if f.check in hit]
    assert {f.check for f in after if f.outcome is Outcome.UNKNOWN and call.iam in f.needs} == hit
    assert [(f.check, f.on) for f in after if f.outcome is Outcome.PASS] == []


@pytest.mark.parametrize("name", BROKEN)
def test_an_alarm_passes_once_its_link_is_mended(world: World, name: str) -> None:
    put_link(world.lab, f"{name}-0", Link(PROPOSED[name]))
    try:
        found = of_chain(world)
    finally:
        drop_filter(world.lab, f"{name}-0")
        for link in BROKEN[name][2]:
            put_link(world.lab, f"{name}-0", link)
    assert found[name].outcome is Outcome.PASS, found[name].saw
    assert f"{name}-0, {name}-0, email" in found[name].saw
    others = {other: one.outcome for other, one in found.items() if other in BROKEN and other != name}
    assert set(others.values()) == {Outcome.FAIL}


@pytest.mark.parametrize(
    "change",
    [
        {"pattern": "{ $.eventName = NoSuchCall }"},
        {"pattern": "NoSuchCall"},
        {"group": "logging-app"},
        {"topic": ""},
        {"topic": PENDING},
        {"acts": False},
        {"rises": False},
    ],
    ids=lambda change: "-".join(f"{name}-{value}" for name, value in change.items()),
)
def test_an_alarm_is_broken_at_every_link(world: World, change: dict[str, object]) -> None:
    chains = [(f"{name}-{at}", one) for name in CLEAN for at, one in enumerate(CLEAN[name][2])]
    for name, link in chains:
        drop_filter(world.lab, name)
        put_link(world.lab, name, replace(link, **change))  # type: ignore[arg-type]
    try:
        found = of_chain(world)
    finally:
        for name, link in chains:
            put_link(world.lab, name, link)
            if "group" in change:
                drop_filter(world.lab, name, str(change["group"]))
    assert {(name, found[name].outcome) for name in CLEAN} == {(name, Outcome.FAIL) for name in CLEAN}


def test_an_alarm_without_its_filter_or_without_any_alarm_is_no_alarm(world: World) -> None:
    name = "bucket-policies"
    cloudwatch = world.lab.client("cloudwatch")
    cloudwatch.delete_alarms(AlarmNames=[f"{name}-0"])
    try:
        assert of_chain(world)[name].saw == f"no alarm on Logging/{name}-0"
    finally:
        put_link(world.lab, f"{name}-0", CLEAN[name][2][0])
    half = CLEAN["iam-changes"][2][1]
    drop_filter(world.lab, "iam-changes-1")
    try:
        assert "counts" in of_chain(world)["iam-changes"].saw
    finally:
        put_link(world.lab, "iam-changes-1", half)
    assert of_chain(world)["iam-changes"].outcome is Outcome.PASS


def test_without_a_running_trail_nobody_is_told_of_anything(world: World) -> None:
    trails = world.lab.client("cloudtrail")
    trails.stop_logging(Name="logging-all")
    try:
        found = of_chain(world)
    finally:
        trails.start_logging(Name="logging-all")
    assert {one.outcome for one in found.values()} == {Outcome.FAIL}
    assert all("stopped" in one.saw for one in found.values())


def test_alarms_in_a_region_that_does_not_answer_are_unknown(world: World) -> None:
    world.endpoint.faults["cloudwatch", "DescribeAlarms", MAIN] = Fault.DENIED
    found = world.judge(world.collect(*CHAIN), "cloud.alarms.bucket-policies", "cloud.alarms.gateways")
    mine = {(f.on, f.outcome) for f in found if f.on in PROPOSED}
    # That no filter counts the events is seen without any alarm.
    assert mine == {("bucket-policies", Outcome.UNKNOWN), ("gateways", Outcome.FAIL)}
    [gap] = [f for f in found if f.check == "cloud.alarms.bucket-policies" and f.needs]
    assert (gap.outcome, gap.region, gap.needs) == (Outcome.UNKNOWN, MAIN, "cloudwatch:DescribeAlarms")


@pytest.mark.parametrize(
    ("check", "service", "operation"),
    [
        ("cloud.config.recording", "config", "DescribeConfigurationRecorderStatus"),
        ("cloud.guardduty.enabled", "guardduty", "GetDetector"),
        ("cloud.macie.enabled", "macie2", "GetMacieSession"),
        ("cloud.securityhub.enabled", "securityhub", "DescribeHub"),
        ("cloud.inspector.instances", "inspector2", "ListCoverage"),
        ("cloud.inspector.functions", "inspector2", "ListCoverage"),
    ],
)
def test_a_region_that_refuses_leaves_the_other_as_it_is(
    world: World, check: str, service: str, operation: str
) -> None:
    before = {f.region: f.outcome for f in world.findings if f.check == check}
    assert set(before.values()) == {Outcome.PASS, Outcome.FAIL}
    [demand] = [d for d in world.demands if d.check.id == check]
    for refusing, other in ((MAIN, OTHER), (OTHER, MAIN)):
        world.endpoint.clear()
        world.endpoint.faults[service, operation, refusing] = Fault.DENIED
        found = world.judge(world.collect(*demand.check.needs), check)
        assert {f.region: f.outcome for f in found} == {refusing: Outcome.UNKNOWN, other: before[other]}


def test_a_region_that_does_not_answer_may_be_the_one_that_records_or_watches(world: World) -> None:
    world.endpoint.faults["config", "DescribeConfigurationRecorders", OTHER] = Fault.DENIED
    checks = ("cloud.config.worldwide", "cloud.detection.unwatched-regions")
    wanted = {n for d in world.demands if d.check.id in checks for n in d.check.needs}
    found = world.judge(world.collect(*wanted), *checks)
    assert {f.outcome for f in found} == {Outcome.UNKNOWN}
    assert {f.check for f in found if "DescribeConfigurationRecorders" in f.needs} == set(checks)


def test_inspector_knows_functions_of_this_account_by_their_name_without_a_version(world: World) -> None:
    found = world.snapshot.get(Coverage)
    assert isinstance(found, Coverage)
    assert found.regions == (MAIN, OTHER)
    assert [one.id for one in found.resources if one.kind == "function"] == [
        f"arn:aws:lambda:{OTHER}:{world.lab.account}:function:logging-one"
    ]
