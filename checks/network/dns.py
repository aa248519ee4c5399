"""Name servers that do more for strangers than they should."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.network import OUTSIDE, OpenPorts
from checks.facts.network.datagrams import UdpAnswers
from checks.facts.network.names import DnsServers, DnsTransfers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.network.udp import usual_port
from checks.verdict import Verdicts, expect, unknown

_PORT = 53
_BACK = "rm /etc/bind/bartizan.conf && systemctl reload named"


def _bind(options: str) -> tuple[Snippet, ...]:
    do = (
        "# On @{target}, for BIND on port @{port}: check, then put this line into the options block of\n"
        '# /etc/bind/named.conf.options:  include "/etc/bind/bartizan.conf";\n'
        f"printf '{options}\\n' > /etc/bind/bartizan.conf\n"
        "named-checkconf && systemctl reload named"
    )
    return (Snippet(Language.SHELL, do, _BACK),)


@check(
    "network.dns.recursion",
    title="No name server resolves names for the internet",
    severity=Severity.HIGH,
    exploit=Exploit.POC_AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Let only your own networks ask the resolver",
        do="Limit recursion to your own networks (`allow-recursion` in BIND, `access-control` in Unbound), "
        "and close the port to the internet where the server serves no public zone.",
        verify="dig +time=2 -p @{port} @@{target} . NS   # REFUSED, asked from outside",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Take the new line out of the options and reload the server.",
        snippets=_bind("allow-recursion { localhost; localnets; };"),
        key="dns-recursion:@{target}:@{on}",
    ),
)
def recursion(found: DnsServers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """A resolver that serves everybody floods whoever a forged question names and can be fed false names."""
    for server in found.servers:
        if server.recursion and answers.vantage != OUTSIDE:
            reason = (
                f"it resolves names for {answers.vantage}, as a resolver of one's own does; whether for the "
                "internet too was not asked"
            )
            yield unknown(server.port, reason, needs="a scan from outside", port=server.port)
        else:
            yield expect(
                not server.recursion,
                on=server.port,
                saw=f"{server.answer}, asked from {answers.vantage}",
                want="no recursion for strangers",
                port=server.port,
            )
    yield from usual_port(_PORT, "dns", ports, answers)


@check(
    "network.dns.zone-transfer",
    title="No name server copies a zone to strangers",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Let only the secondary servers copy zones",
        do="Set `allow-transfer` to the keys of the secondary servers (TSIG), or to none where there are no "
        "secondaries.",
        verify="dig +time=2 -p @{port} @@{target} AXFR @{zone}   # Transfer failed",
        effort=Effort(setup=1.0, each=0.25),
        disruption=Disruption.RESTART,
        undo="Take the new line out of the options and reload the server.",
        snippets=_bind("allow-transfer { none; };"),
        key="dns-transfer:@{target}:@{port}",
    ),
)
def zone_transfer(found: DnsTransfers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """A copy of a zone is a list of all machines, also of those that nobody is meant to find."""
    for one in found.transfers:
        yield expect(
            not one.given,
            on=f"{one.port} {one.zone}",
            saw=f"{'given' if one.given else 'not given'}: {one.answer}",
            want="the transfer is refused",
            port=one.port,
            values={"zone": one.zone},
            cite=one.zone,
        )
    yield from usual_port(_PORT, "dns", ports, answers)


@check(
    "network.dns.version-disclosure",
    title="No name server tells its version",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Hide the version of the name server",
        do="Set `version none; hostname none; server-id none;` (BIND), or `hide-version: yes` and "
        "`hide-identity: yes` (Unbound), and reload.",
        verify="dig +short +time=2 -p @{port} @@{target} version.bind CH TXT   # nothing with a number",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.RESTART,
        undo="Take the new line out of the options and reload the server.",
        snippets=_bind("version none; hostname none; server-id none;"),
        key="dns-version:@{target}:@{on}",
    ),
)
def version_disclosure(found: DnsServers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """A version tells strangers at once which known flaws are worth a try."""
    for server in found.servers:
        yield expect(
            not re.search(r"\d", server.version),
            on=server.port,
            saw=server.version or "no version is told",
            want="no version is told",
            port=server.port,
        )
    yield from usual_port(_PORT, "dns", ports, answers)
