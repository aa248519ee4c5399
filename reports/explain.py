"""One finding in words for a terminal: why it is one, its evidence, its two numbers, its mend."""

from __future__ import annotations

from collections.abc import Iterator

from checks.fix import printable
from checks.model import Outcome
from reports.clock import words
from reports.model import Ranked
from reports.risk import figure

_INDENT = "    "
_NAMED_FLAWS = 12


def explain(ranked: Ranked) -> str:
    """The explanation as lines of text, safe for a terminal.

    Equal findings give equal bytes. Nothing that came from a target keeps its control characters.
    """
    sections = (_what(ranked), _evidence(ranked), _score(ranked), _clock(ranked), _fix(ranked))
    return "\n\n".join("\n".join(section) for section in map(tuple, sections) if section) + "\n"


def _what(ranked: Ranked) -> Iterator[str]:
    finding = ranked.finding
    place = " ".join(printable(text) for text in (finding.on, finding.region) if text)
    yield f"{finding.outcome.upper().replace('_', ' ')}  {printable(finding.title)}"
    yield f"{finding.check} on {printable(ranked.asset_name)}{f', {place}' if place else ''}"
    yield f"finding {finding.id}, {ranked.status}, first seen {ranked.first_seen}"
    if finding.why:
        yield f"why it matters: {printable(finding.why)}"
    if finding.saw or finding.want:
        yield f"saw {printable(finding.saw) or 'nothing'}, want {printable(finding.want) or 'nothing'}"
    if finding.cves:
        more = len(finding.cves) - _NAMED_FLAWS
        named = ", ".join(printable(cve) for cve in finding.cves[:_NAMED_FLAWS])
        yield f"known flaws: {named}{f' and {more} more' if more > 0 else ''}"
    if finding.feeds:
        yield f"by the feeds {', '.join(printable(feed) for feed in finding.feeds)}"
    if finding.reason:
        yield f"reason: {printable(finding.reason)}"
    if finding.needs:
        yield f"would be answered with: {printable(finding.needs)}"


def _evidence(ranked: Ranked) -> Iterator[str]:
    if ranked.finding.evidence:
        yield "Evidence"
    for one in ranked.finding.evidence:
        digest = f", SHA-256 {printable(one.digest[:16])}…" if one.digest else ""
        yield f"  {printable(one.how)} ({printable(one.at)}{digest})"
        yield from (f"{_INDENT}{printable(line)}" for line in one.excerpt.split("\n") if line.strip())


def _score(ranked: Ranked) -> Iterator[str]:
    if ranked.score is None:
        return
    yield f"Score: R {figure(ranked.score.value)} of 100, {ranked.score.band} (model {ranked.score.model})"
    for factor in ranked.score.factors:
        yield f"  {factor.letter} {factor.value:<5.3g} ln {factor.share:+.3f}  {printable(factor.label)}"
        yield f"{_INDENT}{printable(factor.because)}"
    yield f"  most useful change: {printable(ranked.score.useful)}"
    yield f"  {printable(ranked.line)}"


def _clock(ranked: Ranked) -> Iterator[str]:
    if ranked.clock is None:
        return
    yield f"Clock: {words(ranked.clock)}{f', due {ranked.due}' if ranked.due else ''}"
    yield from (f"  {printable(reason)}" for reason in ranked.clock.because.split("; "))
    if ranked.clock.forensics:
        yield "  preserve the evidence and look for signs of use before the fix changes anything"


def _fix(ranked: Ranked) -> Iterator[str]:
    if ranked.finding.outcome is not Outcome.FAIL:
        return
    fix = ranked.finding.fix
    low, likely, high = fix.effort.hours(1)
    yield f"Fix: {printable(fix.do)}"
    yield f"  effort {likely:.2g} h ({low:.2g} to {high:.2g}), interrupts: {fix.disruption}"
    for snippet in fix.snippets:
        yield f"  {snippet.language}"
        yield from (f"{_INDENT}{printable(line)}" for line in snippet.do.split("\n"))
    yield "  verify"
    yield from (f"{_INDENT}{printable(line)}" for line in fix.verify.split("\n"))
    if fix.undo:
        yield f"  undo: {printable(fix.undo)}"
