"""What a reader would call changed in a finding, and what only goes by: times, evidence, and days of feeds.

Feeds are new every day and mostly say the same. Their days are kept once for each look at an asset, and
the small moves of a score by which nothing is decided do not open an interval.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from checks.facts.intel import EPSS_STEPS
from checks.model import Finding, Points
from reports.model import Ranked
from scanner.store.wordings import Packed, wording_of


def state(ranked: Ranked, packed: Packed) -> str:
    """A digest of what a reader would call changed: not times, not evidence, not the status."""
    one = ranked.finding
    worded = (_steady(one), _reckoned(ranked)) if one.feeds else (packed.wording, packed.reckoning)
    parts = (
        one.target,
        one.outcome,
        one.saw,
        one.reason,
        one.needs,
        ranked.first_seen,
        ranked.due,
        ranked.asset_name,
        *worded,
    )
    return hashlib.blake2b(msgspec.json.encode(parts, order="sorted"), digest_size=16).hexdigest()


def days_of(findings: Iterable[Finding]) -> dict[str, str]:
    """The feeds behind these findings, each with the day of its data."""
    found = (feed.rpartition(" ") for one in findings for feed in one.feeds)
    return {name: day for name, _, day in found if name}


def dated(ranked: Ranked, days: Mapping[str, str]) -> Ranked:
    """The finding by the feeds of another day, which say the same."""
    before = ranked.finding.feeds
    now = tuple(f"{name} {days.get(name, day)}" for name, _, day in (one.rpartition(" ") for one in before))
    if now == before:
        return ranked
    line = ranked.line
    for was, is_ in zip(before, now, strict=True):
        line = line.replace(was, is_)
    return replace(ranked, finding=replace(ranked.finding, feeds=now), line=line)


def _steady(one: Finding) -> msgspec.Struct:
    return wording_of(
        replace(
            one,
            feeds=tuple(feed.rpartition(" ")[0] for feed in one.feeds),
            cves=tuple(sorted(one.cves)),
            points=tuple(sorted(map(_point, one.points), key=lambda point: point.cve)),
        )
    )


def _point(one: Points) -> Points:
    return replace(one, epss=max((step for step in EPSS_STEPS if one.epss >= step), default=0.0), said="")


def _reckoned(ranked: Ranked) -> object:
    """Score and clock, with the reasons that do not come from the feeds."""
    score, clock = ranked.score, ranked.clock
    factors = () if score is None else tuple((f.letter, f.value) for f in score.factors)
    reasons = () if score is None else tuple(f.because for f in score.factors if f.letter in "EA")
    return (
        factors,
        reasons,
        score and (score.value, score.band, score.model, score.useful),
        clock and (clock.row, clock.days, clock.forensics),
    )
