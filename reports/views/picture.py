"""The geometry of the pictures: points and boxes, ready for the SVG macros."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from reports.model import Factor, Past
from reports.views.words import counted, cut, hours, percent, visible


class Mark(msgspec.Struct, frozen=True):
    """A text or tick at a place of a picture."""

    x: float
    y: float
    text: str
    anchor: str = "start"


class Curve(msgspec.Struct, frozen=True):
    """What the budget buys: stairs from nothing to the best plan, the budget marked on them."""

    line: str
    area: str
    dots: tuple[tuple[float, float], ...]
    xs: tuple[Mark, ...]
    ys: tuple[Mark, ...]
    budget_x: float
    note: Mark
    note2: Mark
    says: str
    rows: tuple[tuple[str, str], ...]


class Bar(msgspec.Struct, frozen=True):
    """One scan: the bar of open critical and high actions, its dark part past due."""

    x: float
    width: float
    top: float
    light: float
    dark_top: float
    dark: float
    label: str


class Bars(msgspec.Struct, frozen=True):
    """The history of scans."""

    bars: tuple[Bar, ...]
    first: str
    last: str
    says: str
    rows: tuple[tuple[str, str, str], ...]


class Part(msgspec.Struct, frozen=True):
    """A factor of the shown score: what it takes away of the 100, as figure and as bar."""

    letter: str
    value: str
    label: str
    because: str
    lost: str
    x: float
    width: float
    shade: str


LEFT, RIGHT, TOP, BOTTOM = 44.0, 506.0, 16.0, 180.0
NOTE = 100
"""Width of the longest note at the budget."""
_SHADES = {"T": "#1f4b8f", "P": "#4a72ad", "E": "#7f9cc6", "A": "#b3c4dd", "C": "#1b6e45"}
_BAR_WIDTH, _BAR_HEIGHT, _BARS = 330.0, 80.0, 12


def budget_curve(
    points: Sequence[tuple[float, float]], whole: float, budget: float, bought: float, most: float
) -> Curve:
    """The curve over (hours, risk points), up to `most` hours.

    `whole` is all open risk, `bought` what the budget removes.
    """
    most = max(points[-1][0], budget, most, 1.0)
    step = _nice(most / 5)
    last = math.ceil(most / step - 1e-9) * step

    def place(hour: float, gain: float) -> tuple[float, float]:
        share = gain / whole if whole else 0.0
        return round(LEFT + (RIGHT - LEFT) * hour / last, 1), round(BOTTOM - (BOTTOM - TOP) * share, 1)

    placed = [place(*point) for point in points]
    if points[-1][0] < last:
        placed.append(place(last, points[-1][1]))
    # Stairs: between two plans an hour more buys nothing.
    line = f"M{placed[0][0]} {placed[0][1]}" + "".join(f" H{x} V{y}" for x, y in placed[1:])
    x, y = place(budget, bought)
    share = bought / whole if whole else 0.0
    left_of = x > (LEFT + RIGHT) * 0.6
    anchor, text_x = ("end", x - 8) if left_of else ("start", x + 8)
    # Under the line, where it never runs; above it only where there is no room under it.
    text_y = y + 42 if y + 66 < BOTTOM else _above(placed, y, text_x, -1 if left_of else 1)
    rows = tuple((hours(h), percent(gain / whole if whole else 0.0)) for h, gain in _spread(points, 12))
    return Curve(
        line=line,
        area=f"{line} L{placed[-1][0]} {BOTTOM} L{LEFT} {BOTTOM} Z",
        dots=tuple(placed[: len(points)]) if len(points) <= 24 else (),
        xs=tuple(
            # The last one would be cut at the edge.
            Mark(min(place(i * step, 0)[0], RIGHT - 8), BOTTOM + 20, hours(i * step), "middle")
            for i in range(round(last / step) + 1)
        ),
        ys=tuple(
            Mark(LEFT - 8, round(BOTTOM - (BOTTOM - TOP) * part / 4, 1), f"{part * 25}%", "end")
            for part in range(5)
        ),
        budget_x=x,
        note=Mark(text_x, text_y, f"{hours(budget)} budget", anchor),
        note2=Mark(text_x, text_y + 17, f"removes {percent(share)}", anchor),
        says=f"With {hours(budget)}, {percent(share)} of the open risk points are removed.",
        rows=rows,
    )


def _above(placed: Sequence[tuple[float, float]], y: float, text_x: float, way: int) -> float:
    """Where a note of two lines stands clear of the stairs that rise beside it, if there is room."""
    beside = [py for px, py in placed if 0 <= way * (px - text_x) <= NOTE]
    clear = min([y, *beside]) - 34
    return clear if clear > TOP else y - 34


def history(past: Sequence[Past], now: Past) -> Bars | None:
    """Bars of the last scans and this one; None where there is no earlier scan."""
    if not past:
        return None
    shown = [*past[-(_BARS - 1) :], now]
    most = max(1, *(one.critical_high for one in shown))
    slot = _BAR_WIDTH / max(len(shown), 4)
    bars = []
    for index, one in enumerate(shown):
        height = _BAR_HEIGHT * one.critical_high / most
        dark = _BAR_HEIGHT * min(one.overdue, one.critical_high) / most
        labelled = index in (0, len(shown) - 1)
        bars.append(
            Bar(
                x=round(index * slot + 3, 1),
                width=round(slot - 6, 1),
                top=round(100 - height, 1),
                light=round(height - dark, 1),
                dark_top=round(100 - dark, 1),
                dark=round(dark, 1),
                label=f"{one.critical_high:,}" if labelled else "",
            )
        )
    first = shown[0]
    return Bars(
        bars=tuple(bars),
        first=f"scan {first.number}",
        last="this scan",
        says=(
            f"Open critical and high actions: {first.critical_high:,} in scan {first.number}, "
            f"{now.critical_high:,} now; {counted(now.overdue, 'is', 'are')} past due."
        ),
        rows=tuple((f"scan {o.number}", f"{o.critical_high:,}", f"{o.overdue:,}") for o in shown),
    )


def score_parts(factors: Sequence[Factor], value: float) -> tuple[Part, ...]:
    """What each factor takes of the 100: its share of ln R, so that the parts add up to 100 − R.

    The figures are tenths whose sum is exact: what rounding leaves over goes to the largest remainders.
    """
    whole = sum(factor.share for factor in factors)
    lost = [(100 - value) * factor.share / whole if whole else 0.0 for factor in factors]
    tenths = [int(part * 10) for part in lost]
    spare = round((100 - round(value, 1)) * 10) - sum(tenths)
    by_rest = sorted(range(len(lost)), key=lambda i: (tenths[i] - lost[i] * 10, i))
    for index in by_rest[: max(0, spare)]:
        tenths[index] += 1
    parts, x = [], value
    for factor, width, tenth in reversed(list(zip(factors, lost, tenths, strict=True))):
        parts.append(
            Part(
                letter=factor.letter,
                value=f"{factor.value:g}" if factor.letter == "C" else f"{factor.value:.2g}",
                label=cut(factor.label, 90),
                because=visible(factor.because),
                lost=f"−{tenth / 10:.1f}" if tenth else "0",
                x=round(x, 2),
                width=round(width, 2),
                shade=_SHADES[factor.letter],
            )
        )
        x += width
    return tuple(reversed(parts))


def _nice(rough: float) -> float:
    scale = 10.0 ** math.floor(math.log10(max(rough, 0.1)))
    return next(scale * step for step in (1, 2, 5, 10) if scale * step >= rough - 1e-9)


def _spread(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    if len(points) <= most:
        return list(points)
    return [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]
