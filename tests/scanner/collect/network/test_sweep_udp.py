"""The sweep by UDP over real wires: true ports, real daemons, closed ports, a host that drops."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from time import monotonic

import pytest

from checks.facts.network.names import DnsServers, DnsTransfers
from checks.facts.network.snmp import SnmpServers
from scanner.collect.collector import Collected
from scanner.collect.network import udp
from scanner.collect.network.ask.every import QUESTIONS, SERVICE_FACTS
from scanner.collect.network.ask.question import Asked
from scanner.collect.network.datagrams import USUAL_UDP, UdpSwept, identify_udp, sweep_udp
from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.talk import Address, Line
from scanner.collect.network.udp_payloads import PAYLOADS
from scanner.transport.pace import Pace
from scanner.transport.sent import Sent
from tests.lab.asking import AT, LOCAL, line, only
from tests.lab.daemons import daemon, folder, launch
from tests.lab.daemons_place import Place, Prepared
from tests.lab.network import Namespace, Wire, capture
from tests.lab.udp import answering_udp, saying_udp

SERVER, EMPTY, DROPPING = (IPv4Address(f"10.99.7.{n}") for n in (2, 3, 4))
BEHIND = IPv4Address("10.99.8.2")
NETWORK, BEYOND, NOWHERE = (IPv4Network(f"10.{n}.0/24") for n in ("99.7", "99.8", "98.0"))
DAEMONS = ("bind-open", "snmpd-public", "chrony", "rpcbind", "tftpd", "memcached-udp", "ipmi")
OPEN = (53, 69, 111, 123, 137, 161, 623, 11211)
CLOSED = (389, 500, 1900, 3702)


def nmbd(stack: contextlib.ExitStack, server: Namespace) -> None:
    """The NetBIOS name service of Samba, until the stack closes."""
    place = Place(stack.enter_context(folder()), str(SERVER), server)
    kinds = ("private", "lock", "state", "cache", "pid", "ncalrpc")
    short = ("private", "ncalrpc")
    for kind in kinds:
        place.directory(kind)
    config = place.write(
        "smb.conf",
        f"[global]\nnetbios name = LABHOST\nworkgroup = LAB\ninterfaces = {SERVER}/24\n"
        "bind interfaces only = yes\n"
        + "".join(f"{kind} directory = {place.folder / kind}\n" for kind in kinds if kind not in short)
        + "".join(f"{kind} dir = {place.folder / kind}\n" for kind in short)
        + f"log file = {place.folder / 'log'}\n",
    )
    command = ("nmbd", "-F", "--no-process-group", "-s", str(config))
    running = launch("nmbd", place, Prepared(command, (), (137,)))
    stack.callback(running.stop)
    running.wait()


PATIENCE, TRUE_PATIENCE = 0.5, udp.ANSWER_SECONDS


def drop_all(one: Namespace) -> None:
    """From now on that host drops every datagram."""
    one.command("nft", "add table ip lab; add chain ip lab in { type filter hook input priority 0; }")
    one.command("nft", "add rule ip lab in udp dport 1-65535 drop")


def ours(address: Address) -> bool:
    """The gate of these tests: loopback, and the networks of the namespaces that they make themselves."""
    return address.is_loopback or any(address in network for network in (NETWORK, BEYOND, NOWHERE))


@dataclass(frozen=True)
class Seen:
    swept: dict[Address, UdpSwept]
    log: list[Sent]
    frames: list[bytes]
    seconds: float
    found: Collected


def sweep(
    one: Namespace, ports: dict[IPv4Address, tuple[int, ...]], log: list[Sent]
) -> dict[Address, UdpSwept]:
    """Each address asked for its own ports, all at once."""
    over = Line(ours, Pace(500, 50), log.append, monotonic() + 60)

    async def work() -> dict[Address, UdpSwept]:
        parts = await asyncio.gather(*(sweep_udp(over, [a], chosen) for a, chosen in ports.items()))
        return {address: swept for part in parts for address, swept in part.items()}

    return one.inside(lambda: asyncio.run(work()))


def questions(one: Namespace, swept: UdpSwept) -> Collected:
    """What all questions give that apply to the ports of the server that are open by UDP."""
    over = Line(ours, Pace(500, 50), lambda _: None, monotonic() + 30)
    asked = [
        Asked(over, SERVER, identify_udp(number, words), AT, SERVICE_FACTS, ("lab.test",))
        for number, words in swept.open.items()
    ]

    async def work() -> list[Collected]:
        return await asyncio.gather(*(q.ask(a) for a in asked for q in QUESTIONS if q.applies(a.port)))

    return sum(one.inside(lambda: asyncio.run(work())), Collected())


Silent = tuple[UdpSwept, list[Sent]]


@pytest.fixture(scope="module")
def silent() -> Silent:
    """The whole sweep of a host that drops all datagrams, and its log."""
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner = wire.host("10.99.7.1/24")
        drop_all(wire.host(f"{DROPPING}/24"))
        log: list[Sent] = []
        with pytest.MonkeyPatch.context() as patch:
            # The shape of the sweep is the same; only the patience with each wave is shorter.
            patch.setattr(udp, "ANSWER_SECONDS", PATIENCE)
            found = sweep(scanner, {DROPPING: tuple(USUAL_UDP)}, log)
        return found[DROPPING], log


@pytest.fixture(scope="module")
def rejecting() -> tuple[UdpSwept, UdpSwept]:
    """A host without a service, behind a router that rejects two ports of it, and a third one of it."""
    with contextlib.ExitStack() as stack:
        near, far = Wire(stack), Wire(stack)
        scanner = near.host("10.99.7.1/24", "10.99.7.254")
        router = near.host("10.99.7.254/24")
        far.join(router, "10.99.8.1/24")
        far.host(f"{BEHIND}/24", "10.99.8.1")
        router.command("sysctl", "-qw", "net.ipv4.ip_forward=1")
        router.command(
            "nft", "add table ip lab; add chain ip lab on { type filter hook forward priority 0; }"
        )
        for port, kind in ((123, "port-unreachable"), (500, "admin-prohibited")):
            router.command("nft", f"add rule ip lab on udp dport {port} reject with icmp type {kind}")
        rejected = sweep(scanner, {BEHIND: (123, 500)}, [])[BEHIND]
        return rejected, sweep(scanner, {BEHIND: (161,)}, [])[BEHIND]


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner = wire.host("10.99.7.1/24")
        server = wire.host(f"{SERVER}/24")
        wire.host(f"{EMPTY}/24")
        drop_all(wire.host(f"{DROPPING}/24"))
        for name in DAEMONS:
            stack.enter_context(daemon(name, server, str(SERVER)))
        nmbd(stack, server)
        log: list[Sent] = []
        with capture(scanner) as frames:
            began = monotonic()
            wanted = {SERVER: OPEN + CLOSED, EMPTY: (137, 389, 500, 1900, 3702, 5353, 53, 123),
                      DROPPING: (53, 123, 500)}  # fmt: skip
            swept = sweep(scanner, wanted, log)
            seconds = monotonic() - began
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(udp, "ANSWER_SECONDS", 0.4)
            found = questions(scanner, swept[SERVER])
        yield Seen(swept, log, frames, seconds, found)


def test_every_service_that_answers_is_open_on_its_true_port(seen: Seen) -> None:
    swept = seen.swept[SERVER]
    assert tuple(swept.open) == OPEN
    assert all(swept.open.values())
    assert swept.unasked == ()
    assert [size.port for size in swept.sizes] == list(OPEN)
    assert all(size.asked and size.heard for size in swept.sizes)


def test_what_speaks_there_is_named(seen: Seen) -> None:
    named = {n: identify_udp(n, answer) for n, answer in seen.swept[SERVER].open.items()}
    assert {n: one.service for n, one in named.items()} == {n: USUAL_UDP[n] for n in OPEN}
    assert all((one.protocol, one.identified_by) == ("udp", "datagram") for one in named.values())
    assert (named[53].product, named[53].version[:2]) == ("BIND", "9.")
    assert named[53].cpe[0].startswith("cpe:/a:isc:bind:9.")
    assert named[11211].product == "Memcached"
    assert named[161].product == "Net-SNMP"
    assert "stratum 10" in named[123].banner
    assert "LABHOST<00>" in named[137].banner


def test_each_service_answers_its_questions_on_its_true_port(seen: Seen) -> None:
    assert seen.found.gaps == ()
    told = {type(fact).__name__: fact for fact in seen.found.facts}
    assert told.keys() == {
        "DnsServers", "DnsTransfers", "MailDomains", "SnmpServers", "NtpServers", "IpmiControllers",
        "IpmiCipherSuites",
    }  # fmt: skip
    assert only(seen.found, DnsServers).servers[0].port == "udp/53"
    assert [t.zone for t in only(seen.found, DnsTransfers).transfers if t.given] == ["lab.test"]
    assert only(seen.found, SnmpServers).servers[0].communities == ("public",)


def test_a_machine_that_limits_its_errors_is_still_heard_out(seen: Seen) -> None:
    """Linux sends about one ICMP error a second to one asker, after a few at once."""
    assert seen.swept[SERVER].closed == CLOSED
    assert seen.swept[SERVER].silent == ()
    assert seen.swept[EMPTY].closed == (53, 123, 137, 389, 500, 1900, 3702, 5353)


def test_what_is_dropped_is_silent_and_not_closed(seen: Seen) -> None:
    swept = seen.swept[DROPPING]
    assert (swept.silent, swept.closed, dict(swept.open)) == ((53, 123, 500), (), {})
    fact = swept.answers("inside")
    assert (fact.vantage, fact.asked, fact.silent) == ("inside", (53, 123, 500), (53, 123, 500))


def test_the_log_equals_the_wire(seen: Seen) -> None:
    def sent(frame: bytes) -> tuple[str, int, int] | None:
        if frame[12:14] != b"\x08\x00" or frame[23] != 17:
            return None
        port, size = struct.unpack_from("!HH", frame, 36)
        return socket.inet_ntoa(frame[30:34]), port, size - 8

    on_the_wire = sorted(one for one in map(sent, seen.frames) if one)
    assert sorted((s.destination, s.port, s.size) for s in seen.log) == on_the_wire
    assert {s.source for s in seen.log} == {"10.99.7.1"}


def test_a_host_that_sends_errors_gets_one_datagram_a_second_on_average(seen: Seen) -> None:
    times = sorted(s.at for s in seen.log if s.destination == str(EMPTY))
    assert len(times) == 8
    for first, fifth in zip(times, times[4:], strict=False):
        assert fifth - first > 2.0
    assert seen.seconds < 12


def test_a_silent_host_is_asked_everything_in_twelve_seconds(silent: Silent) -> None:
    swept, log = silent
    assert swept.silent == tuple(USUAL_UDP)
    assert (swept.closed, dict(swept.open)) == ((), {})
    counts = {port: sum(s.port == port for s in log) for port in USUAL_UDP}
    assert counts == {port: max(2, len(asking)) for port, asking in PAYLOADS.items()}
    times = sorted(s.at for s in log)
    pauses = [n for n, (one, later) in enumerate(pairwise(times), 1) if later - one > 0.8 * PATIENCE]
    # In small bursts until it is known that no error comes back, then all at once.
    sizes = [end - start for start, end in pairwise([0, *pauses, len(times)])]
    assert sizes == [4, 4, 4, 1, 13, 1, 1]
    assert len(sizes) * TRUE_PATIENCE < 12


def test_the_refusal_of_a_device_on_the_way_is_not_that_of_the_host(
    rejecting: tuple[UdpSwept, UdpSwept],
) -> None:
    """A filter may send the very error that a closed port has; only its sender tells them apart."""
    rejected, closed = rejecting
    assert (rejected.closed, rejected.silent) == ((), (123, 500))
    assert (closed.closed, closed.silent) == ((161,), ())


def test_an_address_without_a_route_is_unasked_and_never_closed() -> None:
    with contextlib.ExitStack() as stack:
        alone = Wire(stack).host("10.99.7.1/24")
        log: list[Sent] = []
        found = sweep(alone, {IPv4Address("10.98.0.1"): (53, 161)}, log)
    swept = found[IPv4Address("10.98.0.1")]
    assert (swept.unasked, swept.closed, swept.silent, dict(swept.open)) == ((53, 161), (), (), {})
    assert swept.answers("inside").asked == ()
    assert log == []


def test_on_loopback_nothing_is_waited_for() -> None:
    began = monotonic()
    swept = asyncio.run(sweep_udp(line(), [LOCAL], (137, 500, 3702)))[LOCAL]
    assert swept.closed == (137, 500, 3702)
    assert monotonic() - began < 1


def test_a_port_of_an_unknown_language_gets_nothing_but_an_empty_datagram() -> None:
    log: list[Sent] = []
    with answering_udp(saying_udp(b"?")) as number:
        swept = asyncio.run(sweep_udp(line(log=log), [LOCAL], (number, 1)))[LOCAL]
    assert (dict(swept.open), swept.closed) == ({number: b"?"}, (1,))
    assert {entry.size for entry in log} == {0}
    assert identify_udp(number, b"?").service == ""


def test_a_fragile_port_is_not_asked() -> None:
    log: list[Sent] = []
    swept = asyncio.run(sweep_udp(line(log=log), [LOCAL], (47_808,)))[LOCAL]
    assert (swept, log) == (UdpSwept(unasked=(47_808,)), [])
    assert set(PAYLOADS) == set(USUAL_UDP)
    assert not set(USUAL_UDP) & set(FRAGILE)


def test_after_the_end_of_the_time_all_is_unasked() -> None:
    log: list[Sent] = []
    swept = asyncio.run(sweep_udp(line(log=log, total=-1), [LOCAL], (137, 500)))[LOCAL]
    assert (swept.unasked, log) == ((137, 500), [])


def test_the_other_questions_of_a_port_are_put_when_the_first_is_not_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An agent that knows neither version 3 nor the community public still shows that it is there."""

    monkeypatch.setattr(udp, "LOOPBACK_SECONDS", 0.2)

    def old(data: bytes) -> tuple[bytes, ...]:
        return (b"old",) if b"private" in data else ()

    with contextlib.ExitStack() as stack:
        lone = Wire(stack).host("10.99.7.9/24")
        context = lone.inside(lambda: answering_udp(old, 161))
        lone.inside(lambda: stack.enter_context(context))
        log: list[Sent] = []
        swept = lone.inside(lambda: asyncio.run(sweep_udp(line(log=log), [LOCAL], (161,))))[LOCAL]
    assert dict(swept.open) == {161: b"old"}
    assert len(log) == len(PAYLOADS[161])


def test_nonsense_is_an_open_port_that_nobody_can_name() -> None:
    with contextlib.ExitStack() as stack:
        lone = Wire(stack).host("10.99.7.9/24")
        lone.inside(lambda: stack.enter_context(answering_udp(saying_udp(b"\xff\x1b[31m?"), 1900)))
        swept = lone.inside(lambda: asyncio.run(sweep_udp(line(), [LOCAL], (1900,))))[LOCAL]
    port = identify_udp(1900, swept.open[1900])
    assert (port.service, port.identified_by) == ("", "")
    assert port.note
    assert "\x1b" not in port.banner
