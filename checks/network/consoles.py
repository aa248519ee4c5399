"""Pages from which something is administered."""

from __future__ import annotations

from checks.check import check
from checks.facts.network.consoles import Consoles, Guard
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect, unknown

_ONLY_ADMINISTRATORS = Snippet(
    Language.SHELL,
    "# On @{target}. 192.0.2.0/24 stands for the management network: put yours there.\n"
    "nft add table inet bartizan_@{port}\n"
    "nft add chain inet bartizan_@{port} input '{ type filter hook input priority -10; }'\n"
    "nft add rule inet bartizan_@{port} input iifname lo accept\n"
    "nft add rule inet bartizan_@{port} input tcp dport @{port} ip saddr != 192.0.2.0/24 drop\n"
    "nft add rule inet bartizan_@{port} input tcp dport @{port} meta nfproto ipv6 drop",
    "nft delete table inet bartizan_@{port}",
)


@check(
    "network.consoles.login",
    title="Every page of administration asks for a login",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
    fix=Fix(
        action="Turn on the login of @{product}",
        do="Switch on authentication in @{product} (where it has none of its own, put a proxy with a login "
        "before it), and let only the management network reach its port.",
        verify="curl -sk -o /dev/null -w '%{http_code}\\n' @{scheme}://@{target}:@{port}/   "
        "# 401, or a way to a login",
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old configuration back and restart it; remove the rule of the firewall.",
        snippets=(_ONLY_ADMINISTRATORS,),
        key="console-login:@{target}:@{port}",
    ),
)
def login(found: Consoles) -> Verdicts:
    """Who opens such a page without a login reads, changes and stops what it administers."""
    for console in found.consoles:
        saw = f"{console.product}: {console.answer}"
        if console.guard is Guard.UNDECIDED:
            yield unknown(console.port, saw, needs=f"an answer from {console.port}", port=console.port)
        elif console.guard is not Guard.NOT_ASKED:
            yield expect(
                console.guard is Guard.LOGIN,
                on=console.port,
                saw=saw,
                want="a login is asked for",
                port=console.port,
                values={"product": console.product, "scheme": "https" if console.tls else "http"},
            )


@check(
    "network.consoles.reachable",
    title="No page of administration is reachable",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Let only the management network reach @{product}",
        do="Bind @{product} to loopback or to the management network, or close its port to all others; "
        "administrators come in over a VPN or a jump host.",
        verify="nmap -Pn -p @{port} @{target}   # closed or filtered, asked from the same place",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.OUTAGE,
        undo="Open the port again for those who turn out to need it.",
        snippets=(_ONLY_ADMINISTRATORS,),
        key="close:@{target}:tcp/@{port}",
    ),
)
def reachable(found: Consoles) -> Verdicts:
    """A page of administration that everybody reaches is one weak password or one flaw from a takeover."""
    seen = {console.port for console in found.consoles}
    for port in found.looked:
        if port not in seen:
            yield expect(True, on=port, saw="no known page of administration", want=_NONE, port=port)
    for console in found.consoles:
        yield expect(
            False,
            on=console.port,
            saw=f"{console.product}, known by: {console.known_by}",
            want=_NONE,
            port=console.port,
            values={"product": console.product},
        )


_NONE = "no page of administration answers"
