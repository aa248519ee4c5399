from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import monotonic

import pytest

from scanner.collect.collector import CollectError, Context
from scanner.collect.network.access import Course, NetworkAccess
from scanner.collect.network.look import Looked, look
from scanner.collect.network.sweep import ConnectSweep, connect_sweep
from scanner.transport.pace import Pace
from scanner.transport.packets_swept import Swept
from scanner.transport.sent import ProbeKind, Sent, not_kept
from tests.lab.asking import gate
from tests.lab.network import Namespace, Wire
from tests.lab.parts import free_port
from tests.lab.services import mute, serving

OWN = gate("10.97.0.0/24")


def sweep(
    addresses: list[str],
    ports: list[int],
    *,
    rate: float = 10_000,
    seconds: float = 30,
    allowed: Callable[[IPv4Address | IPv6Address], bool] = OWN,
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
    assert found.answers[IPv4Address("127.0.0.1")].told() == Swept.of(open=(number,), closed=(closed,))
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


def test_a_window_that_closes_meanwhile_leaves_the_sweep_in_part() -> None:
    turns = iter([True, False])
    found = sweep(["127.0.0.1"], [free_port(), free_port()], allowed=lambda _: next(turns))
    assert not found.whole
    assert found.answers[IPv4Address("127.0.0.1")].asked == 1


def test_what_is_not_allowed_is_not_connected() -> None:
    log: list[Sent] = []
    with serving(mute) as number:
        found = sweep(["127.0.0.1"], [number], allowed=lambda _: False, log=log)
    assert found.answers[IPv4Address("127.0.0.1")].told() == Swept()
    assert log == []


def course(
    addresses: list[str],
    ports: tuple[int, ...],
    *,
    raw: bool = False,
    rate: int = 2000,
    cancelled: threading.Event | None = None,
    log: Callable[[Sent], None] = not_kept,
    allowed: Callable[[IPv4Address | IPv6Address], bool] = OWN,
) -> Course:
    access = NetworkAccess(
        addresses=tuple(map(ip_address, addresses)),
        ports=ports,
        vantage="inside",
        allowed=allowed,
        rate=rate,
        per_host=rate,
        use_raw=raw,
        log=log,
    )
    return Course(access, Context(cancelled=cancelled or threading.Event()), monotonic() + 30)


Told = list[tuple[IPv4Address | IPv6Address, int]]


def looked_in_thread(one: Course, told: Told) -> Looked:
    """Looks as a collection does: in a thread, while the event loop of another one goes on."""

    async def main() -> Looked:
        task = asyncio.create_task(
            asyncio.to_thread(look, one, one.access.addresses, lambda a, p: told.append((a, p)))
        )
        turns = 0
        while not task.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns
        return await task

    return asyncio.run(main())


def test_looking_needs_no_loop_of_its_thread_and_tells_at_once() -> None:
    told: Told = []
    closed = free_port()
    with serving(mute) as number:
        looked = looked_in_thread(course(["127.0.0.1"], (number, closed)), told)
    here = IPv4Address("127.0.0.1")
    assert told == [(here, number)]
    swept = looked.swept(here)
    assert swept is not None
    assert swept.told() == Swept.of(open=[number], closed=[closed])
    assert looked.swept(IPv4Address("127.0.0.2")) is None
    assert looked.mode == "connect"


def test_looking_stops_at_once_when_somebody_wants_to_stop() -> None:
    stop = threading.Event()
    one = course(["127.0.0.1"], tuple(range(1, 65_536)), cancelled=stop)
    threading.Timer(0.3, stop.set).start()
    began = monotonic()
    with pytest.raises(CollectError, match="stopped"):
        look(one, one.access.addresses)
    assert monotonic() - began < 3


def test_a_course_counts_right_with_two_threads() -> None:
    one = course([], ())
    entry = Sent(0.0, "", "10.0.0.1", 0, ProbeKind.CONNECT, 0)

    def work() -> None:
        for number in range(2000):
            one.log(entry)
            one.log_many([entry, entry])
            one.limit(f"limit {number % 7}")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.packets == 4 * 2000 * 3
    assert sorted(one.limits) == [f"limit {number}" for number in range(7)]


@pytest.fixture(scope="module")
def scanner() -> Iterator[Namespace]:
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        one = wire.host("10.97.0.1/24")
        host = wire.host("10.97.0.2/24")
        host.listen(stack, "10.97.0.2", 22)
        host.drop(25)
        wire.host("10.97.0.3/24").drop(*range(20, 26), 80)
        yield one


@pytest.mark.real
def test_silence_is_neither_open_nor_closed(scanner: Namespace) -> None:
    found = scanner.inside(lambda: sweep(["10.97.0.2"], [22, 25, 80]))
    assert found.answers[IPv4Address("10.97.0.2")].told() == Swept.of(open=(22,), closed=(80,), silent=(25,))


@pytest.mark.real
def test_no_route_is_no_answer_of_theirs(scanner: Namespace) -> None:
    found = scanner.inside(lambda: sweep(["192.0.2.7"], [22]))
    assert found.answers[IPv4Address("192.0.2.7")].told() == Swept()
    assert not found.whole


@pytest.mark.real
def test_the_rate_and_the_deadline_hold(scanner: Namespace) -> None:
    began = monotonic()
    found = scanner.inside(lambda: sweep(["10.97.0.2"], list(range(1000, 2000)), rate=50, seconds=1.0))
    assert monotonic() - began < 4
    assert not found.whole
    assert 30 <= found.packets <= 56


def of(swept: Swept | None) -> Swept:
    assert swept is not None
    return swept.told()


@pytest.mark.real
def test_looking_with_frames_tells_at_once_and_knows_who_was_asked(scanner: Namespace) -> None:
    """A host that drops everything but answers ARP is all silent; one that is not there was not asked."""
    live, mute_one, gone = (IPv4Address(f"10.97.0.{n}") for n in (2, 3, 9))
    told: Told = []
    log: list[Sent] = []
    one = course([str(live), str(mute_one), str(gone)], (22, 25, 80), raw=True, log=log.append)
    looked = scanner.inside(lambda: looked_in_thread(one, told))
    assert told == [(live, 22)]
    assert of(looked.swept(live)) == Swept.of(open=[22], closed=[80], silent=[25])
    assert of(looked.swept(mute_one)) == Swept.of(silent=[22, 25, 80])
    assert looked.swept(gone) is None
    assert looked.live == {live, mute_one}
    assert set(looked.macs) == {live, mute_one}
    assert looked.mode == "syn"
    assert one.packets == len(log) > 8
    # The log that nobody wants is counted all the same.
    silent = course([str(live), str(mute_one), str(gone)], (22, 25, 80), raw=True)
    scanner.inside(lambda: look(silent, silent.access.addresses))
    assert abs(silent.packets - one.packets) < 6


@pytest.mark.real
def test_a_raw_sweep_stops_at_once_when_somebody_wants_to_stop(scanner: Namespace) -> None:
    stop = threading.Event()
    one = course(["10.97.0.2"], tuple(range(1, 60_000)), raw=True, rate=500, cancelled=stop)

    began: list[float] = []

    def stop_now() -> None:
        began.append(monotonic())
        stop.set()

    def work() -> float:
        threading.Timer(2.5, stop_now).start()
        with pytest.raises(CollectError, match="stopped"):
            look(one, one.access.addresses)
        return monotonic()

    assert scanner.inside(work) - began[0] < 2
    assert one.pace.take("any") == 0.0


@pytest.mark.real
def test_more_pairs_than_fit_at_once_are_asked_in_slices(
    scanner: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.collect.network.look.MAX_STATES", 6)
    live, mute_one = IPv4Address("10.97.0.2"), IPv4Address("10.97.0.3")
    one = course([str(live), str(mute_one)], (21, 22, 23, 25, 80), raw=True)
    looked = scanner.inside(lambda: look(one, one.access.addresses))
    assert len(looked.parts) == 2
    assert of(looked.swept(live)) == Swept.of(open=[22], closed=[21, 23, 80], silent=[25])
    assert of(looked.swept(mute_one)) == Swept.of(silent=[21, 22, 23, 25, 80])
