from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from ipaddress import IPv6Address
from time import monotonic

import pytest

from scanner.collect.network.talk import Address, Line, TalkError, TooMuchError
from scanner.collect.network.udp import (
    MOST_ANSWERS,
    RefusedError,
    SilentError,
    ask_udp,
    open_udp,
)
from scanner.transport.pace import Pace
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.asking import LOCAL, line
from tests.lab.udp import answering_udp, mute_udp, saying_udp, serving_udp


def ask(number: int, over: Line | None = None, *, address: Address = LOCAL, **options: object) -> bytes:
    return asyncio.run(ask_udp(over or line(), address, number, b"question", seconds=0.15, **options))  # type: ignore[arg-type]


def test_an_answer_comes_back_and_the_question_is_logged() -> None:
    log: list[Sent] = []
    with answering_udp(lambda data: (data + b"!",)) as number:
        assert ask(number, line(log=log)) == b"question!"
    [entry] = log
    assert (entry.kind, entry.destination, entry.port, entry.size) == (ProbeKind.UDP, "127.0.0.1", number, 8)
    assert entry.source == "127.0.0.1"


def test_ipv6_is_asked_the_same_way() -> None:
    with answering_udp(saying_udp(b"six"), address="::1") as number:
        assert ask(number, address=IPv6Address("::1")) == b"six"
        assert ask(number, address=IPv6Address("::1"), other_port=True) == b"six"


def test_silence_is_told_as_silence_after_two_datagrams_that_are_both_logged() -> None:
    log: list[Sent] = []
    with answering_udp(mute_udp) as number, pytest.raises(SilentError, match="no answer to 2 datagrams"):
        ask(number, line(log=log))
    assert [entry.port for entry in log] == [number, number]


def test_the_second_datagram_is_answered_where_the_first_was_lost() -> None:
    heard: list[bytes] = []

    def second(data: bytes) -> tuple[bytes, ...]:
        heard.append(data)
        return (b"late",) if len(heard) == 2 else ()

    with answering_udp(second) as number:
        assert ask(number) == b"late"


@pytest.mark.parametrize("other_port", [False, True])
def test_a_closed_port_is_told_by_its_error(other_port: bool) -> None:
    with answering_udp(mute_udp) as number:
        pass
    began = monotonic()
    with pytest.raises(RefusedError, match="closed"):
        ask(number, other_port=other_port)
    assert monotonic() - began < 0.15


@pytest.mark.parametrize("other_port", [False, True])
def test_a_closed_port_of_ipv6_is_told_by_the_error_of_its_own_address(other_port: bool) -> None:
    with answering_udp(mute_udp, address="::1") as number:
        pass
    with pytest.raises(RefusedError, match="closed"):
        ask(number, address=IPv6Address("::1"), other_port=other_port)


def from_another(address: str) -> Callable[[bytes, tuple[str, int], socket.socket], object]:
    def handle(_: bytes, sender: tuple[str, int], __: socket.socket) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((address, 0))
            other.sendto(b"from another", sender)

    return handle


def test_an_answer_from_another_port_counts_only_where_the_protocol_does_so() -> None:
    with serving_udp(from_another("127.0.0.1")) as number:
        with pytest.raises(SilentError):
            ask(number)
        assert ask(number, other_port=True) == b"from another"


@pytest.mark.parametrize("other_port", [False, True])
def test_an_answer_from_another_address_never_counts(other_port: bool) -> None:
    with serving_udp(from_another("127.0.0.2")) as number, pytest.raises(SilentError):
        ask(number, other_port=other_port)


def test_what_is_not_accepted_is_passed_over() -> None:
    with answering_udp(saying_udp(b"noise", b"more noise", b"answer")) as number:
        assert ask(number, accept=lambda data: data == b"answer") == b"answer"


def test_a_flood_of_ten_thousand_datagrams_ends_early() -> None:
    began = monotonic()
    with (
        answering_udp(saying_udp(*[b"x" * 100] * 10_000)) as number,
        pytest.raises(TooMuchError, match=f"more than {MOST_ANSWERS} datagrams"),
    ):
        ask(number, accept=lambda data: data == b"answer")
    assert monotonic() - began < 3


def test_several_answers_are_collected_up_to_the_limits() -> None:
    async def work(number: int) -> tuple[bytes, ...]:
        async with open_udp(line(), LOCAL, number) as opened:
            await opened.send(b"question")
            return await opened.burst(0.2)

    with answering_udp(saying_udp(b"1", b"2", b"3")) as number:
        assert asyncio.run(work(number)) == (b"1", b"2", b"3")
    with answering_udp(saying_udp(*[b"x" * 8_000] * 500)) as number:
        heard = asyncio.run(work(number))
    assert 1 < len(heard) <= MOST_ANSWERS
    assert sum(map(len, heard)) <= 65_536 + 8_000


def test_the_largest_datagram_and_the_empty_one_are_answers() -> None:
    with answering_udp(saying_udp(b"x" * 65_507)) as number:
        assert len(ask(number)) == 65_507
    with answering_udp(saying_udp(b"")) as number:
        assert ask(number) == b""


def test_nothing_is_sent_to_a_port_on_which_a_byte_can_do_harm() -> None:
    log: list[Sent] = []
    with pytest.raises(TalkError, match="nothing was sent: usually building control"):
        ask(47_808, line(log=log))
    assert log == []


def test_the_gate_is_asked_before_every_datagram() -> None:
    log: list[Sent] = []
    turns = iter((True, False))
    over = Line(lambda _: next(turns), Pace(100, 100), log.append, monotonic() + 5)
    heard: list[bytes] = []

    def keep(data: bytes) -> tuple[bytes, ...]:
        heard.append(data)
        return ()

    with (
        answering_udp(keep) as number,
        pytest.raises(TalkError, match="outside the scope"),
    ):
        ask(number, over)
    assert len(log) == len(heard) == 1


def test_after_the_end_of_the_whole_time_nothing_is_sent() -> None:
    log: list[Sent] = []
    with answering_udp(saying_udp(b"x")) as number, pytest.raises(TalkError, match="time for the whole scan"):
        ask(number, line(log=log, total=-1))
    assert log == []


def test_a_cancelled_question_ends_at_once() -> None:
    async def work(number: int) -> float:
        task = asyncio.ensure_future(ask_udp(line(), LOCAL, number, b"x", seconds=30))
        await asyncio.sleep(0.05)
        began = monotonic()
        task.cancel()
        await asyncio.wait({task})
        return monotonic() - began

    with answering_udp(mute_udp) as number:
        assert asyncio.run(work(number)) < 0.2
