"""What the pictures claim: only what was evidenced, and figures that fit the plan."""

from __future__ import annotations

import msgspec
import pytest

from checks.model import Kind
from reports.estate import Estate, merge
from reports.plan import actions, curve, figures, select
from reports.report import gather
from reports.views.executive import executive
from reports.views.picture import budget_curve, history
from reports.views.reach import reach
from reports.views.words import cut, days_until, hours, listed, percent
from reports.views.workbook import workbook
from tests.reports.builder import TODAY, company, past, ranked, scan, seen, snapshot


def test_the_map_draws_no_way_that_nobody_saw() -> None:
    drawn = reach(company(), [one for one in ranked() if one.finding.kind is not Kind.AWS])
    assert len(drawn.arrows) == 2
    assert {arrow.label for arrow in drawn.arrows} == {"tcp/22 · tcp/443 · tcp/3389", "tcp/22 · tcp/443"}
    assert {box.name for box in drawn.boxes if box.dashed} == {"AWS", "office"}
    assert "No probe got an answer from office, AWS: who reaches it is not known." in drawn.says
    assert ("none", "office", "not known", "4 assets") in drawn.table
    assert ("outside", "dmz", "tcp/22, tcp/443, tcp/3389", "4 of 4 assets") in drawn.table


def test_what_cloud_settings_grant_to_everybody_is_a_way_from_the_internet() -> None:
    cloud = [one for one in ranked() if one.finding.kind is Kind.AWS]
    estate = merge(
        [snapshot("prod", kind=Kind.AWS, spec="aws://prod", identities=(cloud[0].finding.asset,))], {}
    )
    drawn = reach(estate, cloud)
    assert [arrow.label for arrow in drawn.arrows] == ["open data"]
    assert {box.name: box.note for box in drawn.boxes}["Internet"] == "by cloud settings"
    assert "or access that the settings of a cloud account grant" in drawn.says
    assert "Nothing was probed from the internet." in drawn.says
    assert reach(estate, [msgspec.structs.replace(one, score=None) for one in cloud]).arrows == ()


def test_a_view_without_an_open_port_is_no_way_in() -> None:
    closed = merge(
        [
            snapshot(
                "10.0.0.1", seen("10.0.0.1", "outside"), kind=Kind.NETWORK, spec="net:10.0.0.1", zone="dmz"
            )
        ],
        {},
    )
    drawn = reach(closed, ())
    assert drawn.arrows == ()
    assert [box.name for box in drawn.boxes if box.dashed] == ["dmz", "No open port seen"]


def test_a_map_of_nothing_says_so() -> None:
    drawn = reach(Estate(), ())
    assert (drawn.arrows, drawn.links, drawn.table) == ((), (), ())
    assert drawn.says == "No asset was seen, so there is nothing to draw."


def test_many_zones_stand_in_the_table() -> None:
    estate = merge([snapshot(f"h{n}", zone=f"zone {n}") for n in range(9)], {})
    drawn = reach(estate, ())
    assert "5 zones more in the table" in drawn.says
    assert len(drawn.table) == 9


def test_the_curve_marks_what_the_budget_buys() -> None:
    found = actions(ranked(), company())
    plan = select(found, 8, TODAY)
    drawn = budget_curve(curve(found, TODAY, 16), plan.open_points, 8, plan.points, 16)
    assert drawn.note.text == "8 h budget"
    assert drawn.note2.text == f"removes {percent(plan.share)}"
    assert drawn.rows[0] == ("0 h", "0%")
    assert drawn.says in ("With 8 h, 99% of the open risk points are removed.",)


def test_a_budget_below_the_urgent_claims_only_what_it_buys() -> None:
    material = gather(scan(), ranked(), company(), (), budget_hours=2, today=TODAY)
    assert material.plan.missing
    drawn = executive(material).curve
    assert drawn is not None
    assert drawn.note2.text == "removes 20%"
    summary = workbook(material).summary
    assert summary.startswith("2 h is 4.2 h short of what is due within 3 days: 4 actions in 6.2 h")
    assert "2 h buys" not in summary


def test_the_history_ends_with_this_scan() -> None:
    now = figures(41, "", actions(ranked(), company()), TODAY)
    assert history((), now) is None
    drawn = history(past(40), now)
    assert drawn is not None
    assert len(drawn.bars) == 12
    assert drawn.first == "scan 30"
    assert drawn.bars[-1].label == "4"
    assert drawn.rows[-1] == ("scan 41", "4", "3")


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (hours(0.25), "0.2 h"),
        (hours(0.02), "<0.1 h"),
        (hours(0), "0 h"),
        (hours(2.0), "2 h"),
        (hours(12.4), "12 h"),
        (percent(0.0), "0%"),
        (percent(0.001), "<1%"),
        (percent(0.999), ">99%"),
        (percent(1.0), "100%"),
        (cut("a\n b\u202e" + "c" * 20, 12), "a b\\u202ecc…"),
        (listed(["a"], 2), "a"),
        (listed(["a", "b"], 2), "a and b"),
        (listed(["a", "b", "c", "d"], 2), "a, b and 2 more"),
        (listed([], 2), ""),
        (days_until("2026-11-23", TODAY), "today"),
        (days_until("2026-11-20", TODAY), "3 d late"),
        (days_until("", TODAY), "on upgrade"),
    ],
)
def test_words(shown: str, text: str) -> None:
    assert shown == text


def test_the_note_at_a_small_budget_stands_clear_of_the_stairs() -> None:
    stairs = [(0.0, 0.0), (1.0, 20.0), (2.7, 76.0), (8.0, 100.0)]
    drawn = budget_curve(stairs, 100, 0.5, 0, 8)
    beside = [y for x, y in drawn.dots if drawn.note.x <= x <= drawn.note.x + 100]
    assert beside
    assert drawn.note2.y < min(beside)
