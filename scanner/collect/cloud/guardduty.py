"""Collects whether GuardDuty watches a region, and with which protections."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.detection import Detector, Detectors
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import items, some, text
from scanner.collect.collector import Collected

LIST = Call("guardduty", "ListDetectors", (Detectors,))
DETECTOR = Call("guardduty", "GetDetector", (Detectors,))


def detectors(place: Place) -> Collected:
    """The detector of the region; none counts as one that is off."""
    ids = sorted(str(one) for page in place.pages(LIST) for one in some(page, "DetectorIds"))
    if not ids:
        record = Detector(place.region, "", False, ())
    else:
        told = place.one(DETECTOR, DetectorId=ids[0])
        off = {text(one, "Name") for one in items(told, "Features") if text(one, "Status", "") == "DISABLED"}
        known = {text(one, "Name") for one in items(told, "Features")}
        if "RUNTIME_MONITORING" in known:
            # The older one, for clusters alone, has to be off where the newer one is on.
            off.discard("EKS_RUNTIME_MONITORING")
        record = Detector(place.region, ids[0], text(told, "Status") == "ENABLED", tuple(sorted(off)))
    return place.found(Detectors(place.account, (record,)), DETECTOR if ids else LIST, (record,))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("guardduty detectors", True, (LIST, DETECTOR), detectors)
