"""How much of a network the scan could really see."""

from __future__ import annotations

from checks.check import check
from checks.facts.network import NetworkCoverage, OpenPorts, PortAnswers
from checks.fix import Disruption, Effort, Fix
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect


@check(
    "network.coverage.middlebox",
    title="No device answers in place of the host",
    severity=Severity.INFO,
    impact=Impact.MINOR,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Look at hosts behind a middlebox from a place past it",
        do="Find the device in front of @{target} (a firewall with SYN proxy, a load balancer, a tarpit) "
        "and scan "
        "the host from a place behind it, or over SSH.",
        verify="nmap -Pn -p 1-1000 --open @{target}   # the services of the host, and no more",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.NONE,
        undo="Nothing was changed.",
        key="middlebox:@{target}",
    ),
)
def middlebox(answers: PortAnswers, *, most: int = 200) -> Verdicts:
    """Where every port seems open something in between answers, and nothing is known of the host behind."""
    reason = f"; {answers.in_between}" if answers.in_between else ""
    yield expect(
        answers.open <= most and not answers.in_between,
        on="ports",
        saw=f"{answers.open} of {answers.asked} ports are open{reason}",
        want=f"{most} open ports at most, and none on which nobody listens",
    )


@check(
    "network.coverage.identified",
    title="Every open port is known by what speaks there",
    severity=Severity.INFO,
    impact=Impact.MINOR,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Find out what listens on unidentified ports",
        do="Look on the host which program listens on port @{port}; stop it if nobody needs it.",
        verify="ss -lntup 'sport = :'@{port}   # the program, on @{target}",
        effort=Effort(setup=0.0, each=0.25),
        disruption=Disruption.NONE,
        undo="Nothing was changed.",
        key="unidentified:@{target}:@{on}",
    ),
)
def identified(found: OpenPorts) -> Verdicts:
    """A port that nobody can name was not assessed, and may be a service that nobody knows of."""
    for port in found.ports:
        yield expect(
            bool(port.service),
            on=port.name,
            saw=port.service or port.note or port.banner or "nothing that was recognised",
            want="a service that is known",
            port=port.name,
        )


@check(
    "network.coverage.complete",
    title="Nothing limited the sweep of the network",
    severity=Severity.INFO,
    impact=Impact.MINOR,
    exploit=Exploit.HARDENING,
    surface=Surface.LOCAL,
    fix=Fix(
        action="Give the scanner what it lacked",
        do="Install nmap, run the scanner with CAP_NET_RAW, give it more time, or move it nearer to @{on}: "
        "whatever the limits name.",
        verify="bartizan doctor   # raw sockets and nmap are here",
        effort=Effort(setup=0.5, each=0.0),
        disruption=Disruption.NONE,
        undo="Nothing was changed.",
    ),
)
def complete(coverage: NetworkCoverage) -> Verdicts:
    """What a sweep could not see is not safe but unknown; this says what it was."""
    yield expect(
        not coverage.limits,
        on=coverage.network,
        saw="; ".join(coverage.limits) or "no limits",
        want="no limits",
    )
