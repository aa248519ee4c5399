"""What is said of the usual port of a UDP service where no server was found on it."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.network import OpenPort, OpenPorts
from checks.facts.network.datagrams import UdpAnswers
from checks.verdict import Verdict, expect, unknown

_WANT = "a closed port, or nothing to object to"


def silent_words(answers: UdpAnswers) -> str:
    """What silence means, in the same words for every check, so that they read as one reason."""
    return f"no answer to two datagrams from {answers.vantage}: it is filtered, or keeps silent"


def usual_port(number: int, service: str, found: OpenPorts, answers: UdpAnswers) -> Iterable[Verdict]:
    """A pass where the port is closed, and unknown where nobody can tell what the service would say.

    Nothing where this very service speaks there: then its own fact, or the gap in its place, decides.
    """
    on = f"udp/{number}"
    speaker = next((p.service for p in datagram_ports(found) if p.number == number), "")
    if number in answers.closed:
        yield expect(True, on=on, saw="closed: the error came back that nobody listens", want=_WANT, port=on)
    elif number in answers.silent:
        yield unknown(on, silent_words(answers), needs=f"a view of {on} from the host itself", port=on)
    elif number not in answers.open:
        yield unknown(on, "it was not asked by UDP", needs=f"a scan that asks {on}", port=on)
    elif speaker != service:
        # The language of this service was spoken to it: what answers under another name may still be it.
        said = f"what looks like {speaker}" if speaker else "something"
        reason = f"{said} answers there that was not recognised as {service}"
        yield unknown(on, reason, needs=f"a view of {on} from the host itself", port=on)


def datagram_ports(found: OpenPorts) -> Iterable[OpenPort]:
    """The open UDP ports."""
    return (port for port in found.ports if port.protocol == "udp")


def nft_limit() -> tuple[str, str]:
    """Commands that let only one network reach a UDP port, and those that take them back."""
    return (
        "# Run this on @{target}. 192.0.2.0/24 stands for the network that may still come in: put "
        "yours there.\n"
        "nft add table inet bartizan_udp_@{port}\n"
        "nft add chain inet bartizan_udp_@{port} input '{ type filter hook input priority -10; }'\n"
        "nft add rule inet bartizan_udp_@{port} input iifname lo accept\n"
        "nft add rule inet bartizan_udp_@{port} input udp dport @{port} ip saddr != 192.0.2.0/24 drop\n"
        "nft add rule inet bartizan_udp_@{port} input udp dport @{port} meta nfproto ipv6 drop",
        "nft delete table inet bartizan_udp_@{port}",
    )
