"""Collects trails, each once however many regions show it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.cloudtrail import Trail, TrailEvents, Trails, TrailSelectors, TrailState, TrailStates
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, some, text
from scanner.collect.collector import Collected

TRAILS = Call("cloudtrail", "DescribeTrails", (Trails, TrailStates, TrailSelectors), key="trailList")
STATUS = Call("cloudtrail", "GetTrailStatus", (TrailStates,))
SELECTORS = Call("cloudtrail", "GetEventSelectors", (TrailSelectors,))


def trails(place: Place) -> Collected:
    """The trails of this region with their state.

    A trail for all regions shows in each of them: it belongs to its home region, or to the first region
    looked at where its home is not among them.
    """
    listed = place.all_of(TRAILS, includeShadowTrails=True)
    mine = [one for one in listed if _belongs(place, text(one, "HomeRegion", place.region))]
    found, lost = place.read(mine, TRAILS, "TrailARN", partial(_trail, place.region))
    fact = Trails(place.account, (place.region,), found)
    whole = lost + place.found(fact, TRAILS, found, names=[t.arn for t in found])
    things = []
    for trail in found:
        where = f"{trail.region}/{trail.arn}"
        if place.wants(STATUS):
            things.append((where, STATUS, partial(_state, place, trail)))
        if place.wants(SELECTORS):
            things.append((where, SELECTORS, partial(_events, place, trail)))
    return whole + place.each(things)


def _belongs(place: Place, home: str) -> bool:
    return home == place.region or (home not in place.regions and place.region == place.regions[0])


def _trail(region: str, raw: Raw) -> Trail:
    return Trail(
        arn=text(raw, "TrailARN"),
        name=text(raw, "Name"),
        region=text(raw, "HomeRegion", region),
        every_region=flag(raw, "IsMultiRegionTrail", False),
        organisation=flag(raw, "IsOrganizationTrail", False),
        validation=flag(raw, "LogFileValidationEnabled", False),
        bucket=text(raw, "S3BucketName", ""),
        key=text(raw, "KmsKeyId", ""),
    )


def _state(place: Place, trail: Trail) -> Collected:
    answer = place.one(STATUS, Name=trail.arn)
    record = TrailState(
        trail.arn, trail.region, flag(answer, "IsLogging"), text(answer, "LatestDeliveryError", "")
    )
    return place.found(TrailStates(place.account, (record,)), STATUS, (record,), where=trail.arn)


def _events(place: Place, trail: Trail) -> Collected:
    answer = place.one(SELECTORS, TrailName=trail.arn)
    if "AdvancedEventSelectors" not in answer and "EventSelectors" not in answer:
        raise UnreadableError("the answer holds no event selectors")
    advanced, basic = some(answer, "AdvancedEventSelectors"), some(answer, "EventSelectors")
    if not advanced and not basic:
        # A trail for which nobody chose anything records all management events.
        basic = ({"ReadWriteType": "All", "IncludeManagementEvents": True},)
    chosen = {kind for one in basic for kind in _basic(one)} | {k for one in advanced for k in _advanced(one)}
    record = TrailEvents(trail.arn, trail.region, "read" in chosen, "write" in chosen)
    return place.found(TrailSelectors(place.account, (record,)), SELECTORS, (record,), where=trail.arn)


def _basic(raw: Raw) -> frozenset[str]:
    if not flag(raw, "IncludeManagementEvents", True):
        return frozenset()
    kinds = {"All": ("read", "write"), "ReadOnly": ("read",), "WriteOnly": ("write",)}
    return frozenset(kinds.get(text(raw, "ReadWriteType", "All"), ()))


def _advanced(raw: Raw) -> frozenset[str]:
    kinds = {"read", "write"}
    management = False
    for field in some(raw, "FieldSelectors"):
        name, equal = text(field, "Field"), some(field, "Equals")
        if name == "eventCategory":
            management = "Management" in equal
        elif name == "readOnly" and equal:
            kinds &= {"read"} if "true" in equal else {"write"}
    return frozenset(kinds) if management else frozenset()


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("cloudtrail trails", True, (TRAILS, STATUS, SELECTORS), trails)
