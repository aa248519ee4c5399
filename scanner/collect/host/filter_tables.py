"""The chains of a packet filter, read from what nft and iptables show of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from checks.facts.host.firewall import InputChain, PortRange
from scanner.collect.host.filter_iptables import of_iptables
from scanner.collect.host.filter_nft import expanded, of_nft
from scanner.collect.host.filter_rules import Rule
from scanner.collect.host.filter_ways import port_rules, reached, translated
from scanner.collect.host.probe import ParseError

_COUNTERS = re.compile(
    r"\bcounter( packets \d+ bytes \d+)?\s*|\blog\b( (prefix|group|level|flags|snaplen) \S+)*\s*"
)
_REFUSAL = re.compile(r"(?<![@\w-])(drop|reject)(?![\w-])")
_BRANCH = re.compile(r"\b(?:jump|goto) (\S+)")
_WIDE = re.compile(
    r"ip saddr 0\.0\.0\.0/0|ip daddr 0\.0\.0\.0/0|ip6 [sd]addr ::/0|meta nfproto ipv[46]|iifname? != \"lo\""
    r"|meta l4proto (tcp|\{[^}]*\btcp\b[^}]*\})|ip protocol tcp|ip6 nexthdr tcp|(tcp|th) dport [01]-65535"
    r"|fib daddr type local|meta pkttype (host|unicast)"
    r"|ct state (\S*\bnew\b\S*|\{[^}]*\bnew\b[^}]*\}|(!=?|! =) ?invalid)"
)
"""Conditions of nft that every packet or every new TCP connection meets."""
_QUOTED = re.compile(r'(comment |prefix )?"([^"]*)"')
_ODD = re.compile(r"[^\w.*+@-]")
"""What no name of an interface has, and what would be read as part of the rule."""
_LOOPBACK = re.compile(r'iif(name)? "lo"|-i lo\b')
_FORGED = re.compile(r"(saddr|-s) (127\.|::1\b)")
_FOREIGN = re.compile(r'\b(comment|prefix) "[^"]*"')
_PORT_SET = re.compile(
    r"\bset ([\w.-]+) \{\s*type inet_service\s+(?:flags interval\s+)?elements = \{([^}]*)\}"
)
_NAMED_PORTS = re.compile(r"dport (@[\w.-]+)")
_DEPTH = 16


@dataclass(slots=True)
class Chain:
    """Rules in order: `accept`, `refuse`, `jump NAME`, `goto NAME`, `return`.

    `maybe refuse` and `maybe NAME…` are what a rule with a condition may do; empty is any other rule.
    `parsed` are the same rules with their conditions; `count` is how many the chain has as it is shown.
    """

    family: str
    table: str
    name: str
    policy: str = ""
    hook: str = ""
    count: int = 0
    rules: list[str] = field(default_factory=list)
    parsed: list[Rule] = field(default_factory=list)


def nft_chains(lines: Iterable[str]) -> list[Chain]:
    """The chains of `nft list ruleset`, without those of tables that are switched off."""
    chains: list[Chain] = []
    table, chain, depth, rule = ("", ""), None, 0, ""
    asleep: set[tuple[str, str]] = set()
    lines = list(lines)
    sets = _port_sets(lines)
    for raw in lines:
        line = _QUOTED.sub(lambda found: f'{found[1] or ""}"{_ODD.sub("", found[2])}"', raw).strip()
        if line.startswith("#"):
            continue
        before = depth
        depth += line.count("{") - line.count("}")
        if depth < 0:
            raise ParseError("the rule set closes more blocks than it opens")
        words = line.split()
        if before == 0 and words[:1] == ["table"] and len(words) >= 3:
            table = (words[1], words[2])
        elif before == 1 and words[:1] == ["flags"] and "dormant" in line:
            asleep.add(table)
        elif before == 1 and words[:1] == ["chain"] and len(words) >= 2:
            chain = Chain(*table, words[1])
            chains.append(chain)
        elif (before == 1 and words[:1] and words[0] != "}") or (
            depth <= 1 and before <= 2 and words == ["}"]
        ):
            chain = None
        elif chain is not None and words:
            # A long set goes on over several lines.
            rule = f"{rule} {line}".strip()
            if depth <= 2:
                _nft_line(chain, rule, sets)
                rule = ""
    if depth:
        raise ParseError("the rule set ends inside a block")
    return [chain for chain in chains if (chain.family, chain.table) not in asleep]


def _nft_line(chain: Chain, line: str, sets: Mapping[str, str]) -> None:
    if head := re.match(r"type (\w+) hook (\w+) .*?;(?:.*\bpolicy (\w+);)?", line):
        chain.hook = f"{head[1]} {head[2]}"
        if chain.hook == "filter input":
            chain.policy = head[3] or "accept"
        return
    chain.count += 1
    bare = re.sub(r"\bcomment \"\"", "", _COUNTERS.sub("", _FOREIGN.sub(r'\1 ""', line))).strip()
    for rule in expanded(bare):
        chain.rules.append(_verdict(rule.replace("reject with", "reject")))
        named = _NAMED_PORTS.sub(lambda found: f"dport {sets.get(found[1], found[1])}", rule)
        chain.parsed.append(of_nft(named))


def _port_sets(lines: list[str]) -> dict[str, str]:
    """The members of named sets of ports; a name that stands in two tables may mean either."""
    found = _PORT_SET.findall("\n".join(lines))
    names = [name for name, _ in found]
    return {f"@{name}": f"{{ {inside.strip()} }}" for name, inside in found if names.count(name) == 1}


def _verdict(bare: str) -> str:
    word, _, rest = bare.partition(" ")
    if word in ("drop", "reject"):
        return "refuse"
    if word in ("jump", "goto") and " " not in rest:
        return bare
    if word in ("accept", "return") and not rest:
        return word
    if bare.endswith(" accept") and not _WIDE.sub("", bare.removesuffix("accept")).strip():
        return "accept"
    if _REFUSAL.search(bare):
        return "maybe refuse"
    return " ".join(["maybe", *(name.rstrip(",;") for name in _BRANCH.findall(bare))])


def iptables_chains(lines: Iterable[str], family: str) -> list[Chain]:
    """The chains of the tables filter and nat in the output of iptables-save."""
    chains: dict[tuple[str, str], Chain] = {}
    table = ""
    for line in lines:
        if line.startswith("*"):
            table = line[1:].strip()
        elif table not in ("filter", "nat") or line.startswith("#") or not line.strip():
            continue
        elif line.startswith(":"):
            name, policy, *_ = (*line[1:].split(), "", "")
            chains[table, name] = _iptables_chain(family, table, name, policy)
        elif line.startswith("-A "):
            words = _words(line)
            if len(words) < 2:
                raise ParseError("a rule for no chain")
            if (table, words[1]) not in chains:
                raise ParseError(f"a rule for the unknown chain {words[1][:40]!r}")
            chain = chains[table, words[1]]
            chain.count += 1
            chain.rules.append(_iptables_rule(words[2:]))
            chain.parsed.append(of_iptables(words[2:]))
        elif line.strip() != "COMMIT":
            raise ParseError(f"no line of iptables-save: {line[:60]!r}")
    return list(chains.values())


def _iptables_chain(family: str, table: str, name: str, policy: str) -> Chain:
    own = {"DROP": "drop", "ACCEPT": "accept"}.get(policy, "") if (table, name) == ("filter", "INPUT") else ""
    hook = "nat prerouting" if (table, name) == ("nat", "PREROUTING") else ""
    return Chain(family, table, name, own, hook)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        raise ParseError(f"no line of iptables-save: {line[:60]!r}") from None


def _iptables_rule(words: list[str]) -> str:
    if words[:3] == ["-m", "comment", "--comment"]:
        words = words[4:]
    if words[-2:] == ["-j", "ACCEPT"] and _all_wide(words[:-2]):
        return "accept"
    match words:
        case ["-j", "DROP"] | ["-j", "REJECT", *_]:
            return "refuse"
        case ["-j", "RETURN"]:
            return "return"
        case ["-j", target] if target != "LOG":
            return f"jump {target}"
        case ["-g", target]:
            return f"goto {target}"
    return _conditional(words)


def _conditional(words: list[str]) -> str:
    match words:
        case [*_, "-j", "DROP"] | [*_, "-j", "REJECT"] | [*_, "-j", "REJECT", "--reject-with", _]:
            return "maybe refuse"
        case [*_, "-j" | "-g", target]:
            return f"maybe {target}"
        case _:
            return ""


def _all_wide(words: list[str]) -> bool:
    """Whether every packet, or every new TCP connection, meets these conditions of iptables."""
    while words:
        match words:
            case ["-p", "tcp", *rest] | ["-m", "tcp" | "state" | "conntrack" | "comment", *rest]:
                words = rest
            case ["--comment", _, *rest] | ["!", "-i", "lo", *rest] | ["-i", "+", *rest]:
                words = rest
            case ["-s" | "-d", "0.0.0.0/0" | "::/0", *rest] | ["--dport", "0:65535" | "1:65535", *rest]:
                words = rest
            case ["--state" | "--ctstate", states, *rest] if "NEW" in states.split(","):
                words = rest
            case ["!", "--state" | "--ctstate", "INVALID", *rest]:
                words = rest
            case _:
                return False
    return True


def input_chains(tool: str, chains: list[Chain]) -> list[InputChain]:
    """Those of the chains that see packets addressed to the host, and what they make of them."""
    by_name = {(chain.family, chain.table, chain.name): chain for chain in chains}
    return [
        _input_chain(tool, chain, by_name)
        for chain in chains
        if chain.policy and chain.family in ("ip", "ip6", "inet")
    ]


def _input_chain(tool: str, chain: Chain, chains: Mapping[tuple[str, str, str], Chain]) -> InputChain:
    near = {
        name: tuple(other.parsed)
        for (family, table, name), other in chains.items()
        if (family, table) == (chain.family, chain.table)
    }
    rules = list(reached(chain.name, near))
    rest, by = _rest(chain, chains, 0)
    families = ("ip", "ip6") if chain.family == "inet" else (chain.family,)
    return InputChain(
        tool=tool,
        family=chain.family,
        table=chain.table,
        name=chain.name,
        policy=chain.policy,
        rules=chain.count,
        rest=rest or ("refuse" if chain.policy == "drop" else "accept"),
        refuses=_refuses(chain, chains, 0),
        accepts_all=by if rest == "accept" else "",
        ports=port_rules(families, chain.name, chain.policy, {r: near[r] for r in _names(chain.name, near)}),
        loopback=any(one.action == "accept" and _LOOPBACK.search(one.text) for one in rules),
        forged=any(one.action == "refuse" and _FORGED.search(one.text) for one in rules),
    )


def _names(start: str, chains: Mapping[str, tuple[Rule, ...]]) -> set[str]:
    return {start, *(one.target for one in reached(start, chains))} & chains.keys()


def forwarded(chains: list[Chain]) -> list[PortRange]:
    """The ports that address translation sends on, as far as its rules name ports."""
    found: list[PortRange] = []
    for chain in chains:
        for rule in chain.parsed:
            if rule.action == "translate" and not any(one.kind == "never" for one in rule.matches):
                found += translated(rule, base=chain.hook == "nat prerouting")
    return list(dict.fromkeys(found))


def _rest(chain: Chain, chains: Mapping[tuple[str, str, str], Chain], depth: int) -> tuple[str, str]:
    """What the rules without a condition do (accept, refuse, or nothing), and the rule that does it."""
    for rule, parsed in zip(chain.rules, chain.parsed, strict=True):
        word, _, name = rule.partition(" ")
        if word in ("accept", "refuse"):
            return word, f"{chain.name}: {parsed.text}"
        if word == "return":
            return "", ""
        if word in ("jump", "goto"):
            target = chains.get((chain.family, chain.table, name))
            there = _rest(target, chains, depth + 1) if target and depth < _DEPTH else ("", "")
            if there[0] or word == "goto":
                return there
    return "", ""


def _refuses(chain: Chain, chains: Mapping[tuple[str, str, str], Chain], depth: int) -> bool:
    """Whether a packet can come to a rule that refuses it, here or in a chain that is called."""
    for rule in chain.rules:
        word, *names = rule.split() or [""]
        if word == "refuse" or names == ["refuse"]:
            return True
        if word in ("accept", "return"):
            return False
        called = [one for name in names if (one := chains.get((chain.family, chain.table, name)))]
        if depth < _DEPTH and any(_refuses(one, chains, depth + 1) for one in called):
            return True
    return False
