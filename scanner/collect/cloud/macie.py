"""Collects whether Macie looks through the buckets of a region."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.detection import DataDiscoveries, DataDiscovery
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import text
from scanner.collect.collector import Collected

SESSION = Call("macie2", "GetMacieSession", (DataDiscoveries,))


def session(place: Place) -> Collected:
    """Macie in the region."""
    try:
        state = text(place.one(SESSION), "status", "")
    except NotRead as error:
        # AWS answers so, and not with a state, where Macie was never turned on.
        if "macie is not enabled" not in error.refused.said:
            raise
        state = ""
    record = DataDiscovery(place.region, state == "ENABLED", state == "PAUSED")
    return place.found(DataDiscoveries(place.account, (record,)), SESSION, (record,))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("macie", True, (SESSION,), session)
