"""Factors E and A of a finding: who can reach it, and what is lost with it, each with its evidence."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

import msgspec

from checks.facts.network import INSIDE, LOOPBACK, OUTSIDE
from checks.model import AssetValue, Exploit, Exposure, Finding, Surface
from reports.estate import VALUES, Estate, Socket, View
from reports.model import Asset

REACH = {
    Exposure.INTERNET_OPEN: 1.0,
    Exposure.INTERNET_LIMITED: 0.7,
    Exposure.OTHER_ZONE: 0.5,
    Exposure.SAME_ZONE: 0.35,
    Exposure.LOCAL: 0.2,
    Exposure.UNREACHABLE: 0.1,
    Exposure.UNKNOWN: 0.7,
}
"""Factor E of the risk model; what is not known counts as much as a guarded way from the internet."""

HOP = 0.85
"""How much of an asset's value is left one step away from it."""
MAX_HOPS = 8

_UNGUARDED = frozenset({Exploit.NO_EXPLOIT_NEEDED, Exploit.ACTIVE})
"""Exploits that nothing stands before, once the port answers."""

_VALUE_WORDS = {
    AssetValue.LOW: "low value",
    AssetValue.STANDARD: "standard value",
    AssetValue.IMPORTANT: "important",
    AssetValue.CROWN_JEWEL: "crown jewel",
}


class Exposed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who can reach a weakness, and the sentence that says how that is known."""

    exposure: Exposure
    because: str


class Worth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is lost with an asset (0.4 to 1): its own value, or what can be reached from it."""

    value: float
    because: str


class Surroundings:
    """An estate, ordered for looking up one finding after another."""

    def __init__(self, estate: Estate) -> None:
        self._assets: Mapping[str, Asset] = {asset.key: asset for asset in estate.assets}
        self._views: dict[str, list[View]] = defaultdict(list)
        self._sockets: dict[tuple[str, str], Socket] = {(s.asset, s.port): s for s in estate.sockets}
        self._next: dict[str, list[str]] = defaultdict(list)
        for view in estate.views:
            self._views[view.asset].append(view)
        for edge in estate.edges:
            self._next[edge.source].append(edge.target)

    def name(self, key: str) -> str:
        """What people call the asset; its key where the estate does not hold it."""
        asset = self._assets.get(key)
        return asset.name if asset else key

    def exposed(self, finding: Finding) -> Exposed:
        """Who can reach the weakness of a finding."""
        if finding.exposure is not None:
            return Exposed(
                finding.exposure, finding.exposure_evidence or "stated by the check's own evidence"
            )
        match finding.surface:
            case Surface.LOCAL:
                return Exposed(Exposure.LOCAL, "used only by somebody who already has a foothold there")
            case Surface.CONTROL_PLANE:
                reason = "API reachable from the internet, authentication required"
                return Exposed(Exposure.INTERNET_LIMITED, reason)
            case Surface.DATA:
                return Exposed(Exposure.UNKNOWN, "the check's evidence does not say who can reach it")
            case Surface.SERVICE:
                return self._service(finding)

    def worth(self, key: str) -> Worth:
        """A = the greatest A_j · 0.85^hops over all assets j that can be reached from this one."""
        best = Worth(0.0, "")
        seen, queue = {key}, deque([(key, 0)])
        while queue:
            here, hops = queue.popleft()
            asset = self._assets.get(here)
            own = asset.value if asset else AssetValue.STANDARD
            value = VALUES[own] * HOP**hops
            if value > best.value:
                best = Worth(value, _worth_words(self.name(here), own, hops))
            for further in sorted(self._next.get(here, ())):
                if further not in seen and hops < MAX_HOPS:
                    seen.add(further)
                    queue.append((further, hops + 1))
        return best

    def _service(self, finding: Finding) -> Exposed:
        if not finding.port:
            return Exposed(Exposure.UNKNOWN, "a service, but its port is not known")
        views = self._views.get(finding.asset, [])
        zone = asset.zone if (asset := self._assets.get(finding.asset)) else ""
        answers = [_answered(finding, view, zone) for view in views if finding.port in view.ports]
        reached = [one for one in answers if one.exposure is not Exposure.LOCAL]
        if reached:
            return max(reached, key=lambda one: REACH[one.exposure])
        socket = self._sockets.get((finding.asset, finding.port))
        if socket and socket.loopback_only:
            where = ", ".join(socket.addresses)
            return Exposed(Exposure.LOCAL, f"{finding.port} listens on {where} only, says the host itself")
        if answers:
            return Exposed(Exposure.UNKNOWN, f"{answers[0].because}; no other vantage has looked")
        if views:
            seen_from = " and ".join(sorted({f'"{view.vantage}"' for view in views}))
            return Exposed(
                Exposure.UNKNOWN,
                f"{finding.port} was not seen open from {seen_from}; who reaches it is not known",
            )
        return Exposed(
            Exposure.UNKNOWN, f"no network view of this asset: who reaches {finding.port} is not known"
        )


def moment(at: str) -> str:
    """`2026-11-23 10:02Z` of an RFC 3339 time in UTC; other texts stay as they are."""
    return f"{at[:10]} {at[11:16]}Z" if len(at) >= 17 and at[10] == "T" and at.endswith("Z") else at


def widest(exposures: Iterable[Exposure]) -> Exposure | None:
    """The exposure that counts most, or None of none."""
    return max(exposures, key=lambda e: REACH[e], default=None)


def _answered(finding: Finding, view: View, zone: str) -> Exposed:
    probe = "SYN" if view.mode == "syn" else view.mode
    said = f'{finding.port} answered a {probe} probe from "{view.vantage}" at {moment(view.at)}'
    if view.vantage == LOOPBACK:
        return Exposed(Exposure.LOCAL, said)
    if view.vantage == OUTSIDE:
        if finding.exploit in _UNGUARDED:
            return Exposed(Exposure.INTERNET_OPEN, said)
        return Exposed(Exposure.INTERNET_LIMITED, f"{said}; what answers asks for authentication")
    if view.vantage in (INSIDE, zone):
        return Exposed(Exposure.SAME_ZONE, said)
    return Exposed(Exposure.OTHER_ZONE, said)


def _worth_words(name: str, value: AssetValue, hops: int) -> str:
    away = "" if hops == 0 else f", in {hops} {'hop' if hops == 1 else 'hops'}"
    return f"{name}, {_VALUE_WORDS[value]}{away}"
