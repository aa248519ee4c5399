"""Facts that are computed when a snapshot is judged, from what was collected and what is known beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from checks.facts.snapshot import Absence, Fact, Gap, Snapshot
from checks.facts.untold import UntoldError
from scanner.collect.collector import Collected


@dataclass(frozen=True, slots=True)
class Derivation:
    """How some facts are made of others: `facts` all have their `derived_from` in the snapshot."""

    facts: tuple[type[Fact], ...]
    compute: Callable[[Snapshot], Collected]


def derive(snapshot: Snapshot, derivations: Iterable[Derivation]) -> Snapshot:
    """The snapshot with its derived facts; one whose sources could not be read is a gap for their reasons."""
    for one in derivations:
        made = _lacking(snapshot, one)
        if not (made.gaps or made.absences):
            made = _computed(snapshot, one) + _holes(snapshot, one)
        snapshot = msgspec.structs.replace(
            snapshot,
            facts={**snapshot.facts, **{type(fact).__name__: fact for fact in made.facts}},
            gaps=snapshot.gaps + made.gaps,
            absences=snapshot.absences + made.absences,
            sources=snapshot.sources + made.sources,
        )
    return snapshot


def _computed(snapshot: Snapshot, one: Derivation) -> Collected:
    try:
        return one.compute(snapshot)
    except UntoldError as error:
        return Collected(gaps=tuple(Gap(fact.__name__, str(error), needs="a new scan") for fact in one.facts))


def _lacking(snapshot: Snapshot, one: Derivation) -> Collected:
    """The gaps and absences of the sources that are not there, in the name of the derived facts."""
    gaps: list[Gap] = []
    absences: list[Absence] = []
    for fact in one.facts:
        name = fact.__name__
        missing = [source.__name__ for source in fact.derived_from if snapshot.get(source) is None]
        for source in missing:
            hidden = [gap for gap in snapshot.gaps if gap.fact == source]
            absent = [absence for absence in snapshot.absences if absence.fact == source]
            gaps += [Gap(name, gap.reason, gap.where, gap.needs) for gap in hidden]
            absences += [] if hidden else [Absence(name, one.reason, one.where) for one in absent]
            if not hidden and not absent:
                gaps.append(Gap(name, f"{source}: not collected"))
    return Collected(gaps=tuple(gaps), absences=() if gaps else tuple(absences))


def _holes(snapshot: Snapshot, one: Derivation) -> Collected:
    """What is hidden in the sources is hidden in what is made of them."""
    return Collected(
        gaps=tuple(
            Gap(fact.__name__, gap.reason, gap.where, gap.needs)
            for fact in one.facts
            for source in fact.derived_from
            for gap in snapshot.gaps
            if gap.fact == source.__name__
        )
    )
