"""What a hostile behaviour is, and the words that many of them use."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from time import sleep

TCP, UDP = "tcp", "udp"

Talk = Callable[[socket.socket], None]
Answer = Callable[[socket.socket, bytes, tuple[str, int]], None]

MARKUP = b"<script>alert(1)</script><img src=x onerror=alert(2)>"
ESCAPES = b"\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m"
NULS = b"a\x00b\x00\x00c"
WRONG_UTF8 = b"\xff\xfe\xc0\x80\xed\xa0\x80 \xe2\x80\xae\xe2\x80\x8b\xc2\x9b"
ALL_WORDS = MARKUP + b" " + ESCAPES + b" " + NULS + b" " + WRONG_UTF8


def _no_talk(_: socket.socket) -> None:
    raise AssertionError("not a TCP behaviour")


def _no_answer(_: socket.socket, __: bytes, ___: tuple[str, int]) -> None:
    raise AssertionError("not a UDP behaviour")


@dataclass(frozen=True)
class Behaviour:
    """A named way to behave on one port: `talk` for a TCP connection, `answer` for a datagram.

    `window` is the receive buffer of a port that does not want to be sent to.
    """

    name: str
    port: int
    protocol: str = TCP
    talk: Talk = _no_talk
    answer: Answer = _no_answer
    window: int = 0


def listens(connection: socket.socket) -> bytes:
    """What the client says next; nothing where it says nothing."""
    try:
        return connection.recv(65_536)
    except TimeoutError:
        return b""


def stays(connection: socket.socket) -> None:
    """Holds the connection until the client leaves."""
    while listens(connection):
        pass


def says(*parts: bytes) -> Talk:
    """Says the parts, one after each thing that it hears (the first at once), then stays silent."""

    def talk(connection: socket.socket) -> None:
        for number, part in enumerate(parts):
            if number:
                listens(connection)
            connection.sendall(part)
        stays(connection)

    return talk


def hears(*parts: bytes) -> Talk:
    """Says each part after something that it heard, then stays silent."""
    return says(b"", *parts)


def forever(start: bytes, again: bytes, *, wait: bool = False) -> Talk:
    """Says the start (after a word of the client, if it waits), and then the same thing without an end."""

    def talk(connection: socket.socket) -> None:
        if wait:
            listens(connection)
        connection.sendall(start)
        block = again * max(1, 8192 // len(again))
        while True:
            connection.sendall(block)

    return talk


def always(reply: bytes, greeting: bytes = b"") -> Talk:
    """The same answer to whatever it hears."""

    def talk(connection: socket.socket) -> None:
        if greeting:
            connection.sendall(greeting)
        while listens(connection):
            connection.sendall(reply)

    return talk


def drips(words: bytes, seconds: float = 0.2) -> Talk:
    """One byte at a time, over and over: below every timeout between two reads."""

    def talk(connection: socket.socket) -> None:
        while True:
            for byte in words:
                connection.sendall(bytes((byte,)))
                sleep(seconds)

    return talk


def resets(after: int = 0, words: bytes = b"") -> Talk:
    """Says the words, waits for so many things that the client says, and resets the connection."""

    def talk(connection: socket.socket) -> None:
        if words:
            connection.sendall(words)
        for _ in range(after):
            listens(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    return talk
