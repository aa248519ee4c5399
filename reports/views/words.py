"""Figures, dates and names in the words and lengths that a page has room for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from checks.fix import printable
from checks.model import Outcome
from reports.model import Band

GLYPHS = {Band.CRITICAL: "◆", Band.HIGH: "▲", Band.MEDIUM: "●", Band.LOW: "▽", Band.INFO: "·"}
"""The sign of each band: colour never stands alone."""

OUTCOME_WORDS = {
    Outcome.FAIL: "failed",
    Outcome.ERROR: "error",
    Outcome.UNKNOWN: "unknown",
    Outcome.PASS: "passed",
    Outcome.NOT_APPLICABLE: "not applicable",
}
_SMALL = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def visible(text: str) -> str:
    """The text with control, bidirectional and zero-width characters made visible; line ends stay."""
    return "\n".join(printable(line) for line in text.split("\n"))


def cut(text: str, limit: int) -> str:
    """The text on one line of at most so many characters, its hidden characters made visible."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def number(count: int) -> str:
    """`three`; figures from thirteen on."""
    return _SMALL[count] if 0 <= count < len(_SMALL) else f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 action`, `1,200 actions`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def hours(value: float) -> str:
    """`0.5 h`, `12 h`; less than ten with one decimal where there is one."""
    if 0 < value < 0.05:
        return "<0.1 h"
    text = f"{value:.1f}" if value < 10 else f"{value:,.0f}"
    return f"{text.removesuffix('.0')} h"


def spelled_hours(value: float) -> str:
    """`1 hour`, `2.5 hours`."""
    text = hours(value).removesuffix(" h")
    return f"{text} {'hour' if text == '1' else 'hours'}"


def percent(part: float) -> str:
    """`0%` and `100%` only where it is exactly that much."""
    if 0 < part < 0.01:
        return "<1%"
    if 0.99 < part < 1:
        return ">99%"
    return f"{part:.0%}"


def day(iso: str) -> str:
    """`23 Nov 2026` of a date or time; a text of another form is cut and kept."""
    try:
        then = date.fromisoformat(iso[:10])
    except ValueError:
        return cut(iso, 20)
    return f"{then.day} {_MONTHS[then.month - 1]} {then.year}"


def days_until(iso: str, today: date) -> str:
    """`in 3 d`, `today`, `2 d late`; `on upgrade` without a date."""
    if not iso:
        return "on upgrade"
    left = (date.fromisoformat(iso) - today).days
    if left == 0:
        return "today"
    return f"in {left} d" if left > 0 else f"{-left} d late"


def listed(names: Sequence[str], most: int, limit: int = 40) -> str:
    """`a, b and 3 more`."""
    shown = [cut(name, limit) for name in names[:most]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def capital(text: str) -> str:
    """The text with its first letter raised."""
    return text[:1].upper() + text[1:]
