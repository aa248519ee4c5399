from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from ipaddress import IPv4Address, ip_address
from time import monotonic, sleep

import pytest

from checks.facts.network import NetworkCoverage, OpenPorts
from checks.facts.network.datagrams import UdpAnswers
from checks.facts.network.logins import RedisLogins
from checks.facts.network.names import DnsServers
from checks.facts.network.snmp import SnmpServers
from checks.facts.snapshot import Fact, Snapshot
from checks.model import AssetValue, Kind, Target
from scanner.collect.collector import CollectError, Context, Failure
from scanner.collect.network.collect import NetworkAccess, collect
from scanner.collect.network.in_between import proxied
from scanner.collect.network.look import Looked
from scanner.collect.network.naming_runs import Wish, batches
from scanner.collect.network.stream import streamed
from scanner.transport.nmap_xml import NmapPort
from scanner.transport.packets_swept import Swept
from scanner.transport.sent import Sent
from tests.lab.asking import gate, hasten
from tests.lab.daemons import daemon
from tests.lab.network import Namespace, Wire
from tests.lab.services import mute, saying, serving


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)


def scan(
    addresses: list[str],
    ports: tuple[int, ...],
    udp_ports: tuple[int, ...],
    *wanted: type[Fact],
    log: list[Sent] | None = None,
    context: Context | None = None,
) -> Iterator[Snapshot]:
    target = Target(Kind.NETWORK, "lab", "net:10.98.0.0/29", "dmz", AssetValue.IMPORTANT, "Network team")
    access = NetworkAccess(
        addresses=tuple(map(ip_address, addresses)),
        ports=ports,
        udp_ports=udp_ports,
        vantage="inside",
        allowed=gate("10.98.0.0/29"),
        rate=2000,
        per_host=2000,
        use_nmap=False,
        total_seconds=60,
        log=(log if log is not None else []).append,
    )
    return collect(target, frozenset(wanted), access, context or Context())


@pytest.fixture(scope="module")
def wired() -> Iterator[Namespace]:
    """A scanner; a name server that answers by UDP too; and a host that drops the TCP which it is asked."""
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner = wire.host("10.98.0.1/29")
        names, mute_host = wire.host("10.98.0.2/29"), wire.host("10.98.0.3/29")
        stack.enter_context(daemon("bind-open", names, "10.98.0.2"))
        mute_host.drop(22, 53)
        yield scanner


@pytest.mark.real
def test_udp_runs_beside_tcp_and_its_ports_stand_with_the_others(wired: Namespace) -> None:
    log: list[Sent] = []
    asked = ["10.98.0.2", "10.98.0.3", "10.98.0.5"]

    def work() -> list[Snapshot]:
        return list(scan(asked, (22, 53), (53, 161), OpenPorts, DnsServers, SnmpServers, log=log))

    *hosts, network = wired.inside(work)
    names, closed = sorted(hosts, key=lambda host: host.target.name)
    ports = names.get(OpenPorts)
    assert isinstance(ports, OpenPorts)
    assert {(p.name, p.service) for p in ports.ports} == {("tcp/53", "dns"), ("udp/53", "dns")}
    answers = names.get(UdpAnswers)
    assert isinstance(answers, UdpAnswers)
    assert (answers.vantage, answers.asked, answers.open, answers.closed) == (
        "inside",
        (53, 161),
        (53,),
        (161,),
    )
    assert names.get(DnsServers) is not None
    # A closed port is evidence that there is no such service.
    assert names.get(SnmpServers) == SnmpServers(())
    assert closed.target.name == "10.98.0.3"
    assert closed.get(DnsServers) == DnsServers(())
    seen = network.get(NetworkCoverage)
    assert isinstance(seen, NetworkCoverage)
    assert (seen.addresses_live, seen.packets_sent) == (2, len(log))


@pytest.mark.real
def test_what_udp_did_not_tell_is_a_gap(wired: Namespace) -> None:
    wanted = (OpenPorts, SnmpServers, DnsServers, RedisLogins)
    host, _ = wired.inside(lambda: list(scan(["10.98.0.2"], (53,), (53,), *wanted)))
    assert host.get(SnmpServers) is None
    [gap] = [gap for gap in host.gaps if gap.fact == "SnmpServers"]
    assert (gap.reason, gap.where) == ("this UDP port was not asked", "udp/161")
    assert host.get(RedisLogins) == RedisLogins(())
    without, _ = wired.inside(lambda: list(scan(["10.98.0.2"], (53,), (), *wanted)))
    for fact in (SnmpServers, DnsServers, UdpAnswers):
        assert without.get(fact) is None
        assert [gap.reason for gap in without.gaps if gap.fact == fact.__name__] == ["UDP was not asked"]


