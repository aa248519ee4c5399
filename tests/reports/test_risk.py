"""The score: worked values, properties, the line that explains it, the order of work."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import AssetValue, Exploit, Exposure, Impact, Outcome, Surface, Weakness
from reports.estate import VALUES, Estate
from reports.exposure import REACH, Exposed, Worth
from reports.model import Band, Status
from reports.risk import EXPLOIT, IMPACT, band, figure, rank, risk, roll_up, score, useful, weight
from tests.reports.builder import TODAY, company, company_findings, finding, ranked

FACTORS = st.fixed_dictionaries(
    {
        "T": st.sampled_from(sorted(IMPACT.values())),
        "P": st.sampled_from(sorted(EXPLOIT.values())),
        "E": st.sampled_from(sorted(set(REACH.values()))),
        "A": st.floats(0.05, 1.0),
    }
)
CONTROL = st.sampled_from((0.0, 0.15, 0.3, 0.45, 0.5))


@pytest.mark.parametrize(
    ("t", "p", "e", "a", "c", "whole"),
    [
        (1, 1, 1, 1, 0, 100),
        (1, 1, 1, 1, 0.3, 70),
        (1, 1, 0.5, 0.6, 0, 78),
        (0.8, 0.9, 1, 1, 0, 91),
        (0.8, 0.7, 1, 0.6, 0, 78),
        (0.8, 0.7, 0.5, 0.8, 0, 68),
        (0.8, 0.5, 0.5, 0.8, 0, 62),
        (0.5, 0.35, 0.5, 0.6, 0, 46),
        (0.2, 0.35, 1, 0.6, 0, 42),
        (1, 0.15, 0.2, 0.6, 0, 35),
        (0.2, 0.15, 0.2, 0.6, 0, 22),
    ],
)
def test_worked_values(t: float, p: float, e: float, a: float, c: float, whole: int) -> None:
    assert round(risk({"T": t, "P": p, "E": e, "A": a}, c)) == whole


@given(FACTORS, CONTROL, st.sampled_from("TPEA"), st.floats(1.0, 3.0))
def test_a_greater_factor_never_lowers_the_score(
    values: dict[str, float], control: float, letter: str, times: float
) -> None:
    more = {**values, letter: min(1.0, values[letter] * times)}
    assert risk(more, control) >= risk(values, control)


@given(FACTORS, CONTROL, CONTROL)
def test_more_control_never_raises_the_score(values: dict[str, float], one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert 0 < risk(values, more) <= risk(values, less) <= 100


def test_controls_never_take_more_than_half() -> None:
    assert risk(dict.fromkeys("TPEA", 1.0), 0.9) == 50


@given(
    st.sampled_from(list(Impact)),
    st.sampled_from(list(Exploit)),
    st.sampled_from(list(Exposure)),
    st.sampled_from(list(AssetValue)),
    CONTROL,
)
def test_the_shares_add_up_to_the_logarithm(
    impact: Impact, exploit: Exploit, exposure: Exposure, value: AssetValue, control: float
) -> None:
    one = score(
        finding(impact=impact, exploit=exploit), Exposed(exposure, "x"), Worth(VALUES[value], "x"), control
    )
    assert [f.letter for f in one.factors] == ["T", "P", "E", "A", "C"]
    assert math.fsum([math.log(100), *(f.share for f in one.factors)]) == pytest.approx(
        math.log(one.value), abs=1e-9
    )
    assert 0 <= one.value <= 100
    assert one.band is band(one.value)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (80.0, Band.CRITICAL),
        (79.999, Band.HIGH),
        (60, Band.HIGH),
        (40, Band.MEDIUM),
        (20, Band.LOW),
        (19.99, Band.INFO),
    ],
)
def test_bands(value: float, name: Band) -> None:
    assert band(value) is name


@pytest.mark.parametrize(
    ("value", "text"), [(87.6, "88"), (79.6, "79.6"), (79.97, "79.9"), (80.0, "80"), (59.7, "59.7")]
)
def test_a_figure_never_looks_like_the_next_band(value: float, text: str) -> None:
    assert figure(value) == text


def test_the_most_useful_change_is_the_one_a_defender_can_make() -> None:
    assert useful({"T": 0.8, "P": 0.9, "E": 1.0, "A": 0.8}) == "E 1.0→0.5 (another zone) gives 74"
    assert useful({"T": 0.2, "P": 0.15, "E": 0.1, "A": 0.4}) == "none: already in the lowest band"


@given(FACTORS, CONTROL)
def test_the_most_useful_change_moves_a_band(values: dict[str, float], control: float) -> None:
    said = useful(values, control)
    if said.startswith("none"):
        return
    assert float(said.rsplit(" ", 1)[1]) < risk(values, control)
    steps = {"E": REACH.values(), "A": VALUES.values(), "P": EXPLOIT.values(), "T": IMPACT.values()}
    letter, target = said[0], float(said.split("→")[1].split(" ")[0])
    if letter == "C":
        assert band(risk(values, target)) is not band(risk(values, control))
        return
    assert band(risk({**values, letter: target}, control)) is not band(risk(values, control))
    between = [v for v in steps[letter] if target < v < values[letter]]
    assert all(band(risk({**values, letter: v}, control)) is band(risk(values, control)) for v in between)


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=30), st.floats(0.1, 100))
def test_the_roll_up_holds_its_worst_and_never_falls(values: list[float], more: float) -> None:
    assert max(values) - 1e-9 <= roll_up(values) <= 100
    assert roll_up([*values, more]) >= roll_up(values) - 1e-9


def test_nothing_rolls_up_to_nothing() -> None:
    assert roll_up([]) == 0


def test_points_double_with_ten_of_score() -> None:
    assert weight(50) == 1
    assert weight(60) == 2
    assert weight(90) == pytest.approx(16)


def test_the_line_explains_the_whole_number() -> None:
    [one] = [r for r in ranked() if r.finding.on == "tcp/3389"]
    assert one.line == (
        "R 88 critical = 100·T0.8^.30·P0.9^.30·E1.0^.25·A0.8^.15·(1−0)"
        " | clock 3 d, evidence first (BOD 26-04 row 15)"
        ' | E: tcp/3389 answered a SYN probe from "outside" at 2026-11-23 10:02Z'
        " | A: dmz-03, important"
        " | most useful change: E 1.0→0.5 (another zone) gives 74"
        " | model PR-1.0, KEV none, EPSS none"
    )


def test_failures_come_first_and_alone_have_numbers() -> None:
    found = ranked()
    outcomes = [one.finding.outcome for one in found]
    failed = outcomes.count(Outcome.FAIL)
    assert set(outcomes[:failed]) == {Outcome.FAIL}
    assert all(one.score and one.clock and one.line for one in found[:failed])
    assert not any(one.score or one.clock or one.due or one.line for one in found[failed:])
    assert all(a.score.value >= b.score.value for a, b in pairwise(found[:failed]) if a.score and b.score)


def test_the_order_does_not_depend_on_the_order_of_the_findings() -> None:
    turned = ranked(findings=tuple(reversed(company_findings())))
    assert [(one.finding.id, one.score) for one in turned] == [(r.finding.id, r.score) for r in ranked()]


def test_equal_scores_stand_by_clock_then_by_id() -> None:
    slow = finding(on="a", surface=Surface.DATA, exposure=Exposure.UNKNOWN)
    fast = finding(on="b", surface=Surface.DATA, exposure=Exposure.INTERNET_LIMITED)
    order = rank([slow, fast], Estate(), first_seen={}, statuses={}, today=TODAY)
    assert order[0].score is not None
    assert order[1].score is not None
    assert order[0].score.value == order[1].score.value
    assert [one.finding.on for one in order] == ["b", "a"]


def test_ages_and_states_come_from_earlier_scans() -> None:
    one = finding()
    [known] = rank(
        [one],
        company(),
        first_seen={one.id: "2026-10-01T08:00:00Z"},
        statuses={one.id: Status.BACK},
        today=TODAY,
    )
    assert (known.first_seen, known.status) == ("2026-10-01", Status.BACK)
    assert known.clock is not None
    assert known.clock.days == 60
    assert known.due == "2026-11-30"


def test_an_open_admin_port_is_counted_as_abused_only_from_the_internet() -> None:
    inside = finding(asset="machine-id:servers-01", weakness=Weakness.ADMIN_PORT_NO_PASSWORD)
    outside = finding(asset="machine-id:dmz-00", weakness=Weakness.ADMIN_PORT_NO_PASSWORD)
    found = rank([inside, outside], company(), first_seen={}, statuses={}, today=TODAY)
    by_asset = {one.asset_name: one.clock for one in found}
    assert by_asset["servers-01"] is not None
    assert not by_asset["servers-01"].exploited
    assert by_asset["dmz-00"] is not None
    assert by_asset["dmz-00"].exploited
