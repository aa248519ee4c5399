"""Hostile behaviours over UDP: answers that lie, loop, flood, or come from elsewhere."""

from __future__ import annotations

import contextlib
import socket

from tests.lab.hostile_words import ALL_WORDS, UDP, Answer, Behaviour

FLOOD = 10_000


def _says(words: bytes) -> Answer:
    """That answer to everything."""

    def answer(own: socket.socket, _: bytes, sender: tuple[str, int]) -> None:
        own.sendto(words, sender)

    return answer


def _floods(words: bytes) -> Answer:
    """Ten thousand answers to one question."""

    def answer(own: socket.socket, data: bytes, sender: tuple[str, int]) -> None:
        for number in range(FLOOD):
            with contextlib.suppress(BlockingIOError):
                own.sendto((data[:2] + words)[:1200] + number.to_bytes(4, "big"), sender)

    return answer


def _elsewhere(words: bytes) -> Answer:
    """The answer of another port of the same address."""

    def answer(own: socket.socket, data: bytes, sender: tuple[str, int]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((own.getsockname()[0], 0))
            other.sendto(data[:2] + words, sender)

    return answer


def _echo(own: socket.socket, data: bytes, sender: tuple[str, int]) -> None:
    own.sendto(data, sender)


def _dns(rest: bytes) -> Answer:
    """An answer with the number of the question, and after it what is given."""

    def answer(own: socket.socket, data: bytes, sender: tuple[str, int]) -> None:
        own.sendto(data[:2] + rest, sender)

    return answer


_HEAD = b"\x85\x80\0\1\0\1\0\0\0\0"
_LOOP = _HEAD + b"\xc0\x0c\0\1\0\1" + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\xff\xff\xff\xff"
_SNMP = b"\x30\x84\xff\xff\xff\xff\x02\x01\x01\x04\x06public\xa2\x84\x7f\xff\xff\xff"

BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("dns: pointers in a loop", 53, UDP, answer=_dns(_LOOP)),
    Behaviour("dns: counts that lie", 53, UDP, answer=_dns(b"\x85\x80" + b"\xff" * 8)),
    Behaviour(
        "dns: a record that lies about its length",
        53,
        UDP,
        answer=_dns(_HEAD + b"\0\0\1\0\1" + b"\0\0\x10\0\3\0\0\0\0\xff\xff\xff" + ALL_WORDS),
    ),
    Behaviour("dns: ten thousand answers", 53, UDP, answer=_floods(b"\0" * 40)),
    Behaviour("dns: an answer from another port", 53, UDP, answer=_elsewhere(_LOOP)),
    Behaviour("dns: the question sent back", 53, UDP, answer=_echo),
    Behaviour("snmp: lengths that lie", 161, UDP, answer=_says(_SNMP)),
    Behaviour("snmp: sequences in sequences", 161, UDP, answer=_says(b"\x30\x82\xff\xff" * 4000)),
    Behaviour("snmp: the question sent back", 161, UDP, answer=_echo),
    Behaviour("ntp: an oversized answer", 123, UDP, answer=_says(b"\x1c" + b"\xff" * 60_000)),
    Behaviour("ntp: the question sent back", 123, UDP, answer=_echo),
    Behaviour(
        "tftp: an answer from another port that says everything", 69, UDP, answer=_elsewhere(ALL_WORDS)
    ),
    Behaviour("tftp: ten thousand answers", 69, UDP, answer=_floods(b"\0\1")),
    Behaviour("ipmi: garbage", 623, UDP, answer=_says(b"\x06\0\xff\x07" + b"\xff" * 200)),
    Behaviour(
        "ssdp: markup",
        1900,
        UDP,
        answer=_says(
            b"HTTP/1.1 200 OK\r\nSERVER: " + ALL_WORDS + b"\r\nLOCATION: http://203.0.113.9/x\r\n\r\n"
        ),
    ),
    Behaviour("ssdp: ten thousand answers", 1900, UDP, answer=_floods(b"HTTP/1.1 200 OK\r\n\r\n")),
    Behaviour(
        "netbios: names that lie",
        137,
        UDP,
        answer=_dns(b"\x84\0\0\0\0\1\0\0\0\0 " + b"C" * 32 + b"\xff" * 40),
    ),
    Behaviour(
        "memcached: statistics with escapes",
        11211,
        UDP,
        answer=_dns(b"\0\0\xff\xff\0\0STAT " + ALL_WORDS + b"\r\n"),
    ),
    Behaviour("rpcbind: lengths that lie", 111, UDP, answer=_dns(b"\0\0" + b"\xff" * 60)),
    Behaviour("mdns: pointers in a loop", 5353, UDP, answer=_dns(_LOOP)),
)
