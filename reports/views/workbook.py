"""The workbook: every action as a card with all that its owner needs, then the findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from checks.model import Exposure
from reports.clock import words
from reports.model import Band, Ranked
from reports.plan import Action, Plan, mandatory, overdue
from reports.risk import figure
from reports.views.frame import Frame, Material, Tally, frame
from reports.views.networks import MOST, Looked, looked
from reports.views.picture import Part, score_parts
from reports.views.rows import LISTED, Row, clip, packed_details, packed_rows, row
from reports.views.words import (
    GLYPHS,
    capital,
    counted,
    cut,
    day,
    days_until,
    hours,
    percent,
    visible,
)

ASSETS = 20
"""Assets of one action that a card names with their commands."""
COMMANDS = 20
"""Sets of commands that one card shows."""
ALIKE = 2
"""Sentences that differ only in their names which a card shows."""
ROWS = 200
"""Findings that stand in the page itself; the big table holds all."""


class Commands(msgspec.Struct, frozen=True):
    """One set of commands and the assets it is for."""

    language: str
    assets: str
    do: str
    undo: str


class Place(msgspec.Struct, frozen=True):
    """An asset of an action and what fails on it."""

    name: str
    objects: str
    risk: str


class Why(msgspec.Struct, frozen=True):
    """Why an action stands where it stands: the factors of its worst finding and its clock."""

    parts: tuple[Part, ...]
    left: float
    useful: str
    line: str
    clock: str
    reasons: tuple[str, ...]
    exposure_unknown: bool
    forensics: bool


class Work(msgspec.Struct, frozen=True):
    """What is to be done, how it is verified, and the way back."""

    do: tuple[str, ...]
    verify: tuple[str, ...]
    undo: tuple[str, ...]
    commands: tuple[Commands, ...]
    more_commands: int


class Card(msgspec.Struct, frozen=True):
    """One action."""

    id: str
    title: str
    band: Band
    glyph: str
    risk: str
    owner: str
    effort: str
    effort_range: str
    due: str
    late: bool
    must: bool
    chosen: bool
    disruption: str
    good: str
    reasons: tuple[str, ...]
    """Why it matters: the rationale of each check behind the action."""
    why: Why
    work: Work
    places: tuple[Place, ...]
    more_places: int
    finding_count: int
    points: str
    share: str
    cost: int
    gain: int
    score: float
    search: str


class Workbook(msgspec.Struct, frozen=True):
    """All that the workbook shows. The islands are gzip in base64; `plan` is what the budget needs."""

    frame: Frame
    headline: str
    summary: str
    budget: float
    budget_most: int
    answers: Tally
    cards: tuple[Card, ...]
    owners: tuple[str, ...]
    rows: tuple[Row, ...]
    listed: int
    table: str
    details: str
    networks: tuple[Looked, ...]
    more_networks: int


def _summary(plan: Plan) -> str:
    """What the budget buys, or by how much it falls short of what cannot wait."""
    removed = f"{percent(plan.share)} of {plan.open_points:,.0f} open risk points"
    if not plan.missing:
        return f"{hours(plan.budget)} buys {counted(len(plan.chosen), 'action')} and removes {removed}."
    return (
        f"{hours(plan.budget)} is {hours(plan.missing)} short of what is due within 3 days: "
        f"{counted(len(plan.chosen), 'action')} in {hours(plan.budget + plan.missing)}, "
        f"which would remove {removed}."
    )


def workbook(material: Material) -> Workbook:
    """The workbook of a scan."""
    plan, found = material.plan, material.actions
    total = sum(action.cost for action in found) / 10
    return Workbook(
        frame=frame(material),
        headline=_headline(material),
        summary=_summary(plan),
        budget=plan.budget,
        budget_most=max(int(total) + 1, int(plan.budget) + 1),
        answers=material.answers,
        cards=tuple(_card(action, material) for action in found),
        owners=tuple(sorted({cut(action.owner, 60) for action in found if action.owner})),
        rows=tuple(row(one) for one in islice(_listed(material), ROWS)),
        listed=material.answers.failed + material.answers.unanswered,
        table=packed_rows(_listed(material), found),
        details=packed_details(_listed(material)),
        networks=looked(material.estate),
        more_networks=max(0, len(material.estate.networks) - MOST),
    )


def _listed(material: Material) -> Iterator[Ranked]:
    return material.findings.of(LISTED)


def _headline(material: Material) -> str:
    failed = material.answers.failed
    if not failed:
        return "No action is open."
    actions = len(material.actions)
    verb = "closes" if actions == 1 else "close"
    return f"{counted(actions, 'action')} {verb} {counted(failed, 'finding')}."


def _card(action: Action, material: Material) -> Card:
    low, likely, high = action.hours
    titles = list(dict.fromkeys(one.finding.title for one in action.findings))
    places = _places(action)
    share = action.points / material.plan.open_points if material.plan.open_points else 0.0
    texts = [action.id, action.title, action.owner, *titles, *(place.name for place in places)]
    left = days_until(action.due, material.today)
    return Card(
        id=action.id,
        title=cut(action.title, 140),
        band=action.band,
        glyph=GLYPHS[action.band],
        risk=figure(action.score),
        owner=cut(action.owner, 60),
        effort=hours(likely),
        effort_range=f"{hours(low)} to {hours(high)}",
        due=f"due {day(action.due)}, {left}" if action.due else left,
        late=overdue(action, material.today),
        must=mandatory(action, material.today),
        chosen=action.id in material.plan.chosen,
        disruption=action.disruption,
        good="; ".join(cut(title, 120) for title in titles[:4])
        + (f"; and {len(titles) - 4} more" if len(titles) > 4 else ""),
        reasons=tuple(dict.fromkeys(one.finding.why for one in action.findings if one.finding.why))[:4],
        why=_why(action),
        work=_work(action.findings),
        places=places[:ASSETS],
        more_places=max(0, len(places) - ASSETS),
        finding_count=len(action.findings),
        points=f"{action.points:,.1f}",
        share=percent(share),
        cost=action.cost,
        gain=action.gain,
        score=action.score,
        search=visible(" ".join(texts)).lower()[:2_000],
    )


def _why(action: Action) -> Why:
    top = max(action.findings, key=lambda one: one.score.value if one.score else 0.0)
    assert top.score is not None
    return Why(
        parts=score_parts(top.score.factors, top.score.value),
        left=round(top.score.value, 1),
        useful=top.score.useful,
        line=top.line,
        clock=words(action.clock),
        reasons=tuple(capital(reason) for reason in action.clock.because.split("; ")),
        exposure_unknown=any(_exposure_unknown(one) for one in action.findings),
        forensics=any(one.clock.forensics for one in action.findings if one.clock),
    )


def _work(findings: Sequence[Ranked]) -> Work:
    commands, more = _commands(findings)
    return Work(
        do=_distinct((one.finding.fix.do for one in findings), ALIKE),
        verify=_distinct((one.finding.fix.verify for one in findings), ASSETS),
        undo=_distinct((one.finding.fix.undo for one in findings), ALIKE),
        commands=commands,
        more_commands=more,
    )


def _places(action: Action) -> tuple[Place, ...]:
    held: dict[str, list[Ranked]] = defaultdict(list)
    for one in action.findings:
        held[one.finding.asset].append(one)
    return tuple(
        Place(
            name=cut(group[0].asset_name, 60),
            objects=", ".join(dict.fromkeys(_object(one) for one in group[:6]))
            + (f" and {len(group) - 6:,} more" if len(group) > 6 else ""),
            risk=figure(max(one.score.value for one in group if one.score)),
        )
        for group in held.values()
    )


def _object(one: Ranked) -> str:
    return cut(" ".join(filter(None, [one.finding.on, one.finding.region])), 80) or "the whole"


def _exposure_unknown(one: Ranked) -> bool:
    factors = one.score.factors if one.score else ()
    return any(f.letter == "E" and f.label.startswith(Exposure.UNKNOWN.value) for f in factors)


def _commands(findings: Iterable[Ranked]) -> tuple[tuple[Commands, ...], int]:
    """The snippets of the first assets, equal ones once with the names of their assets; and how many more."""
    assets: set[str] = set()
    grouped: dict[tuple[str, str, str], dict[str, None]] = {}
    for one in findings:
        if one.finding.asset not in assets and len(assets) == ASSETS:
            continue
        assets.add(one.finding.asset)
        for snippet in one.finding.fix.snippets:
            key = (snippet.language.value, snippet.do, snippet.undo)
            grouped.setdefault(key, {}).setdefault(cut(one.asset_name, 40))
    made = [
        Commands(language, ", ".join(names), clip(do), clip(undo))
        for (language, do, undo), names in grouped.items()
    ]
    return tuple(made[:COMMANDS]), max(0, len(made) - COMMANDS)


def _distinct(texts: Iterable[str], most: int) -> tuple[str, ...]:
    """Each text once; of more than `most`, which differ only in names, the first and how many more."""
    found = list(dict.fromkeys(clip(text) for text in texts if text))
    more = len(found) - most
    return (
        *found[:most],
        *((f"… and {more:,} more of the kind, with the names listed here.",) if more > 0 else ()),
    )
