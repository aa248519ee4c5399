"""Until when systems and server programs get security fixes: data, and how to find a release in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from checks.facts.host.system import OperatingSystem
from checks.facts.intel import LifeCycles

PAST = "past"
"""In the place of a day: support has ended, and the data does not say when."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a system.

    `ended` is the last day of its public security support (empty: none is announced), `extended` that of
    the support after it, which is free of charge only for some.
    """

    product: str
    name: str
    ended: str
    extended: str
    extended_free: bool

    def supported(self, day: date) -> bool:
        """Whether everybody gets security fixes on that day."""
        return not self.ended or _reaches(self.ended, day)

    def extended_on(self, day: date) -> bool:
        """Whether there is still a support after the public one on that day."""
        return bool(self.extended) and _reaches(self.extended, day)

    def until(self, day: date, notice_days: int) -> str:
        """The end of support in words; once few days are left, it says so."""
        if not self.ended:
            return "supported, no end announced"
        if self.ended == PAST:
            return "support has ended"
        left = date.fromisoformat(self.ended) - day
        soon = f", not even {notice_days} days more" if left < timedelta(days=notice_days) else ""
        return f"supported until {self.ended}{soon}"


@cache
def _data() -> tuple[LifeCycles, frozenset[str]]:
    raw = json.loads((files("checks.host") / "lifecycle.json").read_text("utf-8"))
    products = {
        product: tuple((name, ended, extended) for name, ended, extended in releases)
        for part in ("products", "programs")
        for product, releases in raw[part].items()
    }
    return LifeCycles(raw["date"], products), frozenset(raw["extended_free"])


def shipped() -> LifeCycles:
    """The data that comes with the program."""
    return _data()[0]


DATA_DATE = shipped().date
"""The day of the data that comes with the program, to be said beside every answer from it."""

_PRODUCTS = {
    "rocky": "rocky-linux",
    "amzn": "amazon-linux",
    "opensuse-leap": "opensuse",
    "opensuse": "opensuse",
    "alpine": "alpine-linux",
    "ol": "oracle-linux",
    "sles_sap": "sles",
}
"""Names of os-release that differ from those of the data."""


def release_of(system: OperatingSystem, cycles: LifeCycles | None = None) -> Release | None:
    """The release in the data (default: what comes with the program), or None where it is not in it."""
    product = _PRODUCTS.get(system.id, system.id)
    if product == "centos" and "stream" in system.name.lower():
        product = "centos-stream"
    return find(product, system.version, cycles or shipped())


def find(product: str, version: str, cycles: LifeCycles) -> Release | None:
    """The release of a product to which that version belongs (`15` for 15.6), or None."""
    releases: Mapping[str, tuple[str, str]] = {
        name: (ended, extended) for name, ended, extended in cycles.products.get(product, ())
    }
    while version:
        if version in releases:
            return Release(product, version, *releases[version], product in _data()[1])
        version = version.rpartition(".")[0]
    return None


def _reaches(ended: str, day: date) -> bool:
    return ended != PAST and day <= date.fromisoformat(ended)
