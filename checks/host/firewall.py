"""The packet filter of a host."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.firewall import Firewall, InputChain
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable

_FAMILIES = (("IPv4", "ip"), ("IPv6", "ip6"))
_RULES = (
    "table inet filter {\n"
    "  chain input {\n"
    "    type filter hook input priority filter; policy drop;\n"
    "    ct state established,related accept\n"
    '    iif "lo" accept\n'
    "    meta l4proto { icmp, ipv6-icmp } accept\n"
    "    tcp dport 22 accept\n"
    "  }\n"
    "}\n"
)
_SNIPPET = Snippet(
    Language.SHELL,
    "# Add a line for every service of this host first; SSH is expected on port 22.\n"
    "cat >/etc/nftables-bartizan.conf <<'RULES'\n" + _RULES + "RULES\n"
    "nft -c -f /etc/nftables-bartizan.conf && {\n"
    "  # In five minutes all is as before, unless you stop this job from a new login.\n"
    '  (sleep 300; nft delete table inet filter) & echo "kill $! once a new login has worked"\n'
    "  nft -f /etc/nftables-bartizan.conf\n"
    "}",
    "nft delete table inet filter",
)


def _sees(chain: InputChain, family: str) -> bool:
    return chain.family in (family, "inet")


def _described(chains: list[InputChain]) -> str:
    return "; ".join(
        f"{c.tool} {c.family} {c.table} {c.name}: {c.rules} rules, policy {c.policy}, the rest is "
        f"{'refused' if c.rest == 'refuse' else 'accepted'}"
        for c in chains
    )


@check(
    "host.firewall.active",
    title="A packet filter is loaded",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.DATA,
    fix=Fix(
        action="Load a packet filter",
        do="Install nftables (or ufw, or firewalld), allow what the host serves, and start it at boot.",
        verify="nft list ruleset | grep 'hook input'   # at least one chain with rules",
        effort=Effort(setup=2, each=0.5),
        disruption=Disruption.RESTART,
        undo="`nft flush ruleset`, or stop the firewall's service.",
        snippets=(_SNIPPET,),
    ),
)
def active(found: Firewall) -> Verdicts:
    """Without a filter every service that starts, by mistake or by malware, is reachable at once."""
    for name, family in _FAMILIES:
        if family == "ip6" and not found.ipv6:
            yield not_applicable(name, "the host has no IPv6 address beyond loopback")
            continue
        seen = [c for c in found.chains if _sees(c, family)]
        # Rules that only accept or count, as those for virtual machines do, keep nothing out.
        chains = [c for c in seen if (c.rules and c.refuses) or c.rest == "refuse"]
        tools = ", ".join(found.tools)
        none = (
            f"no rules for incoming packets ({tools} installed)" if tools else "no tool that could load rules"
        )
        idle = f"{_described(seen)}; no rule refuses anything" if any(c.rules for c in seen) else none
        yield expect(
            bool(chains),
            on=name,
            saw=_described(chains) or idle,
            want="rules that refuse incoming packets",
        )


@check(
    "host.firewall.default-drop",
    title="The packet filter refuses what no rule allows",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.DATA,
    fix=Fix(
        action="Refuse incoming packets that no rule allows",
        do="Allow what the host serves, SSH first, then set the policy of the input chain to drop, for IPv4 "
        "and IPv6 alike.",
        verify="nft list ruleset | grep 'hook input'   # policy drop",
        effort=Effort(setup=2, each=0.5),
        disruption=Disruption.RESTART,
        undo="Set the policy back to accept.",
        snippets=(_SNIPPET,),
    ),
)
def default_drop(found: Firewall) -> Verdicts:
    """A filter that accepts what it does not know stops only what somebody has thought of."""
    for name, family in _FAMILIES:
        if family == "ip6" and not found.ipv6:
            yield not_applicable(name, "the host has no IPv6 address beyond loopback")
            continue
        chains = [c for c in found.chains if _sees(c, family)]
        # A packet passes only if no chain on its way refuses it.
        held = any(chain.rest == "refuse" for chain in chains)
        yield expect(held, on=name, saw=_described(chains) or "no filter", want="the rest is refused")
