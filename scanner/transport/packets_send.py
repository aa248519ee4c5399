"""The process that sends: discovery and the sweep, at the pace that was given."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic, time

import msgspec

from scanner.transport.pace import Rounds
from scanner.transport.packets_board import LOST, Board, Cookie
from scanner.transport.packets_links import Link, Way, Wiring
from scanner.transport.packets_loss import Watch
from scanner.transport.packets_many import Outlet
from scanner.transport.packets_record import Record, say
from scanner.transport.packets_rows import Batch, Lane, batches
from scanner.transport.packets_swept import NOT_ASKED, SILENT
from scanner.transport.packets_wire import (
    Absent,
    Answers,
    Found,
    Frames,
    Phase,
    Quiet,
    Ranges,
    Start,
    pack,
    shown,
)
from scanner.transport.sent import ProbeKind

STDIN = 0
TRIES = 3
"""How often an address is asked for its MAC; for an echo once less."""
PASSES = 4
"""How often a port is asked at most: twice always, again only where the last time brought much."""
_MUCH = 0.01
_BRIEF = 0.002
_GLANCE = 0.05


class EndedError(Exception):
    """The parent closed our input, or the hearing process is gone: nobody listens any more."""


class Sender:
    """Serves requests one after the other. It sends to nobody that `start` did not name."""

    def __init__(
        self, start: Start, wiring: Wiring, board: Board, cookie: Cookie, control: socket.socket
    ) -> None:
        self._start = start
        self._wiring = wiring
        self._board = board
        self._cookie = cookie
        self._control = control
        self._allowed = Ranges(start.addresses)
        self._deadline = monotonic() + start.seconds
        self._macs: dict[tuple[str, bytes], bytes] = {}
        self._mute: set[tuple[str, bytes]] = set()
        self._outlets = {name: Outlet(one) for name, one in wiring.sockets.items()}
        self._record = Record(board, keeps_log=start.log)

    def meet(self) -> None:
        """Waits until the hearing process has told what it heard until now."""
        self._phase((), (), ())

    def begin(self) -> None:
        """Starts counting for a request."""
        self._record.begin()

    def finish(self, whole: bool) -> None:
        """Tells what is left of the log, and that the request is done."""
        self.meet()
        self._record.flush()
        say(self._record.done(whole=whole))

    def discover(self, asked: Iterable[bytes]) -> bool:
        """Asks the link for MACs and those behind routers for an echo; True if there was time for all."""
        ways = list(self._ways(asked))
        whole = self._resolve(ways)
        for address, way in ways:
            mac = None if way.router else self._mac(address, way)
            if mac:
                say(Found(shown(address), mac.hex(":"), "arp" if len(address) == 4 else "nd"))
        if whole:
            say(Absent(pack(a for a, way in ways if not way.router and not self._mac(a, way))))
        return self._echo([(a, way) for a, way in ways if way.router and self._mac(a, way)]) and whole

    def sweep(self, asked: Iterable[bytes], ports: tuple[int, ...]) -> bool:
        """Passes of SYNs, port by port over all addresses; True if the first had time for all."""
        ways = list(self._ways(asked))
        self._resolve(ways)
        # A neighbour without a MAC is not there; what lies behind such a router was not asked at all.
        lost = any(way.router and not self._mac(address, way) for address, way in ways)
        ways = [(address, way) for address, way in ways if self._mac(address, way)]
        # Hosts of one link stand together; else they keep the order in which they were asked for.
        order = {link: place for place, link in enumerate(dict.fromkeys(way.link for _, way in ways))}
        ways.sort(key=lambda one: order[one[1].link])
        hosts = [address for address, _ in ways]
        if not hosts:
            return not lost
        self._phase(hosts, (), ports)
        whole = self._passes(tuple(self._lanes(ways)), hosts, ports)
        self._tell(hosts, whole)
        return whole and not lost

    def _ways(self, asked: Iterable[bytes]) -> Iterator[tuple[bytes, Way]]:
        for address in asked:
            way = self._wiring.way(address) if address in self._allowed else None
            if way is not None:
                yield address, way

    def _mac(self, address: bytes, way: Way) -> bytes | None:
        return self._macs.get((way.link.name, way.hop(address)))

    def _phase(self, hosts: Sequence[bytes], hops: Sequence[bytes], ports: tuple[int, ...]) -> None:
        self._board.begin(hosts, ports, self._cookie)
        self._control.sendall(msgspec.json.encode(Phase(pack(hosts), pack(hops), ports)) + b"\n")
        if not self._control.recv(1):
            raise EndedError

    def _resolve(self, ways: Sequence[tuple[bytes, Way]]) -> bool:
        """Learns the MACs on the way to these addresses, as far as they answer; False: no time."""
        wanted: dict[str, dict[bytes, Link]] = {}
        for address, way in ways:
            key = (way.link.name, way.hop(address))
            if key not in self._macs and key not in self._mute:
                wanted.setdefault(key[0], {}).setdefault(key[1], way.link)
        whole = [self._resolve_on(name, hops) for name, hops in wanted.items()]
        return all(whole)

    def _resolve_on(self, name: str, links: dict[bytes, Link]) -> bool:
        board, hops = self._board, list(links)
        board.macs[: 8 * len(hops)] = bytes(8 * len(hops))
        self._phase((), hops, ())

        def ask(index: int) -> tuple[Link, bytes]:
            link = links[hops[index]]
            return link, link.who_has.frame(hops[index])

        whole = self._ask_each(hops, ask, lambda index: board.macs[8 * index + 6] != 0, TRIES)
        for index, hop in enumerate(hops):
            if mac := board.mac(index):
                self._macs[name, hop] = mac
            elif whole:
                self._mute.add((name, hop))
        return whole

    def _echo(self, behind: Sequence[tuple[bytes, Way]]) -> bool:
        if not behind:
            return True
        hosts, board = [address for address, _ in behind], self._board
        self._phase(hosts, (), ())

        def ask(index: int) -> tuple[Link, bytes]:
            address, way = behind[index]
            mac = self._macs[way.link.name, way.hop(address)]
            return way.link, way.link.echo.frame(mac, address, self._cookie.echo(address))

        whole = self._ask_each(hosts, ask, lambda index: board.echoes[index] != 0, TRIES - 1)
        for index, address in enumerate(hosts):
            if board.echoes[index]:
                say(Found(shown(address), "", "icmp-echo"))
        return whole

    def _ask_each(
        self,
        whom: Sequence[bytes],
        ask: Callable[[int], tuple[Link, bytes]],
        answered: Callable[[int], bool],
        tries: int,
    ) -> bool:
        """One frame to each that has not answered yet, several times; False if the time ran out."""
        pace = Rounds(self._start.rate, self._start.per_host, len(whom))

        def all_answered() -> bool:
            return all(map(answered, range(len(whom))))

        for _ in range(tries):
            for index, address in enumerate(whom):
                if answered(index):
                    continue
                if not self._wait(pace, range(index, index + 1)):
                    return False
                if not answered(index):
                    link, frame = ask(index)
                    at = time()
                    self._outlets[link.name].send(frame, len(frame))
                    to = (shown(address),)
                    self._record.sent(Frames(at, link.shown, _kind(frame), 0, len(frame), to), 1)
            self._settle(all_answered)
        return True

    def _lanes(self, ways: Sequence[tuple[bytes, Way]]) -> Iterator[Lane]:
        first = 0
        for place in range(1, len(ways) + 1):
            link = ways[first][1].link
            if place == len(ways) or ways[place][1].link is not link:
                steps = [(a, self._macs[link.name, way.hop(a)]) for a, way in ways[first:place]]
                yield Lane.of(link, self._board, range(first, place), steps)
                first = place

    def _passes(self, lanes: Sequence[Lane], hosts: Sequence[bytes], ports: tuple[int, ...]) -> bool:
        board = self._board
        pace = Rounds(self._start.rate, self._start.per_host, len(hosts))
        watch = Watch(board, self._start.settle)
        silent = 0
        for number in range(PASSES):
            lost = board.counts[LOST]
            for batch in batches(board, lanes, len(ports), pace, (SILENT if number else NOT_ASKED).encode()):
                if not self._wait(pace, *batch.hosts()):
                    return number > 0  # whatever a repetition did not reach was still asked once
                self._send(batch, hosts, ports, watch if number == 0 else None)
                self._adapt(pace, watch)
            self._settle(lambda: not board.any(SILENT))
            before, silent = silent, board.count(SILENT)
            # What a repetition brings had been lost on the way: there may be more, and more slowly.
            few = number > 0 and before - silent < max(2, _MUCH * before)
            if not silent or (few and board.counts[LOST] == lost):
                break
            if number == 1:
                self._record.slowed(pace.slow())
        return True

    def _send(self, batch: Batch, hosts: Sequence[bytes], ports: Sequence[int], watch: Watch | None) -> None:
        board, link = self._board, batch.lane.link
        block = batch.lane.block(batch, board, ports)
        now, at = monotonic(), time()
        if watch:
            # Before the frames leave: the answer may be there before the next line.
            for place, those in batch.rows:
                board.ask(place, those)
                watch.asked(place, those[0], those[-1] + 1, now)
        self._outlets[link.name].send(block, link.syn.size)
        if self._record.counted(len(block) // link.syn.size):
            return
        for place, those in batch.rows:
            whom = self._record.packed(those, hosts)
            frames = Frames(at, link.shown, ProbeKind.SYN, ports[place], link.syn.size, whom)
            self._record.sent(frames, len(those))

    def _adapt(self, pace: Rounds, watch: Watch) -> None:
        match watch.judge(monotonic()):
            case True:
                self._record.slowed(pace.slow())
            case False:
                pace.recover()

    def _wait(self, pace: Rounds, hosts: Sequence[int], each: int = 1) -> bool:
        """Waits until that many packets to each may leave; False once the time is over."""
        self._idle(0.0)
        while (pause := pace.take(hosts, each)) > 0:
            if monotonic() + pause >= self._deadline:
                return False
            self._idle(pause)
        return monotonic() < self._deadline

    def _settle(self, done: Callable[[], bool]) -> None:
        """Waits for late answers, until there are none to wait for."""
        until = min(self._deadline, monotonic() + self._start.settle)
        self._record.flush()
        while monotonic() < until and not done():
            self._idle(min(_GLANCE, max(0.0, until - monotonic())))

    def _idle(self, seconds: float) -> None:
        """Lets time pass; ends where the parent or the hearing process has ended."""
        if seconds > _BRIEF:
            self._record.flush()
        ended, _, _ = select.select([STDIN, self._control.fileno()], [], [], max(0.0, seconds))
        if ended:
            raise EndedError

    def _tell(self, hosts: Sequence[bytes], whole: bool) -> None:
        board = self._board
        quiet: dict[bytes, list[bytes]] = {}
        silent = SILENT.encode() * board.ports
        for index, host in enumerate(hosts):
            if board.alive[index]:
                say(Answers(shown(host), board.column(index).decode()))
            else:
                quiet.setdefault(silent if whole else board.column(index), []).append(host)
        for states, those in quiet.items():
            say(Quiet(pack(those), states.decode()))


def _kind(frame: bytes) -> ProbeKind:
    if frame[12:14] == b"\x08\x06":
        return ProbeKind.ARP
    return ProbeKind.NEIGHBOUR if frame[12:14] == b"\x86\xdd" and frame[54] == 135 else ProbeKind.ECHO
