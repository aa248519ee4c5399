"""One network for everything that a target may do to its scanner: each behaviour is a row with a name.

    with hostile() as lab:                # a wire with no way out
        lab.scanner.inside(scan)
        for row in lab.rows: row.name, row.address, row.port, row.protocol

Each behaviour has the port on which the questions of its protocol are asked, so that it meets them; where
two need the same port they live on two machines. None tells the truth to the end.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tests.lab import hostile_binary, hostile_text, hostile_udp, hostile_web
from tests.lab.hostile_words import TCP, UDP, Behaviour
from tests.lab.network import Namespace, Wire

__all__ = ["BEHAVIOURS", "NETWORK", "SCANNER", "Hostile", "Row", "hostile", "only", "placed"]

BEHAVIOURS: tuple[Behaviour, ...] = (
    *hostile_text.BEHAVIOURS,
    *hostile_web.BEHAVIOURS,
    *hostile_binary.BEHAVIOURS,
    *hostile_udp.BEHAVIOURS,
)

NETWORK, SCANNER = "10.95.0.0/26", "10.95.0.62"
PER_ADDRESS = 5
"""Behaviours on one address: conversations with one host wait for each other."""
_HOLD_SECONDS = 20.0


@dataclass(frozen=True)
class Row:
    """A behaviour and where it is."""

    name: str
    protocol: str
    address: str
    port: int


@dataclass(frozen=True)
class Hostile:
    """The running network: where the scanner stands, and all rows."""

    scanner: Namespace
    rows: tuple[Row, ...]

    def ports(self, protocol: str) -> tuple[int, ...]:
        """All ports of that protocol, sorted."""
        return tuple(sorted({row.port for row in self.rows if row.protocol == protocol}))

    def name(self, address: str, port: str) -> str:
        """The behaviour at that port (`tcp/22`); empty where there is none."""
        found = (r.name for r in self.rows if (r.address, f"{r.protocol}/{r.port}") == (address, port))
        return next(found, "")


def placed(behaviours: Sequence[Behaviour] = BEHAVIOURS) -> tuple[tuple[Behaviour, str], ...]:
    """Each behaviour with its address: few on one, and no port twice."""
    hosts: list[list[Behaviour]] = []
    for one in behaviours:
        free = [
            host
            for host in hosts
            if len(host) < PER_ADDRESS
            and (one.protocol, one.port) not in {(b.protocol, b.port) for b in host}
        ]
        if free:
            free[0].append(one)
        else:
            hosts.append([one])
    return tuple((one, f"10.95.0.{n}") for n, host in enumerate(hosts, start=1) for one in host)


def _taken(one: Behaviour, host: Sequence[Behaviour]) -> bool:
    return any((other.protocol, other.port) == (one.protocol, one.port) for other in host)


@contextlib.contextmanager
def hostile(behaviours: Sequence[Behaviour] = BEHAVIOURS) -> Iterator[Hostile]:
    """All behaviours, listening on machines of their own beside a scanner. Needs root."""
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner = wire.host(f"{SCANNER}/26")
        rows = tuple(Row(one.name, one.protocol, address, one.port) for one, address in placed(behaviours))
        addresses = tuple(dict.fromkeys(row.address for row in rows))
        made = wire.hosts([f"{address}/26" for address in addresses])
        machines = dict(zip(addresses, made, strict=True))
        server = stack.enter_context(_Server())
        for one, row in zip((one for one, _ in placed(behaviours)), rows, strict=True):
            server.serve(_opened(machines[row.address], one, row.address), one)
        yield Hostile(scanner, rows)


def _opened(there: Namespace, one: Behaviour, address: str) -> socket.socket:
    def opened() -> socket.socket:
        if one.protocol == TCP:
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if one.window:
                # Inherited by the connections: the kernel's smallest window.
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, one.window)
            made.bind((address, one.port))
            made.listen(64)
            return made
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, one.port))
        return made

    return there.inside(opened)


class _Server:
    """One thread that accepts for all; each connection or datagram is handled in a thread of its own."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> _Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            self._held.append(key.data[0])
        for held in self._held:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            held.close()
        self._selector.close()

    def serve(self, opened: socket.socket, one: Behaviour) -> None:
        """From now on the behaviour answers there."""
        opened.setblocking(False)
        self._selector.register(opened, selectors.EVENT_READ, (opened, one))

    def _serve(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.05):
                opened, one = key.data
                with contextlib.suppress(OSError):
                    if one.protocol == UDP:
                        data, sender = opened.recvfrom(65_535)
                        self._thread_of(one.answer, opened, data, sender)
                    else:
                        connection, _ = opened.accept()
                        connection.settimeout(_HOLD_SECONDS)
                        self._held.append(connection)
                        self._thread_of(one.talk, connection)

    def _thread_of(self, work: Callable[..., None], *arguments: object) -> None:
        def run() -> None:
            with contextlib.suppress(OSError, ValueError):
                work(*arguments)
            for one in arguments:
                # A datagram's socket serves the next one too.
                if isinstance(one, socket.socket) and one.type == socket.SOCK_STREAM:
                    one.close()

        threading.Thread(target=run, daemon=True).start()


def only(*names: str) -> tuple[Behaviour, ...]:
    """The behaviours of these names."""
    found = tuple(replace(one) for one in BEHAVIOURS if one.name in names)
    assert {one.name for one in found} == set(names)
    return found
