"""Collects what Amazon Inspector looks through in a region, in one list."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.inspector import Coverage, Covered
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, group, text
from scanner.collect.cloud.lists import whole
from scanner.collect.collector import Collected

COVERAGE = Call("inspector2", "ListCoverage", (Coverage,), key="coveredResources", page=200)
_KINDS = {"AWS_EC2_INSTANCE": "instance", "AWS_LAMBDA_FUNCTION": "function"}


def coverage(place: Place) -> Collected:
    """The instances and functions of this account that Inspector knows; none where it is not turned on."""
    # An administrator of an organization is told of all its accounts.
    chosen = {
        "accountId": [{"comparison": "EQUALS", "value": place.account}],
        "resourceType": [{"comparison": "EQUALS", "value": kind} for kind in _KINDS],
    }
    try:
        listed = place.all_of(COVERAGE, filterCriteria=chosen)
    except NotRead as error:
        if "not enabled" not in error.refused.said:
            raise
        listed = ()
    # One that is looked through by packages and by code shows twice; code alone finds no known flaws.
    packages = [one for one in listed if text(one, "scanType") == "PACKAGE"]
    found, lost = place.read(packages, COVERAGE, "resourceId", lambda raw: _covered(place, raw))
    return lost + whole(place, COVERAGE, Coverage, found)


def _covered(place: Place, raw: Raw) -> Covered:
    state = group(raw, "scanStatus")
    kind = _KINDS.get(text(raw, "resourceType"), "other")
    name = text(raw, "resourceId")
    return Covered(
        region=place.region,
        kind=kind,
        id=name.removesuffix(":$LATEST") if kind == "function" else name,
        scanned=text(state, "statusCode", "") == "ACTIVE",
        reason=text(state, "reason", ""),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("inspector coverage", True, (COVERAGE,), coverage)
