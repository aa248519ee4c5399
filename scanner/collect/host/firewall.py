"""The loaded packet filter, from nft or iptables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from checks.facts.host.firewall import Firewall
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.filter_tables import (
    Chain,
    forwarded,
    input_chains,
    iptables_chains,
    nft_chains,
)
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
xtables=
if has nft; then
  show nft nft -s list ruleset
  # What iptables has made nft shows as it can: iptables says it better.
  case $answer in *"xt match"*|*"xt target"*|*"managed by iptables"*) xtables=yes ;; esac
fi
for version in iptables ip6tables; do
  has "$version-save" || continue
  case $("$version" -V 2>/dev/null) in
    *nf_tables*)
      # Shown by nft already, if it is there; rules of the older kind may stand beside them.
      if ! has nft || [ "$xtables" ]; then show "$version" "$version-save"; fi
      names=/proc/net/ip_tables_names
      [ "$version" = ip6tables ] && names=/proc/net/ip6_tables_names
      if [ -r "$names" ] && grep -q . "$names" && has "$version-legacy-save"; then
        show "$version-legacy" "$version-legacy-save"
      fi ;;
    *) show "$version" "$version-save" ;;
  esac
done
exit 0
"""
_DUMPS = ("nft", "iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy")


@dataclass(slots=True)
class _Seen:
    tools: list[str] = field(default_factory=list)
    ipv6: str = ""
    gaps: list[Gap] = field(default_factory=list)
    dumps: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _DUMPS})


def parse(text: str) -> Collected:
    """The `Firewall` in an answer; a tool that refused to answer is a gap."""
    seen = _Seen()
    for line in text.splitlines():
        _line(line, seen)
    if seen.ipv6 not in ("yes", "no"):
        raise ParseError("no answer about IPv6")
    if seen.gaps:
        # Rules that were refused may be the ones that protect, or the ones that open.
        return Collected(gaps=tuple(seen.gaps))
    dumps = list(_chains(seen.dumps))
    chains = tuple(one for tool, found in dumps for one in input_chains(tool, found))
    sent_on = tuple(dict.fromkeys(one for _, found in dumps for one in forwarded(found)))
    return Collected((Firewall(tuple(seen.tools), chains, seen.ipv6 == "yes", sent_on),))


def _line(line: str, seen: _Seen) -> None:
    name, colon, rest = line.partition(": ")
    if colon and name in seen.dumps:
        seen.dumps[name].append(rest)
    elif line.rstrip().endswith(":") and line.rstrip()[:-1] in seen.dumps:
        return
    elif line.startswith("tool\t"):
        seen.tools.append(line.partition("\t")[2])
    elif line.startswith("ipv6\t"):
        seen.ipv6 = line.partition("\t")[2]
    elif line.startswith("refused\t"):
        _, command, said = (*line.split("\t", 2), "")[:3]
        needs = "CAP_NET_ADMIN for the login" if "not permitted" in said else f"sudo: {command}"
        seen.gaps.append(Gap("Firewall", f"{command} gave no rules: {said[:160]}", needs=needs))
    elif line.strip():
        raise ParseError(f"unexpected line {line[:60]!r}")


def _chains(dumps: Mapping[str, list[str]]) -> Iterator[tuple[str, list[Chain]]]:
    """The chains by the tool that shows them; what iptables shows of nft's own tables is taken from it."""
    told = {
        (family, line[1:].strip())
        for name, family in (("iptables", "ip"), ("ip6tables", "ip6"))
        for line in dumps[name]
        if line.startswith("*")
    }
    yield "nft", [one for one in nft_chains(dumps["nft"]) if (one.family, one.table) not in told]
    for name in _DUMPS[1:]:
        yield name, iptables_chains(dumps[name], "ip6" if name.startswith("ip6") else "ip")


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