@pytest.mark.real
def test_tcp_that_was_not_asked_is_a_gap(wired: Namespace) -> None:
    wanted = (OpenPorts, RedisLogins, DnsServers)
    host, _ = wired.inside(lambda: list(scan(["10.98.0.2"], (), (53,), *wanted)))
    assert host.get(RedisLogins) is None
    assert [gap.reason for gap in host.gaps if gap.fact == "RedisLogins"] == ["no TCP port was asked"]
    ports = host.get(OpenPorts)
    assert isinstance(ports, OpenPorts)
    assert [p.name for p in ports.ports] == ["udp/53"]


def test_an_address_is_given_while_another_is_still_asked() -> None:
    with serving(saying(b"SSH-2.0-x_1\r\n")) as number, serving(mute, number, "127.0.0.2"):
        began = monotonic()
        found = scan(["127.0.0.2", "127.0.0.1"], (number,), (), OpenPorts)
        first = next(found)
        early = monotonic() - began
        second = next(found)
        late = monotonic() - began
        assert (first.target.name, second.target.name) == ("127.0.0.1", "127.0.0.2")
        assert late - early > 0.5
        assert len(list(found)) == 1


def test_who_stops_taking_stops_the_work() -> None:
    with serving(saying(b"SSH-2.0-x_1\r\n")) as number, serving(mute, number, "127.0.0.2"):
        found = scan(["127.0.0.2", "127.0.0.1"], (number,), (), OpenPorts)
        next(found)
        assert isinstance(found, Generator)
        began = monotonic()
        found.close()
        assert monotonic() - began < 1.5
    sleep(0.05)
    assert not [t for t in threading.enumerate() if t.name == "bartizan-network"]


def test_a_wish_to_stop_ends_all_within_a_second() -> None:
    context = Context()
    with contextlib.ExitStack() as stack:
        numbers = tuple(stack.enter_context(serving(mute)) for _ in range(5))
        found = scan(["127.0.0.1"], numbers, (), OpenPorts, context=context)
        threading.Timer(0.4, context.cancelled.set).start()
        began = monotonic()
        with pytest.raises(CollectError) as stopped:
            list(found)
    assert stopped.value.failure is Failure.INTERRUPTED
    assert monotonic() - began < 2.0


def test_an_error_of_the_work_reaches_who_takes_its_results() -> None:
    async def work(give: Callable[[int], None]) -> None:
        give(1)
        raise ValueError("broken")

    found = streamed(work, lambda: None, threading.Event())
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)


def looked(opened: dict[int, tuple[int, ...]]) -> Looked:
    found = Looked()
    for last, ports in opened.items():
        found.note(IPv4Address(f"10.0.0.{last}"), Swept.of(open=ports, closed=(1,)), "syn")
    return found


def test_a_port_that_every_address_answers_is_that_of_a_proxy() -> None:
    every = looked({n: (80, 122) if n % 2 else (80,) for n in range(1, 31)})
    asked = [IPv4Address(f"10.0.0.{n}") for n in range(1, 31)]
    assert proxied(every, asked).limit == (
        "tcp/80 is open on all 30 addresses: a proxy in between answers for them"
    )
    # One address that nobody has, or a handful of like machines, and it is no proxy.
    assert proxied(every, [*asked, IPv4Address("10.0.0.99")]).limit == ""
    assert proxied(every, asked[:8]).limit == ""
    assert proxied(looked({n: (n + 1,) for n in range(1, 31)}), asked).limit == ""


def test_runs_of_nmap_ask_no_pair_that_nobody_wants() -> None:
    async def work() -> None:
        future: asyncio.Future[NmapPort | None] = asyncio.get_running_loop().create_future()
        wishes = [Wish(IPv4Address(f"10.0.0.{n}"), 80, future) for n in range(1, 41)]
        wishes += [Wish(IPv4Address("10.0.0.9"), port, future) for port in (81, 82, 83)]
        groups = list(batches(wishes))
        told = sorted((w.address, w.number) for group in groups for w in group)
        assert told == sorted((w.address, w.number) for w in wishes)
        for group in groups:
            hosts, ports = {w.address for w in group}, {w.number for w in group}
            assert len(hosts) * len(ports) == len(group) <= 16
            assert len(ports) <= 2

    asyncio.run(work())
