"""The loaded packet filter, from nft or iptables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from checks.facts.host.firewall import Firewall, InputChain
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe

_SCRIPT = r"""
for tool in nft iptables ip6tables ufw firewall-cmd; do has "$tool" && printf 'tool\t%s\n' "$tool"; done
if [ -r /proc/net/if_inet6 ] && grep -qv ' lo$' /proc/net/if_inet6; then printf 'ipv6\tyes\n'
else printf 'ipv6\tno\n'; fi
show() {
  name=$1; shift
  answer=$(as_root "$@" 2>&1); ended=$?
  [ "$ended" = 126 ] && exit 126
  if [ "$ended" = 0 ]; then printf '%s\n' "$answer" | sed "s/^/$name: /"
  else printf 'refused\t%s\t%s\n' "$*" "$(printf '%s\n' "$answer" | tail -n 1 | tr '\t' ' ')"; fi
}
has nft && show nft nft -s list ruleset
for version in iptables ip6tables; do
  has "$version-save" || continue
  case $("$version" -V 2>/dev/null) in
    *nf_tables*)
      # Shown by nft already, if it is there; rules of the older kind may stand beside them.
      has nft || show "$version" "$version-save"
      names=/proc/net/ip_tables_names
      [ "$version" = ip6tables ] && names=/proc/net/ip6_tables_names
      if [ -r "$names" ] && grep -q . "$names" && has "$version-legacy-save"; then
        show "$version" "$version-legacy-save"
      fi ;;
    *) show "$version" "$version-save" ;;
  esac
