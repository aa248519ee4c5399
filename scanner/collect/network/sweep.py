"""Which ports are open, without raw sockets: connections that are closed at once.

For loopback, for links without Ethernet frames, and for whoever has no raw sockets.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import Any, TypeVar

from scanner.collect.network.talk import Address
from scanner.transport.pace import Pace
from scanner.transport.packets_swept import CLOSED, FILTERED, NOT_ASKED, OPEN, SILENT, Swept
from scanner.transport.sent import ProbeKind, Sent

T = TypeVar("T")

WORKERS = 256
"""Connections under way at once; more are slower."""
CONNECT_SECONDS = 2.5
"""A connection may take this long: the operating system sends its SYN again after one second."""
LOOPBACK_SECONDS = 1.0
_SPARE_FILES = 96
_BREATH = 64
"""Answers that come at once, before others on the loop get a turn."""
_GLANCE = 0.1
"""Seconds between two looks at whether somebody wants to stop."""
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
    opened: Callable[[Address, int], None] | None = None,
) -> ConnectSweep:
    """How these ports of these addresses take a connection; port by port over all addresses.

    `deadline` is in the time of `time.monotonic`. An address that is not allowed any more when its turn
    comes is left out from there on. `opened` hears of each open port at once.
    """
    shared = tuple(ports)
    states = {address: bytearray(NOT_ASKED.encode() * len(shared)) for address in addresses}
    slots = asyncio.Semaphore(_workers())
    tried = 0
    whole = True

    def note(address: Address, place: int, source: str, state: str) -> None:
        nonlocal whole
        # No route, socket or permission on our own machine is no answer of theirs.
        whole = whole and state != NOT_ASKED
        states[address][place] = ord(state)
        log(Sent(time(), source, str(address), shared[place], ProbeKind.CONNECT, 0))
        if state == OPEN and opened:
            opened(address, shared[place])

    async def wait(attempt: socket.socket, address: Address, place: int) -> None:
        try:
            note(address, place, *await _finish(attempt, address, shared[place]))
        finally:
            slots.release()

    async with asyncio.TaskGroup() as group:
        for place, address in ((p, a) for p in range(len(shared)) for a in addresses):
            if not await _turn(address, pace, deadline):
                whole = False
                break
            if not allowed(address):
                # What was left out in the middle must not look as if it had kept silent.
                whole = False
                continue
            await slots.acquire()
            tried += 1
            attempt, source, state = _begin(address, shared[place])
            if attempt:
                group.create_task(wait(attempt, address, place))
                continue
            note(address, place, source, state)
            slots.release()
            if tried % _BREATH == 0:
                await asyncio.sleep(0)
    answers = {address: Swept(shared, bytes(found)) for address, found in states.items()}
    return ConnectSweep(answers, tried, whole)


def on_own_loop(work: Coroutine[Any, Any, T], check: Callable[[], None]) -> T:
    """The result of asynchronous work on an event loop of this thread alone; `check` raises to stop it."""

    async def watched() -> T:
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=_GLANCE))[0]:
                check()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return task.result()

    return asyncio.run(watched())


async def _turn(address: Address, pace: Pace, deadline: float) -> bool:
    """Waits until one connection to that address may be tried; False once the time is over."""
    if not address.is_loopback:
        while (pause := pace.take(address)) > 0:
            if monotonic() + pause >= deadline:
                return False
            await asyncio.sleep(pause)
    return monotonic() < deadline


def _begin(address: Address, port: int) -> tuple[socket.socket | None, str, str]:
    """(the connection that is under way, or None where it is decided: our own address, the state)."""
    try:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        attempt = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return None, "", _state(error)
    attempt.setblocking(False)
    code = attempt.connect_ex((str(address), port))
    if code == errno.EINPROGRESS:
        return attempt, "", ""
    with attempt:
        return None, *(_outcome(attempt) if code == 0 else ("", _state(OSError(code, ""))))


async def _finish(attempt: socket.socket, address: Address, port: int) -> tuple[str, str]:
    """(our own address, the state) of a connection that is under way."""
    try:
        with attempt:
            async with asyncio.timeout(LOOPBACK_SECONDS if address.is_loopback else CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(attempt, (str(address), port))
            return _outcome(attempt)
    except TimeoutError:
        return "", SILENT
    except OSError as error:
        return "", _state(error)


def _outcome(attempt: socket.socket) -> tuple[str, str]:
    try:
        if attempt.getsockname() == attempt.getpeername():
            # On one's own machine a connection can meet itself: nobody listens there.
            return "", CLOSED
        return str(attempt.getsockname()[0]), OPEN
    except OSError as error:
        return "", _state(error)


def _state(error: OSError) -> str:
    if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
        return CLOSED
    if isinstance(error, TimeoutError):
        return SILENT
    return NOT_ASKED if error.errno in _OUR_OWN else FILTERED


def _workers() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(WORKERS, soft - _SPARE_FILES))
