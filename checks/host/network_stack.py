"""How a host behaves on its networks: settings of the stack, routing, IPv6, interfaces, name servers."""

from __future__ import annotations

from ipaddress import ip_address

from checks.check import Check, check
from checks.facts.host.firewall import Firewall
from checks.facts.host.interfaces import Interfaces, Resolvers
from checks.facts.host.kernel import Sysctls
from checks.facts.host.platform import ContainerEngines
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.kernel import FORWARDING
from checks.host.kernel_families import NETWORK_STACK
from checks.host.kernel_settings import FORWARDING_FIX, Family, family_check, verdicts
from checks.model import Confidence, Impact, Outcome, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable, unknown

_PUBLIC_RESOLVERS = frozenset(
    {
        "1.1.1.1",
        "1.0.0.1",
        "8.8.8.8",
        "8.8.4.4",
        "9.9.9.9",
        "149.112.112.112",
        "208.67.222.222",
        "208.67.220.220",
        "2606:4700:4700::1111",
        "2606:4700:4700::1001",
        "2001:4860:4860::8888",
        "2001:4860:4860::8844",
        "2620:fe::fe",
        "2620:fe::9",
    }
)


def _made(family: Family) -> Check[[Sysctls]]:
    def judge(found: Sysctls) -> Verdicts:
        yield from verdicts(found, family.settings)

    return family_check(judge, "network-stack", family, "https://docs.kernel.org/networking/ip-sysctl.html")


FAMILIES = tuple(_made(family) for family in NETWORK_STACK)
"""One check for each family of settings of the network stack."""


@check(
    "host.network-stack.forwarding",
    title="The host does not route between networks",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.DATA,
    fix=FORWARDING_FIX,
    refs=("https://docs.kernel.org/networking/ip-sysctl.html",),
)
def forwarding(found: Sysctls, engines: ContainerEngines) -> Verdicts:
    """A server that forwards packets joins networks that a firewall keeps apart, for every attacker on it."""
    names = ", ".join(engines.engines)
    for verdict in verdicts(found, FORWARDING):
        if verdict.outcome is Outcome.FAIL and names:
            yield expect(
                False,
                on=verdict.on,
                saw=f"{verdict.saw} ({names} forwards for its containers)",
                want=verdict.want,
                severity=Severity.INFO,
                values=verdict.values,
            )
        else:
            yield verdict


@check(
    "host.network-stack.ipv6",
    title="IPv6 is filtered like IPv4, or switched off",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.DATA,
    fix=Fix(
        action="Filter IPv6 as IPv4 is filtered",
        do="Give the packet filter the same rules for IPv6 (an nftables table of the family inet sees "
        "both), or switch IPv6 off where no network of yours uses it. A person decides which: rules that "
        "leave out ICMPv6 or the login in use cut the host off.",
        verify="nft list ruleset | grep -E '^table (inet|ip6) '   # at least one table",
        effort=Effort(setup=1, each=0.25),
        disruption=Disruption.RESTART,
        undo="Take the added rules out again.",
    ),
)
def ipv6(found: Sysctls, firewall: Firewall) -> Verdicts:
    """Most systems speak IPv6 unasked, and a filter that knows only IPv4 leaves every service open there."""
    on = "IPv6"
    name = "net.ipv6.conf.all.disable_ipv6"
    filtered = {family: _refusing(firewall, family) for family in ("ip", "ip6")}
    if name in found.absent or found.values.get(name) == "1":
        yield expect(True, on=on, saw="switched off", want="filtered or off")
    elif filtered["ip6"]:
        yield expect(True, on=on, saw="rules refuse incoming packets", want="filtered or off")
    elif not filtered["ip"]:
        yield not_applicable(on, "IPv4 is not filtered either: no rule refuses incoming packets at all")
    elif not firewall.ipv6 and name not in found.values:
        yield unknown(on, f"{name} may not be read", needs=f"sudo: cat /proc/sys/{name.replace('.', '/')}")
    else:
        address = "an address beyond loopback" if firewall.ipv6 else "no address yet"
        yield expect(
            False,
            on=on,
            saw=f"on ({address}), and only IPv4 is filtered",
            want="filtered or off",
            severity=None if firewall.ipv6 else Severity.LOW,
        )


