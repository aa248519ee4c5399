"""One rule of nft, in the words of `filter_rules`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from scanner.collect.host.filter_rules import (
    NEVER,
    OPAQUE,
    Match,
    Rule,
    destination,
    family_of,
    interface,
    members,
    ports,
    protocols,
    source,
    states,
)

_VERDICTS = {"accept": "accept", "drop": "refuse", "reject": "refuse", "return": "return"}
_WORDS = re.compile(r'\{[^}]*\}|"[^"]*"|\S+')
_VMAP = re.compile(r"(.*) vmap \{ ?(.*?) ?\}(.*)")
_MAP_LIMIT = 1000


@dataclass(slots=True)
class _Reader:
    """The words of one rule, read from the left."""

    words: list[str]
    at: int = 0
    matches: list[Match] = field(default_factory=list)

    def peek(self, offset: int = 0) -> str:
        place = self.at + offset
        return self.words[place] if place < len(self.words) else ""

    def take(self) -> str:
        word = self.peek()
        self.at += 1
        return word

    def compared(self) -> tuple[bool, str]:
        """Whether the comparison that follows is negated, and its value."""
        negated = self.peek() == "!="
        if self.peek() in ("!=", "=="):
            self.at += 1
        return negated, self.take()


def expanded(rule: str) -> list[str]:
    """The rules that a verdict map of nft stands for; any other rule as it is."""
    found = _VMAP.fullmatch(rule)
    if not found:
        return [rule]
    before, inside, after = found.groups()
    pairs = [one.rpartition(" : ") for one in re.split(r", ?", inside)]
    if len(pairs) > _MAP_LIMIT:
        return [rule]
    return [f"{before} {key.strip()} {verdict.strip()}{after}".strip() for key, _, verdict in pairs if key]


def of_nft(text: str) -> Rule:
    """The rule that a line of `nft list ruleset` (without counters, logs and comments) writes."""
    reader = _Reader(_WORDS.findall(text))
    while word := reader.take():
        if word in _VERDICTS:
            return Rule(_VERDICTS[word], "", tuple(reader.matches), text)
        if word in ("jump", "goto"):
            return Rule(word, reader.take(), tuple(reader.matches), text)
        if word in ("dnat", "redirect"):
            return Rule("translate", "", tuple(reader.matches), text)
        if word in ("queue", "synproxy", "tproxy") or word == "vmap":
            return Rule("opaque", "", tuple(reader.matches), text)
        reader.matches += _SELECTORS.get(word, _foreign)(reader)
    return Rule("", "", tuple(reader.matches), text)


def _foreign(_reader: _Reader) -> list[Match]:
    return [OPAQUE]


def _ip(family: str) -> Callable[[_Reader], list[Match]]:
    def read(reader: _Reader) -> list[Match]:
        what = reader.take()
        negated, value = reader.compared()
        own = [family_of(family)]
        match what:
            case "saddr":
                return own + source(value, negated)
            case "daddr":
                return own + destination(value, negated)
            case "protocol" | "nexthdr":
                return [*own, protocols(value, negated)]
            case _:
                return [*own, OPAQUE]

    return read


def _transport(protocol: str) -> Callable[[_Reader], list[Match]]:
    names = frozenset({"tcp", "udp"} if protocol == "th" else {protocol})

    def read(reader: _Reader) -> list[Match]:
        what = reader.take()
        own = Match("protocol", names)
        if what == "flags":
            # Forms: `syn`, `!= syn`, `fin,syn / fin,syn`, `& (fin|syn) == syn`.
            reader.compared()
            while reader.peek() in ("&", "/", "==", "!=") or reader.peek().startswith("("):
                reader.at += 1 if reader.peek().startswith("(") else 2
            return [own, Match("flags")]
        negated, value = reader.compared()
        return [own, ports(value, negated) if what == "dport" else OPAQUE]

    return read


def _meta(reader: _Reader) -> list[Match]:
    what = reader.take()
    if what in ("mark", "priority", "nftrace") and reader.peek() == "set":
        reader.at += 2
        return []
    negated, value = reader.compared()
    match what:
        case "l4proto" | "protocol":
            return [protocols(value, negated)] if what == "l4proto" else [OPAQUE]
        case "nfproto":
            both = {"ipv4": "ip", "ipv6": "ip6"}
            return [family_of(both[value])] if value in both and not negated else [OPAQUE]
        case "iifname" | "iif":
            return interface(value, negated)
        case "pkttype":
            return [] if (value in ("host", "unicast")) is not negated else [NEVER]
        case _:
            return [OPAQUE]


def _in(reader: _Reader) -> list[Match]:
    negated, value = reader.compared()
    return interface(value, negated)


def _conntrack(reader: _Reader) -> list[Match]:
    what = reader.take()
    if what in ("mark", "helper") and reader.peek() == "set":
        reader.at += 2
        return []
    if what == "count":
        reader.at += 2
        return [Match("rate")]
    negated, value = reader.compared()
    match what:
        case "state":
            return states(value, negated)
        case "status":
            return [] if negated else [NEVER]
        case "direction":
            return [] if (value == "original") is not negated else [NEVER]
        case _:
            return [OPAQUE]


def _fib(reader: _Reader) -> list[Match]:
    asked = []
    while reader.peek() and reader.peek() not in ("type", "oif", "oifname"):
        asked.append(reader.take())
    kind = reader.take()
    negated, value = reader.compared()
    if kind == "type" and asked[:1] == ["daddr"]:
        return [] if ("local" in members(value)) is not negated else [NEVER]
    # A sender that no route leads back to is none of the class that is asked about.
    return [NEVER] if value in ("missing", "0") and not negated else [OPAQUE]


def _limit(reader: _Reader) -> list[Match]:
    reader.take()
    over = reader.peek() == "over"
    reader.at += 2 if over else 1
    if reader.peek() == "burst":
        reader.at += 3
    return [Match("rate")]


def _dynamic(reader: _Reader) -> list[Match]:
    reader.take()
    return [Match("rate")] if "limit rate over" in reader.take() else []


def _extension(reader: _Reader) -> list[Match]:
    kind, name = reader.take(), reader.take().strip('"')
    if kind == "match" and name in ("recent", "hashlimit", "limit", "connlimit"):
        return [Match("rate")]
    return [] if (kind, name) == ("match", "comment") or kind == "target" else [OPAQUE]


def _ping(reader: _Reader) -> list[Match]:
    reader.take()
    reader.compared()
    return [NEVER]


_SELECTORS: dict[str, Callable[[_Reader], list[Match]]] = {
    "iifname": _in,
    "iif": _in,
    "meta": _meta,
    "ip": _ip("ip"),
    "ip6": _ip("ip6"),
    "ct": _conntrack,
    "fib": _fib,
    "limit": _limit,
    "add": _dynamic,
    "update": _dynamic,
    "xt": _extension,
    "icmp": _ping,
    "icmpv6": _ping,
    "igmp": _ping,
    **{name: _transport(name) for name in ("tcp", "udp", "th", "sctp", "dccp", "udplite")},
}