done
exit 0
"""
_COUNTERS = re.compile(
    r"\bcounter( packets \d+ bytes \d+)?\s*|\blog\b( (prefix|group|level|flags|snaplen) \S+)*\s*"
)
_REFUSAL = re.compile(r"(?<![@\w-])(drop|reject)(?![\w-])")
_BRANCH = re.compile(r"\b(?:jump|goto) (\S+)")
_WIDE = re.compile(
    r"ip saddr 0\.0\.0\.0/0|ip daddr 0\.0\.0\.0/0|ip6 [sd]addr ::/0|meta nfproto ipv[46]|iifname? != \"lo\""
    r"|meta l4proto (tcp|\{[^}]*\btcp\b[^}]*\})|ip protocol tcp|ip6 nexthdr tcp|(tcp|th) dport [01]-65535"
    r"|ct state (\S*\bnew\b\S*|\{[^}]*\bnew\b[^}]*\}|(!=?|! =) ?invalid)"
)
"""Conditions of nft that every packet or every new TCP connection meets."""
_DEPTH = 16


@dataclass(slots=True)
class _Chain:
    """Rules in order: `accept`, `refuse`, `jump NAME`, `goto NAME`, `return`.

    `maybe refuse` and `maybe NAME…` are what a rule with a condition may do; empty is any other rule.
    """

    family: str
    table: str
    name: str
    policy: str = ""
    rules: list[str] = field(default_factory=list)


def parse(text: str) -> Collected:
    """The `Firewall` in an answer; a tool that refused to answer is a gap."""
    tools: list[str] = []
    ipv6 = ""
    gaps: list[Gap] = []
    dumps: dict[str, list[str]] = {"nft": [], "iptables": [], "ip6tables": []}
    for line in text.splitlines():
        name, colon, rest = line.partition(": ")
        if colon and name in dumps:
            dumps[name].append(rest)
        elif line.rstrip().endswith(":") and line.rstrip()[:-1] in dumps:
            continue
        elif line.startswith("tool\t"):
            tools.append(line.partition("\t")[2])
        elif line.startswith("ipv6\t"):
            ipv6 = line.partition("\t")[2]
        elif line.startswith("refused\t"):
            _, command, said = line.split("\t", 2)
            needs = "CAP_NET_ADMIN for the login" if "not permitted" in said else f"sudo: {command}"
            gaps.append(Gap("Firewall", f"{command} gave no rules: {said[:160]}", needs=needs))
        elif line.strip():
            raise ParseError(f"unexpected line {line[:60]!r}")
    if ipv6 not in ("yes", "no"):
        raise ParseError("no answer about IPv6")
    if gaps:
        # Rules that were refused may be the ones that protect, or the ones that open.
        return Collected(gaps=tuple(gaps))
    chains = _input_chains("nft", _of_nft(dumps["nft"]))
    chains += _input_chains("iptables", _of_iptables(dumps["iptables"], "ip"))
    chains += _input_chains("ip6tables", _of_iptables(dumps["ip6tables"], "ip6"))
    return Collected((Firewall(tuple(tools), tuple(chains), ipv6 == "yes"),))


def _of_nft(lines: Iterable[str]) -> list[_Chain]:
    chains: list[_Chain] = []
    table, chain, depth, rule = ("", ""), None, 0, ""
    asleep: set[tuple[str, str]] = set()
    for raw in lines:
        line = re.sub(r'"(?!lo")[^"]*"', '""', raw).strip()
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
            chain = _Chain(*table, words[1])
            chains.append(chain)
        elif (before == 1 and words[:1] and words[0] != "}") or (
            depth <= 1 and before <= 2 and words == ["}"]
        ):
            chain = None
        elif chain is not None and words:
            # A long set goes on over several lines.
            rule = f"{rule} {line}".strip()
            if depth <= 2:
                _nft_line(chain, rule)
                rule = ""
    if depth:
        raise ParseError("the rule set ends inside a block")
    return [chain for chain in chains if (chain.family, chain.table) not in asleep]


def _nft_line(chain: _Chain, line: str) -> None:
    if head := re.match(r"type (\w+) hook (\w+) .*?;(?:.*\bpolicy (\w+);)?", line):
        if head[1] == "filter" and head[2] == "input":
            chain.policy = head[3] or "accept"
        return
    bare = re.sub(r"\bcomment \"(lo)?\"", "", _COUNTERS.sub("", line)).strip()
    chain.rules.append(_verdict(bare.replace("reject with", "reject")))


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


def _of_iptables(lines: Iterable[str], family: str) -> list[_Chain]:
    chains: dict[str, _Chain] = {}
    table = ""
    for line in lines:
        if line.startswith("*"):
            table = line[1:].strip()
        elif table != "filter" or line.startswith("#") or not line.strip():
            continue
        elif line.startswith(":"):
            name, policy, *_ = line[1:].split()
            own = {"DROP": "drop", "ACCEPT": "accept"}.get(policy, "") if name == "INPUT" else ""
            chains[name] = _Chain(family, table, name, own)
        elif line.startswith("-A "):
            words = _words(line)
            if words[1] not in chains:
                raise ParseError(f"a rule for the unknown chain {words[1][:40]!r}")
            chains[words[1]].rules.append(_iptables_rule(words[2:]))
        elif line.strip() != "COMMIT":
            raise ParseError(f"no line of iptables-save: {line[:60]!r}")
    return list(chains.values())


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


def _input_chains(tool: str, chains: list[_Chain]) -> list[InputChain]:
    by_name = {(chain.family, chain.table, chain.name): chain for chain in chains}
    return [
        InputChain(
            tool=tool,
            family=chain.family,
            table=chain.table,
            name=chain.name,
            policy=chain.policy,
            rules=len(chain.rules),
            rest=_rest(chain, by_name, 0) or ("refuse" if chain.policy == "drop" else "accept"),
            refuses=_refuses(chain, by_name, 0),
        )
        for chain in chains
        if chain.policy and chain.family in ("ip", "ip6", "inet")
    ]


def _rest(chain: _Chain, chains: Mapping[tuple[str, str, str], _Chain], depth: int) -> str:
    """What the rules without a condition do: accept, refuse, or nothing."""
    for rule in chain.rules:
        word, _, name = rule.partition(" ")
        if word in ("accept", "refuse"):
            return word
        if word == "return":
            return ""
        if word in ("jump", "goto"):
            target = chains.get((chain.family, chain.table, name))
            there = _rest(target, chains, depth + 1) if target and depth < _DEPTH else ""
            if there or word == "goto":
                return there
    return ""


def _refuses(chain: _Chain, chains: Mapping[tuple[str, str, str], _Chain], depth: int) -> bool:
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


PROBE = Probe(
    "firewall",
    (Firewall,),
    _SCRIPT,
    parse,
    how="nft -s list ruleset, iptables-save, ip6tables-save",
    # Without the quotes sudo would allow any argument, and -f writes a file.
    privileges=(
        "/usr/sbin/nft -s list ruleset",
        '/usr/sbin/iptables-save ""',
        '/usr/sbin/ip6tables-save ""',
    ),
    limit=1_048_576,
)
