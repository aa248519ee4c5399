"""The matrix of zones of a scan, for its report and for scripts."""

from __future__ import annotations

from collections.abc import Callable

from baselines.evaluate import finding_id
from checks.facts.network import OUTSIDE
from reports.matrix import Cell, CellState, Matrix
from scanner.derive.network_digest import AddressDigest
from scanner.derive.network_segmentation import Segmentation, allowed_words, leaks_of, tried_way, ways_of

LEAK = "network.segmentation.leak"


def matrix(index: Segmentation, key_of: Callable[[AddressDigest], str]) -> Matrix | None:
    """What each zone reaches of each other one; None where the scope declares no zones.

    `key_of` gives the key of the asset to which an address belongs.
    """
    zones = index.policy.names
    if not index.policy.zones:
        return None
    targets = tuple(zone for zone in zones if zone != OUTSIDE)
    return Matrix(zones, tuple(_cell(index, here, zone, key_of) for here in zones for zone in targets))


def _cell(index: Segmentation, here: str, zone: str, key_of: Callable[[AddressDigest], str]) -> Cell:
    tried = tried_way(index, here, zone)
    free = index.policy.free(here, zone)
    addresses = index.addresses.get((here, zone), [])
    leaks = [(one, leak) for one in addresses for leak in leaks_of(one, index)]
    entries = [entry for entry in index.policy.entries(here, zone) if entry.required]
    ways = [way for entry in entries for way in ways_of(index, entry)]
    blocked = tuple(way.name for way in ways if not way.reason and not way.open_at)
    undecided = tuple(way.name for way in ways if way.reason)
    if leaks:
        state = CellState.LEAKS
    elif blocked:
        state = CellState.BLOCKED
    elif (tried.reason and not free) or undecided:
        state = CellState.UNTESTED
    else:
        state = CellState.FREE if free else CellState.HOLDS
    moments = sorted({n.at for n in index.networks.get((here, zone), [])})
    return Cell(
        source=here,
        zone=zone,
        state=state,
        allowed=allowed_words(index.policy, here, zone),
        leaks=len(leaks),
        blocked=blocked,
        undecided=undecided,
        addresses=tried.addresses,
        live=tried.live,
        ports=tried.ports,
        at=tuple(dict.fromkeys((moments[0], moments[-1]))) if moments else (),
        reason="" if free and tried.addresses == 0 else tried.reason,
        findings=tuple(dict.fromkeys(finding_id(key_of(one), LEAK, "", leak.port) for one, leak in leaks)),
    )
