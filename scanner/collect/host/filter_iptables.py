"""One rule of iptables, in the words of `filter_rules`."""

from __future__ import annotations

from collections.abc import Callable

from scanner.collect.host.filter_rules import (
    NEVER,
    OPAQUE,
    Match,
    Rule,
    destination,
    interface,
    ports,
    protocols,
    source,
    states,
)

_NO_VERDICT = frozenset(
    [
        "LOG",
        "NFLOG",
        "ULOG",
        "AUDIT",
        "MARK",
        "CONNMARK",
        "SET",
        "CT",
        "TCPMSS",
        "NOTRACK",
        "CHECKSUM",
        "TRACE",
        "SECMARK",
        "CONNSECMARK",
    ]
)
_ACTIONS = {"ACCEPT": "accept", "DROP": "refuse", "REJECT": "refuse", "TARPIT": "refuse", "RETURN": "return"}
_PLAIN_MODULES = frozenset(
    [
        "tcp",
        "udp",
        "state",
        "conntrack",
        "comment",
        "multiport",
        "limit",
        "recent",
        "hashlimit",
        "connlimit",
        "addrtype",
        "pkttype",
        "set",
        "icmp",
        "icmp6",
        "ipv6header",
        "iprange",
    ]
)
_ONE_VALUE = frozenset(
    [
        "--comment",
        "--limit-burst",
        "--seconds",
        "--hitcount",
        "--name",
        "--mask",
        "--connlimit-mask",
        "--reject-with",
        "--log-prefix",
        "--log-level",
        "--tcp-option",
        "--hashlimit-burst",
        "--hashlimit-mode",
        "--hashlimit-name",
        "--hashlimit-htable-expire",
        "--hashlimit-htable-size",
        "--hashlimit-htable-max",
        "--hashlimit-srcmask",
    ]
)
_FLAGS = frozenset(["--rsource", "--rdest", "--set", "--connlimit-saddr", "--reap", "--rttl"])


def of_iptables(words: list[str]) -> Rule:
    """The rule that the words after `-A CHAIN` in the output of iptables-save write."""
    matches: list[Match] = []
    action, target, at = "", "", 0
    while at < len(words):
        negated = words[at] == "!"
        at += negated
        option = words[at] if at < len(words) else ""
        value = words[at + 1] if at + 1 < len(words) else ""
        if option in ("-j", "-g"):
            action, target = _verdict(option, value)
            break
        used, more = _condition(option, value, negated)
        matches += more
        at += used
    return Rule(action, target, tuple(matches), " ".join(words))


def _verdict(option: str, name: str) -> tuple[str, str]:
    if name in _ACTIONS:
        return _ACTIONS[name], ""
    if name in _NO_VERDICT:
        return "", ""
    if name in ("DNAT", "REDIRECT"):
        return "translate", ""
    if name in ("QUEUE", "NFQUEUE", "SYNPROXY"):
        return "opaque", ""
    return ("goto" if option == "-g" else "jump"), name


def _condition(option: str, value: str, negated: bool) -> tuple[int, list[Match]]:
    """How many words the condition has, and what it asks."""
    if option == "-m":
        return 2, [] if value in _PLAIN_MODULES else [OPAQUE]
    if option in _LENGTHS:
        used, kind = _LENGTHS[option]
        return used, [Match(kind, few=not negated)] if kind else []
    if option in _READERS:
        return 2, _READERS[option](value, negated)
    return 2, [OPAQUE]


def _when(held: bool, negated: bool) -> list[Match]:
    return [] if held is not negated else [NEVER]


_LENGTHS = {
    **dict.fromkeys(_ONE_VALUE, (2, "")),
    **dict.fromkeys(_FLAGS, (1, "")),
    **dict.fromkeys(("--update", "--rcheck"), (1, "rate")),
    **dict.fromkeys(("--limit", "--connlimit-above", "--hashlimit-above", "--hashlimit-upto"), (2, "rate")),
    "--tcp-flags": (3, "flags"),
    "--syn": (1, "flags"),
    "--match-set": (3, "source"),
}
"""How many words an option has with its values, and the kind of its condition, empty where it has none."""
_READERS: dict[str, Callable[[str, bool], list[Match]]] = {
    "-p": lambda value, negated: [] if value == "all" else [protocols(value, negated)],
    "-s": source,
    "--src-range": lambda _, negated: [Match("source", few=not negated)],
    "-d": destination,
    "-i": lambda value, negated: [] if value == "+" else interface(value, negated),
    **dict.fromkeys(("--dport", "--dports", "--destination-port"), lambda v, negated: [ports(v, negated)]),
    **dict.fromkeys(("--state", "--ctstate"), states),
    "--dst-type": lambda value, negated: _when(value == "LOCAL", negated),
    "--pkt-type": lambda value, negated: _when(value in ("unicast", "host"), negated),
    **dict.fromkeys(("--icmp-type", "--icmpv6-type", "--ctstatus"), lambda _v, _n: [NEVER]),
}
