from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address
from time import monotonic, sleep

import pytest

from scanner.collect.network.talk import Line, Talk, TalkError
from scanner.transport.pace import Pace
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.asking import LOCAL, line
from tests.lab.parts import free_port
from tests.lab.services import dripping, endless, mute, reset, resetting, saying, serving


def talk(number: int, what: Callable[[Talk], Awaitable[bytes]], over: Line | None = None) -> bytes:
    async def work() -> bytes:
        async with (over or line(1.0)).talk(LOCAL, number) as one:
            return await what(one)

    return asyncio.run(work())


async def everything(one: Talk) -> bytes:
    return await one.until(lambda _: False)


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (mute, "no complete answer within 1 s"),
        (dripping, "no complete answer within 1 s"),
        (endless, "more than 65,536 bytes without an end"),
        (reset, "the connection was reset"),
        (lambda connection: connection.close(), "in the middle of its answer"),
    ],
)
def test_each_way_to_fail_has_its_words(server: Callable[[socket.socket], None], words: str) -> None:
    began = monotonic()
    with serving(server) as number, pytest.raises(TalkError, match=words):
        talk(number, everything)
    assert monotonic() - began < 3


def test_a_closed_port_is_refused() -> None:
    with pytest.raises(TalkError, match="the connection was refused"):
        talk(free_port(), everything)


def test_first_words_end_at_a_pause() -> None:
    began = monotonic()
    with serving(saying(b"hello\r\n")) as number:
        assert talk(number, lambda one: one.heard(5.0), line(6.0)) == b"hello\r\n"
    assert monotonic() - began < 1.5


def test_first_words_that_drip_are_cut_by_the_clock() -> None:
    began = monotonic()
    with serving(dripping) as number:
        heard = talk(number, lambda one: one.heard(0.5), line(6.0))
    assert 1 <= len(heard) <= 15
    assert monotonic() - began < 2.5


def test_the_gate_is_asked_right_before_sending() -> None:
    asked: list[IPv4Address] = []
    log: list[Sent] = []

    def no(address: object) -> bool:
        assert isinstance(address, IPv4Address)
        asked.append(address)
        return False

    connected = threading.Event()
    with serving(lambda _: connected.set()) as number:
        over = Line(no, Pace(100, 100), log.append, monotonic() + 5, 1.0)
        with pytest.raises(TalkError, match="outside the scope"):
            talk(number, everything, over)
        sleep(0.1)
    assert asked == [LOCAL]
    assert not connected.is_set()
    assert log == []


def test_after_the_end_of_the_whole_time_nothing_is_sent() -> None:
    connected = threading.Event()
    with (
        serving(lambda _: connected.set()) as number,
        pytest.raises(TalkError, match="time for the whole scan"),
    ):
        talk(number, everything, line(1.0, total=-1))
    assert not connected.is_set()


def test_every_conversation_is_logged_with_its_bytes() -> None:
    log: list[Sent] = []

    async def speak(one: Talk) -> bytes:
        await one.send(b"12345")
        await one.send(b"67")
        return await one.exactly(5)

    with serving(saying(b"hello")) as number:
        talk(number, speak, line(2.0, log))
    [entry] = log
    assert (entry.kind, entry.destination, entry.port, entry.size) == (ProbeKind.TALK, "127.0.0.1", number, 7)
    assert entry.source == "127.0.0.1"


def test_a_host_gets_two_conversations_at_once_and_no_more() -> None:
    lock = threading.Lock()
    now = most = 0

    def count(connection: socket.socket) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        connection.recv(10)
        sleep(0.1)
        with lock:
            now -= 1
        connection.sendall(b"x")

    async def work(number: int) -> None:
        over = line(5.0)

        async def one() -> None:
            async with over.talk(LOCAL, number) as talk:
                await talk.send(b"x")
                await talk.exactly(1)

        await asyncio.gather(*(one() for _ in range(8)))

    with serving(count) as number:
        asyncio.run(work(number))
    assert most == 2


def test_a_reset_in_the_middle_is_told() -> None:
    async def speak(one: Talk) -> bytes:
        await one.send(b"x" * 10)
        return await one.exactly(1)

    with serving(resetting(10)) as number, pytest.raises(TalkError, match="reset"):
        talk(number, speak)
