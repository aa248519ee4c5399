"""Every check of cloud accounts fails, passes, and says that it cannot know."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from baselines.evaluate import evaluate
from baselines.load import library
from baselines.resolve import Demand, resolve
from checks.catalogue import load
from checks.facts.snapshot import Fact, Gap, Snapshot
from checks.fix import places
from checks.model import Finding, Kind, Outcome, Surface, Target
from tests.checks.cloud.gathered_examples import EXAMPLES

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CHECKS = {name: check for name, check in load().checks.items() if name.startswith("cloud.")}


def judged(name: str, facts: tuple[Fact, ...], *gaps: Gap) -> tuple[Finding, ...]:
    check = CHECKS[name]
    options = MappingProxyType({key: option.default for key, option in check.options.items()})
    demand = Demand(check, options, check.severity, MappingProxyType({}), "b", "p")
    snapshot = Snapshot(
        Target(Kind.AWS, "lab", "aws"),
        "2026-11-23T00:00:00Z",
        ("aws:111122223333",),
        facts={type(fact).__name__: fact for fact in facts},
        gaps=gaps,
    )
    return evaluate([demand], snapshot, now=NOW)


def test_every_check_has_its_example() -> None:
    assert set(EXAMPLES) == set(CHECKS)
    assert len(CHECKS) >= 180


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_bad_example_fails(name: str) -> None:
    outcomes = [finding.outcome for finding in judged(name, EXAMPLES[name][0])]
    assert Outcome.FAIL in outcomes
    assert set(outcomes) <= {Outcome.FAIL, Outcome.PASS}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_good_example_passes(name: str) -> None:
    outcomes = [finding.outcome for finding in judged(name, EXAMPLES[name][1])]
    assert outcomes
    assert set(outcomes) == {Outcome.PASS}


@pytest.mark.parametrize(
    ("name", "hidden"), [(name, at) for name in sorted(EXAMPLES) for at in range(len(EXAMPLES[name][0]))]
)
def test_what_cannot_be_read_is_unknown(name: str, hidden: int) -> None:
    for facts in EXAMPLES[name]:
        fact = type(facts[hidden]).__name__
        rest = tuple(one for at, one in enumerate(facts) if at != hidden)
        found = judged(name, rest, Gap(fact, "access denied", "", "iam:SomeAction"))
        assert {finding.outcome for finding in found} == {Outcome.UNKNOWN}
        assert {finding.needs for finding in found} == {"iam:SomeAction"}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_failure_fills_every_place_of_its_fix(name: str) -> None:
    fix = CHECKS[name].fix
    texts = [fix.action, fix.do, fix.verify, fix.undo, fix.key]
    texts += [text for one in fix.snippets for text in (one.do, one.undo)]
    wanted = {f"<{place}>" for text in texts for place in places(text)}
    for finding in judged(name, EXAMPLES[name][0]):
        if finding.outcome is Outcome.FAIL:
            filled = [finding.fix.action, finding.fix.do, finding.fix.verify, finding.fix_key]
            filled += [text for one in finding.fix.snippets for text in (one.do, one.undo)]
            assert not any(place in text for place in wanted for text in filled)
            assert finding.fix.action
            assert finding.fix.verify


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_what_says_who_reaches_it_gives_the_evidence(name: str) -> None:
    check = CHECKS[name]
    for finding in judged(name, EXAMPLES[name][0]):
        if finding.outcome is Outcome.FAIL and check.surface is Surface.DATA:
            assert finding.exposure is not None
            assert finding.exposure_evidence
        if check.surface is not Surface.DATA:
            assert finding.exposure is None


def test_the_baselines_demand_every_check() -> None:
    known, checks = library(), load()
    everything = resolve(known["aws-strict"], "level-2", checks, known)
    foundations = resolve(known["aws-foundations"], "level-2", checks, known)
    everybody = resolve(known["aws-foundations"], "level-1", checks, known)
    assert {demand.check.id for demand in everything} == set(CHECKS)
    assert 100 <= len(everybody) < len(foundations) < len(everything)
    assert all(demand.controls for demand in everything)
