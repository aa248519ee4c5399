"""Servers that answer datagrams, well or as badly as they can."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from tests.lab.parts import LOOPBACK

Reply = Callable[[bytes], tuple[bytes, ...]]
"""What is sent back for one datagram; nothing is silence."""


@contextlib.contextmanager
def answering_udp(reply: Reply, port: int = 0, address: str = LOOPBACK) -> Iterator[int]:
    """A server that answers each datagram from the port that was asked; its port."""
    with serving_udp(
        lambda data, sender, one: [one.sendto(d, sender) for d in reply(data)], port, address
    ) as n:
        yield n


@contextlib.contextmanager
def serving_udp(
    handler: Callable[[bytes, tuple[str, int], socket.socket], object], port: int = 0, address: str = LOOPBACK
) -> Iterator[int]:
    """A server that gives each datagram, its sender and its own socket to the handler; its port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.bind((address, port))
        one.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    data, sender = one.recvfrom(65_535)
                    handler(data, sender[:2], one)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(one.getsockname()[1])
        finally:
            stop.set()
            thread.join(5)


def mute_udp(_: bytes) -> tuple[bytes, ...]:
    """Never answers."""
    return ()


def saying_udp(*answers: bytes) -> Reply:
    """Answers everything with these datagrams."""
    return lambda _: answers
