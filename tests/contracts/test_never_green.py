"""Only evidence passes: over every check there is, and every way in which a target can give nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.catalogue import load
from checks.check import Check
from checks.facts.snapshot import Absence, Gap, Snapshot
from checks.model import Finding, Outcome, Target
from checks.verdict import Verdict, expect
from reports.estate import merge
from reports.plan import actions
from reports.risk import rank
from scanner.collect.collector import CollectError, Failure, nothing_seen

CATALOGUE = load()
NOW = datetime(2026, 11, 20, tzinfo=UTC)
CHECKS = [pytest.param(check, id=identifier) for identifier, check in CATALOGUE.checks.items()]


def demand(check: Check[Any]) -> Demand:
    options = MappingProxyType({name: option.default for name, option in check.options.items()})
    return Demand(check, options, check.severity, {}, "every", "one")


def target(check: Check[Any]) -> Target:
    return Target(check.kind, "t", "spec")


def judged(check: Check[Any], **parts: Any) -> tuple[Finding, ...]:
    snapshot = Snapshot(target(check), "2026-11-20T10:00:00Z", ("machine-id:t",), **parts)
    return evaluate([demand(check)], snapshot, now=NOW)


@pytest.mark.parametrize("failure", list(Failure))
@pytest.mark.parametrize("check", CHECKS)
def test_a_target_that_failed_leaves_every_check_unknown_with_the_reason(
    check: Check[Any], failure: Failure
) -> None:
    error = CollectError(failure, f"what went wrong: {failure}", "what would help")
    snapshot = nothing_seen(target(check), check.needs, error, "2026-11-20T10:00:00Z")
    found = evaluate([demand(check)], snapshot, now=NOW)
    assert found
    assert {one.outcome for one in found} == {Outcome.UNKNOWN}
    assert all(f"what went wrong: {failure}" in one.reason for one in found)
    assert all(one.needs == "what would help" for one in found)


@pytest.mark.parametrize("check", CHECKS)
def test_a_fact_that_nobody_collected_is_unknown(check: Check[Any]) -> None:
    [one] = judged(check)
    assert (one.outcome, "not collected" in one.reason) == (Outcome.UNKNOWN, True)


@pytest.mark.parametrize("check", CHECKS)
def test_each_refused_fact_by_itself_is_enough_to_know_nothing(check: Check[Any]) -> None:
    for hidden in check.needs:
        others = [fact for fact in check.needs if fact is not hidden]
        gap = Gap(hidden.__name__, "refused", needs="a permission")
        absences = tuple(Absence(fact.__name__, "it has none") for fact in others)
        found = judged(check, gaps=(gap,), absences=absences)
        assert [one.outcome for one in found] == [Outcome.UNKNOWN], hidden


@pytest.mark.parametrize("check", CHECKS)
def test_what_the_target_does_not_have_is_not_applicable_and_says_why(check: Check[Any]) -> None:
    absences = tuple(Absence(fact.__name__, "nothing of the kind is installed") for fact in check.needs)
    found = judged(check, absences=absences)
    assert {one.outcome for one in found} == {Outcome.NOT_APPLICABLE}
    assert all(one.reason for one in found)


@pytest.mark.parametrize("check", CHECKS)
def test_a_crash_takes_every_pass_with_it_and_keeps_every_failure(check: Check[Any]) -> None:
    def crashing(*_facts: Any, **_options: Any) -> Any:
        yield expect(True, on="good", saw="x", want="x")
        yield Verdict(Outcome.FAIL, on="bad", saw="y", want="x")
        raise LookupError("broken")

    facts = {fact.__name__: msgspec.Struct() for fact in check.needs}
    found = judged(replace(check, run=crashing), facts=facts)
    assert Counter(one.outcome for one in found) == {Outcome.FAIL: 1, Outcome.ERROR: 1}


def test_nothing_that_is_not_known_is_ranked_planned_or_paid_for() -> None:
    found: list[Finding] = []
    snapshots = []
    for check in CATALOGUE.checks.values():
        error = CollectError(Failure.UNREACHABLE, "no answer")
        snapshot = nothing_seen(target(check), check.needs, error, "2026-11-20T10:00:00Z")
        snapshots.append(snapshot)
        found.extend(evaluate([demand(check)], snapshot, now=NOW))
    estate = merge(snapshots, {})
    ranked = rank(found, estate, first_seen={}, statuses={}, today=NOW.date())
    assert len(ranked) == len(found) >= len(CATALOGUE.checks)
    assert {one.score for one in ranked} == {None}
    assert actions(ranked, estate) == ()
