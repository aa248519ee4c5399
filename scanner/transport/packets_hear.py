"""The process that hears: it reads what comes in while the other one sends, and writes to shared memory."""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic, sleep, time

import msgspec

from scanner.transport import packets_read as read
from scanner.transport.packets_board import ANSWERED, ECHOED, LOST, REFUSED_FOR, Board, Cookie
from scanner.transport.packets_many import OUTGOING, RECEIVE_BATCH, SNAP, Inlet
from scanner.transport.packets_swept import CLOSED, FILTERED, OPEN, SILENT
from scanner.transport.packets_wire import Frames, Log, Opened, Phase, Response, shown, unpack

MOST_OPENED = 256
"""Open ports of one address that are told while the sweep runs: a machine with more is none."""
_SOL_PACKET, _STATISTICS = 263, 6
_LOOK = 0.05
"""Seconds between two looks at how many frames the sockets lost."""
_ROUNDS = 16
_BREATH = 0.001
_UNDECIDED = frozenset((SILENT + FILTERED).encode())
_TCP = 6
_SYN_ACK = read.SYN | read.ACK
_V4 = struct.Struct(f"!12xHB8xB2x4s4xHH4xIxB{SNAP - 48}x")
"""Of one slot: type, version and length of the header, protocol, source, both ports, number, flags."""
_V6 = struct.Struct("!20xBx16s16xHH4xIxB")
_V4_LENGTH, _V6_LENGTH = 54, 74


