"""The decorator: what it makes of a function, and every way of writing a check wrongly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from checks.check import Check, CheckError, check, make_check
from checks.facts.snapshot import Fact
from checks.fix import Effort, Fix
from checks.model import Exploit, Impact, Kind, Severity, Surface
from checks.verdict import Verdicts, expect

FIX = Fix(do="Mend it.", verify="true", effort=Effort(setup=0, each=0))


class Door(Fact, frozen=True, forbid_unknown_fields=True):
    """A door."""

    open: bool


class Lock(Fact, frozen=True, forbid_unknown_fields=True):
    """A lock."""

    bolts: int


@check(
    "host.doors.locked",
    title="Doors are locked",
    severity=Severity.HIGH,
    fix=FIX,
    aliases=("host.doors.shut",),
)
def locked(
    door: Door, lock: Lock, *, bolts: int = 2, names: frozenset[str] = frozenset(), now: datetime
) -> Verdicts:
    """An open door lets everybody in,

    and   nobody notices.
    """
    yield expect(not door.open and lock.bolts >= bolts, on=f"door {now:%Y}", saw=lock.bolts, want=bolts)


def test_a_check_knows_what_it_needs_and_what_may_be_set() -> None:
    assert isinstance(locked, Check)
    assert locked.needs == (Door, Lock)
    assert set(locked.options) == {"bolts", "names"}
    assert (locked.options["bolts"].type, locked.options["bolts"].default) == (int, 2)
    assert locked.options["names"].type == frozenset[str]
    assert locked.wants_time
    assert locked.why == "An open door lets everybody in, and nobody notices."
    assert locked.aliases == ("host.doors.shut",)


def test_a_check_is_called_with_facts_and_thresholds() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    [strict] = locked(Door(open=False), Lock(bolts=2), bolts=3, now=now)
    [default] = locked(Door(open=False), Lock(bolts=2), now=now)
    assert (strict.ok, default.ok, default.on) == (False, True, "door 2026")


@pytest.mark.parametrize(
    ("folder", "kind"), [("network", Kind.NETWORK), ("host", Kind.HOST), ("cloud", Kind.AWS)]
)
def test_the_first_part_of_an_id_says_what_is_judged(folder: str, kind: Kind) -> None:
    def question(door: Door) -> Verdicts:
        """Why."""
        yield expect(door.open, on="x", saw="", want="")

    assert make_check(question, f"{folder}.a.b", title="T", severity=Severity.LOW, fix=FIX).kind is kind


@pytest.mark.parametrize(
    ("severity", "impact"),
    [
        (Severity.CRITICAL, Impact.TOTAL),
        (Severity.HIGH, Impact.SERIOUS),
        (Severity.MEDIUM, Impact.PARTIAL),
        (Severity.LOW, Impact.MINOR),
        (Severity.INFO, Impact.MINOR),
    ],
)
def test_the_impact_follows_the_severity_unless_it_is_given(severity: Severity, impact: Impact) -> None:
    def question(door: Door) -> Verdicts:
        """Why."""
        yield expect(door.open, on="x", saw="", want="")

    made = make_check(question, "host.a.b", title="T", severity=severity, fix=FIX)
    assert (made.impact, made.exploit, made.surface) == (impact, Exploit.HARDENING, Surface.LOCAL)
    assert (
        make_check(question, "host.a.b", title="T", severity=severity, fix=FIX, impact=Impact.TOTAL).impact
        is Impact.TOTAL
    )


def good(door: Door) -> Verdicts:
    """Why."""
    yield expect(door.open, on="x", saw="", want="")


def no_docstring(door: Door) -> Verdicts:
    yield expect(door.open, on="x", saw="", want="")


def no_fact() -> Verdicts:
    """Why."""
    yield expect(True, on="x", saw="", want="")


def only_thresholds(*, bolts: int = 1) -> Verdicts:
    """Why."""
    yield expect(bolts > 0, on="x", saw="", want="")


def not_a_fact(door: int) -> Verdicts:
    """Why."""
    yield expect(door > 0, on="x", saw="", want="")


def no_annotation(door) -> Verdicts:  # type: ignore[no-untyped-def]
    """Why."""
    yield expect(bool(door), on="x", saw="", want="")


def no_default(door: Door, *, bolts: int) -> Verdicts:
    """Why."""
    yield expect(door.open and bolts > 0, on="x", saw="", want="")


def wrong_clock(door: Door, *, now: int = 0) -> Verdicts:
    """Why."""
    yield expect(door.open and now > 0, on="x", saw="", want="")


def any_facts(*doors: Door) -> Verdicts:
    """Why."""
    yield expect(bool(doors), on="x", saw="", want="")


def any_thresholds(door: Door, **bolts: int) -> Verdicts:
    """Why."""
    yield expect(door.open and bool(bolts), on="x", saw="", want="")


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_docstring, "the docstring is the rationale"),
        (no_fact, "at least one fact"),
        (only_thresholds, "at least one fact"),
        (not_a_fact, "door is annotated with no fact"),
        (no_annotation, "door is annotated with no fact"),
        (no_default, "the threshold bolts needs a default"),
        (wrong_clock, "now is a datetime"),
        (any_facts, r"\*doors says neither"),
        (any_thresholds, r"\*bolts says neither"),
    ],
)
def test_a_function_that_is_no_check_is_told(function: Callable[..., Verdicts], says: str) -> None:
    with pytest.raises(CheckError, match=rf"^host\.a\.b: .*{says}"):
        make_check(function, "host.a.b", title="T", severity=Severity.LOW, fix=FIX)


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "host",
        "host.ssh",
        "host.ssh.a.b",
        "disk.ssh.root",
        "aws.s3.open",
        "host..root",
        "host.ssh.",
        "host.SSH.root",
        "host.ssh.root_login",
        "host.ssh.-a",
        "host.ssh.a\n",
        "host.ssh.a b",
        "host.ssh.a--b",
    ],
)
def test_an_id_has_one_form(identifier: str) -> None:
    with pytest.raises(CheckError, match="an id reads"):
        make_check(good, identifier, title="T", severity=Severity.LOW, fix=FIX)


@pytest.mark.parametrize("title", ["", "  "])
def test_a_title_is_never_empty(title: str) -> None:
    with pytest.raises(CheckError, match="title"):
        make_check(good, "host.a.b", title=title, severity=Severity.LOW, fix=FIX)


def test_the_rationale_of_a_table_takes_the_place_of_the_docstring() -> None:
    made = make_check(
        no_docstring, "host.a.b", title="T", severity=Severity.LOW, fix=FIX, why="  Because\n of it. "
    )
    assert made.why == "Because of it."


def test_a_check_cannot_be_changed() -> None:
    changed: Any = locked
    with pytest.raises(AttributeError):
        changed.severity = Severity.INFO
    with pytest.raises(TypeError):
        changed.options["bolts"] = None
