"""Judges facts by one check, as a scan does, and holds what every finding owes its reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.check import Check
from checks.facts.snapshot import Absence, Fact, Gap, Snapshot
from checks.fix import places
from checks.model import Finding, Kind, Outcome, Target

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REASON = "the login may not read this"


def judged(
    check: Check[Any],
    *facts: Fact,
    gaps: Iterable[Gap] = (),
    absences: Iterable[Absence] = (),
    now: datetime = NOW,
    **options: object,
) -> tuple[Finding, ...]:
    """The findings; a failure whose fix leaves a place open fails the test."""
    unknown = set(options) - set(check.options)
    assert not unknown, f"{check.id} has no threshold {unknown}"
    defaults = {name: option.default for name, option in check.options.items()}
    demand = Demand(check, {**defaults, **options}, check.severity, {}, "test", "level-1")
    snapshot = Snapshot(
        Target(Kind.HOST, "web-1", "ssh://web-1"),
        "2026-11-23T12:00:00Z",
        ("machine-id:0",),
        facts={type(fact).__name__: fact for fact in facts},
        gaps=tuple(gaps),
        absences=tuple(absences),
    )
    findings = evaluate([demand], snapshot, now=now)
    for finding in findings:
        if finding.outcome is Outcome.FAIL:
            _whole(check, finding)
    return findings


def outcomes(findings: Iterable[Finding]) -> dict[str, Outcome]:
    """The outcome of each object."""
    return {finding.on: finding.outcome for finding in findings}


def failing(check: Check[Any], *facts: Fact, **options: Any) -> list[str]:
    """The objects that fail; every other outcome must be a pass."""
    found = judged(check, *facts, **options)
    assert found
    assert {finding.outcome for finding in found} <= {Outcome.FAIL, Outcome.PASS}, found
    return [finding.on for finding in found if finding.outcome is Outcome.FAIL]


def checks_of(*modules: ModuleType) -> list[Check[Any]]:
    """Every check of these modules, also those that a table makes."""
    found: dict[str, Check[Any]] = {}
    for module in modules:
        for value in vars(module).values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Check) and one.run.__module__ == module.__name__:
                    found[one.id] = one
    return list(found.values())


def hidden(check: Check[Any]) -> tuple[Finding, ...]:
    """What the check says when nothing that it needs could be read."""
    return judged(check, gaps=[Gap(fact.__name__, REASON, needs="sudo: x") for fact in check.needs])


def says_unknown(check: Check[Any]) -> None:
    """Fails unless a check whose facts are hidden says so, and names what would help."""
    found = hidden(check)
    assert found
    for finding in found:
        assert finding.outcome is Outcome.UNKNOWN
        assert REASON in finding.reason
        assert finding.needs == "sudo: x"


def _whole(check: Check[Any], finding: Finding) -> None:
    fix = check.fix
    texts = [fix.do, fix.verify, fix.undo, fix.action, fix.key]
    texts += [text for snippet in fix.snippets for text in (snippet.do, snippet.undo)]
    names = frozenset(name for text in texts for name in places(text))
    shown = [finding.fix.do, finding.fix.verify, finding.fix.undo, finding.fix.action, finding.fix_key]
    shown += [text for snippet in finding.fix.snippets for text in (snippet.do, snippet.undo)]
    for name in names:
        for text in shown:
            assert f"<{name}>" not in text, f"{check.id}: the verdict does not fill @{{{name}}}"
    assert finding.saw
    assert finding.want
