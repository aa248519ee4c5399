"""What the process with the raw sockets and its parent say to each other: one JSON object per line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

import msgspec

from scanner.transport.sent import ProbeKind

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of one line, either way; the longest is a list of 65,536 addresses of which no two are neighbours."""

MAX_STATES = 16 * 1024 * 1024
"""Most (address, port) pairs of one sweep; each takes a byte in the child."""

MAX_HOSTS = 65_536
"""Most addresses of one request."""


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="start"):
    """First line: who may be sent to in this whole life, how fast, and for how many seconds.

    Addresses are ranges (`pack`). `settle` is how many seconds late answers are waited for after the last
    packet of a pass; `log` says whether the parent wants a line for every frame.
    """

    addresses: tuple[str, ...]
    rate: float
    per_host: float
    seconds: float
    settle: float
    log: bool


class Discover(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="discover"):
    """Which of these answer ARP or neighbour discovery (on the link) or ICMP echo (behind a router)."""

    addresses: tuple[str, ...]


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sweep"):
    """How these TCP ports of these addresses answer a SYN."""

    addresses: tuple[str, ...]
    ports: tuple[int, ...]


class Phase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="phase"):
    """From the sending process to the hearing one: the order of hosts, neighbours and ports from now on."""

    hosts: tuple[str, ...]
    hops: tuple[str, ...]
    ports: tuple[int, ...]


class Ready(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ready"):
    """The sockets are open. `elsewhere` are the addresses that frames cannot reach from here."""

    interfaces: tuple[str, ...]
    elsewhere: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="refused"):
    """Nothing was sent, and why."""

    reason: str


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="found"):
    """A live address, its MAC where it is on the link, and what it answered (`arp`, `nd`, `icmp-echo`)."""

    address: str
    mac: str
    how: str


class Absent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="absent"):
    """Addresses on the own link of which nobody has the MAC: no frame can reach them."""

    addresses: tuple[str, ...]


class Opened(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="opened"):
    """These ports were seen open just now: pairs of address and port."""

    pairs: tuple[tuple[str, int], ...]


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="answers"):
    """An address that answered: one letter per port of the sweep, in its order."""

    address: str
    states: str


class Quiet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="quiet"):
    """Addresses that answered nothing, and the one list of letters that holds for each of them."""

    addresses: tuple[str, ...]
    states: str


class Frames(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Frames that left together: one to that port of each address, in this order, each of `size` bytes."""

    at: float
    source: str
    kind: ProbeKind
    port: int
    size: int
    destinations: tuple[str, ...]


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="log"):
    """What was sent since the last log."""

    frames: tuple[Frames, ...]


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="done"):
    """The request is finished.

    `sent` counts our frames and those that the kernel sent because of them; `whole` is false where time ran
    out before everything was sent. `lost` counts frames that came in faster than they could be read, and
    `slowest` is the lowest rate to which loss on the way brought the sweep (0.0: it was not slowed).
    """

    sent: int
    seconds: float
    whole: bool
    lost: int = 0
    slowest: float = 0.0


Request = Start | Discover | Sweep
Response = Ready | Refused | Found | Absent | Opened | Answers | Quiet | Log | Done


def pack(addresses: Iterable[bytes]) -> tuple[str, ...]:
    """Packed addresses as text, in their order; runs of neighbours as one range (`10.0.0.1-10.0.0.9`)."""
    found: list[str] = []
    first, last, width = 0, -2, 0
    for address in addresses:
        value = int.from_bytes(address, "big")
        if value == last + 1 and len(address) == width:
            last = value
            continue
        if width:
            found.append(_range(first, last, width))
        first, last, width = value, value, len(address)
    if width:
        found.append(_range(first, last, width))
    return tuple(found)


def unpack(ranges: Iterable[str]) -> Iterator[bytes]:
    """The packed addresses of ranges, in their order.

    Raises:
        ValueError: no range of addresses.

    """
    for first, last, width in map(_ends, ranges):
        for value in range(first, last + 1):
            yield value.to_bytes(width, "big")


def shown(address: bytes) -> str:
    """A packed address as people write it."""
    return str(IPv4Address(address) if len(address) == 4 else IPv6Address(address))


class Ranges:
    """A set of packed addresses that takes memory by runs of neighbours, not by addresses."""

    def __init__(self, ranges: Iterable[str]) -> None:
        self._runs: dict[int, list[tuple[int, int]]] = {4: [], 16: []}
        for first, last, width in sorted(map(_ends, ranges)):
            self._runs[width].append((first, last))
        self.count = sum(last - first + 1 for runs in self._runs.values() for first, last in runs)

    def __contains__(self, address: bytes) -> bool:
        value = int.from_bytes(address, "big")
        runs = self._runs[len(address)]
        place = bisect_right(runs, value, key=lambda run: run[0]) - 1
        return place >= 0 and value <= runs[place][1]


def _range(first: int, last: int, width: int) -> str:
    start = shown(first.to_bytes(width, "big"))
    return start if first == last else f"{start}-{shown(last.to_bytes(width, 'big'))}"


def _ends(text: str) -> tuple[int, int, int]:
    start, _, end = text.partition("-")
    first, last = ip_address(start), ip_address(end or start)
    if first.version != last.version or int(last) < int(first):
        raise ValueError(f"{text!r} is no range of addresses")
    return int(first), int(last), len(first.packed)
