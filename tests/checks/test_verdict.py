"""What a check says about one object."""

from __future__ import annotations

from typing import Any

import pytest

from checks.model import Outcome, Severity
from checks.verdict import Verdict, expect, not_applicable, shown, unknown


@pytest.mark.parametrize(("held", "outcome"), [(True, Outcome.PASS), (False, Outcome.FAIL)])
def test_expect_is_a_pass_or_a_failure(held: bool, outcome: Outcome) -> None:
    verdict = expect(
        held, on="x", saw=held, want=True, port="tcp/22", severity=Severity.LOW, values={"a": "b"}
    )
    assert verdict.outcome is outcome
    assert verdict.ok is held
    assert (verdict.saw, verdict.want, verdict.port) == ("yes" if held else "no", "yes", "tcp/22")
    assert (verdict.severity, verdict.values) == (Severity.LOW, {"a": "b"})


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.PASS])
def test_only_a_pass_is_ok(outcome: Outcome) -> None:
    assert not Verdict(outcome, on="x").ok


def test_what_could_not_be_read_is_unknown_and_says_what_was_needed() -> None:
    verdict = unknown("x", "denied", needs="iam:GetUser", where="eu-west-1", port="tcp/1")
    assert verdict.outcome is Outcome.UNKNOWN
    assert (verdict.reason, verdict.needs, verdict.where, verdict.port) == (
        "denied",
        "iam:GetUser",
        "eu-west-1",
        "tcp/1",
    )


def test_a_question_without_sense_is_not_applicable() -> None:
    verdict = not_applicable("x", "no sshd", where="r")
    assert (verdict.outcome, verdict.reason, verdict.where) == (Outcome.NOT_APPLICABLE, "no sshd", "r")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        (1, "1"),
        (0, "0"),
        ("", ""),
        ("yes", "yes"),
        (None, "none"),
        ((), "none"),
        ([], "none"),
        (frozenset(), "none"),
        ({"b", "a"}, "a, b"),
        (("b", "a"), "b, a"),
        ((True, None), "yes, none"),
        (Severity.HIGH, "high"),
        (1.5, "1.5"),
    ],
)
def test_values_are_shown_as_people_read_them(value: Any, words: str) -> None:
    assert shown(value) == words
