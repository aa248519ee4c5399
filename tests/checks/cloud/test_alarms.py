"""Which patterns are enough for an alarm, and where the way from a trail to somebody who hears breaks."""

from __future__ import annotations

from dataclasses import replace as changed

import msgspec
import pytest

from checks.cloud.alarms import ALARMS
from checks.cloud.patterns import read
from checks.cloud.watched import EVERYDAY, WATCHED, Watched
from checks.facts.cloud.alarms import Alarm, Alarms
from checks.facts.cloud.cloudtrail import Trails
from checks.facts.cloud.logs import MetricFilters
from checks.facts.cloud.sns import Subscriptions
from checks.model import Outcome
from checks.verdict import Verdict
from tests.checks.cloud.examples.alarms import (
    A_GROUP,
    A_STATE,
    A_TRAIL,
    ALL_EVENTS,
    AN_ALARM,
    GROUP,
    HEARD,
    TOPIC,
    a_filter,
    chain,
)
from tests.checks.cloud.examples.records import A, Facts, R

PAGER = f"arn:aws:lambda:{R}:{A}:function:page"
BY_NAME = {one.name: one for one in WATCHED}
CHECKS = {one.id.rpartition(".")[2]: one for one in ALARMS}


def judged(name: str, *filters: object, **links: object) -> Verdict:
    """What the alarm of that name gets for a chain of these links."""
    [verdict] = CHECKS[name].run(*chain(*filters, **links))  # type: ignore[arg-type]
    return verdict


def without_one(one: Watched) -> list[str]:
    """A pattern for each of the calls that are watched: it counts all the others."""
    names = list(dict.fromkeys(str(event["eventName"]) for event in one.events))
    rest = [[other for other in names if other != left] for left in names]
    return ["{ " + " || ".join(f"$.eventName = {other}" for other in some) + " }" for some in rest]


@pytest.mark.parametrize("one", WATCHED, ids=lambda one: one.name)
def test_what_we_propose_counts_all_events_and_no_everyday_ones(one: Watched) -> None:
    test = read(one.pattern)
    assert all(test(event) for event in one.events)
    assert not test(EVERYDAY)
    assert not any(
        test(event)
        for other in WATCHED
        for event in other.events
        if not {str(e["eventName"]) for e in one.events} & {str(event["eventName"])}
        and one.name not in ("refused-calls", "root-use")
    )


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        (one.name, pattern)
        for one in WATCHED
        if len({event["eventName"] for event in one.events}) > 1
        for pattern in without_one(one)
    ],
)
def test_a_pattern_that_leaves_out_one_call_is_not_enough(name: str, pattern: str) -> None:
    verdict = judged(name, a_filter(pattern))
    assert verdict.outcome is Outcome.FAIL
    assert "counts" in verdict.saw


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        # The root user signs in with a second factor too.
        ("root-use", '{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed != "Yes" }'),
        ("root-use", '{ $.userIdentity.type = "Root" && $.eventType = "AwsApiCall" }'),
        ("root-use", '{ $.userIdentity.type = "root" }'),
        ("iam-changes", '{ $.eventSource = "iam.amazonaws.com" && $.userIdentity.type != "AssumedRole" }'),
        ("failed-sign-ins", "{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed = No }"),
        ("trail-changes", "{ $.eventName = StopLogging && $.eventName = DeleteTrail }"),
        ("refused-calls", '{ $.errorCode = "AccessDenied" || $.errorCode = "UnauthorizedOperation" }'),
        # What counts everything tells nothing.
        ("trail-changes", "{ $.eventName = * }"),
        ("trail-changes", "{ $.eventName != GetUser }"),
        ("trail-changes", ""),
    ],
)
def test_a_pattern_that_counts_too_little_or_everything(name: str, pattern: str) -> None:
    assert judged(name, a_filter(pattern)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("root-use", "{ ($.userIdentity.invokedBy NOT EXISTS) && ($.userIdentity.type = Root) }"),
        ("iam-changes", '{ $.eventSource = "iam.*" && $.readOnly IS FALSE }'),
        ("iam-changes", '{ $.eventSource = "iam.amazonaws.com" && $.errorCode NOT EXISTS && '
         '($.eventName = "Put*" || $.eventName = "*Policy*") }'),
        ("trail-changes", '{ ($.eventName = "*Trail") || ($.eventName = "*Logging") }'),
        ("sign-in-without-mfa", '{ $.additionalEventData.MFAUsed = "No" && $.eventName = ConsoleLogin }'),
        ("refused-calls", '{ $.errorCode = "*Unauthorized*" || $.errorCode = "*AccessDenied*" }'),
        ("refused-calls", "{ $.errorCode EXISTS }"),
        ("gateways", "{ $.eventName = *Gateway }"),
        ("key-deletion", "{ $.eventSource = kms.amazonaws.com && $.readOnly != true }"),
    ],
)  # fmt: skip
def test_the_same_in_other_words(name: str, pattern: str) -> None:
    assert judged(name, a_filter(pattern)).outcome is Outcome.PASS


