"""UDP services that should not answer: those that leak, those that manage, and those that amplify."""

from __future__ import annotations

from dataclasses import dataclass

from checks.check import Check, check, make_check
from checks.facts.network import LOOPBACK, OUTSIDE, OpenPort, OpenPorts
from checks.facts.network.datagrams import UdpAnswers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface, Weakness
from checks.network.udp import datagram_ports, nft_limit, silent_words, usual_port
from checks.verdict import Verdicts, expect, unknown


@dataclass(frozen=True, slots=True)
class Hatch:
    """A UDP service that should not be reachable: how it is known, how bad it is, and what to do."""

    name: str
    title: str
    service: str
    port: int
    severity: Severity
    exploit: Exploit
    why: str
    action: str
    do: str
    verify: str
    impact: Impact | None = None
    weakness: Weakness | None = None


_HEADERS = 28
"""Bytes of IPv4 and UDP around every datagram, which a flood is made of too."""
_SILENT = "silent ports"
_UNHEARD = "nmap -sU -Pn -p @{port} @{target}   # closed or open|filtered, never open; from the same place"
_NOTHING = "   # nothing, asked from the same place"

_HATCHES = (
    Hatch(
        name="network.datagrams.tftp",
        title="No TFTP service is reachable",
        service="tftp",
        port=69,
        severity=Severity.HIGH,
        exploit=Exploit.NO_EXPLOIT_NEEDED,
        why="TFTP knows no login: whoever reaches it reads the configurations and boot images that it keeps, "
        "and often replaces them.",
        action="Turn TFTP off, or keep it in the network that boots from it",
        do="Stop the TFTP server where nothing boots from it; else let only that network reach port @{port}, "
        "and keep no configuration with passwords in its folder.",
        verify="curl -s -m 5 tftp://@{target}:@{port}/missing; echo $?   # 28, from the same "
        "place: no answer",
    ),
    Hatch(
        name="network.datagrams.memcached",
        title="No memcached answers by UDP",
        service="memcached",
        port=11211,
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="A memcached that answers datagrams sends many thousand times what it is asked to whatever "
        "address the question claims to come from: no other service makes a stronger flood.",
        action="Switch UDP off in memcached",
        do="Start memcached with `-U 0` and `-l 127.0.0.1`, and restart it.",
        verify=_UNHEARD,
        impact=Impact.SERIOUS,
    ),
    Hatch(
        name="network.datagrams.port-mapper",
        title="No port mapper (rpcbind) answers by UDP",
        service="rpcbind",
        port=111,
        severity=Severity.MEDIUM,
        exploit=Exploit.AUTOMATABLE,
        why="The port mapper tells strangers which remote procedures a machine offers, and its answers flood "
        "whoever a forged question names.",
        action="Close the port mapper to all but its clients",
        do="Remove rpcbind where NFS version 3 is not used; else let only the clients reach port @{port}.",
        verify=_UNHEARD,
    ),
    Hatch(
        name="network.datagrams.netbios-names",
        title="No NetBIOS name service answers",
        service="netbios-ns",
        port=137,
        severity=Severity.MEDIUM,
        exploit=Exploit.AUTOMATABLE,
        why="The NetBIOS name service tells the names of a machine, its domain and its users to anybody, and "
        "answers more than it is asked.",
        action="Turn NetBIOS over TCP/IP off",
        do="Turn NetBIOS off in the settings of the network card (Windows), or set `disable netbios = yes` "
        "in smb.conf and stop nmbd (Samba).",
        verify=f"nmblookup -A @{{target}}{_NOTHING}",
    ),
    Hatch(
        name="network.datagrams.upnp",
        title="No UPnP device answers a search",
        service="ssdp",
        port=1900,
        severity=Severity.MEDIUM,
        exploit=Exploit.POC_AUTOMATABLE,
        why="UPnP lets strangers describe and often reconfigure a device without a login, and its answers to "
        "a search serve as a flood.",
        action="Turn UPnP off",
        do="Turn UPnP off in the device; where it must stay, close port @{port} to other networks.",
        verify=f"nmap -sU -Pn -p @{{port}} --script upnp-info @{{target}}{_NOTHING}",
    ),
    Hatch(
        name="network.datagrams.multicast-names",
        title="No multicast DNS responder answers from afar",
        service="mdns",
        port=5353,
        severity=Severity.LOW,
        exploit=Exploit.AUTOMATABLE,
        why="Multicast DNS is for one link; a responder that answers other networks tells them names and "
        "services, and lends itself to floods.",
        action="Keep multicast DNS on its link",
        do="Stop the responder (avahi-daemon on Linux) where nobody looks for services, and close port "
        "@{port} to other networks.",
        verify=f"dig +short +time=2 -p @{{port}} @@{{target}} _services._dns-sd._udp.local PTR{_NOTHING}",
    ),
    Hatch(
        name="network.datagrams.directory",
        title="No directory answers LDAP by UDP",
        service="cldap",
        port=389,
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="A domain controller answers LDAP by UDP with fifty times what it is asked, to whatever address "
        "a forged question names, and tells strangers about the domain.",
        action="Close LDAP by UDP to all but the domain's own machines",
        do="Let only the members of the domain reach UDP port @{port} of its controllers; the internet "
        "never.",
        verify=_UNHEARD,
    ),
    Hatch(
        name="network.datagrams.device-discovery",
        title="No device answers a search of WS-Discovery",
        service="ws-discovery",
        port=3702,
        severity=Severity.MEDIUM,
        exploit=Exploit.POC_AUTOMATABLE,
        why="Cameras and printers that answer WS-Discovery from afar name themselves to strangers and send "
        "many times what they are asked to whoever a forged question names.",
        action="Keep WS-Discovery on its link",
        do="Turn WS-Discovery off in the device, and close port @{port} to other networks.",
        verify=_UNHEARD,
    ),
    Hatch(
        name="network.datagrams.management-controllers",
        title="No management controller (IPMI) is reachable",
        service="ipmi",
        port=623,
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="IPMI gives anybody who asks the hash of a password of its users, and who logs in there has "
        "the machine below its operating system.",
        action="Move management controllers into a network of their own",
        do="Give the controllers a network that only administrators reach, or turn IPMI over LAN off "
        "(`ipmitool lan set 1 access off`).",
        verify="ipmiping -c 2 @{target}   # no response, asked from the same place",
        impact=Impact.TOTAL,
        weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
    ),
)


