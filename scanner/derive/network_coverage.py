"""How much of a zone was asked from one place: its addresses, and the ports that the scope names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from scanner.addresses import AddressSet, Network, text_of
from scanner.derive.network_digest import AddressDigest, CoverageDigest
from scanner.scope.zones import Policy, PortSpan

NOT_RECORDED = "which ports were asked was not recorded then; scan again"


def unasked(networks: Sequence[CoverageDigest], parts: Iterable[Network]) -> str:
    """Which addresses of these parts no scan of these networks asked; empty where all were asked."""
    covered = [ip_network(one.network, strict=False) for one in networks]
    wanted = AddressSet()
    for part in parts:
        wanted |= AddressSet.machines(part)
    left = wanted - AddressSet.of(covered)
    if left.size:
        first = text_of(next(left.networks()))
        return f"{left.size:,} of {wanted.size:,} addresses of the zone were not asked, the first in {first}"
    owned, asked = AddressSet.owned(covered).size, sum(one.asked for one in networks)
    if asked < owned:
        return f"{owned - asked:,} of {owned:,} addresses were left out of the scan"
    return ""


def unasked_port(networks: Iterable[CoverageDigest], ports: Iterable[int]) -> str:
    """The first of these TCP ports that a scan of these networks did not ask; empty where all were."""
    wanted = tuple(ports)
    if not wanted:
        return ""
    for one in networks:
        if one.tcp is None:
            return NOT_RECORDED
        asked = {port for first, last in one.tcp for port in range(first, last + 1)}
        missing = next((port for port in wanted if port not in asked), 0)
        if missing:
            return f"tcp/{missing}, which the scope names, was not asked"
    return ""


def untouched(policy: Policy, networks: Sequence[CoverageDigest], here: str, zone: str) -> str:
    """What of a zone, or which of the ports that may not pass, no scan from there asked at all."""
    free = {s for e in policy.entries(here, zone) if not e.hosts for s in e.ports}
    denied = (p for p in policy.ports_into(zone, "tcp") if not any(s.holds("tcp", p) for s in free))
    return unasked(networks, policy.parts(zone)) or unasked_port(networks, denied)


def shares(text: str, part: Network) -> bool:
    """Whether a network, as text, has an address of that part."""
    mine = ip_network(text, strict=False)
    return mine.version == part.version and mine.overlaps(part)


def undecided(here: str, span: PortSpan, asked: list[CoverageDigest], about: list[AddressDigest]) -> str:
    """Why no answer at that port does not prove that it is shut; empty where it does."""
    if not asked:
        return f"no scan from zone {here}"
    limits = [limit for one in asked for limit in one.limits]
    if limits:
        return limits[0]
    unread = [one.address for one in about if not one.whole or one.open is None]
    if unread:
        return f"the ports of {unread[0]} were not read in full"
    if span.protocol == "udp":
        return "an answer by UDP proves a service, and silence proves nothing"
    return unasked_port(asked, (span.first,))
