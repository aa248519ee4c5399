"""Collects event buses; their policies come with the list."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.policy import Policy
from checks.facts.cloud.resource_policies import BusPolicies, ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, text
from scanner.collect.cloud.lists import listing
from scanner.collect.cloud.policies import parse

BUSES = Call("events", "ListEventBuses", (BusPolicies,), key="EventBuses")


def _bus(place: Place, raw: Raw) -> ResourcePolicy:
    written = text(raw, "Policy", "")
    policy = parse(written) if written else Policy()
    return ResourcePolicy(text(raw, "Arn"), text(raw, "Name"), place.region, policy)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("event buses", BUSES, _bus, named="Arn", asked={"Limit": 100}, tokens=True)
