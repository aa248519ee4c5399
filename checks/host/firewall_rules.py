"""What the rules of the packet filter let in: port by port, and by the exceptions that undo all others."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.firewall import Firewall, PortRule
from checks.facts.host.services import Listener, ListeningServices
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_FAMILIES = {"ip": "IPv4", "ip6": "IPv6"}
_SSH = frozenset({"sshd", "dropbear"})


def _families(one: Listener, found: Firewall) -> list[str]:
    """The families of addresses over which others reach the socket."""
    if one.address != "*":
        return ["ip6" if ":" in one.address and not one.address.startswith("::ffff:") else "ip"]
    return ["ip", "ip6"] if found.ipv6 else ["ip"]


def _treated(found: Firewall, family: str, one: Listener) -> tuple[str, tuple[str, ...]]:
    """What becomes of new connections to the socket, and by what they are limited.

    `open` without a rule that names the port, `named` with one, else limit, refuse, or unclear.
    """
    chains = [c for c in found.chains if c.family in (family, "inet")]
    ways = [rule for c in chains for rule in c.ports if _covers(rule, family, one)]
    if any(way.does == "refuse" for way in ways):
        return "refuse", ()
    sent_on = any(r.protocol == one.protocol and r.first <= one.port <= r.last for r in found.forwarded)
    if sent_on or any(not c.ports for c in chains) or any(way.does == "unclear" for way in ways):
        return "unclear", ()
    limits = tuple(sorted({limit for way in ways for limit in way.limits}))
    if limits:
        return "limit", limits
    return ("named" if any(way.named for way in ways) else "open"), ()


def _covers(rule: PortRule, family: str, one: Listener) -> bool:
    return rule.family == family and rule.protocol == one.protocol and rule.first <= one.port <= rule.last


def _unclear(found: Firewall, one: Listener) -> str:
    if any(r.protocol == one.protocol and r.first <= one.port <= r.last for r in found.forwarded):
        return (
            "address translation sends the port on (a container's, for example) before the input rules see it"
        )
    return "the rules before the port ask for things that are not read here"


@check(
    "host.firewall-rules.open-ports",
    title="A rule stands before every open port",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Decide about every open port in the packet filter",
        do="Refuse by default, and let in to @{on} whom it is for: everybody, one network, or nobody. "
        "Who that "
        "is a person has to say.",
        verify="nft list ruleset | grep -w @{port}   # a rule, or a policy of drop before",
        effort=Effort(setup=1, each=0.25),
        disruption=Disruption.RESTART,
        undo="Take the rule out again.",
        key="packet-filter",
    ),
)
def open_ports(found: Firewall, listening: ListeningServices) -> Verdicts:
    """A port that no rule mentions is open because nobody has thought of it."""
    judged: dict[str, Verdict] = {}
    for one in listening.listeners:
        if not one.loopback:
            verdict = _port(found, one)
            before = judged.get(one.name)
            if before is None or (before.ok and not verdict.ok):
                judged[one.name] = verdict
    yield from judged.values()
    if not judged:
        yield expect(True, on="listening services", saw="none beyond loopback", want="a rule for each")


def _port(found: Firewall, one: Listener) -> Verdict:
    seen = {family: _treated(found, family, one) for family in _families(one, found)}
    words = ", ".join(f"{_FAMILIES[family]} {_shown(*way)}" for family, way in seen.items())
    kinds = {way for way, _ in seen.values()}
    if "open" in kinds:
        return expect(
            False, on=one.name, saw=words, want="a rule, or refused", port=one.name, cite=f":{one.port} "
        )
    if "unclear" in kinds:
        return unknown(one.name, _unclear(found, one), port=one.name)
    return expect(True, on=one.name, saw=words, want="a rule, or refused", port=one.name)


def _shown(way: str, limits: tuple[str, ...]) -> str:
    return {
        "open": "open without a rule",
        "named": "let in by a rule",
        "limit": f"limited by {' and '.join(limits)}",
        "refuse": "refused",
        "unclear": "unclear",
    }[way]


@check(
    "host.firewall-rules.accept-all",
    title="No rule lets everything in before the others decide",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.DATA,
    fix=Fix(
        action="Remove rules that let everything in",
        do="Take the rule `@{rule}` out of the chain @{on}, or put the condition into it that was "
        "meant. What "
        "relies on it has to be found first, so a person does it.",
        verify="nft -a list ruleset   # no accept without a condition before the end of the input chain",
        effort=Effort(setup=1, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the rule back.",
        key="packet-filter:accept-all",
    ),
)
def accept_all(found: Firewall) -> Verdicts:
    """One accept without a condition switches off all rules after it, while the list of rules looks safe."""
    filtering = [c for c in found.chains if c.policy == "drop" or c.rules]
    for chain in filtering:
        # In a chain that lets all in at its end, the rule changes nothing.
        bad = bool(chain.accepts_all) and (chain.policy == "drop" or chain.refuses)
        yield expect(
            not bad,
            on=f"{chain.tool} {chain.family} {chain.table} {chain.name}",
            saw=chain.accepts_all if bad else "no such rule",
            want="no accept without a condition",
            values={"rule": chain.accepts_all},
            cite=chain.name,
        )
    if not filtering:
        yield not_applicable("packet filter", "no rules for incoming packets are loaded")


_LOOPBACK = Snippet(
    Language.SHELL,
    "tool=@{tool}\nfamily=@{family}\ntable=@{table}\nchain=@{chain}\n"
    "case $tool in\n"
    '  nft) [ "$family" = ip6 ] ||\n'
    '      nft insert rule $family "$table" "$chain" iif != lo ip saddr 127.0.0.0/8 drop '
    "comment loopback\n"
    '    [ "$family" = ip ] ||\n'
    '      nft insert rule $family "$table" "$chain" iif != lo ip6 saddr ::1 drop comment loopback\n'
    '    nft insert rule $family "$table" "$chain" iif lo accept comment loopback ;;\n'
    '  *) own=127.0.0.0/8; [ "$family" = ip ] || own=::1/128\n'
    '    "$tool" -I "$chain" 1 -i lo -j ACCEPT && "$tool" -I "$chain" 2 ! -i lo -s "$own" -j DROP ;;\n'
    "esac",
    "tool=@{tool}\nfamily=@{family}\ntable=@{table}\nchain=@{chain}\n"
    "case $tool in\n"
    '  nft) nft -a list chain $family "$table" "$chain" |\n'
    "      sed -n 's/.*comment \"loopback\" # handle \\([0-9]*\\)$/\\1/p' |\n"
    '      while read -r handle; do nft delete rule $family "$table" "$chain" handle '
    '"$handle"; done ;;\n'
    '  *) own=127.0.0.0/8; [ "$family" = ip ] || own=::1/128\n'
    '    "$tool" -D "$chain" -i lo -j ACCEPT; "$tool" -D "$chain" ! -i lo -s "$own" -j DROP ;;\n'
    "esac",
)


@check(
    "host.firewall-rules.loopback",
    title="Loopback is let in, and nobody else under its addresses",
    severity=Severity.LOW,
    impact=Impact.MINOR,
    surface=Surface.DATA,
    fix=Fix(
        action="Add the rules for loopback to the packet filter",
        do="Accept what comes in by `lo`, and drop what claims an address of loopback on another "
        "interface, as "
        "the first rules of the chain @{on}; save them where the rules are kept.",
        verify="nft list ruleset | grep -E '127\\.0\\.0\\.0/8|\"lo\"'   # both rules",
        effort=Effort(setup=0.5, each=0.1),
        undo="Take the two rules out again.",
        snippets=(_LOOPBACK,),
    ),
)
def loopback(found: Firewall) -> Verdicts:
    """Services on loopback trust their address: a packet that only claims to have it must not reach them."""
    judged = False
    for family, name in _FAMILIES.items():
        chains = [c for c in found.chains if c.family in (family, "inet") and c.rest == "refuse"]
        if not chains or (family == "ip6" and not found.ipv6):
            continue
        judged = True
        chain = chains[0]
        lets = any(c.loopback for c in chains)
        guards = any(c.forged for c in chains)
        words = [] if lets else ["no rule for lo"]
        words += [] if guards else ["no rule against forged loopback addresses"]
        yield expect(
            lets and guards,
            on=name,
            saw=words or "both rules",
            want="lo accepted, its addresses refused elsewhere",
            values={"tool": chain.tool, "family": chain.family, "table": chain.table, "chain": chain.name},
            cite='"lo"',
        )
    if not judged:
        yield not_applicable("loopback", "no chain refuses what no rule lets in, so loopback needs no rule")


@check(
    "host.firewall-rules.ssh-sources",
    title="SSH is open to known networks, or slows down those who try",
    severity=Severity.LOW,
    impact=Impact.MINOR,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Limit from where SSH is reached",
        do="Let only the networks of the administrators in to port @{port}, or limit the rate of new "
        "connections "
        "from one address. Which networks these are a person has to say, or they lock themselves out.",
        verify="nft list ruleset | grep -w @{port}   # ip saddr, or limit rate",
        effort=Effort(setup=0.5, each=0.1),
        undo="Take the condition out of the rule again.",
        key="ssh-sources",
    ),
)
def ssh_sources(found: Firewall, listening: ListeningServices) -> Verdicts:
    """Guesses at SSH logins come from everywhere and never end; those who cannot connect cannot guess."""
    servers = [
        one
        for one in listening.listeners
        if one.protocol == "tcp"
        and not one.loopback
        and (one.program in _SSH or (one.port == 22 and one.program in ("", "systemd")))
    ]
    for name in dict.fromkeys(one.name for one in servers):
        here = [one for one in servers if one.name == name]
        ways = {family: _treated(found, family, one) for one in here for family in _families(one, found)}
        kinds = {way for way, _ in ways.values()}
        words = ", ".join(f"{_FAMILIES[family]} {_shown(*way)}" for family, way in ways.items())
        if "unclear" in kinds and not kinds & {"open", "named"}:
            yield unknown(name, _unclear(found, here[0]), port=name)
        else:
            held = kinds <= {"limit", "refuse"}
            yield expect(held, on=name, saw=words, want="limited by source or rate", port=name)
    if not servers:
        yield not_applicable("SSH", "no SSH server listens beyond loopback")
