"""The map: from which vantage which zone is reached, and what stands there.

Only what a probe saw, or what the configuration of a cloud grants to everybody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from checks.facts.network import LOOPBACK, OUTSIDE
from checks.model import AssetValue, Exposure, Finding, Kind
from reports.estate import VALUES, Estate, View
from reports.model import Asset, Band, Ranked
from reports.risk import band, figure, roll_up
from reports.views.words import GLYPHS, counted, cut

ZONES = 4
_DATA = "open data"
PORTS = 4
_ROW, _TOP = 46.0, 8.0


class Box(msgspec.Struct, frozen=True):
    """A vantage, a zone or an asset on the map. `dashed`: nothing is known of how it is reached."""

    x: float
    y: float
    width: float
    name: str
    note: str
    dashed: bool = False
    valued: bool = False
    band: Band | None = None


class Arrow(msgspec.Struct, frozen=True):
    """What of a zone a vantage reaches; `strong` where a critical or high failure is behind them."""

    path: str
    x: float
    y: float
    label_y: float
    label: str
    strong: bool


class Map(msgspec.Struct, frozen=True):
    """The picture, the sentence under it, and the table behind it."""

    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    links: tuple[str, ...]
    says: str
    table: tuple[tuple[str, ...], ...]


def reach(estate: Estate, ranked: Iterable[Ranked]) -> Map:
    """The map of an estate with its failures."""
    ranked = tuple(ranked)
    risks = _risks(ranked)
    granted = _granted(ranked)
    zones: dict[str, list[Asset]] = defaultdict(list)
    for asset in estate.assets:
        zones[zone_of(asset)].append(asset)
    order = sorted(zones, key=lambda z: (-max(risks.get(a.key, 0.0) for a in zones[z]), z))
    seen = _answers((*estate.views, *granted), zones)
    known = {zone for _, zone in seen}
    shown = order[:ZONES]
    looked = {vantage for vantage, zone in seen if zone in shown}
    vantages = sorted(looked, key=lambda v: (v != OUTSIDE, v == LOOPBACK, v))[:ZONES]
    rows = max(len(shown), len(vantages), 1)
    zone_y = {zone: _y(index, len(shown), rows) for index, zone in enumerate(shown)}
    vantage_y = {name: _y(index, len(vantages), rows) for index, name in enumerate(vantages)}
    boxes = [_zone_box(zone, zones[zone], risks, y, zone in known) for zone, y in zone_y.items()]
    probed = {view.vantage for view in estate.views}
    boxes += [_vantage_box(name, y, name in probed) for name, y in vantage_y.items()]
    boxes += [_asset_box(zones[zone], risks, y) for zone, y in zone_y.items()]
    if not vantages:
        boxes.append(Box(4, _y(0, 1, rows), 156, "No open port seen", "reach is not known", dashed=True))
    return Map(
        height=_TOP * 2 + rows * _ROW,
        boxes=tuple(boxes),
        arrows=tuple(
            _arrow(vantage_y[vantage], zone_y[zone], found, risks)
            for (vantage, zone), found in sorted(seen.items())
            if vantage in vantage_y and zone in zone_y
        ),
        links=tuple(f"M470 {y + 18} L532 {y + 18}" for y in zone_y.values()),
        says=_says(order, known, estate, granted),
        table=_rows(order, zones, seen),
    )


def _risks(ranked: Iterable[Ranked]) -> dict[str, float]:
    scores: dict[str, list[float]] = defaultdict(list)
    for one in ranked:
        if one.score:
            scores[one.finding.asset].append(one.score.value)
    return {key: roll_up(values) for key, values in scores.items()}


def _granted(ranked: Iterable[Ranked]) -> tuple[View, ...]:
    """What the internet reaches by configuration: seen in the settings, not by a probe from there."""
    return tuple(
        View(one.finding.asset, "", OUTSIDE, "configuration", "", 0, (one.finding.port or _DATA,))
        for one in ranked
        if one.score and one.finding.kind is Kind.AWS and _reached(one.finding)
    )


def _reached(finding: Finding) -> bool:
    guarded = finding.exposure is Exposure.INTERNET_LIMITED and bool(finding.port)
    return guarded or finding.exposure is Exposure.INTERNET_OPEN


def _answers(
    views: Iterable[View], zones: Mapping[str, Iterable[Asset]]
) -> Mapping[tuple[str, str], Sequence[View]]:
    """The views that saw a way in, by vantage and zone."""
    home = {asset.key: zone for zone, held in zones.items() for asset in held}
    seen: dict[tuple[str, str], list[View]] = defaultdict(list)
    for view in views:
        if view.ports and view.asset in home:
            seen[view.vantage, home[view.asset]].append(view)
    return seen


def zone_of(asset: Asset) -> str:
    """The zone as the scope names it, else a name that says what is known."""
    if asset.zone:
        return asset.zone
    return "AWS" if asset.kinds == (Kind.AWS,) else "no zone named"


def vantage_name(vantage: str) -> str:
    """`Internet` for the vantage outside, else the zone of the scanner."""
    if vantage == OUTSIDE:
        return "Internet"
    return "The scanner itself" if vantage == LOOPBACK else cut(f"From {vantage}", 16)


def _y(index: int, count: int, rows: int) -> float:
    return _TOP + _ROW * (index + (rows - count) / 2)


def _vantage_box(vantage: str, y: float, probed: bool) -> Box:
    note = f'vantage "{cut(vantage, 12)}"' if probed else "by cloud settings"
    return Box(4, y, 132, vantage_name(vantage), note)


def _zone_box(zone: str, held: Sequence[Asset], risks: Mapping[str, float], y: float, known: bool) -> Box:
    urgent = sum(risks.get(asset.key, 0.0) >= 60 for asset in held)
    note = counted(len(held), "asset") + (f" · {urgent:,} ▲◆" if urgent else "")
    return Box(300, y, 170, cut(zone, 22), note if known else f"{note} · reach unseen", dashed=not known)


def _asset_box(held: Sequence[Asset], risks: Mapping[str, float], y: float) -> Box:
    def weight(asset: Asset) -> tuple[float, float, str]:
        return -VALUES[asset.value] * (0.2 + risks.get(asset.key, 0.0)), -VALUES[asset.value], asset.key

    top = min(held, key=weight)
    value = top.value.value.replace("-", " ")
    risk = risks.get(top.key, 0.0)
    note = f"{value} · {GLYPHS[band(risk)]} {figure(risk)}" if risk else f"{value} · no failure seen"
    if len(held) > 1:
        note += f" · first of {len(held):,}"
    valued = top.value in (AssetValue.IMPORTANT, AssetValue.CROWN_JEWEL)
    return Box(532, y, 184, cut(top.name, 23), note, valued=valued, band=band(risk) if risk else None)


def _arrow(start: float, end: float, views: Sequence[View], risks: Mapping[str, float]) -> Arrow:
    names = _by_frequency(views)
    label = " · ".join(names[:PORTS]) + (f" +{len(names) - PORTS}" if len(names) > PORTS else "")
    y1, y2 = start + 18, end + 18
    return Arrow(
        path=f"M136 {y1} C218 {y1} 218 {y2} 296 {y2}",
        x=286,
        y=y2,
        # A curve that falls runs above its end, so its label stands below it.
        label_y=y2 + (13 if y1 < y2 else -6),
        label=cut(label, 27),
        strong=any(risks.get(view.asset, 0.0) >= 60 for view in views),
    )


def _by_frequency(views: Iterable[View]) -> list[str]:
    counts = Counter(port for view in views for port in view.ports)
    return [port for port, _ in sorted(counts.items(), key=lambda item: (-item[1], _number(item[0])))]


def _number(port: str) -> tuple[str, int]:
    protocol, _, text = port.partition("/")
    return protocol, int(text) if text.isdigit() else 0


def _says(order: Sequence[str], known: set[str], estate: Estate, granted: Sequence[View]) -> str:
    if not order:
        return "No asset was seen, so there is nothing to draw."
    also = ", or access that the settings of a cloud account grant" if granted else " and nothing else"
    parts = [f"Arrows are ports that answered a probe{also}; thin lines say where an asset stands."]
    unseen = [zone for zone in order if zone not in known]
    if unseen:
        names = ", ".join(cut(zone, 24) for zone in unseen[:3]) + (" and others" if len(unseen) > 3 else "")
        parts.append(f"No probe got an answer from {names}: who reaches it is not known.")
    if len(order) > ZONES:
        parts.append(f"{counted(len(order) - ZONES, 'zone')} more in the table behind the picture.")
    if not any(view.vantage == OUTSIDE for view in estate.views):
        parts.append("Nothing was probed from the internet.")
    return " ".join(parts)


def _rows(
    order: Iterable[str],
    zones: Mapping[str, Sequence[Asset]],
    seen: Mapping[tuple[str, str], Sequence[View]],
) -> tuple[tuple[str, ...], ...]:
    rows = []
    for zone in order:
        held = counted(len(zones[zone]), "asset")
        views = {vantage: found for (vantage, at), found in sorted(seen.items()) if at == zone}
        if not views:
            rows.append(("none", cut(zone, 60), "not known", held))
        for vantage, found in views.items():
            ports = ", ".join(_by_frequency(found)[:12])
            rows.append(
                (cut(vantage, 40), cut(zone, 60), ports, f"{len({v.asset for v in found}):,} of {held}")
            )
    return tuple(rows[:60])
