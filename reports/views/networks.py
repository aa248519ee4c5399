"""The networks that were looked at: from where, how, how long, and what of them stayed without an answer."""

from __future__ import annotations

import msgspec

from reports.estate import Estate
from reports.views.words import counted, cut, percent

MOST = 100
"""Networks in the table; the foot of the page counts the others."""
LIMITS = 6
_WAYS = {"syn": "SYN packets", "connect": "connections"}


class Looked(msgspec.Struct, frozen=True):
    """One network as one row: every figure in words that need no legend."""

    name: str
    network: str
    vantage: str
    way: str
    addresses: str
    ports: str
    sent: str
    silent: str
    limits: tuple[str, ...]


def looked(estate: Estate) -> tuple[Looked, ...]:
    """The networks of a scan, in the order of the estate."""
    return tuple(
        Looked(
            name=cut(one.name, 60),
            network=one.network,
            vantage=one.vantage or "nowhere: it was not reached",
            way=" and ".join(_WAYS.get(way, way) for way in one.mode.split(" and ") if way) or "not at all",
            addresses=f"{one.asked:,} asked, {one.live:,} live, {one.excluded:,} left out",
            ports=counted(one.ports, "TCP port"),
            sent=f"{counted(one.packets, 'probe')} in {one.seconds:,.0f} s",
            silent=percent(one.pairs_silent / one.pairs) if one.pairs else "not known",
            limits=tuple(cut(limit, 300) for limit in one.limits[:LIMITS])
            + ((f"and {len(one.limits) - LIMITS} more",) if len(one.limits) > LIMITS else ()),
        )
        for one in estate.networks[:MOST]
    )
