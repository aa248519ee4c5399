from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import monotonic

import pytest

from scanner.collect.network.sweep import ConnectSweep, connect_sweep
from scanner.transport.pace import Pace
from scanner.transport.packets import Swept
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.network import Namespace, Wire
from tests.lab.parts import free_port
from tests.lab.services import mute, serving


def sweep(
    addresses: list[str],
    ports: list[int],
    *,
    rate: float = 10_000,
    seconds: float = 30,
    allowed: Callable[[IPv4Address | IPv6Address], bool] = lambda _: True,
    log: list[Sent] | None = None,
) -> ConnectSweep:
    return asyncio.run(
        connect_sweep(
            [ip_address(a) for a in addresses],
            ports,
            pace=Pace(rate, rate),
            allowed=allowed,
            log=(log if log is not None else []).append,
            deadline=monotonic() + seconds,
        )
    )


def test_open_and_closed_are_told_apart_and_logged() -> None:
    log: list[Sent] = []
    closed = free_port()
    with serving(mute) as number:
        found = sweep(["127.0.0.1"], [number, closed], log=log)
    assert found.whole
    assert found.packets == 2
    assert found.answers[IPv4Address("127.0.0.1")] == Swept(open=(number,), closed=(closed,))
    assert {(e.kind, e.destination, e.port, e.size) for e in log} == {
        (ProbeKind.CONNECT, "127.0.0.1", number, 0),
        (ProbeKind.CONNECT, "127.0.0.1", closed, 0),
    }


def test_ipv6_is_swept_too() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        number = server.getsockname()[1]
        found = sweep(["::1"], [number])
    assert found.answers[IPv6Address("::1")].open == (number,)


def test_ten_thousand_ports_of_loopback_take_seconds() -> None:
    began = monotonic()
    with serving(mute) as number:
        ports = [number, *(p for p in range(3_000, 13_000) if p != number)]
        found = sweep(["127.0.0.1"], ports)
    swept = found.answers[IPv4Address("127.0.0.1")]
    assert number in swept.open
    assert len(swept.open) + len(swept.closed) == len(ports)
    assert monotonic() - began < 12


def test_what_is_not_allowed_is_not_connected() -> None:
    log: list[Sent] = []
    with serving(mute) as number:
        found = sweep(["127.0.0.1"], [number], allowed=lambda _: False, log=log)
    assert found.answers[IPv4Address("127.0.0.1")] == Swept()
    assert log == []


@pytest.fixture(scope="module")
def scanner() -> Iterator[Namespace]:
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        one = wire.host("10.97.0.1/24")
        host = wire.host("10.97.0.2/24")
        host.listen(stack, "10.97.0.2", 22)
        host.drop(25)
        yield one


@pytest.mark.real
def test_silence_is_neither_open_nor_closed(scanner: Namespace) -> None:
    found = scanner.inside(lambda: sweep(["10.97.0.2"], [22, 25, 80]))
    assert found.answers[IPv4Address("10.97.0.2")] == Swept(open=(22,), closed=(80,), silent=(25,))


@pytest.mark.real
def test_no_route_is_no_answer_of_theirs(scanner: Namespace) -> None:
    found = scanner.inside(lambda: sweep(["192.0.2.7"], [22]))
    assert found.answers[IPv4Address("192.0.2.7")] == Swept()
    assert not found.whole


@pytest.mark.real
def test_the_rate_and_the_deadline_hold(scanner: Namespace) -> None:
    began = monotonic()
    found = scanner.inside(lambda: sweep(["10.97.0.2"], list(range(1000, 2000)), rate=50, seconds=1.0))
    assert monotonic() - began < 4
    assert not found.whole
    assert 30 <= found.packets <= 56
