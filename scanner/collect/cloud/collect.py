"""Collects one AWS account: regions and services side by side, one snapshot for all of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_origin

import msgspec

from checks.facts.cloud.account import AccountRegions
from checks.facts.snapshot import Absence, Fact, Gap, Snapshot
from checks.model import Target
from scanner.collect.cloud import registry
from scanner.collect.cloud.calls import Collector, NotRead, Place
from scanner.collect.cloud.fields import UnreadableError
from scanner.collect.cloud.parallel import Outcome, run_all
from scanner.collect.cloud.registry import iam_policy, permissions
from scanner.collect.collector import Collected, CollectError, Context, snapshot
from scanner.transport.aws import Aws, AwsAccess, Identity

__all__ = ["collect", "iam_policy", "permissions"]

_GRACE_SECONDS = 2.0
"""What collectors get to hand over, once the time budget has stopped their calls."""


def collect(target: Target, wanted: frozenset[type[Fact]], access: AwsAccess, context: Context) -> Snapshot:
    """What the account shows of the wanted facts.

    A refused, failed or unfinished read is a gap on exactly the facts, and the region or resource, that
    it hides. A region that is not enabled is an absence.

    Raises:
        CollectError: nothing can be read at all: credentials, clock, account, region names, or a stop.

    """
    at = context.now()
    context.check()
    aws = Aws(access, registry.allowed(wanted), context)
    try:
        identity = aws.identify()
        everywhere = Place(aws, identity, identity.home, (), bool(access.regions), wanted, context)
        regions = _regions(everywhere, access.regions)
        tasks = _tasks(everywhere, regions)
        parts = [regions.seen, *_run(tasks, aws, access.workers, context)]
    finally:
        aws.stop()
    whole = _whole(parts, wanted, identity, bool(regions.looked))
    return snapshot(target, [whole], at=at, identities=(f"aws:{identity.account}",))


@dataclass(frozen=True, slots=True)
class _Regions:
    looked: tuple[str, ...]
    seen: Collected


@dataclass(frozen=True, slots=True)
class _Task:
    collector: Collector
    place: Place
    fatal: list[CollectError]

    def run(self) -> Collected:
        try:
            return self.collector.run(self.place)
        except CollectError as error:
            # Nothing more will come, so the others need not wait for it; the first of these errors is
            # the reason, those that follow are the stop that it caused.
            self.fatal.append(error)
            self.place.aws.stop()
            raise


def _regions(place: Place, given: tuple[str, ...]) -> _Regions:
    """Which regions to look at, and what is known to be missing for want of a region."""
    if not place.wants(registry.REGIONS):
        return _Regions(tuple(sorted(set(given))), Collected())
    try:
        listed = place.all_of(registry.REGIONS, AllRegions=True)
    except NotRead as error:
        if not given:
            return _Regions((), place.lost(registry.REGIONS, error.refused, ""))
        looked = tuple(sorted(set(given)))
        closed: tuple[str, ...] = ()
    else:
        enabled = {str(r["RegionName"]) for r in listed if r.get("OptInStatus") != "not-opted-in"}
        looked = tuple(sorted(enabled.intersection(given) if given else enabled))
        closed = tuple(sorted(set(given) - enabled))
    reason = "the region is not enabled for this account"
    regional = sorted(fact.__name__ for fact in place.wanted.intersection(registry.REGIONS.facts))
    absences = tuple(
        Absence(name, reason, region)
        for region in closed
        for name in regional
        if name != AccountRegions.__name__
    )
    fact = AccountRegions(place.account, place.identity.partition, looked, closed)
    return _Regions(looked, place.found(fact, registry.REGIONS, where="") + Collected(absences=absences))


def _tasks(place: Place, regions: _Regions) -> list[_Task]:
    """One collector and region each; those of the whole account first, since they take longest."""
    tasks: list[_Task] = []
    fatal: list[CollectError] = []
    for collector in sorted(registry.chosen(place.wanted), key=lambda c: c.regional):
        for region in regions.looked if collector.regional else (place.identity.home,):
            tasks.append(_Task(collector, replace(place, region=region, regions=regions.looked), fatal))
    return tasks


def _run(tasks: Sequence[_Task], aws: Aws, workers: int, context: Context) -> list[Collected]:
    context.progress(0, len(tasks))
    outcomes = run_all(
        [task.run for task in tasks],
        workers=workers,
        until=time.monotonic() + max(0.0, aws.seconds_left) + _GRACE_SECONDS,
        stop=lambda: context.cancelled.is_set() or aws.stopped,
        ended=lambda count: context.progress(count, len(tasks)),
    )
    context.check()
    if tasks and tasks[0].fatal:
        raise tasks[0].fatal[0]
    return [_part(task, outcome) for task, outcome in zip(tasks, outcomes, strict=True)]


def _part(task: _Task, outcome: Outcome[Collected]) -> Collected:
    """What one collector gave in one region; where it gave nothing, what that hides."""
    place, error = task.place, outcome.error
    where = place.region if task.collector.regional else ""
    if outcome.value is not None:
        return outcome.value
    if isinstance(error, NotRead):
        return place.lost(error.call, error.refused, where)
    if isinstance(error, UnreadableError):
        reason = str(error)
    elif error is not None:
        reason = f"the collector stopped: {type(error).__name__}: {error}"
    else:
        reason = "not finished within the time budget"
    names = sorted(fact.__name__ for fact in task.collector.facts & place.wanted)
    return Collected(gaps=tuple(Gap(name, f"{task.collector.name}: {reason}", where) for name in names))


def _whole(
    parts: Iterable[Collected], wanted: frozenset[type[Fact]], identity: Identity, looked: bool
) -> Collected:
    """One fact of each type out of the parts of all regions, all of it in an order of its own."""
    everything = Collected()
    for part in parts:
        everything += part
    by_type: dict[type[Fact], list[Fact]] = {}
    for fact in everything.facts:
        by_type.setdefault(type(fact), []).append(fact)
    gaps = list(everything.gaps)
    served = registry.facts()
    hidden = {gap.fact for gap in gaps}
    nowhere = frozenset[type[Fact]]() if looked else frozenset(registry.REGIONS.facts)
    for fact_type in sorted(wanted, key=lambda one: one.__name__):
        if fact_type not in served:
            gaps.append(Gap(fact_type.__name__, "no collector of AWS accounts fills this fact"))
        elif fact_type not in by_type and (fact_type.__name__ in hidden or fact_type not in nowhere):
            # Nothing of the kind, or empty beside its gap, so that a check over several facts still
            # judges by the others.
            by_type[fact_type] = _empty(fact_type, identity.account)
    return Collected(
        facts=tuple(
            _merged(by_type[one]) for one in sorted(by_type, key=lambda one: one.__name__) if by_type[one]
        ),
        gaps=tuple(sorted(set(gaps), key=lambda gap: (gap.fact, gap.where, gap.reason))),
        absences=tuple(sorted(set(everything.absences), key=lambda one: (one.fact, one.where))),
        sources=tuple(sorted(everything.sources, key=lambda one: (one.fact, one.where, one.how, one.digest))),
    )


def _merged(facts: Sequence[Fact]) -> Fact:
    """Several parts of one fact as one: the lists joined in order, the rest as in the first."""
    first = facts[0]
    if len(facts) == 1:
        return first
    joined = {
        name: tuple(dict.fromkeys(item for fact in facts for item in getattr(fact, name)))
        for name in _lists(type(first))
    }
    return msgspec.structs.replace(first, **joined)


def _lists(fact: type[Fact]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(fact) if get_origin(field.type) is tuple)


def _empty(fact: type[Fact], account: str) -> list[Fact]:
    """The fact without records; nothing for a fact that is no list of records."""
    lists = _lists(fact)
    if {field.name for field in msgspec.structs.fields(fact)} != {"account", *lists} or not lists:
        return []
    return [msgspec.convert({"account": account, **dict.fromkeys(lists, ())}, fact)]
