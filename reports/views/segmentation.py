"""The page of zones: what reaches what, as a table from every zone to every other one."""

from __future__ import annotations

import msgspec

from checks.facts.network import OUTSIDE
from reports.exposure import moment
from reports.matrix import Cell, CellState, Matrix
from reports.views.frame import Frame, Material, frame
from reports.views.words import counted, cut

LINKS = 12
"""Leaks of one way that are named; all are counted."""

GLYPHS = {
    CellState.LEAKS: "✕",
    CellState.BLOCKED: "■",
    CellState.UNTESTED: "?",
    CellState.HOLDS: "✓",
    CellState.FREE: "–",
}
"""The sign of each state: colour never stands alone."""

_WORST_FIRST = tuple(CellState)
_CLASSES = {
    CellState.LEAKS: "leaks",
    CellState.BLOCKED: "blocked",
    CellState.UNTESTED: "untested",
    CellState.HOLDS: "holds",
    CellState.FREE: "free",
}
_LEGEND = {
    CellState.HOLDS: "what is not allowed was tried, and refused or stayed silent",
    CellState.LEAKS: "more answers than the scope allows",
    CellState.BLOCKED: "what must answer does not",
    CellState.UNTESTED: "nobody looked from there, or not in full: not known, and not safe",
    CellState.FREE: "the scope lets everything pass",
}


class Leaked(msgspec.Struct, frozen=True):
    """One leak, and the card of the workbook that closes it (empty where none does)."""

    text: str
    href: str


class Square(msgspec.Struct, frozen=True):
    """One cell of the table: its sign, its word, and a line of what was asked."""

    id: str
    state: str
    glyph: str
    word: str
    note: str


class Row(msgspec.Struct, frozen=True):
    """All that one zone reaches."""

    source: str
    squares: tuple[Square, ...]


class Way(msgspec.Struct, frozen=True):
    """One way in full, below the table."""

    id: str
    title: str
    state: str
    glyph: str
    word: str
    facts: tuple[tuple[str, str], ...]
    leaks: tuple[Leaked, ...]
    more_leaks: int


class Segmentation(msgspec.Struct, frozen=True):
    """All that the page of zones shows."""

    frame: Frame
    headline: str
    summary: str
    zones: tuple[str, ...]
    rows: tuple[Row, ...]
    legend: tuple[tuple[str, str, str, str], ...]
    """(class, sign, word, meaning) of each state."""
    ways: tuple[Way, ...]


def segmentation(material: Material, matrix: Matrix) -> Segmentation:
    """The page of zones of a scan."""
    targets = tuple(dict.fromkeys(one.zone for one in matrix.cells))
    numbers = {(one.source, one.zone): f"w{n}" for n, one in enumerate(matrix.cells, 1)}
    cards = {one.finding.id: action.id for action in material.actions for one in action.findings}
    words = {one.finding.id: f"{one.asset_name} {one.finding.on}" for one in material.failures}
    counts = {state: sum(1 for one in matrix.cells if one.state is state) for state in CellState}
    return Segmentation(
        frame=frame(material),
        headline=_headline(counts),
        summary=_summary(counts, len(matrix.cells)),
        zones=tuple(map(_zone, targets)),
        rows=tuple(
            Row(
                _zone(source),
                tuple(
                    _square(matrix.cell(source, zone), numbers[source, zone], own=source == zone)
                    for zone in targets
                ),
            )
            for source in matrix.zones
        ),
        legend=tuple((_CLASSES[s], GLYPHS[s], s.value, text) for s, text in _LEGEND.items()),
        ways=tuple(
            _way(one, numbers[one.source, one.zone], cards, words)
            for one in sorted(matrix.cells, key=lambda cell: _WORST_FIRST.index(cell.state))
            if one.state is not CellState.FREE
        ),
    )


def _zone(name: str) -> str:
    return "outside (internet)" if name == OUTSIDE else cut(name, 40)


def _headline(counts: dict[CellState, int]) -> str:
    bad = [
        counted(counts[CellState.LEAKS], "way leaks", "ways leak") if counts[CellState.LEAKS] else "",
        counted(counts[CellState.BLOCKED], "way is blocked", "ways are blocked")
        if counts[CellState.BLOCKED]
        else "",
    ]
    said = " and ".join(filter(None, bad))
    if said:
        return f"Between zones, {said}."
    if counts[CellState.UNTESTED]:
        return f"No way was seen to leak; {counted(counts[CellState.UNTESTED], 'way')} nobody tried."
    return "Every way between zones is as the scope wants it."


def _summary(counts: dict[CellState, int], total: int) -> str:
    parts = [f"{counts[state]:,} {state.value}" for state in _LEGEND if counts[state]]
    return f"{counted(total, 'way')}: {', '.join(parts)}. Each was tried from the zone that begins its row."


def _word(cell: Cell) -> str:
    match cell.state:
        case CellState.LEAKS:
            return counted(cell.leaks, "leak")
        case CellState.BLOCKED:
            return f"{len(cell.blocked):,} blocked"
        case _:
            return cell.state.value


def _square(cell: Cell, number: str, *, own: bool) -> Square:
    note = cell.reason or (f"{cell.addresses:,} × {cell.ports:,} ports" if cell.addresses else "")
    if cell.state is CellState.LEAKS and cell.blocked:
        note = f"and {len(cell.blocked):,} blocked"
    if cell.state is CellState.FREE:
        note = "own zone" if own else "all allowed"
    link = "" if cell.state is CellState.FREE else number
    return Square(link, _CLASSES[cell.state], GLYPHS[cell.state], _word(cell), cut(note, 60))


def _way(cell: Cell, number: str, cards: dict[str, str], words: dict[str, str]) -> Way:
    known = [one for one in cell.findings if one in words]
    asked = f"{cell.addresses:,} addresses × {cell.ports:,} TCP ports, {cell.live:,} live"
    facts = [
        ("May pass", cell.allowed),
        ("Looked from", cell.source if cell.addresses else "nowhere: no scanner stood there"),
        ("Asked", asked if cell.addresses else "nothing"),
        ("When", " to ".join(map(moment, cell.at))),
        ("Not tried", cell.reason),
        ("Must answer and does not", ", ".join(cell.blocked)),
        ("Must answer, not known", ", ".join(cell.undecided)),
    ]
    return Way(
        id=number,
        title=f"{_zone(cell.source)} → {_zone(cell.zone)}",
        state=_CLASSES[cell.state],
        glyph=GLYPHS[cell.state],
        word=_word(cell),
        facts=tuple((name, cut(text, 400)) for name, text in facts if text),
        leaks=tuple(
            Leaked(cut(words[one], 80), f"workbook.html#{cards[one]}" if one in cards else "")
            for one in known[:LINKS]
        ),
        more_leaks=max(0, cell.leaks - min(len(known), LINKS)),
    )
