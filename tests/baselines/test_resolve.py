"""Baselines: read, inherited, tailored and held against the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from baselines.load import Loaded, library, load
from baselines.resolve import Demand, default_profile, merge, needs, resolve
from baselines.text import TextError
from checks.catalogue import Catalogue, build
from checks.check import Check, check
from checks.facts.snapshot import Fact
from checks.fix import Effort, Fix
from checks.model import Kind, Severity
from checks.verdict import Verdicts, expect

FIX = Fix(do="Mend it.", verify="true", effort=Effort(setup=0, each=0))


class Door(Fact, frozen=True, forbid_unknown_fields=True):
    """A door."""

    open: bool = False


class Lock(Fact, frozen=True, forbid_unknown_fields=True):
    """A lock."""

    bolts: int = 1


def made(identifier: str, **more: Any) -> Check[Any]:
    @check(identifier, title="T", severity=more.pop("severity", Severity.MEDIUM), fix=FIX, **more)
    def question(
        door: Door,
        *,
        bolts: int = 2,
        allowed: frozenset[str] = frozenset({"no"}),
        share: float = 0.5,
        level: Severity = Severity.LOW,
        quiet: bool = False,
    ) -> Verdicts:
        """Why."""
        yield expect(door.open, on=f"{bolts}{allowed}{share}{level}{quiet}", saw="", want="")

    return question


@check("network.doors.lock", title="T", severity=Severity.LOW, fix=FIX)
def lock(lock: Lock, door: Door) -> Verdicts:
    """Why."""
    yield expect(lock.bolts > 0 and not door.open, on="x", saw="", want="")


CATALOGUE: Catalogue = build(
    [made("host.doors.a", aliases=("host.doors.old",)), made("host.doors.b"), made("host.doors.c"), lock],
    [Door, Lock],
)


def baseline(name: str = "base", **changes: Any) -> Loaded:
    document: dict[str, Any] = {
        "id": name,
        "title": "Title",
        "version": "1.0",
        "profiles": {"level-1": {"title": "All"}, "level-2": {"title": "Some", "extends": "level-1"}},
        "rules": [
            {
                "check": "host.doors.a",
                "profile": "level-1",
                "with": {"bolts": 3},
                "controls": {"cis": ["1.1"]},
            },
            {"check": "host.doors.b", "profile": "level-2", "severity": "critical"},
        ],
    } | changes
    given = {key: value for key, value in document.items() if value is not None}
    return load(yaml.safe_dump(given, sort_keys=False).encode(), f"{name}.yaml")


def own(**changes: Any) -> Loaded:
    return baseline(**({"name": "own", "extends": "base", "profiles": None, "rules": None} | changes))


KNOWN = {"base": baseline()}


def ids(demands: tuple[Demand, ...]) -> list[str]:
    return [d.check.id for d in demands]


# --- profiles ---


def test_a_profile_holds_its_own_rules_and_those_it_extends() -> None:
    assert ids(resolve(baseline(), "level-1", CATALOGUE, {})) == ["host.doors.a"]
    [a, b] = resolve(baseline(), "level-2", CATALOGUE, {})
    assert (a.profile, a.baseline, a.severity, a.controls) == (
        "level-1",
        "base",
        Severity.MEDIUM,
        {"cis": ("1.1",)},
    )
    assert (b.profile, b.severity) == ("level-2", Severity.CRITICAL)


def test_the_default_is_the_profile_for_everybody() -> None:
    assert resolve(baseline(), "", CATALOGUE, {}) == resolve(baseline(), "level-1", CATALOGUE, {})
    strict_first = baseline(
        profiles={"level-2": {"title": "S", "extends": "level-1"}, "level-1": {"title": "A"}}
    )
    assert default_profile(strict_first, {}) == "level-1"
    assert default_profile(own(), KNOWN) == "level-1"


def test_a_former_id_still_names_its_check() -> None:
    renamed = baseline(rules=[{"check": "host.doors.old", "profile": "level-1"}])
    assert ids(resolve(renamed, "level-1", CATALOGUE, {})) == ["host.doors.a"]


# --- thresholds ---


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"bolts": 5}, "bolts", 5),
        ({"allowed": ["a", "b", "a"]}, "allowed", frozenset({"a", "b"})),
        ({"share": 1}, "share", 1.0),
        ({"level": "high"}, "level", Severity.HIGH),
        ({"quiet": True}, "quiet", True),
    ],
)
def test_a_threshold_has_the_type_that_its_check_says(
    given: dict[str, Any], name: str, value: object
) -> None:
    one = baseline(rules=[{"check": "host.doors.c", "profile": "level-1", "with": given}])
    [demand] = resolve(one, "level-1", CATALOGUE, {})
    assert demand.options[name] == value
    assert type(demand.options[name]) is type(value)
    defaults = {key: option.default for key, option in demand.check.options.items() if key != name}
    assert {key: demand.options[key] for key in defaults} == defaults


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bolts": "3"}, "rules.0.with.bolts: host.doors.c takes int here"),
        ({"bolts": 3.5}, "takes int here"),
        ({"bolts": True}, "takes int here"),
        ({"bolts": None}, "takes int here"),
        ({"allowed": "no"}, "frozenset[str] here"),
        ({"allowed": [1]}, "frozenset[str] here"),
        ({"level": "hihg"}, "Severity here"),
        ({"quiet": "yes"}, "takes bool here"),
        ({"blots": 3}, "rules.0.with.blots: there is no threshold blots; did you mean bolts?"),
        ({"xyzzy": 3}, "there is no threshold xyzzy; there is bolts, allowed, share, level, quiet"),
        ({"now": "2026"}, "there is no threshold now"),
    ],
)
def test_a_wrong_threshold_is_located(given: dict[str, Any], says: str) -> None:
    one = baseline(rules=[{"check": "host.doors.c", "profile": "level-1", "with": given}])
    with pytest.raises(TextError) as caught:
        resolve(one, "level-1", CATALOGUE, {})
    assert says in str(caught.value)
    assert str(caught.value).startswith("base.yaml:")


# --- extending and tailoring ---


def test_a_tailoring_changes_thresholds_severity_and_what_is_left_out() -> None:
    changes = [
        {"check": "host.doors.a", "with": {"allowed": ["x"]}, "severity": "low", "because": "ours"},
        {"check": "host.doors.b", "leave_out": True, "because": "no such doors"},
    ]
    [a] = resolve(own(tailor=changes), "level-2", CATALOGUE, KNOWN)
    assert (a.check.id, a.baseline, a.severity) == ("host.doors.a", "own", Severity.LOW)
    assert (a.options["bolts"], a.options["allowed"]) == (3, frozenset({"x"}))
    assert a.controls == {"cis": ("1.1",)}


def test_a_tailoring_of_a_stricter_profile_says_nothing_at_the_others() -> None:
    changes = [{"check": "host.doors.b", "leave_out": True, "because": "x"}]
    assert ids(resolve(own(tailor=changes), "level-1", CATALOGUE, KNOWN)) == ["host.doors.a"]
    assert ids(resolve(own(tailor=changes), "level-2", CATALOGUE, KNOWN)) == ["host.doors.a"]


def test_a_tailoring_of_what_nobody_demands_is_a_mistake() -> None:
    changes = [{"check": "host.doors.c", "leave_out": True, "because": "x"}]
    with pytest.raises(
        TextError, match=r"own\.yaml:\d+: tailor\.0\.check: base does not demand host\.doors\.c"
    ):
        resolve(own(tailor=changes), "level-1", CATALOGUE, KNOWN)


def test_an_own_baseline_adds_rules_and_profiles_on_top() -> None:
    more = own(
        profiles={
            "strict": {"title": "Ours", "extends": "level-2"},
            "lax": {"title": "Ours", "extends": "level-1"},
        },
        rules=[
            {"check": "host.doors.c", "profile": "strict"},
            {"check": "network.doors.lock", "profile": "level-1"},
        ],
    )
    assert ids(resolve(more, "strict", CATALOGUE, KNOWN)) == [
        "host.doors.a",
        "host.doors.b",
        "host.doors.c",
        "network.doors.lock",
    ]
    assert ids(resolve(more, "lax", CATALOGUE, KNOWN)) == ["host.doors.a", "network.doors.lock"]
    assert ids(resolve(more, "level-2", CATALOGUE, KNOWN)) == [
        "host.doors.a",
        "host.doors.b",
        "network.doors.lock",
    ]


def test_baselines_extend_over_several_steps() -> None:
    known = KNOWN | {"own": own(tailor=[{"check": "host.doors.a", "with": {"bolts": 9}, "because": "x"}])}
    third = own(name="third", extends="own", rules=[{"check": "host.doors.c", "profile": "level-1"}])
    [a, c] = resolve(third, "", CATALOGUE, known)
    assert (a.options["bolts"], a.baseline, c.check.id) == (9, "third", "host.doors.c")


@pytest.mark.parametrize(
    ("changes", "profile", "says"),
    [
        (
            {"rules": [{"check": "host.doors.aa", "profile": "level-1"}]},
            "",
            "rules.0.check: there is no check host.doors.aa; did you mean host.doors.a?",
        ),
        ({"rules": [{"check": "cloud.xyz.qqq", "profile": "level-1"}]}, "", "bartizan checks list"),
        (
            {"rules": [{"check": "host.doors.a", "profile": "level-3"}]},
            "",
            "rules.0.profile: there is no profile level-3; did you mean level-",
        ),
        (
            {"rules": [{"check": "host.doors.a", "profile": level} for level in ("level-1", "level-1")]},
            "",
            "rules.1.check: host.doors.a is demanded twice",
        ),
        (
            {
                "rules": [
                    {"check": "host.doors.a", "profile": "level-1"},
                    {"check": "host.doors.old", "profile": "level-1"},
                ]
            },
            "",
            "host.doors.a is demanded twice",
        ),
        ({}, "levle-2", "profiles: there is no profile levle-2; did you mean level-2?"),
        (
            {"profiles": {"a": {"title": "A", "extends": "b"}, "b": {"title": "B", "extends": "a"}}},
            "a",
            "extends itself by way of a → b",
        ),
        ({"profiles": {"a": {"title": "A", "extends": "a"}}}, "a", "extends itself"),
        (
            {"profiles": {"a": {"title": "A", "extends": "zzz"}}},
            "a",
            "profiles.a.extends: there is no profile zzz",
        ),
        ({"extends": "bsae"}, "", "extends: there is no baseline bsae; did you mean base?"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(changes: dict[str, Any], profile: str, says: str) -> None:
    with pytest.raises(TextError) as caught:
        resolve(baseline(name="mine", **changes), profile, CATALOGUE, KNOWN)
    assert says in str(caught.value)
    assert str(caught.value).startswith("mine.yaml:")


@pytest.mark.parametrize("profiles", [None, {"p": {"title": "P"}}])
def test_baselines_in_a_circle_are_told_and_do_not_hang(profiles: Any) -> None:
    known = {n: own(name=n, extends=e, profiles=profiles) for n, e in (("x", "y"), ("y", "z"), ("z", "x"))}
    for start in known.values():
        for profile in ("", "p", "level-1"):
            with pytest.raises(TextError, match="extends itself by way of"):
                resolve(start, profile, CATALOGUE, known)
    outside = own(name="w", extends="x")
    with pytest.raises(TextError, match="extends itself by way of w → x → y → z → x"):
        resolve(outside, "", CATALOGUE, known)


# --- what a baseline file may say ---


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rules": None}, "a baseline has rules, or extends another one"),
        ({"profiles": None}, "a baseline has profiles, or extends another one"),
        ({"tailor": [{"check": "host.doors.a", "because": "x"}]}, "tailor needs extends"),
        ({"name": "Base"}, "id: text of the form"),
        ({"title": None}, "title: missing"),
        ({"version": 1.0}, "version: text is expected, not 1.0"),
        ({"colour": "red"}, "colour: unknown key"),
        ({"rules": [{"check": "ssh.root", "profile": "level-1"}]}, "rules.0.check: text of the form"),
        ({"extends": "base", "tailor": [{"check": "host.doors.a"}]}, "tailor.0.because: missing"),
        (
            {"extends": "base", "tailor": [{"check": "host.doors.a", "because": ""}]},
            "tailor.0.because: at least 1",
        ),
    ],
)
def test_a_baseline_that_is_none(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(TextError) as caught:
        baseline(**changes)
    assert says in str(caught.value)


# --- several together ---


def test_equal_demands_of_two_baselines_are_one_with_the_controls_of_both() -> None:
    rule = {"check": "host.doors.a", "profile": "level-1", "with": {"bolts": 3}}
    other = baseline(
        name="other", rules=[rule | {"severity": "high", "controls": {"cis": ["9.9", "1.1"], "iso": ["A"]}}]
    )
    groups = [resolve(baseline(), "level-2", CATALOGUE, {}), resolve(other, "", CATALOGUE, {})]
    [a, b] = merge(groups)
    assert (a.controls, a.severity, a.baseline) == (
        {"cis": ("1.1", "9.9"), "iso": ("A",)},
        Severity.HIGH,
        "base",
    )
    assert b.check.id == "host.doors.b"
    [a, _] = merge(reversed(groups))
    assert set(a.controls["cis"]) == {"1.1", "9.9"}


def test_different_thresholds_of_two_baselines_are_a_mistake() -> None:
    other = baseline(name="other", rules=[{"check": "host.doors.a", "profile": "level-1"}])
    with pytest.raises(TextError, match=r"host\.doors\.a: base and other demand different thresholds"):
        merge([resolve(baseline(), "", CATALOGUE, {}), resolve(other, "", CATALOGUE, {})])


def test_only_the_facts_of_a_kind_are_needed() -> None:
    demands = resolve(
        baseline(rules=[{"check": i, "profile": "level-1"} for i in ("host.doors.a", "network.doors.lock")]),
        "",
        CATALOGUE,
        {},
    )
    assert needs(demands, Kind.HOST) == {Door}
    assert needs(demands, Kind.NETWORK) == {Door, Lock}
    assert needs(demands, Kind.AWS) == frozenset()


def test_a_demand_cannot_be_changed() -> None:
    [one] = resolve(baseline(), "", CATALOGUE, {})
    options: Any = one.options
    with pytest.raises(TypeError):
        options["bolts"] = 0
    assert replace(one, profile="x").profile == "x"


def test_our_library_is_read_whole() -> None:
    found = library()
    assert all(one.baseline.id == key for key, one in found.items())
    assert all(one.document.name.startswith("library/") for one in found.values())


def test_a_baseline_may_say_which_profile_is_taken_where_none_is_chosen() -> None:
    one = baseline(default="level-2")
    assert default_profile(one, {}) == "level-2"
    assert len(resolve(one, "", CATALOGUE, KNOWN)) == 2
    with pytest.raises(TextError, match="default: there is no profile level-3; did you mean level-"):
        resolve(baseline(default="level-3"), "", CATALOGUE, KNOWN)
