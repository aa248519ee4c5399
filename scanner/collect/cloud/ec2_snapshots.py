"""Collects the snapshots of disks, and from Access Analyzer which of them other accounts can restore.

Nothing that lists snapshots says whom they are shared with, and a call for each of thousands is too many.
An analyzer has asked already: its findings are two calls a region. Where there is none, that is a gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from checks.facts.cloud.ec2_snapshots import OwnSnapshot, OwnSnapshots, SnapshotShare, SnapshotShares
from checks.facts.snapshot import Gap
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, text, time_of
from scanner.collect.cloud.lists import listing
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

SNAPSHOTS = Call("ec2", "DescribeSnapshots", (OwnSnapshots,), key="Snapshots", page=1000)
ANALYZERS = Call(
    "accessanalyzer", "ListAnalyzers", (SnapshotShares,), "access-analyzer:ListAnalyzers", "analyzers"
)
FINDINGS = Call(
    "accessanalyzer", "ListFindings", (SnapshotShares,), "access-analyzer:ListFindings", "findings"
)
_UNWATCHED = (
    "no analyzer for external access is active in the region, and without one only a call for each "
    "snapshot would say whom it is shared with"
)


def _snapshot(place: Place, raw: Raw) -> OwnSnapshot:
    return OwnSnapshot(
        id=text(raw, "SnapshotId"),
        region=place.region,
        volume=text(raw, "VolumeId", ""),
        encrypted=flag(raw, "Encrypted"),
        usable=text(raw, "State") in ("completed", "pending"),
        started=time_of(raw, "StartTime"),
    )


def shares(place: Place) -> Collected:
    """The snapshots that single other accounts can restore, where an analyzer knows."""
    try:
        watching = sorted(
            text(one, "arn")
            for one in place.all_of(ANALYZERS)
            if text(one, "status") == "ACTIVE" and text(one, "type") in ("ACCOUNT", "ORGANIZATION")
        )
        if not watching:
            return Collected(gaps=(Gap(SnapshotShares.__name__, _UNWATCHED, place.region),))
        wanted = {
            "resourceType": {"eq": ["AWS::EC2::Snapshot"]},
            "resourceOwnerAccount": {"eq": [place.account]},
            "status": {"eq": ["ACTIVE"]},
        }
        by_snapshot: dict[str, set[str]] = defaultdict(set)
        for one in place.all_of(FINDINGS, analyzerArn=watching[0], filter=wanted):
            if not flag(one, "isPublic", False):
                by_snapshot[text(one, "resource").rpartition("/")[2]].add(_account(group(one, "principal")))
    except UnreadableError as error:
        raise NotRead(FINDINGS, Refused(Because.UNREADABLE, str(error))) from None
    found = tuple(
        SnapshotShare(name, place.region, tuple(sorted(who))) for name, who in sorted(by_snapshot.items())
    )
    fact = SnapshotShares(place.account, (place.region,), found)
    return place.found(fact, FINDINGS, found, names=[one.id for one in found])


def _account(principal: Raw) -> str:
    name = text(principal, "AWS")
    return name.split(":")[4] if name.startswith("arn:") else name


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("own snapshots", SNAPSHOTS, _snapshot, named="SnapshotId", asked={"OwnerIds": ["self"]})
    yield Collector("shared snapshots", True, (ANALYZERS, FINDINGS), shares)
