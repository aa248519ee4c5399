"""From the findings of a scan to its pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from checks.model import Finding
from reports.estate import SUPPORT_CHECK, Estate, with_support
from reports.model import Past, Ranked, ScanInfo, slim
from reports.plan import actions, select
from reports.render import render
from reports.views.executive import executive
from reports.views.frame import Material, tally
from reports.views.index import index
from reports.views.workbook import workbook


def pages(
    info: ScanInfo,
    ranked: Iterable[Ranked],
    estate: Estate,
    past: Iterable[Past],
    *,
    budget_hours: float,
    today: date,
) -> dict[str, str]:
    """The pages of a scan by file name: `index.html`, `executive.html`, `workbook.html`.

    `ranked` in the order of `risk.rank`, to be walked several times; `past` are earlier scans in any order.
    Equal inputs give equal bytes.
    """
    material = gather(info, ranked, estate, past, budget_hours=budget_hours, today=today)
    first = executive(material)
    return {
        "index.html": render("index", index(material, f"{first.lead} {first.decision}")),
        "executive.html": render("executive", first),
        "workbook.html": render("workbook", workbook(material)),
    }


def gather(
    info: ScanInfo,
    ranked: Iterable[Ranked],
    estate: Estate,
    past: Iterable[Past],
    *,
    budget_hours: float,
    today: date,
) -> Material:
    """What all pages are made of: the estate with its end of life, the actions, the plan."""
    failures: list[Ranked] = []
    support: list[Finding] = []

    def seen() -> Iterator[Ranked]:
        for one in ranked:
            if one.score is not None:
                failures.append(slim(one))
            if one.finding.check == SUPPORT_CHECK:
                support.append(one.finding)
            yield one

    answers = tally(seen())
    supported = with_support(estate, support)
    found = actions(failures, supported)
    return Material(
        info=info,
        ranked=ranked,
        failures=tuple(failures),
        estate=supported,
        past=tuple(sorted((p for p in past if p.number < info.number), key=lambda p: p.number)),
        actions=found,
        plan=select(found, max(0.0, budget_hours), today),
        today=today,
        answers=answers,
    )
