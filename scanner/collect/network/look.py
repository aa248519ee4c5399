"""Who is there and what is open: raw packets where they can be sent, connections everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scanner.collect.network.access import Course
from scanner.collect.network.sweep import connect_sweep, on_own_loop
from scanner.collect.network.talk import Address
from scanner.transport import packets
from scanner.transport.packets import PacketError, PacketSender, PacketSweep, Swept
from scanner.transport.packets_swept import NOT_ASKED
from scanner.transport.packets_wire import MAX_STATES
from scanner.transport.sent import not_kept

SYN, CONNECT = "syn", "connect"
_OF_THE_RATE = 0.9
"""The part of the rate that the sweep takes while what it finds is identified."""

Opened = Callable[[Address, int], None]
"""Somebody who hears of each open port as soon as it is seen, in the thread that sweeps."""

Discovered = Callable[[Callable[[Address], bool]], None]
"""Somebody who hears, once, how to tell which addresses nobody on the own link has; in that thread too."""


@dataclass
class Looked:
    """What the sweeps saw: the answers by address, MACs, which addresses live, and how each was asked.

    `answers` and `modes` hold the addresses that answered or live; those that did neither are kept by runs
    of neighbours, and `swept` knows them all the same.
    """

    answers: dict[Address, Swept] = field(default_factory=dict)
    macs: dict[Address, str] = field(default_factory=dict)
    modes: dict[Address, str] = field(default_factory=dict)
    live: set[Address] = field(default_factory=set)
    parts: list[tuple[tuple[int, ...], PacketSweep]] = field(default_factory=list)
    """The raw sweeps, one for each slice of the ports."""

    @property
    def mode(self) -> str:
        """How the network as a whole was asked: `syn`, `connect`, or both."""
        modes = {*self.modes.values(), *([SYN] if self.parts else [])}
        return " and ".join(sorted(modes, reverse=True)) or CONNECT

    def swept(self, address: Address) -> Swept | None:
        """How the ports of one address answered; None only where none of them was asked."""
        found = self.answers.get(address) or self._joined(address)
        return found if found.asked else None

    def note(self, address: Address, swept: Swept, mode: str) -> None:
        """The answers of one address."""
        self.answers[address] = swept
        self.modes[address] = mode
        if swept.answered:
            self.live.add(address)

    def note_parts(self) -> None:
        """Takes over what the raw sweeps saw of the addresses that answered or live."""
        answered = {address for _, part in self.parts for address in part.answers}
        for address in answered | {a for a in self.live if a not in self.answers}:
            joined = self._joined(address)
            if joined.asked:
                self.note(address, joined, SYN)

    def _joined(self, address: Address) -> Swept:
        parts = [(ports, part.swept(address)) for ports, part in self.parts]
        if len(parts) == 1:
            return parts[0][1] or Swept()
        states = b"".join(s.states if s else NOT_ASKED.encode() * len(ports) for ports, s in parts)
        return Swept(tuple(port for ports, _ in parts for port in ports), states)


def look(
    course: Course,
    addresses: Sequence[Address],
    opened: Opened | None = None,
    discovered: Discovered | None = None,
) -> Looked:
    """Which of these addresses live and how their ports answer. Blocks; needs no event loop of its thread.

    `opened` hears of each open port at once, so that it can be identified while the sweep goes on, and
    `discovered` who is not there, before the first port is asked. When `course.context.cancelled` is set,
    the sweep ends at once.

    Raises:
        CollectError: stopped on request.

    """
    # The course knows the neighbours while the sweep goes on: who talks meanwhile spares fragile ones.
    looked = Looked(macs=course.macs)
    frames = _with_frames(course, looked, addresses, opened, discovered)
    if discovered and not frames:
        discovered(lambda _: False)
    rest = [a for a in addresses if a not in frames]
    if rest:
        found = on_own_loop(
            connect_sweep(
                rest,
                course.access.ports,
                pace=course.pace,
                allowed=course.access.allowed,
                log=course.log,
                deadline=course.deadline,
                opened=opened,
            ),
            course.context.check,
        )
        for address, swept in found.answers.items():
            looked.note(address, swept, CONNECT)
        if not found.whole:
            course.limit(
                "not every port could be asked by connection: no time, no route or no socket was left"
            )
    return looked


def _with_frames(
    course: Course,
    looked: Looked,
    addresses: Sequence[Address],
    opened: Opened | None,
    discovered: Discovered | None,
) -> frozenset[Address]:
    """Sweeps with raw packets what can be; the addresses for which that was done."""
    candidates = [a for a in addresses if not a.is_loopback]
    if not candidates:
        return frozenset()
    if not course.access.use_raw:
        course.limit("raw packets were switched off; open ports were found by connection")
        return frozenset()
    reason = packets.available()
    if reason:
        course.limit(f"{reason}; open ports were found by connection, and hosts without any stay unseen")
        return frozenset()
    # What identifies beside the sweep sends to the same hosts: both together keep to the rate.
    part = _OF_THE_RATE if opened else 1.0
    course.pace.share(1 - part or 1.0)
    try:
        return _sweep(course, looked, candidates, (opened, discovered), part)
    except PacketError as error:
        course.context.check()
        course.limit(f"the raw sweep stopped ({error}); what it left was asked by connection")
        return frozenset(a for a in candidates if looked.swept(a))
    finally:
        looked.note_parts()
        course.pace.share(1.0)


def _sweep(
    course: Course,
    looked: Looked,
    candidates: list[Address],
    told: tuple[Opened | None, Discovered | None],
    part: float,
) -> frozenset[Address]:
    access, (opened, discovered) = course.access, told
    logged = access.log is not not_kept
    with PacketSender(
        [a for a in candidates if access.allowed(a)],
        rate=access.rate * part,
        per_host=access.per_host * part,
        seconds=course.left,
        cancelled=course.context.cancelled,
        log=course.log_many if logged else None,
    ) as sender:
        ours = [a for a in candidates if not sender.elsewhere(a)]
        if len(ours) < len(candidates):
            count = len(candidates) - len(ours)
            course.limit(f"{count} addresses lie behind no Ethernet link; they were asked by connection")
        neighbours, sent, whole = sender.discover(a for a in ours if access.allowed(a))
        if discovered:
            discovered(sender.absent)
        for address, neighbour in neighbours.items():
            looked.live.add(address)
            if neighbour.mac:
                looked.macs[address] = neighbour.mac
        size = max(1, MAX_STATES // max(1, len(ours)))
        for start in range(0, len(access.ports), size):
            ports = access.ports[start : start + size]
            swept = sender.sweep((a for a in ours if access.allowed(a)), ports, opened)
            looked.parts.append((ports, swept))
            sent += swept.packets
            whole = whole and swept.whole
        # Where the window closed meanwhile, some of them were left out.
        whole = whole and all(map(access.allowed, ours))
        if not logged:
            course.count(sent)
    _limits(course, looked, whole=whole)
    return frozenset(ours)


def _limits(course: Course, looked: Looked, *, whole: bool) -> None:
    """Says how the raw sweep fell short."""
    if not whole:
        course.limit("the time was over before every port had been asked, or no router on the way answered")
    if slowest := min((part.slowest for _, part in looked.parts if part.slowest), default=0.0):
        course.limit(
            f"answers got lost on the way: the sweep went down to {slowest:,.0f} packets/s, and asked again"
        )
    if lost := sum(part.lost for _, part in looked.parts):
        course.limit(
            f"{lost:,} answers came faster than they could be read: those ports were asked again, and "
            "what stayed without an answer counts as silent"
        )
