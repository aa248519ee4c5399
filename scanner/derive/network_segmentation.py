"""Sets what every network of a scan showed beside what its scope lets pass between zones.

`segmentation` makes one index of all digests; `derivations` tell what it says of one address or network, and
`matrix` gives it as a whole. Everything goes by the scope as it was recorded with the scan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from baselines.text import TextError
from checks.facts.network import NetworkCoverage, OpenPorts, PortAnswers, PortRange
from checks.facts.network.segmentation import (
    Crossing,
    Leak,
    RequiredWay,
    RequiredWays,
    TriedWay,
    TriedWays,
)
from checks.facts.snapshot import Absence, Fact, Gap, Snapshot, source
from scanner.addresses import Network
from scanner.collect.collector import Collected
from scanner.derive.derivation import Derivation
from scanner.derive.network_coverage import shares, unasked, undecided, untouched
from scanner.derive.network_digest import AddressDigest, CoverageDigest
from scanner.scope import read_scope
from scanner.scope.zones import Policy, ReachEntry

NO_ZONES = "the scope declares no zones (zones: and reach:)"


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The policy and all that was seen of it: addresses and networks by (own zone, zone of the target)."""

    policy: Policy = field(default_factory=Policy)
    fault: str = ""
    """Why the recorded scope cannot be read; empty where it can."""
    networks: dict[tuple[str, str], list[CoverageDigest]] = field(default_factory=dict)
    addresses: dict[tuple[str, str], list[AddressDigest]] = field(default_factory=dict)
    first: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The network of each zone whose snapshot tells what is missing: its spec and vantage."""

    def zone_of(self, one: AddressDigest | CoverageDigest | Snapshot) -> str:
        """The declared zone of an address or a network, or an empty text."""
        if isinstance(one, Snapshot):
            place = one.addresses[0] if one.addresses else one.target.spec.removeprefix("net:")
            given = one.target.zone
        else:
            place, given = one.address if isinstance(one, AddressDigest) else one.network, one.zone
        found = self.policy.zone_of(ip_network(place) if "/" in place else ip_address(place))
        return found or (given if given in self.policy.names else "")

    def own_zone(self, vantage: str) -> str:
        """The zone in which the scanner stood, or an empty text."""
        return vantage if vantage in self.policy.names else ""


def policy_of(scope_text: str) -> tuple[Policy, str]:
    """The policy of a recorded scope file, or the reason why it cannot be read."""
    if not scope_text:
        return Policy(), ""
    try:
        return read_scope(scope_text.encode(), "the scope of the scan").policy, ""
    except TextError as error:
        return Policy(), f"the scope that was recorded with the scan cannot be read: {error}"


def segmentation(scope_text: str, digests: Iterable[AddressDigest | CoverageDigest | None]) -> Segmentation:
    """The index over all snapshots of networks of a scan."""
    policy, fault = policy_of(scope_text)
    index = Segmentation(policy, fault)
    networks: dict[tuple[str, str], list[CoverageDigest]] = defaultdict(list)
    addresses: dict[tuple[str, str], list[AddressDigest]] = defaultdict(list)
    first: dict[str, tuple[str, str]] = {}
    whole = [one for one in digests if one is not None] if policy.zones else []
    for one in sorted(whole, key=lambda d: (d.spec, d.vantage)):
        zone = index.zone_of(one)
        if isinstance(one, CoverageDigest):
            if zone:
                first.setdefault(zone, (one.spec, one.vantage))
            networks[index.own_zone(one.vantage), zone].append(one)
        else:
            addresses[index.own_zone(one.vantage), zone].append(one)
    return Segmentation(policy, fault, dict(networks), dict(addresses), first)


def derivations(index: Segmentation) -> tuple[Derivation, ...]:
    """How the facts of an address, and those of a network, are made."""
    return (
        Derivation((Crossing,), lambda seen: _crossing(seen, index)),
        Derivation((TriedWays,), lambda seen: _tried(seen, index)),
        Derivation((RequiredWays,), lambda seen: _required(seen, index)),
    )


def leaks_of(one: AddressDigest, index: Segmentation) -> tuple[Leak, ...]:
    """The open ports of an address that its zone does not let in from where the scanner stood."""
    here, zone = index.own_zone(one.vantage), index.zone_of(one)
    found = []
    seen = {} if one.between else one.open or {}
    for port, service in sorted(seen.items()):
        protocol, _, number = port.partition("/")
        if here and zone and not index.policy.allows(here, zone, one.address, protocol, int(number)):
            found.append(Leak(port, service, one.address))
    return tuple(found)


def allowed_words(policy: Policy, here: str, zone: str) -> str:
    """What may pass, in words: `tcp/443, udp/53`, `everything`, `nothing`."""
    if policy.free(here, zone):
        return "everything"
    spans = dict.fromkeys(
        span.text + (f" at {', '.join(map(_bare, entry.hosts))}" if entry.hosts else "")
        for entry in policy.entries(here, zone)
        for span in entry.ports
    )
    return ", ".join(spans) or "nothing"


def _bare(network: Network) -> str:
    text = str(network)
    return text.removesuffix("/32" if "." in text else "/128")


def _placed(seen: Snapshot, fact: type[Fact], vantage: str, index: Segmentation) -> Collected | None:
    """Why this snapshot has no place between zones; None where it has one."""
    name = fact.__name__
    if index.fault:
        return Collected(gaps=(Gap(name, index.fault),))
    if not index.policy.zones:
        return Collected(absences=(Absence(name, NO_ZONES),))
    if not index.own_zone(vantage):
        reason = f'this scan stood at "{vantage}", which is no zone of the scope'
        return Collected(gaps=(Gap(name, reason, needs="vantage: ZONE under the network in the scope"),))
    if not index.zone_of(seen):
        what = seen.addresses[0] if seen.addresses else seen.target.spec.removeprefix("net:")
        return Collected(gaps=(Gap(name, f"{what} is in no zone of the scope", needs="zones: in the scope"),))
    return None


def _crossing(seen: Snapshot, index: Segmentation) -> Collected:
    ports, answers = seen.get(OpenPorts), seen.get(PortAnswers)
    if not isinstance(ports, OpenPorts) or not isinstance(answers, PortAnswers):
        return Collected()
    nowhere = _placed(seen, Crossing, ports.vantage, index)
    if nowhere is not None:
        return nowhere
    policy, here, zone = index.policy, index.own_zone(ports.vantage), index.zone_of(seen)
    if answers.in_between:
        return Collected(gaps=(Gap("Crossing", answers.in_between, needs="a look from a place past it"),))
    if policy.free(here, zone):
        reason = f"the scope lets everything pass from {here} to {zone}"
        return Collected(absences=(Absence("Crossing", reason),))
    allowed = policy.allowed_ports(here, zone, ports.address)
    closed = _beside(answers.closed, allowed)
    silent = _beside(answers.silent, allowed)
    leaks = tuple(
        Leak(port.name, port.service, ports.address)
        for port in ports.ports
        if not policy.allows(here, zone, ports.address, port.protocol, port.number)
    )
    tcp = sum(1 for leak in leaks if leak.port.startswith("tcp/"))
    fact = Crossing(
        address=ports.address,
        source=here,
        zone=zone,
        allowed=allowed_words(policy, here, zone),
        denied=closed + silent + tcp,
        closed=closed,
        silent=silent,
        leaks=leaks,
    )
    lines = "\n".join(f"{leak.port} open, which {fact.way} does not allow" for leak in leaks)
    said = f"{fact.denied} ports asked that may not pass: {closed} refused, {silent} silent to two tries\n"
    how = f"the ports of {ports.address} as seen from {here}, held against the scope of the scan"
    return Collected((fact,), sources=(source(Crossing, how, seen.taken_at, said + lines),))


def _beside(ranges: Iterable[PortRange], allowed: frozenset[int]) -> int:
    """How many ports of these ranges are not among those."""
    return sum(len(set(range(r.first, r.last + 1)) - allowed) for r in ranges)


def _tried(seen: Snapshot, index: Segmentation) -> Collected:
    found = seen.get(NetworkCoverage)
    if not isinstance(found, NetworkCoverage):
        return Collected()
    nowhere = _placed(seen, TriedWays, found.vantage, index)
    zone = index.zone_of(seen) if not (index.fault or not index.policy.zones) else ""
    ways: list[TriedWay] = []
    if nowhere is None:
        own = index.own_zone(found.vantage)
        if not index.policy.free(own, zone):
            ways.append(tried_way(index, own, zone, seen.target.spec))
    elif not zone:
        return nowhere
    if index.first.get(zone) == (seen.target.spec, found.vantage):
        ways += list(_untried(index, zone))
    gaps = nowhere.gaps if nowhere is not None and not ways else ()
    how = "the ways between zones that the scope forbids, and which of them were tried"
    said = "\n".join(f"{w.way}: {w.reason or f'{w.addresses} addresses × {w.ports} ports'}" for w in ways)
    return Collected(
        (TriedWays(tuple(ways)),), gaps=gaps, sources=(source(TriedWays, how, seen.taken_at, said),)
    )


def tried_way(index: Segmentation, here: str, zone: str, spec: str = "") -> TriedWay:
    """What was tried from one zone to another, in one network or in all of them."""
    networks = [n for n in index.networks.get((here, zone), []) if spec in ("", n.spec)]
    addresses = [a for a in index.addresses.get((here, zone), []) if spec in ("", a.parent)]
    asked = sum(n.asked for n in networks)
    cut = [limit for n in networks for limit in n.limits]
    unread = [a.address for a in addresses if not a.whole]
    reason = needs = ""
    if not networks:
        reason, needs = f"no scan from zone {here}", f"a scan from {here} (vantage: {here})"
    elif not asked:
        reason, needs = "no address was asked", "addresses of the zone that may be asked"
    elif cut:
        reason, needs = cut[0], "more time, or a route"
    elif unread:
        reason = f"the ports of {', '.join(unread[:3])} were not read in full"
        needs = "a look past what answers in their place, or more time"
    elif reason := untouched(index.policy, index.networks.get((here, zone), []), here, zone):
        needs = f"a scan from {here} of all of the zone, by the ways that the scope names now"
    return TriedWay(
        source=here,
        zone=zone,
        allowed=allowed_words(index.policy, here, zone),
        addresses=asked,
        live=sum(n.live for n in networks),
        ports=max((n.ports for n in networks), default=0),
        leaks=sum(len(leaks_of(a, index)) for a in addresses),
        reason=reason,
        needs=needs,
    )


def _untried(index: Segmentation, zone: str) -> Iterator[TriedWay]:
    for other in index.policy.names:
        if other != zone and not index.policy.free(other, zone) and (other, zone) not in index.networks:
            yield tried_way(index, other, zone)


def _required(seen: Snapshot, index: Segmentation) -> Collected:
    found = seen.get(NetworkCoverage)
    if not isinstance(found, NetworkCoverage):
        return Collected()
    if index.fault:
        return Collected(gaps=(Gap("RequiredWays", index.fault),))
    zone = index.zone_of(seen) if index.policy.zones else ""
    entries = [e for e in index.policy.reach if e.required and e.to == zone]
    if not entries or index.first.get(zone) != (seen.target.spec, found.vantage):
        why = "the scope requires no way into this zone" if zone else NO_ZONES
        if entries:
            why = f"the first network of the zone {zone} has them"
        return Collected(absences=(Absence("RequiredWays", why),))
    ways = tuple(way for entry in entries for way in ways_of(index, entry))
    said = "\n".join(f"{w.name}: {w.reason or ', '.join(w.open_at) or 'open nowhere'}" for w in ways)
    how = f"the ways that must work into {zone}, held against what answered"
    return Collected((RequiredWays(ways),), sources=(source(RequiredWays, how, seen.taken_at, said),))


def ways_of(index: Segmentation, entry: ReachEntry) -> Iterator[RequiredWay]:
    """What became of each port, and each host where some are named, of a required entry."""
    here, zone = entry.from_, entry.to
    networks = index.networks.get((here, zone), [])
    seen = index.addresses.get((here, zone), [])
    for span in entry.ports:
        parts: list[Network | None] = [*entry.hosts] or [None]
        for part in parts:
            about = [a for a in seen if part is None or ip_address(a.address) in part]
            open_at = tuple(a.address for a in about if not a.between and span.text in (a.open or {}))
            asked = [n for n in networks if part is None or shares(n.network, part)]
            parts_asked = index.policy.parts(zone) if part is None else (part,)
            reason = "" if open_at else undecided(here, span, asked, about) or unasked(asked, parts_asked)
            tried = sum(n.asked for n in asked)
            hosts = "" if part is None else _bare(part)
            yield RequiredWay(here, zone, span.text, hosts, open_at, tried, reason)
