"""All the fake ports of the estate in one thread: they accept, may say something, and count the bytes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from tests.lab.network import Namespace
from tests.lab.parts import LOOPBACK

_MOST_HELD = 64
"""Connections of one port that stay open at once; the oldest goes first."""


@dataclass
class Listener:
    """One port: what it says, when, and whom it holds."""

    server: socket.socket
    key: tuple[str, int]
    words: bytes
    delay: float
    held: list[socket.socket] = field(default_factory=list)


class Listeners:
    """Opens ports in namespaces. `heard` counts the bytes by address and port, `met` the connections."""

    def __init__(self) -> None:
        self.heard: Counter[tuple[str, int]] = Counter()
        self.met: Counter[tuple[str, int]] = Counter()
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, socket.socket, bytes]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Listeners:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            with contextlib.suppress(OSError):
                key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def open(
        self,
        port: int = 0,
        *,
        there: Namespace | None = None,
        address: str = LOOPBACK,
        words: bytes = b"",
        delay: float = 0,
    ) -> int:
        """A port that accepts, says the words after the delay, and is silent; its number."""

        def opened() -> socket.socket:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            # A new IPv6 address is no good until the kernel has made sure that nobody else has it.
            end = monotonic() + 5
            while True:
                try:
                    return socket.create_server((address, port), family=family, backlog=256)
                except OSError:
                    if monotonic() > end:
                        raise
                    self._stop.wait(0.1)

        server = there.inside(opened) if there else opened()
        server.setblocking(False)
        number = int(server.getsockname()[1])
        listener = Listener(server, (address, number), words, delay)
        self._selector.register(server, selectors.EVENT_READ, listener)
        return number

    def _serve(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.05):
                listener: Listener = key.data
                if key.fileobj is listener.server:
                    self._accept(listener)
                else:
                    self._hear(listener, key.fileobj)  # type: ignore[arg-type]
            self._say()

    def _accept(self, listener: Listener) -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.server.accept()
            connection.setblocking(False)
            self.met[listener.key] += 1
            listener.held.append(connection)
            self._selector.register(connection, selectors.EVENT_READ, listener)
            if listener.words:
                self._due.append((monotonic() + listener.delay, connection, listener.words))
        if len(listener.held) > _MOST_HELD:
            self._leave(listener, listener.held[0])

    def _hear(self, listener: Listener, connection: socket.socket) -> None:
        data = b""
        with contextlib.suppress(OSError):
            data = connection.recv(65_536)
        self.heard[listener.key] += len(data)
        if not data:
            self._leave(listener, connection)

    def _leave(self, listener: Listener, connection: socket.socket) -> None:
        listener.held.remove(connection)
        self._selector.unregister(connection)
        connection.close()

    def _say(self) -> None:
        now = monotonic()
        for entry in [entry for entry in self._due if entry[0] <= now]:
            self._due.remove(entry)
            with contextlib.suppress(OSError):
                entry[1].sendall(entry[2])
