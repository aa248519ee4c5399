"""Raw packets, by way of the child process that alone may build them: discovery and the SYN sweep."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from time import monotonic
from types import MappingProxyType, TracebackType
from typing import Self

import msgspec

from checks.fix import printable
from scanner.transport.packets_wire import (
    CLOSED,
    FILTERED,
    LINE_LIMIT,
    NOT_ASKED,
    OPEN,
    SILENT,
    Answers,
    Discover,
    Done,
    Found,
    Log,
    Ready,
    Refused,
    Request,
    Response,
    Start,
    Sweep,
)
from scanner.transport.sent import Sent

_STATES = frozenset((OPEN, CLOSED, FILTERED, SILENT, NOT_ASKED))
SETTLE = 1.0
"""Seconds that late answers are waited for after each pass: a round trip over a slow line."""
_GRACE = 20.0
"""Seconds past the child's own deadline before it is killed: it ends by itself well before."""


class PacketError(Exception):
    """The child could not start, stopped, or answered nonsense."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A live address: its MAC where it is on the link, and what it answered (`arp` or `icmp-echo`)."""

    address: IPv4Address
    mac: str
    how: str


@dataclass(frozen=True, slots=True)
class Swept:
    """How the ports of one address answered; a port in none of the four was not asked."""

    open: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    filtered: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()

    @property
    def answered(self) -> bool:
        """True where the address itself answered at least one port."""
        return bool(self.open or self.closed)


@dataclass(frozen=True, slots=True)
class PacketSweep:
    """The answers by address, the packets sent for them, and whether there was time for all."""

    answers: Mapping[IPv4Address, Swept] = field(default_factory=lambda: MappingProxyType({}))
    packets: int = 0
    whole: bool = True


def available() -> str:
    """Why raw packets cannot be sent from this process, or an empty text if they can."""
    if not sys.platform.startswith("linux"):
        return "raw packets are sent on Linux only"
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError as error:
        return f"no raw sockets ({error.strerror}); CAP_NET_RAW gives them"
    return ""


class PacketSender:
    """A running child, as a context manager. One request at a time.

    `elsewhere` are the addresses that it cannot reach with Ethernet frames (loopback, VPN tunnels).
    `log` gets every frame that left, in order; `rate` and `per_host` are frames a second.
    """

    def __init__(
        self,
        addresses: Iterable[IPv4Address],
        *,
        rate: float,
        per_host: float,
        seconds: float,
        cancelled: threading.Event,
        log: Callable[[Sent], None],
        settle: float = SETTLE,
    ) -> None:
        self._asked = frozenset(addresses)
        self._log = log
        self._cancelled = cancelled
        self._deadline = monotonic() + seconds + _GRACE
        self._buffer = b""
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = _spawn(self._stderr.fileno())
        self.elsewhere: frozenset[IPv4Address] = frozenset()
        self.interfaces: tuple[str, ...] = ()
        try:
            self._tell(Start(tuple(str(a) for a in sorted(self._asked)), rate, per_host, seconds, settle))
            ready = self._ready()
            self.elsewhere = self._asked & {IPv4Address(a) for a in ready.elsewhere}
            self.interfaces = tuple(printable(name) for name in ready.interfaces)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def discover(self, addresses: Iterable[IPv4Address]) -> tuple[dict[IPv4Address, Neighbour], int, bool]:
        """Who answers ARP or ICMP echo; the packets sent; whether there was time for all.

        An address behind a router that does not answer may still live; one on the link does not.

        Raises:
            PacketError: the child stopped or was stopped.

        """
        found: dict[IPv4Address, Neighbour] = {}
        done = Done(0, 0.0, False)
        for response in self._ask(Discover(tuple(str(a) for a in addresses))):
            if isinstance(response, Found):
                address = IPv4Address(response.address)
                if address in self._asked:
                    found[address] = Neighbour(address, printable(response.mac), response.how)
            elif isinstance(response, Done):
                done = response
        return found, done.sent, done.whole

    def sweep(self, addresses: Iterable[IPv4Address], ports: tuple[int, ...]) -> PacketSweep:
        """How these ports of these addresses answer a SYN.

        Raises:
            PacketError: the child stopped or was stopped, or the sweep is too large for one request.

        """
        answers: dict[IPv4Address, Swept] = {}
        done = Done(0, 0.0, False)
        for response in self._ask(Sweep(tuple(str(a) for a in addresses), ports)):
            if isinstance(response, Answers):
                address = IPv4Address(response.address)
                if address in self._asked:
                    answers[address] = _swept(response.states, ports)
            elif isinstance(response, Done):
                done = response
        return PacketSweep(MappingProxyType(answers), done.sent, done.whole)

    def close(self) -> None:
        """Ends the child: by closing its input, or by force if that does not do within a second."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._stderr.close()

    def _ready(self) -> Ready:
        first = next(self._responses())
        if isinstance(first, Ready):
            return first
        raise PacketError(printable(first.reason) if isinstance(first, Refused) else "an answer out of turn")

    def _ask(self, request: Request) -> Iterator[Response]:
        self._tell(request)
        for response in self._responses():
            if isinstance(response, Refused):
                raise PacketError(printable(response.reason))
            yield response
            if isinstance(response, Done):
                return

    def _tell(self, request: Request) -> None:
        line = msgspec.json.encode(request) + b"\n"
        if len(line) > LINE_LIMIT:
            raise PacketError("too many addresses for one request")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            raise PacketError(f"the packet process stopped: {self._complaint()}") from None

    def _responses(self) -> Iterator[Response]:
        decoder = msgspec.json.Decoder(Response)
        while True:
            line = self._line()
            try:
                response = decoder.decode(line)
            except msgspec.DecodeError as error:
                raise PacketError(f"the packet process answered nonsense: {error}") from None
            if isinstance(response, Log):
                for entry in response.entries:
                    self._log(entry)
            else:
                yield response

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._buffer:
            if self._cancelled.is_set():
                raise PacketError("stopped on request")
            if monotonic() > self._deadline:
                raise PacketError("the packet process did not end in time")
            if not select.select([pipe], [], [], 0.1)[0]:
                continue
            data = os.read(pipe, 65_536)
            if not data:
                raise PacketError(f"the packet process stopped: {self._complaint()}")
            self._buffer += data
            if len(self._buffer) > LINE_LIMIT:
                raise PacketError("the packet process sent an endless line")
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _complaint(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read(65_536).decode("utf-8", "replace").strip().splitlines()
        return printable(lines[-1][:300]) if lines else "without a word"


def _spawn(stderr: int) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(
        [sys.executable, "-s", "-m", "scanner.transport.packets_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": root, "HOME": "/nonexistent"},
        start_new_session=True,
    )


def _swept(states: str, ports: tuple[int, ...]) -> Swept:
    if len(states) != len(ports) or not _STATES.issuperset(states):
        raise PacketError("the packet process answered nonsense: a list of states of the wrong form")

    def those(letter: str) -> tuple[int, ...]:
        return tuple(port for port, state in zip(ports, states, strict=True) if state == letter)

    return Swept(those(OPEN), those(CLOSED), those(FILTERED), those(SILENT))
