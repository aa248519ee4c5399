"""What the chains of a packet filter make of a new connection from another machine, port by port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from checks.facts.host.firewall import PortRange, PortRule
from scanner.collect.host.filter_rules import ALL_PORTS, Rule

_DEPTH = 16
_WORK = 400_000
"""Rules times ports that are worked out at most; beyond, nothing is said about ports."""

Chains = Mapping[str, "tuple[Rule, ...]"]


@dataclass(slots=True)
class _Way:
    """What was met on the way: by which `few` some are let in, by which `rest` the others are narrowed.

    `maybe_in` and `maybe_out` say that a rule whose conditions are not read lets in or refuses.
    """

    few: set[str] = field(default_factory=set)
    rest: set[str] = field(default_factory=set)
    maybe_in: bool = False
    maybe_out: bool = False
    unclear: bool = False
    named: bool = False

    def add(self, other: _Way) -> None:
        """Takes over what a chain that was called may do."""
        self.maybe_in |= other.maybe_in
        self.maybe_out |= other.maybe_out
        self.unclear |= other.unclear
        self.named |= other.named


@dataclass(frozen=True, slots=True)
class _Met:
    """How one rule fits: not at all (`never`), or under which narrow and which broad conditions.

    `outer` is the condition of an interface to other machines: on a host with one network, everybody.
    """

    never: bool = False
    narrow: frozenset[str] = frozenset()
    broad: frozenset[str] = frozenset()
    outer: bool = False
    opaque: bool = False
    named: bool = False

    @property
    def partly(self) -> bool:
        """Whether some packets may not meet the rule."""
        return bool(self.narrow or self.broad or self.outer or self.opaque)


def port_rules(families: Iterable[str], start: str, policy: str, chains: Chains) -> tuple[PortRule, ...]:
    """For every family, protocol and port what becomes of a new connection; empty where it is too much."""
    cuts = _cuts(chains)
    if len(cuts) * sum(len(rules) for rules in chains.values()) > _WORK:
        return ()
    found: list[PortRule] = []
    for family in families:
        for protocol in ("tcp", "udp"):
            for first, last in zip(cuts, [*cuts[1:], ALL_PORTS[1] + 1], strict=True):
                one = _judged((family, protocol, first), last - 1, start, policy, chains)
                found = _joined(found, one)
    return tuple(found)


def _joined(found: list[PortRule], one: PortRule) -> list[PortRule]:
    if found:
        before = found[-1]
        same = PortRule(one.family, one.protocol, before.first, before.last, one.does, one.limits, one.named)
        if same == before and before.last + 1 == one.first:
            joined = PortRule(
                one.family, one.protocol, before.first, one.last, one.does, one.limits, one.named
            )
            return [*found[:-1], joined]
    return [*found, one]


def _cuts(chains: Chains) -> list[int]:
    """The first port of every stretch in which no rule tells two ports apart."""
    cuts = {0}
    for rules in chains.values():
        for rule in rules:
            for match in rule.matches:
                for first, last in match.ranges:
                    cuts |= {first, last + 1}
    return sorted(cut for cut in cuts if cut <= ALL_PORTS[1])


def _judged(
    packet: tuple[str, str, int], last_port: int, start: str, policy: str, chains: Chains
) -> PortRule:
    way = _Way()
    end = _walk(start, packet, chains, way, 0)
    last = end or ("refuse" if policy == "drop" else "accept")
    limits: set[str] = set()
    if last == "accept":
        does, limits = ("limit", way.rest) if way.rest else ("accept", limits)
    else:
        does, limits = ("limit", way.few) if way.few else ("refuse", limits)
    doubt = way.maybe_out if does == "accept" else way.maybe_in
    if way.unclear or doubt:
        does, limits = "unclear", set()
    return PortRule(*packet, last_port, does, tuple(sorted(limits)), way.named)


def _walk(name: str, packet: tuple[str, str, int], chains: Chains, way: _Way, depth: int) -> str:
    """How the chain ends for all packets that come so far: accept, refuse, or empty."""
    if name not in chains or depth > _DEPTH:
        way.unclear = True
        return ""
    for rule in chains[name]:
        met = _met(rule, packet)
        if met.never or not rule.action:
            continue
        if rule.action == "return":
            if not met.partly:
                return ""
            # Some go back to the calling chain, and some go on here.
            way.unclear = True
            continue
        action, inner = rule.action, _Way()
        if action in ("jump", "goto"):
            action = _walk(rule.target, packet, chains, inner, depth + 1)
        end = _applied(action, met, inner, way)
        if end or (rule.action == "goto" and not met.partly):
            return end
    return ""


def _applied(action: str, met: _Met, inner: _Way, way: _Way) -> str:
    """Adds what a rule does to the way; gives its verdict where all packets meet the rule."""
    way.add(inner)
    way.named |= met.named and action in ("accept", "refuse")
    way.unclear |= action == "opaque"
    if inner.few:
        way.few |= met.narrow or inner.few
        way.maybe_in |= met.opaque
    if action == "accept":
        if met.opaque:
            way.maybe_in = True
        elif met.narrow:
            way.few |= met.narrow
        else:
            way.rest |= inner.rest
            return "accept"
    elif action == "refuse":
        if not met.partly:
            return "refuse"
        way.maybe_out |= met.opaque
        if not (met.opaque or met.outer):
            way.rest |= met.narrow & {"rate"} if met.narrow else met.broad
    elif not (met.narrow or met.opaque or met.outer):
        way.rest |= inner.rest
    return ""


def _met(rule: Rule, packet: tuple[str, str, int]) -> _Met:
    family, protocol, port = packet
    narrow: set[str] = set()
    broad: set[str] = set()
    opaque = named = outer = False
    for match in rule.matches:
        match match.kind:
            case "never":
                return _Met(never=True)
            case "family" if family not in match.names:
                return _Met(never=True)
            case "protocol" if protocol not in match.names:
                return _Met(never=True)
            case "port":
                if not any(first <= port <= last for first, last in match.ranges):
                    return _Met(never=True)
                named |= all(last - first < ALL_PORTS[1] // 2 for first, last in match.ranges)
            case "flags" if rule.action == "refuse":
                # Such rules throw malformed packets away.
                return _Met(never=True)
            case "opaque":
                opaque = True
            case "interface" if match.few and "inner" not in match.names:
                outer = True
            case "source" | "interface" | "rate":
                (narrow if match.few else broad).add(match.kind)
    return _Met(False, frozenset(narrow), frozenset(broad), outer, opaque, named)


def reached(start: str, chains: Chains) -> Iterator[Rule]:
    """Every rule that a packet can come to from this chain, each chain once."""
    todo, seen = [start], {start}
    while todo:
        for rule in chains.get(todo.pop(), ()):
            yield rule
            if rule.target and rule.target not in seen:
                seen.add(rule.target)
                todo.append(rule.target)


def translated(rule: Rule, *, base: bool) -> Iterator[PortRange]:
    """The ports that a rule of address translation sends on; `base` says that all packets come to it."""
    names = [one.names for one in rule.matches if one.kind == "protocol"]
    protocols = frozenset.intersection(*names) if names else frozenset({"tcp", "udp"})
    ranges = [found for one in rule.matches if one.kind == "port" for found in one.ranges]
    # Without a port, a rule in a chain of its own is for addresses that the caller has named.
    for first, last in ranges or ([ALL_PORTS] if base else []):
        yield from (PortRange(protocol, first, last) for protocol in sorted(protocols))
