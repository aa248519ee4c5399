"""Collects what AWS Config records; every recorder is called `default`, so the region tells them apart."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.detection import Recorder, Recorders
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, items, some, text
from scanner.collect.collector import Collected

RECORDERS = Call("config", "DescribeConfigurationRecorders", (Recorders,))
STATUS = Call("config", "DescribeConfigurationRecorderStatus", (Recorders,))
CHANNELS = Call("config", "DescribeDeliveryChannels", (Recorders,))
_WORLDWIDE = frozenset(f"AWS::IAM::{kind}" for kind in ("Group", "Policy", "Role", "User"))
"""Kinds of resources that have no region; one recorder of the account is enough for them."""


def recorders(place: Place) -> Collected:
    """The recorder of the region."""
    found = items(place.one(RECORDERS), "ConfigurationRecorders")
    if not found:
        # Without a recorder nothing is recorded, whatever else there is.
        record = Recorder(place.region, False, False, False, False, False, "")
    else:
        states = {text(one, "name"): one for one in items(place.one(STATUS), "ConfigurationRecordersStatus")}
        channels = items(place.one(CHANNELS), "DeliveryChannels")
        record = _recorder(place.region, found[0], states.get(text(found[0], "name"), {}), bool(channels))
    return place.found(Recorders(place.account, (record,)), RECORDERS, (record,))


def _recorder(region: str, raw: Raw, state: Raw, delivers: bool) -> Recorder:
    recording = group(raw, "recordingGroup")
    strategy = text(group(recording, "recordingStrategy"), "useOnly", "")
    left_out = frozenset(some(group(recording, "exclusionByResourceTypes"), "resourceTypes"))
    named = frozenset(some(recording, "resourceTypes"))
    match strategy:
        case "EXCLUSION_BY_RESOURCE_TYPES":
            everything, worldwide = left_out <= _WORLDWIDE, not left_out & _WORLDWIDE
        case "INCLUSION_BY_RESOURCE_TYPES":
            everything, worldwide = False, named >= _WORLDWIDE
        case _:
            # AWS says the default with the switch alone, and that it is on where it says nothing.
            everything = flag(recording, "allSupported", not recording or strategy != "")
            worldwide = flag(recording, "includeGlobalResourceTypes", False) or named >= _WORLDWIDE
    return Recorder(
        region=region,
        there=True,
        recording=flag(state, "recording", False),
        everything=everything,
        worldwide=worldwide,
        delivers=delivers,
        status=text(state, "lastStatus", "").upper(),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("config recorders", True, (RECORDERS, STATUS, CHANNELS), recorders)
