"""The packet filter of a host."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.firewall import Firewall, InputChain, SavedFirewall
from checks.facts.host.packages import Packages
from checks.facts.host.units import Units
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.filter_rest import rest_of
from checks.host.fixes import disable_unit, install_package
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_FAMILIES = (("IPv4", "ip"), ("IPv6", "ip6"))
_TOOLS = frozenset(
    {
        "nftables",
        "ufw",
        "firewalld",
        "iptables",
        "iptables-nft",
        "iptables-services",
        "shorewall",
        "ferm",
        "awall",
    }
)
_LOADERS = {
    "ufw": ("ufw",),
    "firewalld": ("firewalld",),
    "shorewall": ("shorewall", "shorewall6"),
    "ferm": ("ferm",),
    "nftables": ("nftables",),
    "iptables": ("netfilter-persistent", "iptables", "ip6tables", "iptables-restore", "awall"),
}
"""What loads rules at boot, with its units; those that keep rules of their own stand first."""
_RULES = (
    "table inet bartizan {\n"
    "  chain input {\n"
    "    type filter hook input priority filter; policy drop;\n"
    "    ct state established,related accept\n"
    '    iif "lo" accept\n'
    "    meta l4proto { 1, 58 } accept\n"
    "    tcp dport 22 accept\n"
    "  }\n"
    "}\n"
)
_SNIPPET = Snippet(
    Language.SHELL,
    "# Add a line for every service of this host first; SSH is expected on port 22.\n"
    "# The rules stand in a table of their own: what other tables refuse stays refused.\n"
    "cat >/etc/nftables-bartizan.conf <<'RULES'\n" + _RULES + "RULES\n"
    "nft -c -f /etc/nftables-bartizan.conf && {\n"
    "  # In five minutes all is as before, unless you stop this job from a new login.\n"
    '  (sleep 300; nft delete table inet bartizan) & echo "kill $! once a new login has worked"\n'
    "  nft -f /etc/nftables-bartizan.conf\n"
    "}",
    "nft delete table inet bartizan",
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
        key="packet-filter",
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
        key="packet-filter",
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
        ends = {rest_of(chain, family) for chain in chains}
        if "unclear" in ends and "refuse" not in ends:
            yield unknown(name, f"{_described(chains)}, but some rules ask for things that are not read here")
            continue
        most = "; most ports are let in" if any(c.rest == "refuse" for c in chains) else ""
        held = "refuse" in ends
        saw = _described(chains) + ("" if held else most)
        yield expect(held, on=name, saw=saw or "no filter", want="the rest is refused")


@check(
    "host.firewall.installed",
    title="A tool for packet filters is installed",
    severity=Severity.MEDIUM,
    impact=Impact.MINOR,
    fix=Fix(
        action="Install a tool for packet filters",
        do="Install nftables (or ufw, or firewalld, where the other hosts have it).",
        verify="command -v nft   # /usr/sbin/nft",
        effort=Effort(setup=0.25, each=0.05),
        undo="Remove the package.",
        snippets=install_package(),
    ),
)
def installed(found: Packages) -> Verdicts:
    """Without a tool nobody can close a port in the hour in which it matters."""
    tools = sorted(found.names & _TOOLS)
    yield expect(
        bool(tools),
        on="packet filter",
        saw=tools or "no tool",
        want="nftables, ufw or firewalld",
        values={"package": "nftables"},
    )


_KEEP = Snippet(
    Language.SHELL,
    "file=/etc/nftables.conf\n"
    "if [ -d /etc/sysconfig ]; then file=/etc/sysconfig/nftables.conf; fi\n"
    "before=$file.before-bartizan\n"
    'if ! [ -e "$before" ] && ! [ -e "$before.none" ]; then\n'
    '  cp -p "$file" "$before" 2>/dev/null || : >"$before.none"\n'
    "fi\n"
    'systemctl is-enabled nftables >/dev/null 2>&1 || : >"$before.disabled"\n'
    'rules=$(nft -s list ruleset) && printf \'flush ruleset\\n%s\\n\' "$rules" >"$file.new" &&\n'
    '  nft -c -f "$file.new" && cat "$file.new" >"$file" && systemctl enable nftables\n'
    'ended=$?; rm -f "$file.new"; [ "$ended" = 0 ]',
    "file=/etc/nftables.conf\n"
    "if [ -d /etc/sysconfig ]; then file=/etc/sysconfig/nftables.conf; fi\n"
    "before=$file.before-bartizan\n"
    'if [ -e "$before" ]; then cat "$before" >"$file"; fi\n'
    'if [ -e "$before.none" ]; then rm -f "$file"; fi\n'
    'if [ -e "$before.disabled" ]; then systemctl disable nftables; fi\n'
    'rm -f "$before" "$before.none" "$before.disabled"',
)


@check(
    "host.firewall.persistent",
    title="The packet filter is there again after a reboot",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.DATA,
    fix=Fix(
        action="Load the packet filter at every boot",
        do="Save the rules that are loaded now, and start the service that loads them at boot. Rules that a "
        "program makes while it runs (containers, fail2ban) are saved with them: take those out of the file.",
        verify="systemctl is-enabled nftables ufw firewalld netfilter-persistent   # one of them: enabled",
        effort=Effort(setup=0.5, each=0.1),
        undo="Put the former file back and take the service out of the boot.",
        snippets=(_KEEP,),
    ),
)
def persistent(found: Firewall, saved: SavedFirewall, units: Units) -> Verdicts:
    """A filter that somebody loaded by hand is gone with the next reboot, and nobody notices."""
    loaded = [c for c in found.chains if c.rest == "refuse" or (c.rules and c.refuses)]
    if not loaded:
        yield not_applicable("packet filter", "no rules are loaded that a reboot could take away")
        return
    on = "packet filter"
    loaders = _at_boot(units, saved)
    if not loaders:
        yield expect(
            False, on=on, saw="rules are loaded, and nothing loads them at boot", want="a service that does"
        )
    elif loaders[0] not in ("nftables", "iptables"):
        yield expect(
            True, on=on, saw=f"{loaders[0]} starts at boot", want="a service that loads the rules at boot"
        )
    else:
        yield _saved(on, loaders, loaded, saved)


def _at_boot(units: Units, saved: SavedFirewall) -> list[str]:
    found = [name for name, names in _LOADERS.items() if units.starts(*names)]
    # The unit of ufw starts also where ufw itself is switched off.
    return [name for name in found if name != "ufw" or saved.ufw_enabled]


def _saved(on: str, loaders: list[str], loaded: list[InputChain], saved: SavedFirewall) -> Verdict:
    """Whether the files of rules define every chain that is loaded, with the same policy."""
    inside = {chain for one in saved.files for chain in one.chains}
    missing = [c for c in loaded if f"{c.family} {c.table} {c.name} {c.policy}" not in inside]
    names = ", ".join(f"{c.family} {c.table} {c.name}" for c in missing)
    want = "files that define the loaded chains"
    if not missing:
        return expect(
            True, on=on, saw=f"{', '.join(loaders)} loads chains of the same names at boot", want=want
        )
    if not saved.files or not all(one.whole for one in saved.files):
        return unknown(
            on, f"{', '.join(loaders)} starts at boot, but what it loads is not all seen ({names})"
        )
    return expect(False, on=on, saw=f"no file of rules has {names} as it is loaded", want=want)


@check(
    "host.firewall.one-manager",
    title="One program alone manages the packet filter",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Leave the packet filter to one program",
        do="Take the rules that are needed over into @{kept}, then stop `@{unit}` and keep the next "
        "boot from "
        "starting it.",
        verify="systemctl is-enabled @{unit}   # disabled",
        effort=Effort(setup=1, each=0.25),
        undo="Start the unit again, now and at boot.",
        snippets=disable_unit(),
        key="firewall-manager:@{unit}",
    ),
)
def one_manager(units: Units, saved: SavedFirewall) -> Verdicts:
    """Two managers delete each other's rules at boot, and which of them wins is a matter of luck."""
    loaders = _at_boot(units, saved)
    for name in loaders[1:]:
        yield expect(
            False,
            on=name,
            saw=f"starts beside {loaders[0]}",
            want="one manager",
            values={"unit": units.starts(*_LOADERS[name])[0].name, "kept": loaders[0]},
        )
    if len(loaders) == 1:
        yield expect(True, on="managers", saw=loaders[0], want="one manager")
    elif not loaders:
        yield not_applicable("managers", "no service manages the packet filter")
