"""The sentences of the executive page: what is the matter and what is to be decided."""

from __future__ import annotations

from collections.abc import Sequence

from reports.model import Asset
from reports.plan import overdue
from reports.views.frame import Material
from reports.views.words import capital, counted, cut, hours, listed, number, percent, spelled_hours

DECISIONS = 3


def headline(material: Material) -> tuple[str, str]:
    """What is the matter, and what is to be decided: two full sentences."""
    found, must, plan = material.actions, material.must, material.plan
    if not found:
        return _quiet(material)
    if plan.missing:
        return (
            f"{_urgent(material)}; together they need {spelled_hours(plan.budget + plan.missing)}.",
            f"Approve {spelled_hours(plan.missing)} more than the {plan.budget:g} planned: they cannot wait.",
        )
    if not plan.chosen:
        decision = f"{spelled_hours(plan.budget)} buy none of them: {_least(material)}."
    elif len(plan.chosen) == len(found):
        every = "the one open action" if len(found) == 1 else f"all {number(len(found))} open actions"
        decision = f"Approve {spelled_hours(plan.hours)}: that closes {every}."
    else:
        decision = (
            f"Approve {spelled_hours(plan.hours)}: that removes {percent(plan.share)} of the open risk."
        )
    if must:
        return f"{_urgent(material)}.", capital(decision)
    opened = counted(len(found), "action is", "actions are")
    return f"Nothing is due within 3 days; {opened} open.", capital(decision)


def _quiet(material: Material) -> tuple[str, str]:
    answers, cover = material.answers, material.info.coverage
    if not answers.passed:
        asked = "Nothing was assessed"
        if answers.unanswered:
            asked = f"Nothing could be judged: {_all(answers.unanswered)} unanswered"
        return f"{asked}.", "Give the scan the access it lacks before anything is decided on it."
    if answers.unanswered:
        return (
            f"No weakness was found, but {answers.unanswered:,} of {answers.asked:,} questions "
            "stayed unanswered.",
            "Close these gaps before relying on this result.",
        )
    if cover.done < cover.planned:
        return (
            f"What was reached passed, but {cover.planned - cover.done:,} of "
            f"{counted(cover.planned, 'target')} were not reached.",
            "Close these gaps before relying on this result.",
        )
    return (
        f"All {counted(answers.passed, 'question')} that were asked passed.",
        "Nothing is to be decided now.",
    )


def _all(count: int) -> str:
    return "the one question stayed" if count == 1 else f"all {count:,} questions stayed"


def _least(material: Material) -> str:
    smallest = min(material.actions, key=lambda action: (action.cost, action.id))
    return f"the smallest needs {spelled_hours(smallest.cost / 10)}"


def _urgent(material: Material) -> str:
    must = material.must
    late = sum(overdue(action, material.today) for action in must)
    facing = " for internet-facing weaknesses" if all(action.clock.exposed for action in must) else ""
    one = len(must) == 1
    said = f"{capital(number(len(must)))} {'fix' if one else 'fixes'}{facing} {'is' if one else 'are'}"
    if late == len(must):
        return f"{said} past due"
    return f"{said} due within 3 days" + (f", {number(late)} of them late" if late else "")


def decisions(material: Material) -> tuple[str, ...]:
    """What the board is asked for, at most three, the most pressing first."""
    info, answers, found, plan = material.info, material.answers, material.actions, material.plan
    asked: list[str] = []
    if plan.missing:
        asked.append(f"Approve {hours(plan.budget + plan.missing)} for what is due within 3 days.")
    elif plan.chosen:
        asked.append(
            f"Approve {hours(plan.hours)} for {counted(len(plan.chosen), 'action')} of the workbook."
        )
    traces = sum(action.clock.forensics for action in material.must)
    if traces:
        urgent = counted(traces, "urgent action changes", "urgent actions change")
        asked.append(f"Have evidence preserved before {urgent} anything.")
    ended = [asset for asset in material.estate.assets if asset.supported is False]
    if ended:
        asked.append(f"Upgrade or retire {_names(ended)}.")
    if info.coverage.planned - info.coverage.done:
        missed = listed([one.target for one in info.coverage.unreached], 2, 26)
        asked.append(f"Give the scan access to {missed or 'the targets not reached'}.")
    if answers.refused and not plan.missing:
        asked.append(f"Grant the permissions that {counted(answers.refused, 'question')} still lack.")
    ownerless = sum(not action.owner for action in found)
    if ownerless:
        asked.append(f"Name an owner for {counted(ownerless, 'action')} without one.")
    further = next((action for action in found if action.id == plan.best_next), None)
    if further:
        gain = percent(further.points / plan.open_points)
        asked.append(f"With {hours(further.hours[1])} more: {cut(further.title, 44)} ({gain} of the risk).")
    return tuple(asked[:DECISIONS])


def _names(assets: Sequence[Asset]) -> str:
    return listed([asset.name for asset in assets], 2, 24)
