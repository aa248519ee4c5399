"""From findings to actions, and which actions a budget of hours buys."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from checks.fix import Disruption
from checks.model import AssetValue, Kind
from reports.estate import Estate
from reports.model import Asset, Band, Clock, Past, Ranked
from reports.risk import band, weight

URGENT_DAYS = 3
"""Actions that fall due within so many days come before everything else."""
NEXT_HOURS = 8.0
"""How much more a budget is imagined to hold when the best next thing is named."""

_POINT = 1_000_000
"""Points are added as whole millionths: sums of floats would depend on their order."""
_CURVE_STEPS = 48
_DISRUPTIONS = tuple(Disruption)


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change that closes its findings: the unit of work and of planning.

    `id` depends on the key of the change alone. `assets` are keys, sorted; `hours` are (low, likely,
    high); `clock` is the tightest and `due` the earliest of its findings, empty where none has a date;
    `points` its risk points and `score` its highest score.
    """

    id: str
    key: str
    title: str
    owner: str
    assets: tuple[str, ...]
    findings: tuple[Ranked, ...]
    hours: tuple[float, float, float]
    disruption: Disruption
    clock: Clock
    due: str
    points: float
    score: float
    band: Band

    @property
    def cost(self) -> int:
        """Its likely hours in tenths, rounded up."""
        return math.ceil(round(self.hours[1] * 10, 6))

    @property
    def gain(self) -> int:
        """Its risk points in millionths."""
        return round(self.points * _POINT)


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a budget buys.

    `chosen` are the ids of the actions to do, in order of score; `mandatory` those that cannot wait,
    which are always chosen. `missing` is by how many hours the mandatory ones exceed the budget.
    `best_next` is the action that eight more hours would add, or empty. Points and hours are sums.
    """

    budget: float
    chosen: tuple[str, ...]
    mandatory: tuple[str, ...]
    missing: float
    hours: float
    points: float
    open_points: float
    best_next: str

    @property
    def share(self) -> float:
        """The part of all open risk points that the chosen actions take away, from 0 to 1."""
        return self.points / self.open_points if self.open_points else 0.0


def actions(ranked: Iterable[Ranked], estate: Estate) -> tuple[Action, ...]:
    """The actions that close the failures among these findings, by score, deadline and id."""
    groups: dict[str, list[Ranked]] = defaultdict(list)
    for one in ranked:
        if one.score is not None:
            groups[one.finding.fix_key].append(one)
    assets = {asset.key: asset for asset in estate.assets}
    made = [_action(key, group, assets) for key, group in groups.items()]
    return tuple(sorted(made, key=lambda a: (-a.score, a.due or "9999", a.id)))


def mandatory(action: Action, today: date) -> bool:
    """Whether the action falls due within three days, or is past due."""
    soon = (today + timedelta(days=URGENT_DAYS)).isoformat()
    return bool(action.due) and action.due <= soon


def overdue(action: Action, today: date) -> bool:
    """Whether the action's earliest due date has gone by."""
    return bool(action.due) and action.due < today.isoformat()


def open_points(found: Iterable[Action]) -> float:
    """The risk points of all these actions."""
    return sum(action.gain for action in found) / _POINT


def select(found: Sequence[Action], budget: float, today: date) -> Plan:
    """The set of actions with the most risk points that fits in the budget (likely hours).

    What cannot wait is chosen first, whatever it costs; the rest is an exact 0/1 knapsack over tenths
    of an hour. Among equally good sets the cheapest is taken, then the one with the smaller ids.
    """
    must = [action for action in found if mandatory(action, today)]
    rest = sorted((a for a in found if not mandatory(a, today)), key=lambda a: a.id)
    capacity = math.floor(round(budget * 10, 6)) - sum(a.cost for a in must)
    picked = knapsack([(a.cost, a.gain) for a in rest], capacity) if capacity >= 0 else ()
    bought = {a.id for a in must} | {rest[i].id for i in picked}
    chosen = [a for a in found if a.id in bought]
    room = max(capacity, 0) - sum(rest[i].cost for i in picked) + round(NEXT_HOURS * 10)
    further = [a for a in rest if a.id not in bought and a.cost <= room]
    return Plan(
        budget=budget,
        chosen=tuple(a.id for a in chosen),
        mandatory=tuple(a.id for a in chosen if mandatory(a, today)),
        missing=max(-capacity, 0) / 10,
        hours=sum(a.cost for a in chosen) / 10,
        points=open_points(chosen),
        open_points=open_points(found),
        best_next=min(further, key=lambda a: (-a.gain, a.cost, a.id)).id if further else "",
    )


