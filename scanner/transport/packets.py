"""Raw packets, by way of the child processes that alone may build them: discovery and the SYN sweep."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from types import MappingProxyType, TracebackType
from typing import Self

from checks.fix import printable
from scanner.transport.packets_process import PacketError, PacketProcess
from scanner.transport.packets_swept import CLOSED, FILTERED, NOT_ASKED, OPEN, SILENT, Swept
from scanner.transport.packets_wire import (
    Absent,
    Answers,
    Discover,
    Done,
    Found,
    Frames,
    Log,
    Opened,
    Quiet,
    Ranges,
    Ready,
    Refused,
    Request,
    Response,
    Start,
    Sweep,
    pack,
    shown,
    unpack,
)
from scanner.transport.sent import Sent

__all__ = ["SETTLE", "Neighbour", "PacketError", "PacketSender", "PacketSweep", "Swept", "available"]

Address = IPv4Address | IPv6Address
_STATES = frozenset((OPEN, CLOSED, FILTERED, SILENT, NOT_ASKED))
SETTLE = 1.0
"""Seconds that late answers are waited for after each pass: a round trip over a slow line."""
_GRACE = 20.0
"""Seconds past the child's own deadline before it is killed: it ends by itself well before."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A live address: its MAC where it is on the link, and what it answered (`arp`, `nd`, `icmp-echo`)."""

    address: Address
    mac: str
    how: str


@dataclass(frozen=True, slots=True)
class PacketSweep:
    """The answers by address, and those that answered nothing by runs of neighbours (`swept` reads both).

    `packets` counts our frames and what the kernel sent because of them; `whole` says whether there was time
    for all; `lost` counts answers that came faster than they could be read, and `slowest` is the lowest rate
    to which loss on the way brought the sweep (0.0: none).
    """

    answers: Mapping[Address, Swept] = field(default_factory=lambda: MappingProxyType({}))
    packets: int = 0
    whole: bool = True
    quiet: tuple[tuple[Ranges, Swept], ...] = ()
    lost: int = 0
    slowest: float = 0.0

    def swept(self, address: Address) -> Swept | None:
        """How the ports of an address answered; None where none of them was asked."""
        if address in self.answers:
            return self.answers[address]
        return next((swept for those, swept in self.quiet if address.packed in those), None)


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

    `elsewhere` says of which addresses it is true that Ethernet frames do not reach them (loopback, VPN
    tunnels). `log` gets every frame that left, in batches and in order; without it they are only counted.
    `rate` and `per_host` are frames a second.
    """

    def __init__(
        self,
        addresses: Iterable[Address],
        *,
        rate: float,
        per_host: float,
        seconds: float,
        cancelled: threading.Event,
        log: Callable[[list[Sent]], None] | None = None,
        settle: float = SETTLE,
    ) -> None:
        asked = pack(sorted({a.packed for a in addresses}, key=lambda packed: (len(packed), packed)))
        self._asked = Ranges(asked)
        self._log = log
        self._absent = Ranges(())
        self._process = PacketProcess(seconds + _GRACE, cancelled)
        try:
            self._process.tell(Start(asked, rate, per_host, seconds, settle, log is not None))
            ready = self._ready()
            self._elsewhere = Ranges(ready.elsewhere)
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

    @property
    def pid(self) -> int:
        """The number of the process that sends; the one that hears is its child."""
        return self._process.pid

    def elsewhere(self, address: Address) -> bool:
        """True where frames do not reach an address: it has to be asked in another way."""
        return address.packed in self._elsewhere

    def absent(self, address: Address) -> bool:
        """True where the last `discover` found that nobody on the own link has that address."""
        return address.packed in self._absent

    def discover(self, addresses: Iterable[Address]) -> tuple[dict[Address, Neighbour], int, bool]:
        """Who answers ARP, neighbour discovery or ICMP echo; the packets sent; was there time for all.

        An address behind a router that does not answer may still live; one on the link does not.

        Raises:
            PacketError: the child stopped or was stopped.

        """
        found: dict[Address, Neighbour] = {}
        self._absent = Ranges(())
        done = Done(0, 0.0, False)
        for response in self._ask(Discover(pack(a.packed for a in addresses))):
            if isinstance(response, Found):
                address = self._address(response.address)
                if address:
                    found[address] = Neighbour(address, printable(response.mac), response.how)
            elif isinstance(response, Absent):
                self._absent = Ranges(response.addresses)
            elif isinstance(response, Done):
                done = response
        return found, done.sent, done.whole

    def sweep(
        self,
        addresses: Iterable[Address],
        ports: tuple[int, ...],
        opened: Callable[[Address, int], None] | None = None,
    ) -> PacketSweep:
        """How these ports of these addresses answer a SYN.

        `opened` is called in this thread with each open port as soon as it is seen, up to 256 ports of an
        address: one with more is no machine.

        Raises:
            PacketError: the child stopped or was stopped, or the sweep is too large for one request.

        """
        answers: dict[Address, Swept] = {}
        quiet: list[tuple[Ranges, Swept]] = []
        done = Done(0, 0.0, False)
        for response in self._ask(Sweep(pack(a.packed for a in addresses), ports)):
            match response:
                case Opened(pairs) if opened:
                    for text, port in pairs:
                        if address := self._address(text):
                            opened(address, port)
                case Answers(text, states):
                    if address := self._address(text):
                        answers[address] = _swept(states, ports)
                case Quiet(those, states):
                    quiet.append((Ranges(those), _swept(states, ports)))
                case Done():
                    done = response
        return PacketSweep(
            MappingProxyType(answers), done.sent, done.whole, tuple(quiet), done.lost, done.slowest
        )

    def close(self) -> None:
        """Ends the child: by closing its input, or by force if that does not do within a second."""
        self._process.close()

    def _address(self, text: str) -> Address | None:
        """The address, if it is one of those that were asked."""
        try:
            address = ip_address(text)
        except ValueError:
            return None
        return address if address.packed in self._asked else None

    def _ready(self) -> Ready:
        first = next(self._process.responses())
        if isinstance(first, Ready):
            return first
        raise PacketError(printable(first.reason) if isinstance(first, Refused) else "an answer out of turn")

    def _ask(self, request: Request) -> Iterator[Response]:
        self._process.tell(request)
        for response in self._process.responses():
            if isinstance(response, Refused):
                raise PacketError(printable(response.reason))
            if isinstance(response, Log):
                if self._log:
                    self._log([sent for frames in response.frames for sent in _each(frames)])
                continue
            yield response
            if isinstance(response, Done):
                return


def _each(frames: Frames) -> Iterator[Sent]:
    for destination in _texts(frames.destinations):
        yield Sent(frames.at, frames.source, destination, frames.port, frames.kind, frames.size)


@lru_cache(maxsize=256)
def _texts(ranges: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses of ranges as text; the same ranges come again for every port."""
    return tuple(shown(address) for address in unpack(ranges))


def _swept(states: str, ports: tuple[int, ...]) -> Swept:
    if len(states) != len(ports) or not _STATES.issuperset(states):
        raise PacketError("the packet process answered nonsense: a list of states of the wrong form")
    return Swept(ports, states.encode())
