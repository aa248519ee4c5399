"""When scanning is allowed: weekly windows and blackouts, in the local time of a place."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from baselines.model import Written

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_DAY = 24 * 60
# Two weeks half a year apart: what is open in neither is open in no week, whatever the clocks do.
_SAMPLES = (datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 7, 5, tzinfo=UTC))


_NONE = -1
"""The minute of a time that was not given."""


class Day(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK = tuple(Day)


def _minute(value: object) -> int:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError(f'a time in quotes such as "22:00" is expected, not {value!r}')
    hours, minutes = value.split(":")
    return int(hours) * 60 + int(minutes)


def _dates(value: object) -> tuple[date, date] | None:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(one, str) for one in value):
        try:
            first, last = (date.fromisoformat(one) for one in value)
        except ValueError:
            raise ValueError(
                f"two days such as [2026-12-24, 2027-01-06] are expected, not {value!r}"
            ) from None
        if last < first:
            raise ValueError(f"{last} is before {first}; write the first day first")
        return first, last
    raise ValueError(f"two days such as [2026-12-24, 2027-01-06] are expected, not {value!r}")


def _time_zone(value: object) -> str:
    names = zoneinfo.available_timezones()
    if isinstance(value, str) and value in names:
        return value
    close = get_close_matches(str(value)[:60], names, n=1)
    hint = f"did you mean {close[0]}?" if close else "one looks like Europe/Berlin"
    raise ValueError(f"there is no time zone {str(value)[:60]!r}; {hint}")


class Window(Written):
    """A time of day on some days; `to` before `from` is on the next day. Times are minutes of the day.

    With `dates`, two days, only from the first to the last of them, and the whole day unless times are given.
    With `zone` it is for the targets in that zone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    days: Annotated[list[Annotated[Day, Field(strict=False)]], Field(min_length=1)] = Field(
        default_factory=lambda: list(Day)
    )
    from_: Annotated[int, BeforeValidator(_minute), Field(alias="from")] = _NONE
    to: Annotated[int, BeforeValidator(_minute)] = _NONE
    time_zone: Annotated[str, BeforeValidator(_time_zone)] = "UTC"
    dates: Annotated[tuple[date, date] | None, BeforeValidator(_dates)] = None
    zone: Annotated[str, Field(pattern=r"^([A-Za-z][A-Za-z0-9._-]{0,63})?$")] = ""

    @model_validator(mode="before")
    @classmethod
    def _whole_days(cls, value: object) -> object:
        """Dates alone mean whole days."""
        if isinstance(value, dict) and "dates" in value and not {"from", "to"} & set(value):
            return {**value, "from": "00:00", "to": "24:00"}
        return value

    @model_validator(mode="after")
    def _covers_something(self) -> Self:
        if _NONE in (self.from_, self.to):
            raise ValueError('from and to are missing: write {from: "22:00", to: "06:00"}, or dates')
        if self.from_ == self.to:
            raise ValueError('from and to are equal, which covers nothing; a whole day is "00:00" to "24:00"')
        if self.from_ == _DAY:
            raise ValueError('a window begins before "24:00"; write "00:00" of the next day')
        return self

    def covers(self, moment: datetime) -> bool:
        """Whether this moment lies in it, by the clock on the wall of its time zone."""
        local = moment.astimezone(zoneinfo.ZoneInfo(self.time_zone))
        minute = local.hour * 60 + local.minute
        today = local.date()
        if self.from_ < self.to:
            return self._on(today) and self.from_ <= minute < self.to
        before = self._on(today - timedelta(days=1)) and minute < self.to
        return before or (self._on(today) and minute >= self.from_)

    def _on(self, day: date) -> bool:
        inside = self.dates is None or self.dates[0] <= day <= self.dates[1]
        return inside and _WEEK[day.weekday()] in self.days

    def edges(self, near: datetime) -> Iterator[datetime]:
        """The moments in the week from `near` on, and a day around it, at which it may begin or end."""
        zone = zoneinfo.ZoneInfo(self.time_zone)
        first = near.astimezone(zone).date() - timedelta(days=1)
        for day in range(10):
            for minute in (self.from_, self.to):
                local = first + timedelta(days=day + minute // _DAY)
                wall = datetime.combine(local, time(minute % _DAY // 60, minute % 60), zone)
                yield wall.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Times:
    """Windows and blackouts together. No windows means any time; a blackout always wins."""

    windows: tuple[Window, ...] = ()
    blackouts: tuple[Window, ...] = ()

    def of(self, zone: str) -> Times:
        """The times of a zone: its own windows in the place of the general ones, and both their blackouts."""
        own = tuple(one for one in self.windows if zone and one.zone == zone)
        general = tuple(one for one in self.windows if not one.zone)
        return Times(own or general, tuple(one for one in self.blackouts if one.zone in ("", zone)))

    def open(self, moment: datetime) -> bool:
        """Whether scanning is allowed at this moment.

        Raises:
            ValueError: the moment has no time zone.

        """
        if moment.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        inside = not self.windows or any(window.covers(moment) for window in self.windows)
        return inside and not any(blackout.covers(moment) for blackout in self.blackouts)

    def next_opening(self, moment: datetime) -> datetime | None:
        """The first whole minute at which scanning is allowed, or None.

        It is looked for now, within eight days, and within eight days of the end of each dated blackout.
        """
        if self.open(moment):
            return moment
        start = moment.astimezone(UTC).replace(second=0, microsecond=0)
        ends = (one.dates[1] for one in self.blackouts if one.dates is not None)
        later = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in sorted(ends))
        for begin in (start, *(one for one in later if one > start)):
            # Minute by minute, because a change of the clocks can open a window between its own edges.
            minutes = (begin + timedelta(minutes=n) for n in range(1, 8 * _DAY))
            if (found := next((minute for minute in minutes if self.open(minute)), None)) is not None:
                return found
        return None


def fault(windows: Sequence[Window] | None, blackouts: Sequence[Window]) -> tuple[str, str]:
    """The key and the reason why these times make no sense, or two empty texts.

    They make none where nothing is ever allowed, or where the windows say no more than no windows would.
    """
    if windows is not None and not windows:
        return "windows", "no window is ever open; leave windows out to scan at any time"
    zones = dict.fromkeys(("", *(one.zone for one in (*(windows or ()), *blackouts))))
    every = Times(tuple(windows or ()), tuple(one for one in blackouts if one.dates is None))
    for zone in zones:
        times = every.of(zone)
        if any(one.dates for one in times.windows):
            continue
        key, reason = _fault(times.windows, times.blackouts)
        if key:
            return key, f"zone {zone}: {reason}" if zone else reason
    return "", ""


def _fault(chosen: tuple[Window, ...], blackouts: Sequence[Window]) -> tuple[str, str]:
    """The same for the times of one zone, none of which has dates."""
    if blackouts and not _ever(Times((), tuple(blackouts)), wanted=True):
        return "blackouts", "they cover all time; nothing could ever be scanned"
    if not _ever(Times(chosen, tuple(blackouts)), wanted=True):
        return "windows", "the blackouts cover every window; nothing could ever be scanned"
    if chosen and not _ever(Times(chosen), wanted=False):
        return "windows", "they cover all time; leave windows out to scan at any time"
    return "", ""


def in_words(moment: datetime, time_zone: str = "UTC") -> str:
    """`Mon 2026-11-23 22:00 Europe/Berlin`."""
    local = moment.astimezone(zoneinfo.ZoneInfo(time_zone))
    return f"{_WEEK[local.weekday()].title()} {local:%Y-%m-%d %H:%M} {time_zone}"


def _ever(times: Times, *, wanted: bool) -> bool:
    for sample in _SAMPLES:
        edges = {sample, *(edge for one in (*times.windows, *times.blackouts) for edge in one.edges(sample))}
        week = (edge for edge in edges if sample <= edge < sample + timedelta(days=7))
        if any(times.open(edge) is wanted for edge in week):
            return True
    return False