def test_filters_that_share_the_events_are_enough_together_and_others_are_not_told() -> None:
    halves = (
        a_filter("{ $.eventName = *Trail }", "trails", "ns/a"),
        a_filter("{ $.eventName = StartLogging || $.eventName = StopLogging }", "logging", "ns/b"),
        a_filter("{ $.eventName = StopLogging }", "again", "ns/b"),
    )
    both = tuple(msgspec.structs.replace(AN_ALARM, name=name, metric=name) for name in ("ns/a", "ns/b"))
    whole = judged("trail-changes", *halves, alarms=both)
    assert (whole.outcome, whole.saw) == (Outcome.PASS, "all, trails, ns/a, email; logging, ns/b, email")
    half = judged("trail-changes", *halves, alarms=both[:1])
    assert (half.outcome, half.saw) == (Outcome.FAIL, "no alarm on ns/b")


@pytest.mark.parametrize(
    "pattern", ["StopLogging", '{ $.eventName = "%^Stop%" }', "?DeleteTrail ?StopLogging"]
)
def test_a_pattern_that_may_count_the_events_leaves_them_unknown(pattern: str) -> None:
    verdict = judged("trail-changes", a_filter(pattern))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "pattern of f is not understood" in verdict.reason


WHOLE = a_filter(BY_NAME["trail-changes"].pattern)


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ({"trail": msgspec.structs.replace(A_TRAIL, every_region=False)}, "no trail of all regions"),
        ({"state": msgspec.structs.replace(A_STATE, logging=False)}, "all is stopped"),
        ({"state": msgspec.structs.replace(A_STATE, log_error="denied")}, "cannot write into its log group"),
        ({"events": msgspec.structs.replace(ALL_EVENTS, writes=False)}, "not record all management events"),
        (
            {"events": msgspec.structs.replace(ALL_EVENTS, without=("cloudtrail.amazonaws.com",))},
            "leaves out cloudtrail.amazonaws.com",
        ),
        ({"group": msgspec.structs.replace(A_GROUP, log_group="")}, "writes into no log group"),
        ({"group": msgspec.structs.replace(A_GROUP, log_group=GROUP.replace("trail", "other"))}, "no filter"),
        ({"alarms": ()}, "no alarm on ns/m"),
        ({"alarms": (msgspec.structs.replace(AN_ALARM, metric="ns/other"),)}, "no alarm on ns/m"),
        ({"alarms": (msgspec.structs.replace(AN_ALARM, metric="ns/m by user"),)}, "no alarm on ns/m"),
        ({"alarms": (msgspec.structs.replace(AN_ALARM, region="eu-west-2"),)}, "no alarm on ns/m"),
        ({"alarms": (msgspec.structs.replace(AN_ALARM, rises=False),)}, "no alarm on ns/m"),
        ({"alarms": (msgspec.structs.replace(AN_ALARM, acts=False),)}, "tells nobody"),
        ({"alarms": (msgspec.structs.replace(AN_ALARM, actions=()),)}, "tells nobody"),
        (
            {"alarms": (msgspec.structs.replace(AN_ALARM, actions=("arn:aws:automate:r:ec2:stop",)),)},
            "tells nobody",
        ),
        ({"heard": ()}, "nobody has confirmed"),
        ({"heard": (msgspec.structs.replace(HEARD, confirmed=False),)}, "nobody has confirmed"),
        ({"heard": (msgspec.structs.replace(HEARD, topic=f"{TOPIC}-other"),)}, "nobody has confirmed"),
    ],
)
def test_a_chain_breaks_at_each_link(links: dict[str, object], words: str) -> None:
    verdict = judged("trail-changes", WHOLE, **links)
    assert verdict.outcome is Outcome.FAIL
    assert words in verdict.saw


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ({"state": None}, "what all records could not be read"),
        ({"events": None}, "what all records could not be read"),
        ({"group": None}, "log group of all could not be read"),
        (
            {"group": msgspec.structs.replace(A_GROUP, log_group=GROUP.replace(A, "999988887777"))},
            "log group of account 999988887777",
        ),
        (
            {"alarms": (msgspec.structs.replace(AN_ALARM, actions=(TOPIC.replace(A, "999988887777"),)),)},
            "who hears arn:aws:sns",
        ),
        (
            {"alarms": (msgspec.structs.replace(AN_ALARM, actions=(PAGER,)),)},
            "cannot be seen",
        ),
    ],
)  # fmt: skip
def test_a_link_that_cannot_be_seen_is_unknown(links: dict[str, object], words: str) -> None:
    verdict = judged("trail-changes", WHOLE, **links)
    assert verdict.outcome is Outcome.UNKNOWN
    assert words in verdict.reason