def _check(hatch: Hatch) -> Check[[OpenPorts, UdpAnswers]]:
    def run(found: OpenPorts, answers: UdpAnswers) -> Verdicts:
        for port in datagram_ports(found):
            named = port.service == hatch.service
            if not named and (port.service or port.number != hatch.port):
                continue
            if found.vantage == LOOPBACK:
                reason = "asked from the machine itself; who else reaches it was not asked"
                yield unknown(port.name, reason, needs="a scan from another machine", port=port.name)
            else:
                yield expect(
                    False,
                    on=port.name,
                    saw=f"{_words(port)}, reached from {found.vantage}",
                    want="no answer",
                    port=port.name,
                    confidence=Confidence.CONFIRMED if named else Confidence.LIKELY,
                )
        yield from usual_port(hatch.port, hatch.service, found, answers)

    do, undo = nft_limit()
    return make_check(
        run,
        hatch.name,
        title=hatch.title,
        severity=hatch.severity,
        impact=hatch.impact,
        exploit=hatch.exploit,
        surface=Surface.SERVICE,
        weakness=hatch.weakness,
        why=hatch.why,
        fix=Fix(
            action=hatch.action,
            do=hatch.do,
            verify=hatch.verify,
            effort=Effort(setup=0.5, each=0.25),
            disruption=Disruption.OUTAGE,
            undo="Open the port again for the clients that turn out to need it.",
            snippets=(Snippet(Language.SHELL, do, undo),),
            key="close:@{target}:@{on}",
        ),
    )


def _words(port: OpenPort) -> str:
    if not port.service:
        return "it answers, what speaks there was not identified"
    known = " ".join(word for word in (port.service, port.product, port.version) if word)
    return f"{known} ({port.banner})" if port.banner else known


HATCHES = tuple(_check(hatch) for hatch in _HATCHES)


@check(
    "network.datagrams.amplifier",
    title="No UDP service answers far more than it was asked",
    severity=Severity.MEDIUM,
    exploit=Exploit.POC_AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Take amplifying UDP services off the internet",
        do="Let only those who need the service on port @{port} reach it, or limit how many answers it sends "
        "to one address.",
        verify="nmap -sU -Pn -p @{port} @{target}   # closed or open|filtered, asked from outside",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.OUTAGE,
        undo="Open the port again for the clients that turn out to need it.",
        snippets=(Snippet(Language.SHELL, *nft_limit()),),
        key="close:@{target}:@{on}",
    ),
)
def amplifier(answers: UdpAnswers, *, times: int = 3) -> Verdicts:
    """Who forges the sender of a question turns a service with long answers into a flood on somebody else."""
    for size in answers.sizes:
        on, saw = f"udp/{size.port}", f"{size.heard} bytes for {size.asked}, asked from {answers.vantage}"
        large = size.heard + _HEADERS > times * (size.asked + _HEADERS)
        if large and answers.vantage == OUTSIDE:
            yield expect(False, on=on, saw=saw, want=f"{times} times what was asked, at most", port=on)
        elif large:
            reason = f"{saw}; whether the internet reaches it was not asked"
            yield unknown(on, reason, needs="a scan from outside", port=on)
        else:
            reason = f"{saw}; whether other questions have longer answers was not tried"
            yield unknown(on, reason, needs="the configuration of the service", port=on)
    for port in answers.closed:
        yield expect(True, on=f"udp/{port}", saw="closed", want="no long answer", port=f"udp/{port}")
    if answers.silent:
        # One reason for all of them, said once: a silent host would else fill pages.
        needs = "a view from the host itself"
        yield unknown(
            _SILENT, f"{', '.join(f'udp/{n}' for n in answers.silent)}: {silent_words(answers)}", needs=needs
        )
