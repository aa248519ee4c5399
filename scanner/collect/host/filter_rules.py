"""One rule of a packet filter: what it asks of a packet, and what it does, from nft or iptables."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

ALL_PORTS = (0, 65535)
_TUNNELS = ("wg", "tun", "tap", "docker", "br-", "virbr", "veth", "tailscale", "zt", "cni", "flannel", "cali")
"""Interfaces behind which other machines stand than those of the network that the host is in."""
_PORT_NAMES = {"ssh": 22, "smtp": 25, "domain": 53, "http": 80, "ntp": 123, "https": 443}


@dataclass(frozen=True, slots=True)
class Match:
    """One condition, seen from a new connection that another machine opens.

    `kind` is protocol, port, family, source, interface, rate, flags, never, or opaque. `few` says
    that it holds for few packets; a negated condition holds for nearly all.
    """

    kind: str
    names: frozenset[str] = frozenset()
    ranges: tuple[tuple[int, int], ...] = ()
    few: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule does (accept, refuse, jump, goto, return, opaque, or nothing) under which conditions."""

    action: str
    target: str
    matches: tuple[Match, ...]
    text: str = ""


NEVER = Match("never")
OPAQUE = Match("opaque")


def members(value: str) -> list[str]:
    """The parts of a set, or of a list with commas."""
    return [one.strip().strip('"') for one in value.strip("{} ").split(",") if one.strip()]


def ports(value: str, negated: bool) -> Match:
    """The condition on the port that is asked for; names of services that are not known are opaque."""
    ranges: list[tuple[int, int]] = []
    for one in members(value):
        first, _, last = one.replace(":", "-").partition("-")
        numbers = [int(n) if n.isdigit() else _PORT_NAMES.get(n, -1) for n in (first, last or first)]
        if min(numbers) < 0 or max(numbers) > ALL_PORTS[1]:
            return OPAQUE
        ranges.append((numbers[0], numbers[1]))
    if not negated:
        return Match("port", ranges=tuple(ranges))
    others, start = [], 0
    for first_port, last_port in sorted(ranges):
        others += [(start, first_port - 1)] if first_port > start else []
        start = max(start, last_port + 1)
    others += [(start, ALL_PORTS[1])] if start <= ALL_PORTS[1] else []
    return Match("port", ranges=tuple(others))


def protocols(value: str, negated: bool) -> Match:
    """The condition on the protocol: which of tcp and udp it leaves."""
    names = {{"6": "tcp", "17": "udp"}.get(one, one) for one in members(value)} & {"tcp", "udp"}
    return Match("protocol", frozenset({"tcp", "udp"} - names if negated else names))


def family_of(value: str) -> Match:
    """The condition that a packet is of that family (ip or ip6)."""
    return Match("family", frozenset({value}))


def source(value: str, negated: bool) -> list[Match]:
    """The condition on the sender: nothing where every sender is meant."""
    try:
        wide = all(ip_network(one, strict=False).prefixlen <= 1 for one in members(value))
    except ValueError:
        wide = False
    if wide:
        return [NEVER] if negated else []
    own = all(one.startswith("127.") or one in ("::1", "::1/128") for one in members(value))
    if own and not negated:
        return [NEVER]
    return [Match("source", few=not negated)]


def destination(value: str, negated: bool) -> list[Match]:
    """The condition on the address that is asked for: those of many, and of neighbours, are told apart."""
    try:
        nets = [ip_network(one, strict=False) for one in members(value)]
    except ValueError:
        return [OPAQUE]
    if all(net.prefixlen == 0 for net in nets):
        return [NEVER] if negated else []
    if all(net.is_multicast or net.is_loopback or str(net) == "255.255.255.255/32" for net in nets):
        return [] if negated else [NEVER]
    # To such an address only the neighbours of the same segment send.
    return [Match("source")] if all(net.is_link_local for net in nets) and not negated else [OPAQUE]


def interface(value: str, negated: bool) -> list[Match]:
    """The condition on the interface that a packet comes in by."""
    names = members(value)
    if names == ["lo"]:
        return [] if negated else [NEVER]
    if negated:
        return [Match("interface", few=False)]
    outer = [name for name in names if name != "lo"]
    tunnels = all(name.startswith(_TUNNELS) for name in outer)
    return [Match("interface", frozenset({"inner"} if tunnels else ()))]


def states(value: str, negated: bool) -> list[Match]:
    """Nothing where the states hold the new connections, else the condition that no such one meets."""
    has_new = "new" in [one.lower() for one in members(value.replace("|", ","))]
    return [] if has_new is not negated else [NEVER]
