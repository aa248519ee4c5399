"""Actions and the budget: grouping, points, the exact knapsack, what cannot wait."""

from __future__ import annotations

import itertools
import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.fix import Disruption, Effort, Fix
from checks.model import Exploit, Exposure, Outcome, Surface
from reports.estate import Estate, merge
from reports.plan import actions, curve, figures, knapsack, mandatory, open_points, overdue, select
from reports.risk import rank, weight
from tests.reports.builder import TODAY, company, finding, ranked, snapshot

ITEMS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 30)), max_size=9)


@settings(max_examples=300)
@given(ITEMS, st.integers(-3, 60))
def test_the_knapsack_equals_trying_everything(items: list[tuple[int, int]], capacity: int) -> None:
    picked = knapsack(items, capacity)
    assert list(picked) == sorted(set(picked))
    cost, gain = sum(items[i][0] for i in picked), sum(items[i][1] for i in picked)
    fitting = [
        (sum(items[i][1] for i in some), -sum(items[i][0] for i in some))
        for size in range(len(items) + 1)
        for some in itertools.combinations(range(len(items)), size)
        if sum(items[i][0] for i in some) <= capacity
    ]
    if capacity < 0:
        assert picked == ()
        return
    assert cost <= capacity
    assert (gain, -cost) == max(fitting)


def test_ties_go_to_the_earlier_items() -> None:
    assert knapsack([(5, 10), (5, 10), (5, 10)], 10) == (0, 1)


def test_findings_that_one_change_closes_are_one_action() -> None:
    found = actions(ranked(), company())
    [root] = [a for a in found if a.key == "host.ssh.root-login"]
    assert root.title == "Refuse direct root logins over SSH"
    assert (len(root.assets), len(root.findings)) == (12, 12)
    assert root.owner == "Servers, Web"
    assert root.hours == pytest.approx(((0.5 + 1.2) * 0.6, 1.7, 3.4))
    assert root.cost == 17
    assert root.clock.days == 3
    assert root.due == min(one.due for one in root.findings if one.due)
    assert root.score == max(one.score.value for one in root.findings if one.score)
    assert sum(len(a.findings) for a in found) == sum(r.finding.outcome is Outcome.FAIL for r in ranked())


def test_an_action_keeps_its_id() -> None:
    one = actions(ranked(findings=[finding()]), company())
    other = actions(ranked(findings=[finding(asset="machine-id:dmz-00", on="elsewhere")]), Estate())
    assert one[0].id == other[0].id
    assert one[0].id.startswith("A-")


def test_the_hardest_change_of_a_key_counts() -> None:
    easy = Fix(do="a", verify="a", effort=Effort(1, 0.1), key="k", action="First")
    hard = Fix(
        do="b", verify="b", effort=Effort(0.5, 2), key="k", action="Second", disruption=Disruption.REBOOT
    )
    [one] = actions(ranked(findings=[finding(fix=easy, on="1"), finding(fix=hard, on="2")]), company())
    assert one.hours[1] == pytest.approx(1 + 2)
    assert one.disruption is Disruption.REBOOT
    assert one.title.endswith("(and 1 related change)")


def test_like_assets_count_as_the_root_of_their_number() -> None:
    alike = merge([snapshot(f"h{n}") for n in range(9)], {})
    found = [finding(asset=f"machine-id:h{n}") for n in range(9)]
    order = rank(found, alike, first_seen={}, statuses={}, today=TODAY)
    [one] = actions(order, alike)
    assert order[0].score is not None
    single = weight(order[0].score.value)
    assert one.points == pytest.approx(math.sqrt(9) * single)
    unlike = merge([snapshot(f"h{n}", zone=f"z{n}") for n in range(9)], {})
    [other] = actions(rank(found, unlike, first_seen={}, statuses={}, today=TODAY), unlike)
    assert other.points == pytest.approx(9 * single)


def test_two_findings_on_one_asset_are_one_unit() -> None:
    both = [finding(on="a"), finding(on="b")]
    [one] = actions(ranked(findings=both), company())
    [single] = actions(ranked(findings=both[:1]), company())
    assert one.points == pytest.approx(single.points)


def test_what_is_urgent_is_chosen_whatever_it_costs() -> None:
    found = actions(ranked(), company())
    must = {a.id for a in found if mandatory(a, TODAY)}
    assert must
    for budget in (0.0, 0.5, 3.0, 6.2, 40.0):
        plan = select(found, budget, TODAY)
        assert must <= set(plan.chosen)
        assert set(plan.mandatory) == must
        need = sum(a.cost for a in found if a.id in must) / 10
        assert plan.missing == pytest.approx(max(0.0, need - budget))
        if plan.missing:
            assert set(plan.chosen) == must
        else:
            assert plan.hours <= budget


def test_a_great_budget_buys_everything_and_nothing_is_next() -> None:
    found = actions(ranked(), company())
    plan = select(found, 1e6, TODAY)
    assert plan.chosen == tuple(a.id for a in found)
    assert plan.share == 1
    assert plan.best_next == ""


def test_the_best_next_thing_is_named() -> None:
    found = actions(ranked(), company())
    plan = select(found, 6.2, TODAY)
    left = [a for a in found if a.id not in plan.chosen and a.cost <= 80 + round((6.2 - plan.hours) * 10)]
    assert plan.best_next == max(left, key=lambda a: a.gain).id


def test_the_curve_rises_to_the_plan() -> None:
    found = actions(ranked(), company())
    points = curve(found, TODAY, 1e6)
    assert points[0] == (0.0, 0.0)
    assert all(a[0] <= b[0] and a[1] < b[1] for a, b in itertools.pairwise(points))
    assert points[-1][1] == pytest.approx(open_points(found))
    for hours, gain in points[4:]:
        assert select(found, hours, TODAY).points == pytest.approx(gain)


@given(st.permutations(range(29)))
@settings(max_examples=20, deadline=None)
def test_the_plan_does_not_depend_on_the_order_of_findings(order: list[int]) -> None:
    failed = [one for one in ranked() if one.score]
    found = actions(failed, company())
    mixed = actions([failed[i] for i in order], company())
    assert [(a.id, a.points, a.cost) for a in mixed] == [(a.id, a.points, a.cost) for a in found]
    assert select(mixed, 7.5, TODAY) == select(found, 7.5, TODAY)


def test_late_and_soon() -> None:
    [one] = actions(
        ranked(findings=[finding(surface=Surface.DATA, exposure=Exposure.INTERNET_OPEN)], ages={}), company()
    )
    assert one.due == "2026-11-26"
    assert mandatory(one, date(2026, 11, 23))
    assert not mandatory(one, date(2026, 11, 22))
    assert not overdue(one, date(2026, 11, 26))
    assert overdue(one, date(2026, 11, 27))
    [slow] = actions(ranked(findings=[finding(exploit=Exploit.HARDENING, surface=Surface.LOCAL)]), company())
    assert slow.due == ""
    assert not mandatory(slow, date(2099, 1, 1))
    assert not overdue(slow, date(2099, 1, 1))


def test_figures_for_the_next_report() -> None:
    found = actions(ranked(), company())
    past = figures(7, "2026-11-23T10:31:00Z", found, TODAY)
    assert past.points == pytest.approx(open_points(found))
    assert (past.critical_high, past.overdue) == (4, 3)


def test_no_findings_no_plan() -> None:
    assert actions([], company()) == ()
    plan = select((), 40, TODAY)
    assert (plan.chosen, plan.points, plan.share, plan.best_next) == ((), 0, 0, "")
