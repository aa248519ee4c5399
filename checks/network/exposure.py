"""Doors that only administrators or other servers should reach."""

from __future__ import annotations

from checks.check import Check, make_check
from checks.facts.network import LOOPBACK, OpenPort, OpenPorts, PortAnswers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Surface
from checks.network import exposure_doors
from checks.network.exposure_doors import Door
from checks.verdict import Verdict, Verdicts, expect, unknown

_LIMIT = (
    "# Run this on @{target}. 192.0.2.0/24 stands for the network that may still come in: put yours there.\n"
    "nft add table inet bartizan_@{port}\n"
    "nft add chain inet bartizan_@{port} input '{ type filter hook input priority -10; }'\n"
    "nft add rule inet bartizan_@{port} input iifname lo accept\n"
    "nft --check add rule inet bartizan_@{port} input tcp dport @{port} ip saddr != 192.0.2.0/24 drop\n"
    "nft add rule inet bartizan_@{port} input tcp dport @{port} ip saddr != 192.0.2.0/24 drop\n"
    "nft add rule inet bartizan_@{port} input tcp dport @{port} meta nfproto ipv6 drop"
)


_ORDINARY = ("nginx", "apache httpd", "lighttpd", "caddy", "haproxy", "openresty", "simplehttpserver")
"""Web servers, by the start of their name, that serve anything: they say nothing of what stands behind."""


def _check(door: Door) -> Check[[OpenPorts, PortAnswers]]:
    def run(found: OpenPorts, answers: PortAnswers) -> Verdicts:
        want = "nothing of the kind answers"
        # Datagrams have checks of their own.
        ports = [port for port in found.ports if port.protocol == "tcp"]
        seen = {port.number for port in ports}
        for port in ports:
            named = port.service in door.services
            there = named or (not port.service and port.number in door.ports)
            if there and door.inner and found.vantage == LOOPBACK:
                reason = "asked from the machine itself, which may reach it; who else does was not asked"
                yield unknown(port.name, reason, needs="a scan from another machine", port=port.name)
            elif there:
                yield expect(
                    False,
                    on=port.name,
                    saw=f"{_words(port)}, reached from {found.vantage}",
                    want=want,
                    port=port.name,
                    confidence=Confidence.CONFIRMED if named else Confidence.LIKELY,
                )
            elif port.number in door.web and port.service == "http":
                yield _behind_http(port, found.vantage, want)
            elif port.number in door.ports:
                yield expect(
                    True, on=port.name, saw=f"{port.service} speaks there", want=want, port=port.name
                )
        for number in door.ports:
            on = f"tcp/{number}"
            if number not in seen and answers.is_closed(number):
                yield expect(True, on=on, saw="closed", want=want, port=on)
            elif number not in seen and answers.is_silent(number):
                reason = f"no answer to two tries from {found.vantage}: a filter drops it, or it was lost"
                yield unknown(on, reason, needs=f"a view of {on} from the host itself", port=on)

    return make_check(
        run,
        f"network.exposure.{door.name}",
        title=door.title,
        severity=door.severity,
        impact=door.impact,
        exploit=door.exploit,
        surface=Surface.SERVICE,
        weakness=door.weakness,
        why=door.why,
        fix=Fix(
            action=door.action,
            do=door.do,
            verify="nmap -Pn -p @{port} @{target}   # closed or filtered, asked from the same place",
            effort=Effort(setup=0.5, each=0.25),
            disruption=Disruption.OUTAGE,
            undo="Open the port again for the clients that turn out to need it.",
            snippets=(Snippet(Language.SHELL, _LIMIT, "nft delete table inet bartizan_@{port}"),),
            key="close:@{target}:@{on}",
        ),
    )


def _behind_http(port: OpenPort, vantage: str, want: str) -> Verdict:
    """HTTP on a port whose usual service speaks HTTP: that service, unless an ordinary web server answers."""
    if port.product.lower().startswith(_ORDINARY):
        reason = f"{port.product} answers there; whether it leads on to such a service is not known"
        return unknown(port.name, reason, needs="a look at the web server's configuration", port=port.name)
    saw = f"{_words(port)} on its usual port, reached from {vantage}"
    return expect(False, on=port.name, saw=saw, want=want, port=port.name, confidence=Confidence.LIKELY)


def _words(port: OpenPort) -> str:
    if not port.service:
        return "open, what speaks there was not identified"
    return " ".join(word for word in (port.service, port.product, port.version) if word)


DOORS = tuple(_check(door) for door in exposure_doors.DOORS)
