"""The judgement: only evidence passes, nothing crashes it, and an id outlives wording and time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.evaluate import QUOTED_LINES, evaluate, finding_id
from baselines.resolve import Demand
from checks.check import check, make_check
from checks.facts.snapshot import Absence, Fact, Gap, Snapshot, source
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Confidence, Exposure, Finding, Kind, Outcome, Severity, Target
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FIX = Fix(
    do="Shut @{on} of @{target}.",
    verify="shut @{on}   # @{want}",
    effort=Effort(setup=1, each=1),
    snippets=(Snippet(Language.SHELL, "shut @{on} @{port} @{colour}"),),
    key="doors @{target}",
)


class Doors(Fact, frozen=True, forbid_unknown_fields=True):
    """Doors and whether each is shut."""

    shut: dict[str, bool]


class Locks(Fact, frozen=True, forbid_unknown_fields=True):
    """How many locks there are."""

    count: int = 1


@check("host.doors.shut", title="Doors are shut", severity=Severity.HIGH, fix=FIX)
def shut(doors: Doors, *, crash_at: str = "") -> Verdicts:
    """Open doors let everybody in."""
    for name, is_shut in doors.shut.items():
        if name == crash_at:
            raise ZeroDivisionError("bad\x1b door")
        yield expect(is_shut, on=name, saw=is_shut, want=True, port="tcp/22", values={"colour": "a b"})


@check("host.doors.locked", title="Doors are locked", severity=Severity.LOW, fix=FIX)
def locked(doors: Doors, locks: Locks, *, now: datetime) -> Verdicts:
    """Open locks."""
    yield expect(bool(doors.shut) and locks.count > 0, on=f"{now:%Y}", saw=locks.count, want=1)


def demand(one: Any = shut, **options: Any) -> Demand:
    merged = {name: option.default for name, option in one.options.items()} | options
    return Demand(
        one, MappingProxyType(merged), one.severity, MappingProxyType({"cis": ("1",)}), "base", "level-1"
    )


def snapshot(*facts: Fact, kind: Kind = Kind.HOST, **more: Any) -> Snapshot:
    target = Target(kind, "web-1", "ssh://web-1:22")
    held = {type(fact).__name__: fact for fact in facts}
    return Snapshot(target, "2026-11-23T10:00:00Z", ("machine-id:1", "address:x"), facts=held, **more)


def judged(one: Snapshot, *demands: Demand, **more: Any) -> tuple[Finding, ...]:
    return evaluate(demands or (demand(),), one, now=NOW, **more)


def outcomes(found: Iterable[Finding]) -> dict[str, str]:
    return {f.on: str(f.outcome) for f in found}


# --- the five answers ---


def test_evidence_passes_and_fails() -> None:
    found = judged(snapshot(Doors({"front": True, "back": False})))
    assert outcomes(found) == {"front": "pass", "back": "fail"}
    [back] = [f for f in found if f.on == "back"]
    assert (back.check, back.title, back.severity, back.saw, back.want) == (
        "host.doors.shut",
        "Doors are shut",
        Severity.HIGH,
        "no",
        "yes",
    )
    assert (back.asset, back.target, back.baseline, back.profile) == (
        "machine-id:1",
        "web-1",
        "base",
        "level-1",
    )
    assert back.controls == {"cis": ("1",)}
    assert back.fix.do == "Shut back of web-1."
    assert back.fix.snippets[0].do == "shut back 22 'a b'"
    assert back.fix_key == "doors web-1"


def test_what_was_not_collected_is_unknown() -> None:
    [one] = judged(snapshot())
    assert (one.outcome, one.reason) == (Outcome.UNKNOWN, "Doors: not collected")


def test_what_could_not_be_read_is_unknown_with_what_was_needed() -> None:
    [one] = judged(snapshot(gaps=(Gap("Doors", "permission denied", needs="sudo doors"),)))
    assert (one.outcome, one.reason, one.needs) == (Outcome.UNKNOWN, "Doors: permission denied", "sudo doors")


def test_what_is_provably_not_there_is_not_applicable() -> None:
    [one] = judged(snapshot(absences=(Absence("Doors", "it is a tent"),)))
    assert (one.outcome, one.reason) == (Outcome.NOT_APPLICABLE, "it is a tent")


def test_nothing_of_the_kind_is_not_applicable() -> None:
    [one] = judged(snapshot(Doors({})))
    assert (one.outcome, one.reason) == (Outcome.NOT_APPLICABLE, "nothing of the kind was found here")
    [one] = judged(snapshot(Doors({}), absences=(Absence("Doors", "all bricked up", where="attic"),)))
    assert one.reason == "all bricked up"


def test_a_crash_takes_the_passes_of_its_check_and_leaves_the_failures() -> None:
    doors = Doors({"front": True, "back": False, "side": True, "gate": True})
    found = judged(snapshot(doors), demand(crash_at="side"))
    assert outcomes(found) == {"back": "fail", "": "error"}
    [error] = [f for f in found if f.outcome is Outcome.ERROR]
    assert error.reason == "the check stopped: ZeroDivisionError: bad\\u001b door"


def test_other_checks_go_on_after_a_crash() -> None:
    found = judged(snapshot(Doors({"front": True}), Locks()), demand(crash_at="front"), demand(locked))
    assert {(f.check, str(f.outcome)) for f in found} == {
        ("host.doors.shut", "error"),
        ("host.doors.locked", "pass"),
    }


def check_that(run: Callable[[Doors], Any]) -> Demand:
    def question(doors: Doors) -> Verdicts:
        """Why."""
        return run(doors)  # type: ignore[no-any-return]

    return demand(make_check(question, "host.doors.odd", title="T", severity=Severity.LOW, fix=FIX))


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (lambda d: None, "TypeError"),
        (lambda d: 5, "TypeError"),
        (lambda d: ["pass"], "it yielded str, not Verdict"),
        (lambda d: [True], "it yielded bool, not Verdict"),
        (lambda d: [None], "it yielded NoneType, not Verdict"),
        (lambda d: [Verdict(Outcome.PASS, on=22)], "no text in on"),  # type: ignore[arg-type]
        (lambda d: [Verdict(Outcome.PASS, on="x", saw=True)], "no text in saw"),  # type: ignore[arg-type]
        (lambda d: [Verdict(Outcome.PASS, on="x", values={"port": 1})], "no text in values"),  # type: ignore[dict-item]
        (lambda d: [expect(True, on="x", saw="", want=""), 5], "it yielded int"),
        (lambda d: d.missing, "AttributeError"),
        (lambda d: (1 / 0 for _ in "x"), "ZeroDivisionError"),
    ],
)
def test_a_check_that_gives_rubbish_is_an_error_and_never_a_pass(
    run: Callable[[Doors], Any], says: str
) -> None:
    [one] = judged(snapshot(Doors({"front": True})), check_that(run))
    assert one.outcome is Outcome.ERROR
    assert says in one.reason


def test_a_recursion_is_an_error_like_others() -> None:
    def deep(doors: Doors) -> Any:
        return deep(doors)

    [one] = judged(snapshot(Doors({})), check_that(deep))
    assert one.outcome is Outcome.ERROR


# --- gaps ---


def test_a_gap_in_a_part_adds_unknown_to_the_verdicts_of_the_rest() -> None:
    gaps = (Gap("Doors", "denied", where="attic", needs="key"), Gap("Windows", "denied"))
    found = judged(snapshot(Doors({"front": True, "back": False}), gaps=gaps))
    assert outcomes(found) == {"front": "pass", "back": "fail", "attic": "unknown"}


def test_a_gap_about_an_object_takes_its_pass() -> None:
    found = judged(
        snapshot(Doors({"front": True, "back": False}), gaps=(Gap("Doors", "cut off", where="front"),))
    )
    assert outcomes(found) == {"front": "unknown", "back": "fail"}
    found = judged(snapshot(Doors({"back": False}), gaps=(Gap("Doors", "cut off", where="back"),)))
    assert outcomes(found) == {"back": "fail"}


def test_two_gaps_in_one_place_are_one_unknown_with_both_permissions() -> None:
    gaps = (Gap("Doors", "denied", needs="a:Read"), Gap("Locks", "denied", needs="b:Read"))
    [one] = judged(snapshot(gaps=gaps), demand(locked))
    assert (one.reason, one.needs) == ("Doors: denied; Locks: denied", "a:Read, b:Read")


@pytest.mark.parametrize(
    ("kind", "where", "on", "region"),
    [
        (Kind.AWS, "eu-west-1", "", "eu-west-1"),
        (Kind.AWS, "us-gov-west-1", "", "us-gov-west-1"),
        (Kind.AWS, "eusc-de-east-1", "", "eusc-de-east-1"),
        (Kind.AWS, "arn:aws:s3:::a", "arn:aws:s3:::a", ""),
        (Kind.AWS, "", "", ""),
        (Kind.HOST, "db-server-1", "db-server-1", ""),
        (Kind.NETWORK, "tcp/22", "tcp/22", ""),
    ],
)
def test_a_gap_names_a_region_only_in_a_cloud(kind: Kind, where: str, on: str, region: str) -> None:
    identifier = {Kind.AWS: "cloud.a.b", Kind.HOST: "host.a.b", Kind.NETWORK: "network.a.b"}[kind]
    one = make_check(shut.run, identifier, title="T", severity=Severity.LOW, fix=FIX)
    [found] = judged(snapshot(kind=kind, gaps=(Gap("Doors", "denied", where=where),)), demand(one))
    assert (found.on, found.region) == (on, region)


def test_a_missing_fact_beats_an_absence_and_a_gap_beats_both() -> None:
    [one] = judged(snapshot(absences=(Absence("Doors", "a tent"),)), demand(locked))
    assert (one.outcome, one.reason) == (Outcome.UNKNOWN, "Locks: not collected")
    one_gap = snapshot(absences=(Absence("Doors", "a tent"),), gaps=(Gap("Locks", "denied"),))
    [one] = judged(one_gap, demand(locked))
    assert (one.outcome, one.reason) == (Outcome.UNKNOWN, "Locks: denied")
    [one] = judged(snapshot(Locks(), absences=(Absence("Doors", "a tent"),)), demand(locked))
    assert one.outcome is Outcome.NOT_APPLICABLE


# --- duplicates, order, kinds ---


@pytest.mark.parametrize(
    ("answers", "worst"),
    [
        ([Outcome.PASS, Outcome.FAIL], Outcome.FAIL),
        ([Outcome.FAIL, Outcome.PASS], Outcome.FAIL),
        ([Outcome.PASS, Outcome.UNKNOWN], Outcome.UNKNOWN),
        ([Outcome.UNKNOWN, Outcome.ERROR, Outcome.PASS], Outcome.ERROR),
        ([Outcome.NOT_APPLICABLE, Outcome.PASS], Outcome.PASS),
        ([Outcome.ERROR, Outcome.FAIL], Outcome.FAIL),
    ],
)
def test_of_two_answers_about_one_object_the_worse_stands(answers: list[Outcome], worst: Outcome) -> None:
    [one] = judged(snapshot(Doors({})), check_that(lambda _: [Verdict(o, on="front") for o in answers]))
    assert one.outcome is worst


def test_objects_of_two_regions_are_two_objects() -> None:
    both = [expect(ok, on="x", saw="", want="", where=where) for ok, where in ((True, "a"), (False, "b"))]
    found = judged(snapshot(Doors({})), check_that(lambda _: both))
    assert {(f.region, str(f.outcome)) for f in found} == {("a", "pass"), ("b", "fail")}


def test_only_demands_of_the_kind_are_judged() -> None:
    assert judged(snapshot(Doors({"x": True}), kind=Kind.NETWORK)) == ()


def test_findings_are_sorted_and_the_same_every_time() -> None:
    doors = Doors({name: name < "m" for name in "qazwsxedc"})
    one = judged(snapshot(doors, Locks()), demand(), demand(locked))
    two = judged(snapshot(Locks(), doors), demand(locked), demand())
    assert one == two
    assert [(f.check, f.on) for f in one] == sorted((f.check, f.on) for f in one)


def test_a_verdict_may_say_how_bad_how_sure_and_how_reachable() -> None:
    verdict = expect(
        False,
        on="x",
        saw="",
        want="",
        severity=Severity.INFO,
        confidence=Confidence.POSSIBLE,
        exposure=Exposure.INTERNET_OPEN,
        exposure_evidence="answered",
    )
    [one] = judged(snapshot(Doors({})), check_that(lambda _: [verdict]))
    assert (one.severity, one.confidence) == (Severity.INFO, Confidence.POSSIBLE)
    assert (one.exposure, one.exposure_evidence) == (Exposure.INTERNET_OPEN, "answered")


def test_the_reasons_of_a_check_are_kept() -> None:
    said = [unknown("a", "hidden", needs="key"), not_applicable("b", "a tent")]
    [a, b] = judged(snapshot(Doors({})), check_that(lambda _: said))
    assert (a.outcome, a.reason, a.needs) == (Outcome.UNKNOWN, "hidden", "key")
    assert (b.outcome, b.reason) == (Outcome.NOT_APPLICABLE, "a tent")


# --- ids ---


def test_an_id_depends_on_asset_check_and_object_alone() -> None:
    [old] = judged(snapshot(Doors({"front": False})))
    changed = msgspec.structs.replace(
        snapshot(Doors({"front": True})),
        taken_at="2030-01-01T00:00:00Z",
        target=Target(Kind.HOST, "renamed", "ssh://other:22", zone="z", owner="o"),
    )
    reworded = make_check(
        shut.run, "host.doors.shut", title="Other words", severity=Severity.INFO, fix=FIX, why="X."
    )
    [new] = evaluate([demand(reworded)], changed, now=datetime(2030, 1, 1, tzinfo=UTC))
    assert (old.outcome, new.outcome) == (Outcome.FAIL, Outcome.PASS)
    assert old.id == new.id


def test_this_id_is_for_ever() -> None:
    assert finding_id("machine-id:1", "host.doors.shut", "", "front") == "367a7b49059ad92f3e7832f5516d6a97"


def test_the_asset_is_the_strongest_identity_or_what_is_said() -> None:
    doors = Doors({"front": True})
    assert judged(snapshot(doors))[0].asset == "machine-id:1"
    assert judged(snapshot(doors), asset="merged")[0].asset == "merged"
    nameless = msgspec.structs.replace(snapshot(doors), identities=())
    assert judged(nameless)[0].asset == "ssh://web-1:22"


part = st.text(max_size=6)


@given(st.tuples(part, part, part, part), st.tuples(part, part, part, part))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_two_objects_never_share_an_id(
    one: tuple[str, str, str, str], two: tuple[str, str, str, str]
) -> None:
    assert (finding_id(*one) == finding_id(*two)) is (one == two)
    joined = "".join(one)
    assert one == (joined, "", "", "") or finding_id(*one) != finding_id(joined, "", "", "")


# --- evidence ---


def test_evidence_quotes_the_lines_that_name_the_object() -> None:
    answer = "".join(f"door {n}\n" for n in ("attic", "FRONT shut\x1b[0m", "back", "frontier"))
    [one] = judged(snapshot(Doors({"front": True}), sources=(source(Doors, "doors -l", "now", answer),)))
    [evidence] = one.evidence
    assert (evidence.how, evidence.at, len(evidence.digest)) == ("doors -l", "now", 64)
    assert evidence.excerpt == "door FRONT shut\\u001b[0m\ndoor frontier"


def test_evidence_without_such_a_line_is_the_beginning_of_the_answer() -> None:
    answer = "\n".join(f"line {n} " + "x" * 500 for n in range(50))
    [one] = judged(snapshot(Doors({"front": True}), sources=(source(Doors, "doors", "now", answer),)))
    lines = one.evidence[0].excerpt.splitlines()
    assert len(lines) == QUOTED_LINES
    assert all(len(line) == 300 for line in lines)


def test_evidence_of_a_place_beats_that_of_the_whole() -> None:
    sources = (
        source(Doors, "all", "now", "x"),
        source(Doors, "front only", "now", "y", where="front"),
        source(Locks, "locks", "now", "z"),
    )
    found = {f.on: f for f in judged(snapshot(Doors({"front": True, "back": True}), sources=sources))}
    assert [e.how for e in found["front"].evidence] == ["front only"]
    assert [e.how for e in found["back"].evidence] == ["all"]


# --- the one rule above all ---

facts = st.fixed_dictionaries(
    {},
    optional={
        "Doors": st.builds(Doors, st.dictionaries(st.sampled_from("abcd"), st.booleans(), max_size=4)),
        "Locks": st.builds(Locks, st.integers(0, 2)),
    },
)
places = st.sampled_from(["", "a", "b", "zz"])
gaps = st.lists(
    st.builds(Gap, st.sampled_from(["Doors", "Locks", "Else"]), st.just("denied"), places), max_size=3
)
absences = st.lists(st.builds(Absence, st.sampled_from(["Doors", "Locks"]), st.just("none")), max_size=2)


@given(facts, gaps, absences, st.sampled_from(["", "a", "c"]))
@settings(deadline=None, max_examples=400, derandomize=True)
def test_only_a_present_fact_and_a_completed_check_pass(
    held: dict[str, Fact], hidden: list[Gap], absent: list[Absence], crash_at: str
) -> None:
    one = msgspec.structs.replace(snapshot(), facts=held, gaps=tuple(hidden), absences=tuple(absent))
    demands = (demand(crash_at=crash_at), demand(locked))
    found = evaluate(demands, one, now=NOW)
    by_check = {d.check.id: [f for f in found if f.check == d.check.id] for d in demands}
    assert all(by_check.values()), "every demand gives an answer"
    assert len({f.id for f in found}) == len(found)
    doors = held.get("Doors")
    for finding in found:
        if finding.outcome is Outcome.PASS:
            assert isinstance(doors, Doors)
            assert finding.check != "host.doors.locked" or "Locks" in held
            assert finding.check != "host.doors.shut" or crash_at not in doors.shut
            assert not any(g.where == finding.on and g.fact == "Doors" for g in hidden)
    for gap in hidden:
        if gap.fact == "Doors" and not isinstance(doors, Doors):
            assert all(f.outcome is not Outcome.NOT_APPLICABLE for f in by_check["host.doors.shut"])
    with contextlib.suppress(StopIteration):
        doors_shut = doors.shut if isinstance(doors, Doors) else {}
        failing = next(name for name, ok in doors_shut.items() if not ok)
        order = list(doors_shut)
        if crash_at not in order or order.index(failing) < order.index(crash_at):
            assert outcomes(by_check["host.doors.shut"])[failing] == "fail"
