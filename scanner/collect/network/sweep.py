"""Which ports are open, without raw sockets: connections that are closed at once.

For loopback, for links without Ethernet frames, and for whoever has no raw sockets.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic, time

from scanner.collect.network.talk import Address
from scanner.transport.pace import Pace
from scanner.transport.packets import Swept
from scanner.transport.sent import ProbeKind, Sent

WORKERS = 256
"""Connections under way at once; more are slower."""
CONNECT_SECONDS = 2.5
"""A connection may take this long: the operating system sends its SYN again after one second."""
LOOPBACK_SECONDS = 1.0
_SPARE_FILES = 96
_OUR_OWN = frozenset(
    {
        errno.EACCES,
        errno.EADDRNOTAVAIL,
        errno.EMFILE,
        errno.ENETUNREACH,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EPERM,
    }
)


@dataclass
class _Answers:
    """The ports of one address, by answer, while the sweep runs."""

    open: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    filtered: list[int] = field(default_factory=list)
    silent: list[int] = field(default_factory=list)
    unasked: list[int] = field(default_factory=list)
    """Ports for which our own machine had no route, no socket or no permission: no answer of theirs."""

    def frozen(self) -> Swept:
        """The answers, sorted by port."""
        return Swept(*(tuple(sorted(p)) for p in (self.open, self.closed, self.filtered, self.silent)))


@dataclass(frozen=True)
class ConnectSweep:
    """The answers by address, the connections tried, and whether there was time for all."""

    answers: dict[Address, Swept]
    packets: int
    whole: bool


async def connect_sweep(
    addresses: Sequence[Address],
    ports: Sequence[int],
    *,
    pace: Pace,
    allowed: Callable[[Address], bool],
    log: Callable[[Sent], None],
    deadline: float,
) -> ConnectSweep:
    """How these ports of these addresses take a connection; port by port over all addresses.

    `deadline` is in the time of `time.monotonic`. An address that is not allowed any more when its turn
    comes is left out from there on.
    """
    answers = {address: _Answers() for address in addresses}
    slots = asyncio.Semaphore(_workers())
    tried = 0
    whole = True

    async def one(address: Address, port: int) -> None:
        try:
            source, kind = await _connect(address, port)
            getattr(answers[address], kind).append(port)
            log(Sent(time(), source, str(address), port, ProbeKind.CONNECT, 0))
        finally:
            slots.release()

    async with asyncio.TaskGroup() as group:
        for address, port in ((a, p) for p in ports for a in addresses):
            if not await _turn(address, pace, deadline):
                whole = False
                break
            if not allowed(address):
                continue
            await slots.acquire()
            tried += 1
            group.create_task(one(address, port))
    whole = whole and not any(found.unasked for found in answers.values())
    return ConnectSweep({a: found.frozen() for a, found in answers.items()}, tried, whole)


async def _turn(address: Address, pace: Pace, deadline: float) -> bool:
    """Waits until one connection to that address may be tried; False once the time is over."""
    if not address.is_loopback:
        while (pause := pace.take(address)) > 0:
            if monotonic() + pause >= deadline:
                return False
            await asyncio.sleep(pause)
    return monotonic() < deadline


async def _connect(address: Address, port: int) -> tuple[str, str]:
    """(our own address, which of the answers)."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_STREAM) as attempt:
            attempt.setblocking(False)
            async with asyncio.timeout(LOOPBACK_SECONDS if address.is_loopback else CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(attempt, (str(address), port))
            if attempt.getsockname() == attempt.getpeername():
                # On one's own machine a connection can meet itself: nobody listens there.
                return "", "closed"
            return str(attempt.getsockname()[0]), "open"
    except TimeoutError:
        return "", "silent"
    except OSError as error:
        if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
            return "", "closed"
        return "", "unasked" if error.errno in _OUR_OWN else "filtered"


def _workers() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(WORKERS, soft - _SPARE_FILES))
