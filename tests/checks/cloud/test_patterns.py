"""What a filter pattern of CloudWatch Logs counts."""

from __future__ import annotations

import pytest

from checks.cloud.alarms import ALARMS
from checks.cloud.patterns import Event, PatternError, read
from checks.cloud.watched import WATCHED
from checks.model import Outcome
from tests.checks.cloud.examples.alarms import a_filter, chain

EVENT: Event = {
    "eventName": "StopLogging",
    "eventSource": "cloudtrail.amazonaws.com",
    "managementEvent": True,
    "readOnly": False,
    "responseElements": None,
    "userIdentity.type": "Root",
    "resources[0].type": "AWS::CloudTrail::Trail",
}
[PROPOSED] = [one.pattern for one in WATCHED if one.name == "trail-changes"]


def judged(*patterns: str) -> Outcome:
    """What the alarm on changes of trails gets with filters of these patterns."""
    [check] = [one for one in ALARMS if one.id == "cloud.alarms.trail-changes"]
    [verdict] = check.run(*chain(*map(a_filter, patterns)))
    return verdict.outcome


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("{ $.eventName = StopLogging }", True),
        ("{$.eventName=StopLogging}", True),
        ("  {\t$.eventName\n=\r\n'StopLogging'  }  ", True),
        ('{ ($.eventName = "StopLogging") }', True),
        ('{ $.eventName = " StopLogging" }', False),
        ("{ $.eventName = stoplogging }", False),
        ("{ $.EventName = StopLogging }", False),
        ("{ $.eventName = Stop* }", True),
        ("{ $.eventName = *Logging }", True),
        ('{ $.eventName = "*opLo*" }', True),
        ("{ $.eventName = S*p*g }", True),
        ("{ $.eventName = StopLogging* }", True),
        ("{ $.eventName = StopLogging*g }", False),
        ("{ $.eventName = S*g*p*g }", False),
        ("{ $.eventName = * }", True),
        ("{ $.eventName = ** }", True),
        ('{ $.eventName = "" }', False),
        ("{ $.eventName = Stop.ogging }", False),
        ("{ $.eventName != StopLogging }", False),
        ("{ $.eventName != StartLogging }", True),
        ("{ $.eventName != Stop* }", False),
        ("{ $.nothing != StopLogging }", True),
        ("{ $.nothing = * }", False),
        ("{ $.nothing NOT EXISTS }", True),
        ("{ $.eventName NOT EXISTS }", False),
        ("{ $.eventName not exists }", False),
        ("{ $.eventName EXISTS }", True),
        ("{ $.userIdentity EXISTS }", True),
        ("{ $.userIdentity NOT EXISTS }", False),
        ("{ $.userIdentity.invokedBy NOT EXISTS }", True),
        ("{ $.user NOT EXISTS }", True),
        ("{ $.resources EXISTS }", True),
        ("{ $.responseElements EXISTS }", True),
        ("{ $.responseElements IS NULL }", True),
        ("{ $.responseElements is null }", True),
        ("{ $.nothing IS NULL }", False),
        ("{ $.eventName IS NULL }", False),
        ("{ $.managementEvent IS TRUE }", True),
        ("{ $.managementEvent IS FALSE }", False),
        ("{ $.readOnly IS FALSE }", True),
        ("{ $.nothing IS FALSE }", False),
        ("{ $.managementEvent = true }", True),
        ("{ $.managementEvent != false }", True),
        ('{ $.resources[0].type = "AWS::CloudTrail::Trail" }', True),
    ],
)
def test_one_comparison(pattern: str, matches: bool) -> None:
    assert read(pattern)(EVENT) is matches


YES, NO = "$.eventName = StopLogging", "$.eventName = Other"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (f"{{ {YES} || {NO} }}", True),
        (f"{{ {NO} || {YES} }}", True),
        (f"{{ {NO} && {YES} }}", False),
        (f"{{ ({YES}) && ({YES}) }}", True),
        # && binds before ||, whatever the order.
        (f"{{ {YES} || {NO} && {NO} }}", True),
        (f"{{ {NO} && {NO} || {YES} }}", True),
        (f"{{ ({YES} || {NO}) && {NO} }}", False),
        (f"{{ {NO} && ({NO} || {YES}) }}", False),
        (f"{{ ((({YES}))) }}", True),
        (f"{{ (({NO}) || (({NO}) || (({YES}) && ({YES})))) }}", True),
        (f"{{{YES}||{NO}&&{NO}}}", True),
        (f"{{ {'(' * 40}{YES}{')' * 40} }}", True),
    ],
)
def test_comparisons_that_are_joined(pattern: str, matches: bool) -> None:
    assert read(pattern)(EVENT) is matches


MALFORMED = (
    "",
    " ",
    "{",
    "}",
    "{}",
    "{ }",
    "StopLogging",
    '"StopLogging"',
    "?StopLogging ?StartLogging",
    "[ip, user, ...]",
    "$.eventName = StopLogging",
    "{ $.eventName }",
    "{ $.eventName = }",
    "{ $.eventName == StopLogging }",
    "{ $.eventName = = StopLogging }",
    "{ = StopLogging }",
    "{ eventName = StopLogging }",
    "{ StopLogging }",
    "{ $ = StopLogging }",
    "{ $.eventName = StopLogging && }",
    "{ && $.eventName = StopLogging }",
    "{ $.eventName = StopLogging || || $.a = b }",
    "{ $.eventName = StopLogging & $.a = b }",
    "{ $.eventName = StopLogging | $.a = b }",
    "{ $.eventName = StopLogging OR $.a = b }",
    "{ $.eventName = StopLogging $.a = b }",
    "{ ($.eventName = StopLogging }",
    "{ $.eventName = StopLogging) }",
    "{ () }",
    "{ $.eventName = 'StopLogging }",
    '{ $.eventName = "StopLogging }',
    "{ $.eventName NOT }",
    "{ $.eventName NOT NULL }",
    "{ $.eventName IS }",
    "{ $.eventName IS StopLogging }",
    "{ $.eventName > 5 }",
    "{ $.eventName <= 5 }",
    "{ $.eventName = %Stop|Start% }",
    '{ $.eventName = "%(a+)+b%" }',
    "{ !($.eventName = StopLogging) }",
    "{ $.eventName = StopLogging } }",
    "{ " + "(" * 41 + "$.a = b" + ")" * 41 + " }",
    "{ " + "(" * 2000,
    "{ " + "(" * 2000 + " }",
    "{ " + " || ".join(["$.a = b"] * 1000) + " }",
    "{ $.eventName = \x00 ( }",
)


@pytest.mark.parametrize("pattern", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_not_understood_is_an_error_of_its_own_kind(pattern: str) -> None:
    with pytest.raises(PatternError):
        read(pattern)


@pytest.mark.parametrize("pattern", MALFORMED, ids=range(len(MALFORMED)))
def test_a_pattern_that_is_not_understood_counts_nothing(pattern: str) -> None:
    assert judged(pattern) in (Outcome.FAIL, Outcome.UNKNOWN)
    assert judged(pattern, PROPOSED) is Outcome.PASS


def test_stars_take_no_time() -> None:
    assert not read(f"{{ $.eventName = {'a*' * 500}b }}")({"eventName": "a" * 20_000})
