"""Who is not on the link is sent no datagram: it would stand in the log and never be on the wire."""

from __future__ import annotations

import contextlib
import struct
from collections import Counter
from ipaddress import IPv4Address, IPv4Network, ip_address

import pytest

from checks.facts.network import NetworkCoverage, OpenPorts
from checks.facts.network.datagrams import UdpAnswers
from checks.model import Kind, Target
from scanner.collect.collector import Context
from scanner.collect.network.collect import NetworkAccess, collect
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.network import Wire, capture

HERE = IPv4Network("10.97.1.0/24")


def datagrams(frames: list[bytes]) -> Counter[tuple[str, int]]:
    """(destination, port) of the UDP datagrams among frames."""
    found: Counter[tuple[str, int]] = Counter()
    for frame in frames:
        if frame[12:14] == b"\x08\x00" and frame[23] == 17:
            [port] = struct.unpack_from("!H", frame, 36)
            found[str(IPv4Address(frame[30:34])), port] += 1
    return found


@pytest.mark.real
def test_the_log_of_datagrams_is_what_the_wire_saw_where_most_addresses_are_nobodys() -> None:
    log: list[Sent] = []
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner = wire.host("10.97.1.1/24")
        wire.host("10.97.1.2/24")
        access = NetworkAccess(
            addresses=tuple(ip_address(f"10.97.1.{n}") for n in range(2, 12)),
            ports=(22, 80),
            udp_ports=(53, 161),
            vantage="inside",
            allowed=lambda address: address in HERE,
            rate=2000,
            per_host=2000,
            use_nmap=False,
            total_seconds=60,
            log=log.append,
        )
        target = Target(Kind.NETWORK, "lab", f"net:{HERE}")
        wanted = (NetworkCoverage, OpenPorts, UdpAnswers)
        with capture(scanner) as frames:
            seen = scanner.inside(lambda: list(collect(target, wanted, access, Context())))
    sent = Counter((one.destination, one.port) for one in log if one.kind is ProbeKind.UDP)
    assert sent == datagrams(frames)
    assert {address for address, _ in sent} == {"10.97.1.2"}
    [alive, network] = seen
    answers = alive.get(UdpAnswers)
    assert isinstance(answers, UdpAnswers)
    assert set(answers.closed) == {53, 161}
    coverage = network.get(NetworkCoverage)
    assert isinstance(coverage, NetworkCoverage)
    assert (coverage.addresses_asked, coverage.addresses_live) == (10, 1)
    assert (coverage.pairs, coverage.pairs_silent) == (2, 0)