def knapsack(items: Sequence[tuple[int, int]], capacity: int) -> tuple[int, ...]:
    """The indices of the (cost, gain) items with the greatest gain whose costs fit, ascending.

    Of equal gains the smallest cost wins, then the earlier items. Exact; time and memory grow with
    the number of items times the capacity; a capacity for all of them needs no table.
    """
    if capacity < 0:
        return ()
    if capacity >= sum(cost for cost, _ in items):
        return tuple(index for index, (_, gain) in enumerate(items) if gain > 0)
    # Backwards, so that the way back through the table meets the earliest item first and prefers it.
    best = [[0] * (capacity + 1)]
    for cost, gain in reversed(items):
        best.append(_with(best[-1], cost, gain))
    left = best[-1].index(best[-1][capacity])
    chosen: list[int] = []
    for index, (cost, gain) in enumerate(items):
        table = best[len(items) - index - 1]
        if gain > 0 and cost <= left and table[left - cost] + gain == best[len(items) - index][left]:
            chosen.append(index)
            left -= cost
    return tuple(chosen)


def curve(found: Sequence[Action], today: date, most: float) -> tuple[tuple[float, float], ...]:
    """(hours, risk points removed) of the best plans up to `most` hours: what the budget buys.

    Rises with the actions that cannot wait, by score, then along the optimum of every budget.
    """
    points: list[tuple[float, float]] = [(0.0, 0.0)]
    cost = gain = 0
    for action in (a for a in found if mandatory(a, today)):
        cost, gain = cost + action.cost, gain + action.gain
        points.append((cost / 10, gain / _POINT))
    rest = [a for a in found if not mandatory(a, today)]
    capacity = min(sum(a.cost for a in rest), max(0, math.ceil(most * 10) - cost))
    best = [0] * (capacity + 1)
    for action in rest:
        best = _with(best, action.cost, action.gain)
    step = max(1, capacity // _CURVE_STEPS)
    for spent in sorted({*range(0, capacity + 1, step), capacity}):
        at = ((cost + spent) / 10, (gain + best[spent]) / _POINT)
        if at[1] > points[-1][1]:
            points.append(at)
    return tuple(points)


def figures(number: int, finished: str, found: Iterable[Action], today: date) -> Past:
    """What a later report needs to know of this scan."""
    known = tuple(found)
    return Past(
        number=number,
        finished=finished,
        points=open_points(known),
        critical_high=sum(a.band in (Band.CRITICAL, Band.HIGH) for a in known),
        overdue=sum(a.band in (Band.CRITICAL, Band.HIGH) and overdue(a, today) for a in known),
    )


def action_id(key: str) -> str:
    """The lasting id of the action with that fix key."""
    return "A-" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def _with(best: list[int], cost: int, gain: int) -> list[int]:
    """The best gain at every capacity once one more item may be taken."""
    if gain <= 0 or cost >= len(best):
        return best
    taken = [value + gain for value in (best[:-cost] if cost else best)]
    return best[:cost] + list(map(max, best[cost:], taken))


def _action(key: str, group: Sequence[Ranked], assets: Mapping[str, Asset]) -> Action:
    titles = list(dict.fromkeys(one.finding.fix.action for one in group))
    held = sorted({one.finding.asset for one in group})
    owners = sorted({assets[k].owner for k in held if k in assets} - {""})
    efforts = [one.finding.fix.effort for one in group]
    likely = max(e.setup for e in efforts) + max(e.each for e in efforts) * len(held)
    low, high = min(e.low for e in efforts), max(e.high for e in efforts)
    clocks = [one.clock for one in group if one.clock]
    top = max(one.score.value for one in group if one.score)
    more = len(titles) - 1
    return Action(
        id=action_id(key),
        key=key,
        title=titles[0] + (f" (and {more} related {'change' if more == 1 else 'changes'})" if more else ""),
        owner=", ".join(owners),
        assets=tuple(held),
        findings=tuple(group),
        hours=(likely * low, likely, likely * high),
        disruption=max((one.finding.fix.disruption for one in group), key=_DISRUPTIONS.index),
        clock=min(clocks, key=lambda c: math.inf if c.days is None else c.days),
        due=min((one.due for one in group if one.due), default=""),
        points=_points(group, assets),
        score=top,
        band=band(top),
    )


def _points(group: Iterable[Ranked], assets: Mapping[str, Asset]) -> float:
    """Σ w(R) over the (action, asset) units, where n like assets with equal R count as √n.

    Like assets are of the same kinds, zone and value. Their weights are added as the root of their
    squares, which for equal weights is √n · w and for unequal ones has no jumps.
    """
    units: dict[str, float] = defaultdict(float)
    for one in group:
        if one.score:
            key = one.finding.asset
            units[key] = max(units[key], weight(one.score.value))
    sorts: dict[tuple[tuple[Kind, ...], str, AssetValue] | str, list[float]] = defaultdict(list)
    for key, points in sorted(units.items()):
        asset = assets.get(key)
        sorts[(asset.kinds, asset.zone, asset.value) if asset else key].append(points)
    return math.fsum(math.sqrt(math.fsum(w * w for w in like)) for like in sorts.values())
