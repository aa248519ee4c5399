"""Name servers that do more for strangers than they should."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.network import OUTSIDE, OpenPorts
from checks.facts.network.datagrams import UdpAnswers
from checks.facts.network.names import DnsServers, DnsTransfers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.network.udp import datagram_ports, usual_port
from checks.verdict import Verdicts, expect, unknown

_PORT = 53
_VERSION = re.compile(r"\d\.\d")
"""A number within a made-up text is no version; a number with a point in it may be one."""
_FILE = "/etc/bind/named.conf.options"


def _bind(name: str, options: str) -> tuple[Snippet, ...]:
    # One marked line each: the fixes of one server do not undo one another.
    mark = f"// bartizan: {name}"
    do = (
        f"# On @{{target}}, for BIND on port @{{port}}. Where {_FILE}\n"
        "# has a line of the same name, named-checkconf says so: take that line out, and run this again.\n"
        f"sed -i '\\|{mark}|d' {_FILE}\n"
        f"sed -i '/^options[[:space:]]*{{/a\\    {options}  {mark}' {_FILE}\n"
        "named-checkconf && systemctl reload named"
    )
    undo = f"sed -i '\\|{mark}|d' {_FILE}\nnamed-checkconf && systemctl reload named"
    return (Snippet(Language.SHELL, do, undo),)


def _nobody_else(ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """What is said of port 53 and of servers that answer over TCP alone: those are not asked."""
    asked = {p.number for p in datagram_ports(ports) if p.service == "dns"}
    for port in ports.ports:
        named = port.service == "dns" or (not port.service and port.number == _PORT)
        if port.protocol == "tcp" and named and port.number not in asked:
            reason = "a name server may answer there, but by UDP, by which it would be asked, it does not"
            yield unknown(port.name, reason, needs="the configuration of the server", port=port.name)
    yield from usual_port(_PORT, "dns", ports, answers)


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
        snippets=_bind("recursion", "allow-recursion { localhost; localnets; };"),
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
    yield from _nobody_else(ports, answers)


@check(
    "network.dns.zone-transfer",
    title="No name server copies a zone to strangers",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Let only the secondary servers copy zones",
        do="Set `allow-transfer` to the keys of the secondary servers (TSIG), or to none where there are no "
        "secondaries; a zone with a line of its own needs it there.",
        verify="dig +time=2 -p @{port} @@{target} AXFR @{zone}   # Transfer failed",
        effort=Effort(setup=1.0, each=0.25),
        disruption=Disruption.RESTART,
        undo="Take the new line out of the options and reload the server.",
        snippets=_bind("transfers", "allow-transfer { none; };"),
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
    yield from _nobody_else(ports, answers)


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
        verify="dig +short +time=2 -p @{port} @@{target} version.bind CH TXT   # nothing like a version",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.RESTART,
        undo="Take the new line out of the options and reload the server.",
        snippets=_bind("version", "version none; hostname none; server-id none;"),
        key="dns-version:@{target}:@{on}",
    ),
)
def version_disclosure(found: DnsServers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """A version tells strangers at once which known flaws are worth a try."""
    for server in found.servers:
        yield expect(
            not _VERSION.search(server.version),
            on=server.port,
            saw=server.version or "no version is told",
            want="no version is told",
            port=server.port,
        )
    yield from _nobody_else(ports, answers)