class Hearer:
    """What is known of the present request, and what to do with each frame."""

    def __init__(self, board: Board, cookie: Cookie, output: int, *, keeps_log: bool) -> None:
        self._board = board
        self._cookie = cookie
        self._output = output
        self._keeps_log = keeps_log
        self._addresses: list[bytes] = []
        self._hosts: dict[bytes, int] = {}
        self._hops: dict[bytes, int] = {}
        self._places = [-1] * 65_536
        self._words: list[int] = []
        self._doors: list[int] = []
        self._port_words: list[int] = []
        self._told: dict[int, int] = {}
        self._opened: list[tuple[str, int]] = []
        self._echoed: list[Frames] = []

    def begin(self, phase: Phase) -> None:
        """From now on answers of these hosts and ports count."""
        self._addresses = list(unpack(phase.hosts))
        self._hosts = {address: index for index, address in enumerate(self._addresses)}
        self._hops = {address: index for index, address in enumerate(unpack(phase.hops))}
        self._places = [-1] * 65_536
        for place, port in enumerate(phase.ports):
            self._places[port] = place
        self._told = {}
        self._words = self._board.words[: len(self._hosts)].tolist()
        self._doors = self._board.doors[: len(self._hosts)].tolist()
        self._port_words = self._board.port_words[: len(phase.ports)].tolist()
        self._board.hosts, self._board.ports = len(self._hosts), len(phase.ports)

    def hear(self, inlet: Inlet) -> int:
        """Reads what waits at a socket, up to a batch; how many frames that were."""
        kinds, lengths = inlet.receive()
        with memoryview(inlet.buffer)[: len(kinds) * SNAP] as slots:
            self._plain(inlet.buffer, kinds, lengths, _V4.iter_unpack(slots))
        if self._opened:
            self._say(Opened(tuple(self._opened)))
            self._opened.clear()
        if self._echoed:
            self._say(Log(tuple(self._echoed)))
            self._echoed.clear()
        return len(kinds)

    def _plain(
        self,
        buffer: bytearray,
        kinds: bytes,
        lengths: Sequence[int],
        slots: Iterator[tuple[int, int, int, bytes, int, int, int, int]],
    ) -> None:
        """Reads plain TCP segments; everything else goes the slow and careful way."""
        hosts, places, words, port_words = self._hosts, self._places, self._words, self._port_words
        for number, (ether, start, protocol, source, port, ours, acknowledged, flags) in enumerate(slots):
            if kinds[number] == OUTGOING or ether != 0x0800 or start != 0x45 or lengths[number] < _V4_LENGTH:
                self._other(buffer, number * SNAP, min(lengths[number], SNAP), kinds[number])
                continue
            if protocol != _TCP:
                self._careful(bytes(buffer[number * SNAP : number * SNAP + min(lengths[number], SNAP)]))
                continue
            index, place = hosts.get(source, -1), places[port]
            if index < 0 or place < 0 or ours != self._doors[index]:
                continue
            if acknowledged == ((words[index] ^ port_words[place]) + 1) & 0xFFFFFFFF:
                self._segment(index, place, port, flags)

    def _other(self, buffer: bytearray, at: int, length: int, kind: int) -> None:
        frame = bytes(buffer[at : at + length])
        if kind == OUTGOING:
            self._echo(frame)
            return
        if length >= _V6_LENGTH and frame[12:14] == b"\x86\xdd":
            protocol, source, port, ours, acknowledged, flags = _V6.unpack_from(frame)
            index, place = self._hosts.get(source, -1), self._places[port]
            if protocol == _TCP:
                if index < 0 or place < 0 or ours != self._doors[index]:
                    return
                if acknowledged == ((self._words[index] ^ self._port_words[place]) + 1) & 0xFFFFFFFF:
                    self._segment(index, place, port, flags)
                return
        self._careful(frame)

    def _segment(self, index: int, place: int, port: int, flags: int) -> None:
        if flags & read.RST:
            self._note(index, place, port, CLOSED)
        elif flags & _SYN_ACK == _SYN_ACK:
            self._note(index, place, port, OPEN)

    def _careful(self, frame: bytes) -> None:
        match read.read(frame, self._cookie):
            case read.MacReply(address, mac):
                if (index := self._hops.get(address, -1)) >= 0:
                    self._board.learn(index, mac)
            case read.EchoReply(address):
                if (index := self._hosts.get(address, -1)) >= 0:
                    self._board.echoes[index] = 1
            case read.PortReply(address, port, state):
                index, place = self._hosts.get(address, -1), self._places[port]
                if index >= 0 and place >= 0:
                    self._note(index, place, port, state)

    def _note(self, index: int, place: int, port: int, state: str) -> None:
        board = self._board
        where = place * board.hosts + index
        # A real answer stands: a filter's refusal of the second try does not undo it, nor does a stray.
        if board.states[where] not in _UNDECIDED:
            return
        board.states[where] = ord(state)
        bit = REFUSED_FOR if state == FILTERED else ANSWERED
        if not board.alive[index] & bit:
            board.alive[index] |= bit
        if state == OPEN:
            told = self._told[index] = self._told.get(index, 0) + 1
            if told <= MOST_OPENED:
                self._opened.append((shown(self._addresses[index]), port))

    def _echo(self, frame: bytes) -> None:
        """A frame that the kernel sent: the reset of a connection that it did not ask for, a word on MACs.

        Whoever is asked may ask back, from any of its addresses: every word on MACs counts as ours.
        """
        if seen := read.echoed(frame):
            self._board.counts[ECHOED] += 1
            if self._keeps_log:
                to = (shown(seen.destination),)
                source = shown(seen.source)
                self._echoed.append(Frames(time(), source, seen.kind, seen.port, len(frame), to))

    def _say(self, response: Response) -> None:
        line = memoryview(msgspec.json.encode(response) + b"\n")
        while line:
            line = line[os.write(self._output, line) :]


def serve(hearer: Hearer, board: Board, sockets: Iterable[socket.socket], control: socket.socket) -> None:
    """Hears until the other process closes its end of `control`; a byte there answers each phase."""
    inlets = {one.fileno(): Inlet(one) for one in sockets}
    by_number = {one.fileno(): one for one in sockets}
    lines = control.makefile("rb")
    poll = select.poll()
    for number in (control.fileno(), *inlets):
        poll.register(number, select.POLLIN)
    looked = monotonic()
    while True:
        for number, event in poll.poll(100):
            if number == control.fileno():
                line = lines.readline()
                if not line:
                    return
                hearer.begin(msgspec.json.decode(line, type=Phase))
                control.sendall(b".")
            elif event & select.POLLIN:
                for _ in range(_ROUNDS):
                    if hearer.hear(inlets[number]) < RECEIVE_BATCH:
                        break
                # Many frames at once cost less than as many times one.
                sleep(_BREATH)
        if monotonic() - looked > _LOOK:
            looked = monotonic()
            board.counts[LOST] += sum(_lost(one) for one in by_number.values())


def _lost(one: socket.socket) -> int:
    """Frames that the socket had no room for since it was asked last."""
    _, dropped = struct.unpack("II", one.getsockopt(_SOL_PACKET, _STATISTICS, 8))
    return int(dropped)
