"""The page that leads to the others and states the facts of the scan."""

from __future__ import annotations

import msgspec

from reports.matrix import Matrix
from reports.views.frame import Frame, Material, Tally, frame
from reports.views.words import counted, cut, day

UNREACHED = 200


class Link(msgspec.Struct, frozen=True):
    """A page: its file, its title, its reader, and what stands in it now."""

    file: str
    title: str
    reader: str
    about: str


class Missed(msgspec.Struct, frozen=True):
    """A planned target that was not seen."""

    target: str
    kind: str
    reason: str


class Index(msgspec.Struct, frozen=True):
    """All that the index shows."""

    frame: Frame
    headline: str
    answers: Tally
    links: tuple[Link, ...]
    facts: tuple[tuple[str, str], ...]
    missed: tuple[Missed, ...]
    more_missed: int
    limits: tuple[str, ...]


def index(material: Material, headline: str) -> Index:
    """The index of the pages of a scan."""
    info, answers = material.info, material.answers
    shown = frame(material)
    unreached = info.coverage.unreached
    return Index(
        frame=shown,
        headline=headline,
        answers=answers,
        links=(
            Link(
                "executive.html",
                "Executive page",
                "For the board: one sheet",
                "What is urgent, what the budget buys, which decisions are asked.",
            ),
            Link(
                "workbook.html",
                "Remediation workbook",
                "For IT staff",
                f"{counted(len(material.actions), 'action')} with commands, checks and ways back; "
                f"{counted(answers.failed + answers.unanswered, 'finding')} in a table.",
            ),
            *_zones(material.matrix),
        ),
        facts=_facts(material, shown),
        missed=tuple(
            Missed(cut(u.target, 120), u.kind.value, cut(u.reason, 300)) for u in unreached[:UNREACHED]
        ),
        more_missed=max(0, len(unreached) - UNREACHED),
        limits=tuple(cut(limit, 400) for limit in info.limits),
    )


def _zones(matrix: Matrix | None) -> tuple[Link, ...]:
    """The page of zones, where there is one."""
    if matrix is None:
        return ()
    about = f"What {counted(len(matrix.zones), 'zone')} reach of each other, against what they may."
    return (Link("segmentation.html", "Zones", "For whoever keeps the firewalls", about),)


def _facts(material: Material, shown: Frame) -> tuple[tuple[str, str], ...]:
    info = material.info
    time = f"{cut(info.started, 25)} to {cut(info.finished, 25)}" if info.finished else cut(info.started, 25)
    return (
        ("Scan", f"{shown.scan}, {cut(info.state, 40)}"),
        ("Time", time),
        ("Report made for", day(material.today.isoformat())),
        ("Authorisation", shown.authorisation),
        ("Baselines", ", ".join(cut(name, 80) for name in info.baselines) or "none"),
        ("Targets", shown.equation),
        ("Assets", f"{len(material.estate.assets):,}"),
        ("Score", f"model {shown.model}; clock after CISA BOD 26-04"),
        ("Version", f"Bartizan {cut(info.version, 40)}"),
        ("Head of the hash chain", info.head or "none"),
    )
