"""The executive page: one sheet that ends in decisions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reports.estate import Estate
from reports.exposure import Surroundings
from reports.model import Band
from reports.plan import Plan, curve, figures, mandatory, overdue
from reports.risk import figure
from reports.views.frame import Frame, Material, frame
from reports.views.headline import decisions, headline
from reports.views.picture import Bars, Curve, budget_curve, history
from reports.views.reach import Map, reach
from reports.views.words import GLYPHS, counted, cut, days_until, hours, listed, percent

FIRST = 6


class Figure(msgspec.Struct, frozen=True):
    """One of the five figures. `tone` is `alert`, `good`, `open` (not known) or empty."""

    label: str
    value: str
    unit: str
    note: str
    tone: str = ""


class First(msgspec.Struct, frozen=True):
    """One row of the actions to do first."""

    band: Band
    glyph: str
    risk: str
    title: str
    note: str
    owner: str
    effort: str
    due: str
    late: bool
    share: str
    width: float


class Executive(msgspec.Struct, frozen=True):
    """All that the executive page shows."""

    frame: Frame
    lead: str
    decision: str
    figures: tuple[Figure, ...]
    curve: Curve | None
    history: Bars | None
    history_none: str
    first: tuple[First, ...]
    more_actions: int
    no_action: str
    decisions: tuple[str, ...]
    map: Map


def executive(material: Material) -> Executive:
    """The executive page of a scan."""
    info, plan, today = material.info, material.plan, material.today
    now = figures(info.number, info.finished, material.actions, today)
    most = min(max(2 * plan.budget, 8.0), sum(action.cost for action in material.actions) / 10)
    points = curve(material.actions, today, most)
    lead, decision = headline(material)
    return Executive(
        frame=frame(material),
        lead=lead,
        decision=decision,
        figures=(
            _urgent(material),
            _late(material),
            _points(material),
            _end_of_life(material.estate),
            _coverage(material),
        ),
        curve=(
            budget_curve(points, plan.open_points, plan.budget, _bought(plan, points), most)
            if material.actions
            else None
        ),
        history=history(material.past, now),
        history_none="Nothing was judged in this scan."
        if material.nothing_judged
        else (
            "This is the first scan of these targets: "
            f"{counted(now.critical_high, 'critical or high action')} open, {now.overdue:,} past due. "
            "The next scan will show the change."
        ),
        first=_first(material),
        more_actions=max(0, len(material.actions) - FIRST),
        no_action=(
            "Nothing was judged, so no action is known."
            if material.nothing_judged
            else "No action is open, so there is nothing to buy."
        ),
        decisions=decisions(material),
        map=reach(material.estate, material.failures),
    )


def _bought(plan: Plan, points: Sequence[tuple[float, float]]) -> float:
    """What the budget itself removes: where it is too small for the urgent actions, not all of them."""
    if not plan.missing:
        return plan.points
    return max(gain for hour, gain in points if hour <= plan.budget)


def _urgent(material: Material) -> Figure:
    must = material.must
    label = "Act within 3 days"
    if not must and material.nothing_judged:
        return Figure(label, "–", "", "nothing was judged", "open")
    if not must:
        return Figure(label, "0", "", "no action is that urgent")
    need = hours(sum(action.cost for action in must) / 10)
    note = f"{'action' if len(must) == 1 else 'actions'}, {need} in total"
    return Figure(label, f"{len(must):,}", "", note, "alert")


def _late(material: Material) -> Figure:
    late = sum(overdue(action, material.today) for action in material.actions)
    note = "of the open actions"
    if not material.actions and material.nothing_judged:
        return Figure("Past due date", "–", "", "nothing was judged", "open")
    if material.past:
        last = material.past[-1]
        note = f"critical or high: {last.overdue:,} in scan {last.number}"
    return Figure("Past due date", f"{late:,}", "", note, "alert" if late else "")


def _points(material: Material) -> Figure:
    info, past, plan = material.info, material.past, material.plan
    label, value = "Open risk points", f"{plan.open_points:,.0f}"
    if material.nothing_judged:
        return Figure(label, "–", "", "nothing was judged", "open")
    if not past:
        return Figure(label, value, "", "first scan of these targets")
    last = past[-1]
    if not last.points:
        return Figure(label, value, "", f"none in scan {last.number}")
    change = plan.open_points / last.points - 1
    word = f"{'▼' if change < 0 else '▲'} {abs(change):.0%}" if round(abs(change), 2) else "unchanged"
    whole = info.coverage.done == info.coverage.planned
    note = f"{word} since scan {last.number}" + ("" if whole else "; not all was reached")
    return Figure(label, value, "", note, "good" if change < -0.005 and whole else "")


def _end_of_life(estate: Estate) -> Figure:
    known = [asset for asset in estate.assets if asset.supported is not None]
    ended = [asset for asset in known if not asset.supported]
    label, silent = "End-of-life assets", len(estate.assets) - len(known)
    if not known:
        return Figure(label, "–", "", "no system's support is known", "open")
    note = f"of {len(known):,} known" + (f"; {silent:,} not known" if silent else "")
    return Figure(label, f"{len(ended):,}", "", note, "alert" if ended else "")


def _coverage(material: Material) -> Figure:
    cover, answers = material.info.coverage, material.answers
    missed = cover.planned - cover.done
    share = f"{answers.asked - answers.unanswered:,} of {answers.asked:,} questions answered"
    note = f"targets; {missed:,} not reached; {share}" if missed else f"targets; {share}"
    tone = "open" if missed or answers.unanswered or not cover.planned else ""
    return Figure("Coverage", f"{cover.done:,}", f"of {cover.planned:,}", note, tone)


def _first(material: Material) -> tuple[First, ...]:
    plan, today = material.plan, material.today
    around = Surroundings(material.estate)
    urgent = sorted(
        material.actions, key=lambda a: (not mandatory(a, today), -a.score, a.due or "9999", a.id)
    )
    rows = []
    for action in urgent[:FIRST]:
        share = action.points / plan.open_points if plan.open_points else 0.0
        names = listed([around.name(key) for key in action.assets], 2, 24)
        rows.append(
            First(
                band=action.band,
                glyph=GLYPHS[action.band],
                risk=figure(action.score),
                title=cut(action.title, 64),
                note=names if len(action.assets) <= 2 else f"{counted(len(action.assets), 'asset')}: {names}",
                owner=cut(action.owner, 16) or "no owner",
                effort=hours(action.hours[1]),
                due=days_until(action.due, today),
                late=overdue(action, today),
                share=f"−{percent(share)}",
                width=round(60 * min(share, 1.0), 1),
            )
        )
    return tuple(rows)
