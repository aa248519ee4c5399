"""Who is there and what is open: raw packets where they can be sent, connections everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from scanner.collect.network.access import Course
from scanner.collect.network.sweep import connect_sweep
from scanner.collect.network.talk import Address
from scanner.transport import packets
from scanner.transport.packets import PacketError, PacketSender, Swept
from scanner.transport.packets_wire import MAX_STATES

SYN, CONNECT = "syn", "connect"


@dataclass
class Looked:
    """What the sweeps saw: the answers by address, MACs, which addresses live, and how each was asked."""

    answers: dict[Address, Swept] = field(default_factory=dict)
    macs: dict[Address, str] = field(default_factory=dict)
    modes: dict[Address, str] = field(default_factory=dict)
    live: set[Address] = field(default_factory=set)

    @property
    def mode(self) -> str:
        """How the network as a whole was asked: `syn`, `connect`, or both."""
        return " and ".join(sorted(set(self.modes.values()), reverse=True)) or CONNECT

    def note(self, address: Address, swept: Swept, mode: str) -> None:
        """The answers of one address."""
        self.answers[address] = swept
        self.modes[address] = mode
        if swept.answered:
            self.live.add(address)


def look(course: Course, addresses: Sequence[Address]) -> Looked:
    """Which of these addresses live and how their ports answer.

    Raises:
        CollectError: stopped on request.

    """
    looked = Looked()
    frames = _with_frames(course, looked, addresses)
    rest = [a for a in addresses if a not in frames]
    if rest:
        found = course.run(
            connect_sweep(
                rest,
                course.access.ports,
                pace=course.pace,
                allowed=course.access.allowed,
                log=course.log,
                deadline=course.deadline,
            )
        )
        for address, swept in found.answers.items():
            looked.note(address, swept, CONNECT)
        if not found.whole:
            course.limit(
                "not every port could be asked by connection: no time, no route or no socket was left"
            )
    return looked


def _with_frames(course: Course, looked: Looked, addresses: Sequence[Address]) -> frozenset[Address]:
    """Sweeps with raw packets what can be; the addresses for which that was done."""
    candidates = [a for a in addresses if isinstance(a, IPv4Address) and not a.is_loopback]
    if len(candidates) < sum(1 for a in addresses if not a.is_loopback):
        course.limit("IPv6 addresses were asked by connection: the raw sweep speaks IPv4 only")
    if not candidates:
        return frozenset()
    if not course.access.use_raw:
        course.limit("raw packets were switched off; open ports were found by connection")
        return frozenset()
    reason = packets.available()
    if reason:
        course.limit(f"{reason}; open ports were found by connection, and hosts without any stay unseen")
        return frozenset()
    try:
        return _sweep(course, looked, candidates)
    except PacketError as error:
        course.context.check()
        course.limit(f"the raw sweep stopped ({error}); what it left was asked by connection")
        return frozenset(looked.answers)


def _sweep(course: Course, looked: Looked, candidates: list[IPv4Address]) -> frozenset[Address]:
    access = course.access
    with PacketSender(
        [a for a in candidates if access.allowed(a)],
        rate=access.rate,
        per_host=access.per_host,
        seconds=course.left,
        cancelled=course.context.cancelled,
        log=course.log,
    ) as sender:
        if sender.elsewhere:
            count = len(sender.elsewhere)
            course.limit(f"{count} addresses lie behind no Ethernet link; they were asked by connection")
        ours = [a for a in candidates if a not in sender.elsewhere]
        neighbours, _, whole = sender.discover([a for a in ours if access.allowed(a)])
        for address, neighbour in neighbours.items():
            looked.live.add(address)
            if neighbour.mac:
                looked.macs[address] = neighbour.mac
        size = max(1, MAX_STATES // max(1, len(ours)))
        for start in range(0, len(access.ports), size):
            part = sender.sweep([a for a in ours if access.allowed(a)], access.ports[start : start + size])
            whole = whole and part.whole
            for address, swept in part.answers.items():
                looked.note(address, _joined(looked.answers.get(address, Swept()), swept), SYN)
        if not whole:
            course.limit("the time was over before every port had been asked")
    return frozenset(ours)


def _joined(one: Swept, other: Swept) -> Swept:
    return Swept(
        one.open + other.open,
        one.closed + other.closed,
        one.filtered + other.filtered,
        one.silent + other.silent,
    )
