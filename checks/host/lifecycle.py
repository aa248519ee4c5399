"""Until when the releases of operating systems get security fixes: data, and how to find a system in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from checks.facts.host.system import OperatingSystem


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
        return not self.ended or day <= date.fromisoformat(self.ended)

    def extended_on(self, day: date) -> bool:
        """Whether there is still a support after the public one on that day."""
        return bool(self.extended) and day <= date.fromisoformat(self.extended)

    def until(self, day: date, notice_days: int) -> str:
        """The end of support in words, with the days left once they are few."""
        if not self.ended:
            return "supported, no end announced"
        left = date.fromisoformat(self.ended) - day
        soon = f", only {left.days} days more" if left <= timedelta(days=notice_days) else ""
        return f"supported until {self.ended}{soon}"


@cache
def _data() -> tuple[str, dict[str, dict[str, Release]]]:
    raw = json.loads((files("checks.host") / "lifecycle.json").read_text("utf-8"))
    free = frozenset(raw["extended_free"])
    products = {
        product: {
            name: Release(product, name, ended, extended, product in free)
            for name, ended, extended in releases
        }
        for product, releases in raw["products"].items()
    }
    return raw["date"], products


DATA_DATE = _data()[0]
"""The day of the data, to be said beside every answer that comes from it."""

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


def release_of(system: OperatingSystem) -> Release | None:
    """The release in the data, or None where the data does not know it: then nothing is known."""
    product = _PRODUCTS.get(system.id, system.id)
    if product == "centos" and "stream" in system.name.lower():
        product = "centos-stream"
    releases = _data()[1].get(product, {})
    version = system.version
    while version:
        if version in releases:
            return releases[version]
        version = version.rpartition(".")[0]
    return None
