"""Collects whether Security Hub is on in a region, and which standards it checks."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.detection import Hub, Hubs, HubsStandards, HubStandards
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import text
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because

HUB = Call("securityhub", "DescribeHub", (Hubs, HubsStandards))
STANDARDS = Call("securityhub", "GetEnabledStandards", (HubsStandards,), key="StandardsSubscriptions")
_OFF = ("InvalidAccessException", "ResourceNotFoundException")
_IDLE = ("FAILED", "DELETING")


def hub(place: Place) -> Collected:
    """Security Hub in the region."""
    try:
        place.one(HUB)
    except NotRead as error:
        # AWS answers so where the service was never turned on.
        if error.refused.code not in _OFF and error.refused.because is not Because.NOT_SUBSCRIBED:
            raise
        enabled = False
    else:
        enabled = True
    record = Hub(place.region, enabled)
    found = place.found(Hubs(place.account, (record,)), HUB, (record,))
    if not (enabled and place.wants(STANDARDS)):
        return found
    return found + place.each([(place.region, STANDARDS, lambda: _standards(place))])


def _standards(place: Place) -> Collected:
    listed = place.all_of(STANDARDS)
    arns = [text(one, "StandardsArn") for one in listed if text(one, "StandardsStatus", "") not in _IDLE]
    # `…:standards/NAME/v/1.0.0`, and `…:ruleset/NAME/v/1.2.0` for the oldest.
    names = tuple(sorted({arn.split("/")[1] for arn in arns if "/" in arn}))
    record = HubStandards(place.region, names)
    return place.found(HubsStandards(place.account, (record,)), STANDARDS, (record,))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("security hub", True, (HUB, STANDARDS), hub)
