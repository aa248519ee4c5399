"""Plain text for terminals: tables that fit, marks that need no colour, and nothing a target could abuse."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

import click

from checks.fix import printable

MARKS = {
    "critical": ("◆", "magenta"),
    "high": ("▲", "red"),
    "medium": ("●", "yellow"),
    "low": ("▽", "cyan"),
    "info": ("·", None),
    "pass": ("✓", "green"),
    "fail": ("✗", "red"),
    "unknown": ("?", "yellow"),
    "error": ("!", "magenta"),
    "not_applicable": ("–", None),
}
"""Word → (glyph, colour). Colour is never alone: the word stands beside it."""

_ARN = re.compile(r"arn:[^:]*:([^:]*):[^:]*:[^:]*:(.+)")


def mark(word: str) -> str:
    """The glyph, the word, and its colour where the terminal has one."""
    glyph, colour = MARKS.get(word, ("", None))
    return click.style(f"{glyph} {word.replace('_', ' ')}".strip(), fg=colour)


def of_target(name: str, said: str) -> str:
    """What is said of a target, with its name before it unless it begins with that."""
    return said if said.startswith((f"{name}:", f"{name} ")) else f"{name}: {said}"


def shortened(text: str, most: int = 44) -> str:
    """The text with its middle left out where it is longer: both ends of a path or an ARN tell."""
    if len(text) <= most:
        return text
    head = most // 3
    return f"{text[:head]}…{text[head + 1 - most :]}"


def of_thing(region: str, on: str, most: int = 44) -> str:
    """What a finding is about, in a column: of an ARN its service and its resource; then the region."""
    named = _ARN.fullmatch(on)
    return shortened(" ".join(filter(None, [f"{named[1]} {named[2]}" if named else on, region])), most)


def width() -> int:
    """The width of the terminal in columns; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: frozenset[int] = frozenset(),
    wide: int | None = None,
    then: int | None = None,
) -> str:
    """An aligned table as text. `right` aligns numbers; column `wide` gives way to fit the terminal.

    Where that is not enough, so does column `then`; the others are never cut.

    Cells are printable text or come from `mark`; every other control character is made visible.
    """
    plain = [[_bare(cell) for cell in row] for row in rows]
    widths = [max([len(h), *(len(row[i]) for row in plain)]) for i, h in enumerate(headings)]
    if wide is not None:
        widest = max(len(headings[wide]), 16)
        # Each gives way in turn, to that width, so that a little of both is left for long.
        turns = [(wide, widest)] if then is None else [(wide, 27), (then, 22), (wide, 16), (then, 10)]
        for column, least in turns:
            spare = width() - sum(widths) - 2 * (len(widths) - 1)
            widths[column] = min(widths[column], max(least, widths[column] + min(spare, 0)))
    lines = [_line(headings, headings, widths, right), "  ".join("─" * w for w in widths)]
    lines.extend(_line(row, bare, widths, right) for row, bare in zip(rows, plain, strict=True))
    return "\n".join(line.rstrip() for line in lines)


def _bare(cell: str) -> str:
    """The cell as it will look, without our colours."""
    bare = click.unstyle(cell)
    return bare if _is_mark(cell, bare) else printable(cell)


def _is_mark(cell: str, bare: str) -> bool:
    """Whether these are our colours: a target may write escape sequences, too."""
    return bare.isprintable() and any(cell == click.style(bare, fg=colour) for _, colour in MARKS.values())


def _line(cells: Sequence[str], plain: Sequence[str], widths: Sequence[int], right: frozenset[int]) -> str:
    parts = []
    for i, (cell, bare, w) in enumerate(zip(cells, plain, widths, strict=True)):
        styled = cell != bare and _is_mark(cell, bare)
        shown = cell if styled else bare
        if not styled and len(shown) > w:
            shown = shown[: w - 1] + "…"
        gap = " " * max(0, w - len(bare if styled else shown))
        parts.append(gap + shown if i in right else shown + gap)
    return "  ".join(parts)
