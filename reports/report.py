"""From the findings of a scan to its pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from checks.model import Outcome
from reports.estate import Estate, with_support
from reports.matrix import Matrix
from reports.model import Findings, Past, Ranked, ScanInfo, findings_in, slim
from reports.plan import actions, select
from reports.render import render
from reports.views.executive import executive
from reports.views.frame import Material, tally
from reports.views.index import index
from reports.views.segmentation import segmentation
from reports.views.workbook import workbook


def pages(
    info: ScanInfo,
    ranked: Iterable[Ranked],
    estate: Estate,
    past: Iterable[Past],
    *,
    budget_hours: float,
    today: date,
    matrix: Matrix | None = None,
) -> dict[str, str]:
    """The pages of a scan by file name: `index.html`, `executive.html`, `workbook.html`.

    With a matrix of zones also `segmentation.html`. `ranked` in the order of `risk.rank`, to be walked
    several times; `past` are earlier scans in any order. Equal inputs give equal bytes.
    """
    material = gather(info, ranked, estate, past, budget_hours=budget_hours, today=today, matrix=matrix)
    first = executive(material)
    zones = (
        {}
        if matrix is None
        else {"segmentation.html": render("segmentation", segmentation(material, matrix))}
    )
    return {
        "index.html": render("index", index(material, f"{first.lead} {first.decision}")),
        "executive.html": render("executive", first),
        "workbook.html": render("workbook", workbook(material)),
        **zones,
    }


def gather(
    info: ScanInfo,
    ranked: Iterable[Ranked],
    estate: Estate,
    past: Iterable[Past],
    *,
    budget_hours: float,
    today: date,
    matrix: Matrix | None = None,
) -> Material:
    """What all pages are made of: the estate with its end of life, the actions, the plan."""
    findings = findings_in(ranked)
    answers = tally(findings)
    failures = [slim(one) for one in findings.of((Outcome.FAIL,)) if one.score is not None]
    judged = () if isinstance(ranked, Findings) else (one.finding for one in findings)
    # Whoever does not hold the findings has looked at the support of the systems already.
    supported = with_support(estate, judged)
    found = actions(failures, supported)
    return Material(
        info=info,
        findings=findings,
        failures=tuple(failures),
        estate=supported,
        past=tuple(sorted((p for p in past if p.number < info.number), key=lambda p: p.number)),
        actions=found,
        plan=select(found, max(0.0, budget_hours), today),
        today=today,
        answers=answers,
        matrix=matrix,
    )