def _refusing(firewall: Firewall, family: str) -> bool:
    chains = [chain for chain in firewall.chains if chain.family in (family, "inet")]
    return any((chain.rules and chain.refuses) or chain.rest == "refuse" for chain in chains)


@check(
    "host.network-stack.wireless",
    title="No wireless interface is up",
    severity=Severity.LOW,
    surface=Surface.DATA,
    fix=Fix(
        action="Switch off wireless interfaces",
        do="Take @{on} down and block it with `rfkill block wifi`, unless this machine has no other way to "
        "its network.",
        verify="cat /sys/class/net/@{on}/operstate   # down",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.OUTAGE,
        undo="`rfkill unblock wifi` and `ip link set dev @{on} up`.",
        snippets=(
            Snippet(
                Language.SHELL,
                "name=@{on}\n"
                "# The interface that leads out may carry this very login.\n"
                'if ip route show default | grep -qw "dev $name"; then\n'
                '  echo "the default route goes through $name" >&2; exit 1\n'
                "fi\n"
                "if command -v rfkill >/dev/null; then rfkill block wifi || true; fi\n"
                'ip link set dev "$name" down',
                "name=@{on}\n"
                "if command -v rfkill >/dev/null; then rfkill unblock wifi || true; fi\n"
                'ip link set dev "$name" up',
            ),
        ),
    ),
)
def wireless(found: Interfaces) -> Verdicts:
    """A radio leads around every firewall and door, and reaches as far as the car park."""
    radios = [one for one in found.interfaces if one.kind == "wireless"]
    for one in radios:
        yield expect(not one.up, on=one.name, saw="up" if one.up else "down", want="down")
    if not radios:
        yield expect(True, on="interfaces", saw="none is wireless", want="no wireless interface up")


@check(
    "host.network-stack.promiscuous",
    title="No interface takes in the packets of others",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Find out who listens on the network",
        do="Find the program that listens on @{on} (`ss -0 -p`, `ip -d link show @{on}`) before you end it: "
        "it may be an intruder's, or a sensor of your own. Then switch the mode off.",
        verify="ip -d link show dev @{on} | grep -o 'promiscuity [0-9]*'   # promiscuity 0",
        effort=Effort(setup=1, each=0.5),
        undo="Switch the mode on again.",
        snippets=(
            Snippet(
                Language.SHELL,
                "ss -0 -p || true\nip link set dev @{on} promisc off",
                "ip link set dev @{on} promisc on",
            ),
        ),
    ),
)
def promiscuous(found: Interfaces, *, sensors: frozenset[str] = frozenset()) -> Verdicts:
    """A listening interface on a server is the mark of a sniffer that waits for passwords."""
    for one in found.interfaces:
        if one.kind == "loopback":
            continue
        excused = " (a port of a bridge, a switch or a listening bond)" if one.port else ""
        saw = f"takes in all packets{excused}" if one.promiscuous else "takes in its own packets"
        held = not one.promiscuous or one.port or one.name in sensors
        yield expect(held, on=one.name, saw=saw, want="its own packets only")


@check(
    "host.network-stack.resolver",
    title="The host asks name servers that are known",
    severity=Severity.LOW,
    surface=Surface.DATA,
    fix=Fix(
        action="Ask known name servers",
        do="Find out who set the name server @{on} in @{file}, and set those of your own network. No "
        "command can know which these are.",
        verify="cat @{file}   # your own name servers",
        effort=Effort(setup=0.5, each=0.1),
        undo="Set the former address back.",
    ),
)
def resolver(found: Resolvers, *, known: frozenset[str] = _PUBLIC_RESOLVERS) -> Verdicts:
    """Who answers the names decides where every connection goes, and reads who talks to whom."""
    if not found.addresses:
        yield unknown("name servers", f"{found.file} names no server", needs="a name server in that file")
    for address in found.addresses:
        plain = address.partition("%")[0]
        inner = _inner(plain)
        yield expect(
            inner or plain in known,
            on=address,
            saw="an inner address" if inner else "a public address",
            want="an inner address, or one that is named as known",
            confidence=Confidence.POSSIBLE,
            values={"file": found.file},
        )


def _inner(address: str) -> bool:
    try:
        return not ip_address(address).is_global
    except ValueError:
        return False
