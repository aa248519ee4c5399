"""Collects trails, each once however many regions show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from checks.facts.cloud.cloudtrail import (
    Trail,
    TrailBucketLock,
    TrailBucketLocks,
    TrailDataSelectors,
    TrailEvents,
    TrailLogGroup,
    TrailLogGroups,
    TrailObjectEvents,
    Trails,
    TrailSelectors,
    TrailState,
    TrailStates,
)
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, number, some, text
from scanner.collect.collector import Collected

TRAILS = Call(
    "cloudtrail",
    "DescribeTrails",
    (Trails, TrailLogGroups, TrailStates, TrailSelectors, TrailDataSelectors, TrailBucketLocks),
    key="trailList",
)
STATUS = Call("cloudtrail", "GetTrailStatus", (TrailStates,))
SELECTORS = Call("cloudtrail", "GetEventSelectors", (TrailSelectors, TrailDataSelectors))
LOCK = Call("s3", "GetObjectLockConfiguration", (TrailBucketLocks,), "s3:GetBucketObjectLockConfiguration")


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
    groups = tuple(
        TrailLogGroup(text(raw, "TrailARN"), trail.region, text(raw, "CloudWatchLogsLogGroupArn", ""))
        for raw in mine
        for trail in found
        if raw.get("TrailARN") == trail.arn
    )
    if groups or not found:
        whole += place.found(TrailLogGroups(place.account, groups), TRAILS, groups)
    things = []
    for trail in found:
        where = f"{trail.region}/{trail.arn}"
        if place.wants(STATUS):
            things.append((where, STATUS, partial(_state, place, trail)))
        if place.wants(SELECTORS):
            things.append((where, SELECTORS, partial(_events, place, trail)))
    return whole + place.each(things) + _locks(place, found)


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


def _locks(place: Place, trails: Sequence[Trail]) -> Collected:
    """The lock of each bucket that trails of this region write into, once for each bucket."""
    if not place.wants(LOCK):
        return Collected()
    buckets = sorted({trail.bucket for trail in trails if trail.bucket})
    return place.each([(f"{place.region}/{name}", LOCK, partial(_lock, place, name)) for name in buckets])


def _lock(place: Place, bucket: str) -> Collected:
    try:
        told = group(place.one(LOCK, Bucket=bucket), "ObjectLockConfiguration")
    except NotRead as error:
        if error.refused.code != "ObjectLockConfigurationNotFoundError":
            raise
        told = {}
    rule = group(group(told, "Rule"), "DefaultRetention")
    days = number(rule, "Days", 0) or 365 * number(rule, "Years", 0)
    record = TrailBucketLock(bucket, text(rule, "Mode", ""), days)
    return place.found(TrailBucketLocks(place.account, (record,)), LOCK, (record,), where=bucket)


def _state(place: Place, trail: Trail) -> Collected:
    answer = place.one(STATUS, Name=trail.arn)
    record = TrailState(
        trail.arn,
        trail.region,
        flag(answer, "IsLogging"),
        text(answer, "LatestDeliveryError", ""),
        text(answer, "LatestCloudWatchLogsDeliveryError", ""),
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
    chosen = [*map(_basic, basic), *map(_advanced, advanced)]
    kinds = {kind for some_kinds, _ in chosen for kind in some_kinds}
    # What one selector leaves out another may still record.
    left = [without for some_kinds, without in chosen if some_kinds]
    without = tuple(sorted(frozenset.intersection(*left))) if left else ()
    record = TrailEvents(trail.arn, trail.region, "read" in kinds, "write" in kinds, without)
    objects = _data(basic, advanced, "AWS::S3::Object")
    calls = _data(basic, advanced, "AWS::Lambda::Function")
    data = TrailObjectEvents(trail.arn, trail.region, "read" in objects, "write" in objects, bool(calls))
    return place.found(
        TrailSelectors(place.account, (record,)), SELECTORS, (record,), where=trail.arn
    ) + place.found(TrailDataSelectors(place.account, (data,)), SELECTORS, (data,), where=trail.arn)


Chosen = tuple[frozenset[str], frozenset[str]]
"""Reads, writes or both, and the services that are left out."""
_KINDS = {"All": ("read", "write"), "ReadOnly": ("read",), "WriteOnly": ("write",)}
_NOTHING: Chosen = (frozenset(), frozenset())


def _basic(raw: Raw) -> Chosen:
    """The management events of a selector of the older kind."""
    if not flag(raw, "IncludeManagementEvents", True):
        return _NOTHING
    kinds = _KINDS.get(text(raw, "ReadWriteType", "All"), ())
    return frozenset(kinds), frozenset(map(str, some(raw, "ExcludeManagementEventSources")))


def _advanced(raw: Raw) -> Chosen:
    """The same for one of the newer kind: what names users or calls covers a part only, which is nothing."""
    kinds, management, without = {"read", "write"}, False, set[str]()
    for field in some(raw, "FieldSelectors"):
        name, equal, other = text(field, "Field"), some(field, "Equals"), some(field, "NotEquals")
        if name == "eventCategory":
            management = "Management" in equal
        elif name == "readOnly" and equal:
            kinds &= {"read"} if "true" in equal else {"write"}
        elif name == "eventSource" and other:
            without.update(map(str, other))
        else:
            return _NOTHING
    return (frozenset(kinds), frozenset(without)) if management else _NOTHING


_ALL_OF = {"AWS::S3::Object": (":s3", ":s3:::"), "AWS::Lambda::Function": (":lambda",)}
"""How selectors of the older kind end that name all resources, whatever the partition."""


def _data(basic: Sequence[Raw], advanced: Sequence[Raw], kind: str) -> frozenset[str]:
    """What the selectors record of all resources of a kind."""
    older = (found for raw in basic for found in _all_basic(raw, kind))
    return frozenset(older) | {found for raw in advanced for found in _all_advanced(raw, kind)}


def _all_basic(raw: Raw, kind: str) -> tuple[str, ...]:
    for one in some(raw, "DataResources"):
        whole = (str(value).removeprefix("arn:").partition(":")[1:] for value in some(one, "Values"))
        if text(one, "Type", "") == kind and any("".join(rest) in _ALL_OF[kind] for rest in whole):
            return _KINDS.get(text(raw, "ReadWriteType", "All"), ())
    return ()


def _all_advanced(raw: Raw, kind: str) -> frozenset[str]:
    """A selector that names anything but the kind, and reads or writes, covers a part only."""
    kinds, data, named = {"read", "write"}, False, False
    for field in some(raw, "FieldSelectors"):
        name, equal = text(field, "Field"), some(field, "Equals")
        if name == "eventCategory":
            data = "Data" in equal
        elif name == "resources.type":
            named = kind in equal
        elif name == "readOnly" and equal:
            kinds &= {"read"} if "true" in equal else {"write"}
        else:
            return frozenset()
    return frozenset(kinds) if data and named else frozenset()


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("cloudtrail trails", True, (TRAILS, STATUS, SELECTORS, LOCK), trails)
