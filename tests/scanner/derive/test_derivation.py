"""Derived facts: made where their sources are, and never known where those are not."""

from __future__ import annotations

from typing import ClassVar

import pytest

from checks.facts.snapshot import Absence, Fact, Gap, Snapshot
from checks.model import Kind, Target
from scanner.collect.collector import Collected
from scanner.derive.derivation import Derivation, derive


class Doors(Fact, frozen=True, forbid_unknown_fields=True):
    """Doors."""

    count: int


class Locks(Fact, frozen=True, forbid_unknown_fields=True):
    """Locks."""

    count: int


class Unlocked(Fact, frozen=True, forbid_unknown_fields=True):
    """Doors without a lock."""

    derived_from: ClassVar[tuple[type[Fact], ...]] = (Doors, Locks)

    count: int


def compute(snapshot: Snapshot) -> Collected:
    doors, locks = snapshot.get(Doors), snapshot.get(Locks)
    assert isinstance(doors, Doors)
    assert isinstance(locks, Locks)
    return Collected((Unlocked(doors.count - locks.count),))


ONE = Derivation((Unlocked,), compute)


def house(*facts: Fact, gaps: tuple[Gap, ...] = (), absences: tuple[Absence, ...] = ()) -> Snapshot:
    return Snapshot(
        Target(Kind.HOST, "h", "ssh://h"),
        "2026-11-23T12:00:00Z",
        (),
        facts={type(fact).__name__: fact for fact in facts},
        gaps=gaps,
        absences=absences,
    )


def test_a_derived_fact_is_made_of_its_sources_and_the_snapshot_stays_as_it_was() -> None:
    before = house(Doors(3), Locks(1))
    assert derive(before, [ONE]).get(Unlocked) == Unlocked(2)
    assert before.get(Unlocked) is None


def test_a_refused_source_hides_it_for_the_same_reason() -> None:
    seen = derive(house(Doors(3), gaps=(Gap("Locks", "refused", needs="sudo: look"),)), [ONE])
    assert seen.get(Unlocked) is None
    assert seen.gaps[-1] == Gap("Unlocked", "refused", needs="sudo: look")


def test_a_source_that_nobody_collected_hides_it() -> None:
    assert derive(house(Doors(3)), [ONE]).gaps == (Gap("Unlocked", "Locks: not collected"),)


def test_what_one_source_does_not_have_the_derived_fact_does_not_have() -> None:
    seen = derive(house(Doors(3), absences=(Absence("Locks", "no locks are made here"),)), [ONE])
    assert seen.absences[-1] == Absence("Unlocked", "no locks are made here")


def test_a_hole_in_a_source_is_a_hole_in_what_is_made_of_it() -> None:
    seen = derive(house(Doors(3), Locks(1), gaps=(Gap("Doors", "dark", where="cellar"),)), [ONE])
    assert seen.get(Unlocked) == Unlocked(2)
    assert Gap("Unlocked", "dark", where="cellar") in seen.gaps


@pytest.mark.parametrize("facts", [(), (Doors(1),), (Locks(1),)])
def test_without_evidence_nothing_is_derived(facts: tuple[Fact, ...]) -> None:
    seen = derive(house(*facts), [ONE])
    assert seen.get(Unlocked) is None
    assert [gap.fact for gap in seen.gaps if gap.fact == "Unlocked"]