@pytest.mark.parametrize(("fact", "words"), [(MetricFilters, "filters"), (Alarms, "alarms")])
def test_a_region_that_did_not_answer_is_unknown(fact: type, words: str) -> None:
    facts: Facts = tuple(
        msgspec.structs.replace(one, regions=()) if isinstance(one, fact) else one for one in chain(WHOLE)
    )
    [verdict] = CHECKS["trail-changes"].run(*facts)
    assert verdict.outcome is Outcome.UNKNOWN
    assert f"the {words} of {R} could not be read" in verdict.reason


def test_subscriptions_of_a_region_that_did_not_answer_are_unknown_where_they_would_decide() -> None:
    facts = tuple(Subscriptions(A, (), ()) if isinstance(one, Subscriptions) else one for one in chain(WHOLE))
    [verdict] = CHECKS["trail-changes"].run(*facts)
    assert verdict.outcome is Outcome.UNKNOWN


def test_an_alarm_on_an_expression_watches_its_parts() -> None:
    alarm = Alarm("arn:alarm", "sum", R, "/", True, (TOPIC,), parts=("ns/m", "ns/n"))
    assert judged("trail-changes", WHOLE, alarms=(alarm,)).outcome is Outcome.PASS


def test_one_whole_chain_is_enough_whatever_else_there_is() -> None:
    stopped = msgspec.structs.replace(A_TRAIL, arn=f"{A_TRAIL.arn}-old", name="old")
    facts = tuple(
        Trails(A, (R,), (stopped, A_TRAIL)) if isinstance(one, Trails) else one for one in chain(WHOLE)
    )
    [verdict] = CHECKS["trail-changes"].run(*facts)
    assert verdict.outcome is Outcome.PASS


def test_a_composite_alarm_that_takes_more_than_this_one_may_tell_somebody() -> None:
    above = f"arn:aws:cloudwatch:{R}:{A}:alarm:above"
    alarm = msgspec.structs.replace(AN_ALARM, actions=(above,))
    verdict = judged("trail-changes", WHOLE, alarms=(alarm,))
    assert verdict.outcome is Outcome.UNKNOWN
    assert above in verdict.reason


def test_reads_matter_only_to_what_is_about_reads() -> None:
    writes = msgspec.structs.replace(ALL_EVENTS, reads=False)
    assert judged("trail-changes", WHOLE, events=writes).outcome is Outcome.PASS
    refused = BY_NAME["refused-calls"]
    assert judged("refused-calls", a_filter(refused.pattern), events=writes).outcome is Outcome.FAIL


def test_events_without_a_source_belong_to_no_service() -> None:
    one = changed(BY_NAME["trail-changes"], events=({"eventName": "StopLogging"},))
    assert one.sources == frozenset()
    assert BY_NAME["trail-changes"].sources == {"cloudtrail.amazonaws.com"}


@pytest.mark.parametrize("one", WATCHED, ids=lambda one: one.name)
def test_an_alarm_that_waits_misses_a_single_event(one: Watched) -> None:
    waits = msgspec.structs.replace(AN_ALARM, events=5)
    verdict = judged(one.name, a_filter(one.pattern), alarms=(waits,))
    # Refused calls and failed sign-ins mean something where there are many.
    alone = one.name in ("refused-calls", "failed-sign-ins")
    assert verdict.outcome is (Outcome.PASS if alone else Outcome.FAIL)
    assert alone or verdict.saw == "the alarm alarm waits for 5 events in one period"
    both = judged(one.name, a_filter(one.pattern), alarms=(waits, AN_ALARM))
    assert both.outcome is Outcome.PASS


def test_an_alarm_that_waits_for_several_periods_misses_it_too() -> None:
    waits = msgspec.structs.replace(AN_ALARM, periods=3)
    verdict = judged("root-use", a_filter(BY_NAME["root-use"].pattern), alarms=(waits,))
    assert (verdict.outcome, verdict.saw) == (
        Outcome.FAIL,
        "the alarm alarm waits for events in 3 periods",
    )
