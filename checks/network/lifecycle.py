"""Until when network programs get fixes, who repairs old ones for longer, and a few famous flaws: data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from checks.facts.intel import LifeCycles
from checks.host import lifecycle as programs
from checks.host.lifecycle import Release, find

_NUMBER = re.compile(r"(\d{1,6}(?:\.\d{1,6}){0,4})(?:([a-z])(?![a-z]))?")
_DISGUISE = re.compile(r"^5\.5\.5-(?=\d+\.\d+\.\d+)")
"""What MariaDB puts before its number, for replicas that know no number above 5."""
_RANGE = re.compile(r" - | or |\bX\b|\.x\b", re.IGNORECASE)
"""In versions that signatures only narrow down, as in `9.6.0 or later`."""
_PARTS = 6


@dataclass(frozen=True, slots=True)
class Carrier:
    """A distribution that repairs a release by itself, and the last day on which it does so for everybody."""

    name: str
    until: str

    def repairs_on(self, day: date) -> bool:
        """Whether that day is not after its last."""
        return day <= date.fromisoformat(self.until)


@dataclass(frozen=True, slots=True)
class Flaw:
    """A famous flaw: the versions from `first` up to, and without, `fixed`."""

    product: str
    first: str
    fixed: str
    what: str

    def has(self, version: str) -> bool:
        """Whether a version lies in that range, as far as its number tells."""
        return number(self.first) <= number(version) < number(self.fixed)

    def may_have(self, version: str) -> bool:
        """Whether a version tells too little: `2.4`, where 2.4.49 has the flaw and 2.4.51 does not."""
        told = f"{plain(version)}."
        return not self.has(version) and (self.first.startswith(told) or self.fixed.startswith(told))


@dataclass(frozen=True, slots=True)
class _Data:
    cycles: LifeCycles
    carried: Mapping[tuple[str, str], Carrier]
    refs: Mapping[str, str]
    flaws: tuple[Flaw, ...]


@cache
def _data() -> _Data:
    raw = json.loads((files("checks.network") / "lifecycle.json").read_text("utf-8"))
    return _Data(
        LifeCycles(raw["date"], {name: tuple(map(tuple, rows)) for name, rows in raw["programs"].items()}),
        {(name, row[0]): Carrier(row[1], row[2]) for name, rows in raw["carried"].items() for row in rows},
        raw["refs"],
        tuple(Flaw(*row) for row in raw["flaws"]),
    )


def flaws() -> tuple[Flaw, ...]:
    """The famous flaws of the table."""
    return _data().flaws


def reference(program: str) -> str:
    """The page that says how long the maker of a program repairs it."""
    return _data().refs[program]


def table_date(program: str) -> str:
    """The day of the data about this program."""
    return _cycles(program).date


def release_of(program: str, version: str) -> Release | None:
    """The release to which a version belongs, or None where the data does not have it."""
    return find(program, plain(version), _cycles(program))


def newer_than_all(program: str, version: str) -> bool:
    """Whether a version is above every release that the data has."""
    known = _cycles(program).products[program]
    return all(number(version) > number(name) for name, _, _ in known)


def carrier(program: str, version: str) -> Carrier | None:
    """A distribution that repairs this version for longer than its maker, where the data has one."""
    named = plain(version)
    while named:
        if found := _data().carried.get((program, named)):
            return found
        named = named.rpartition(".")[0]
    return None


def plain(version: str) -> str:
    """The number in a version: `8.9` for 8.9p1; empty where there is none, or a whole range."""
    found = None if _RANGE.search(version) else _NUMBER.search(_DISGUISE.sub("", version))
    return found[1] if found else ""


def number(version: str) -> tuple[int, ...]:
    """A version in a form that sorts: its numbers, filled up, and the letter behind them."""
    found = _NUMBER.search(_DISGUISE.sub("", version))
    if not found:
        return ()
    parts = tuple(int(part) for part in found[1].split("."))
    # The p of OpenSSH counts ports to other systems, and `rc` comes before the release.
    letter = ord(found[2]) - 96 if found[2] and found[2] != "p" else 0
    return (*parts, *(0,) * (_PARTS - len(parts)), letter)


def _cycles(program: str) -> LifeCycles:
    """The data about network programs alone, else that about all server programs."""
    own = _data().cycles
    return own if program in own.products else programs.shipped()
