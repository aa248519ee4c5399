"""Which frames a sweep still has to send, port by port, in batches that share a link."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

from scanner.transport.pace import Rounds
from scanner.transport.packets_board import Board
from scanner.transport.packets_links import Link
from scanner.transport.packets_many import SEND_BATCH


@dataclass(frozen=True, slots=True)
class Lane:
    """Hosts that stand next to each other and share a link: their frames differ only by patches."""

    link: Link
    hosts: range
    frames: bytes
    sums: array[int]
    words: memoryview[int]

    @classmethod
    def of(cls, link: Link, board: Board, hosts: range, ways: Sequence[tuple[bytes, bytes]]) -> Lane:
        """The lane of these hosts; `ways` has (address, MAC of the next hop) for each."""
        made = [
            link.syn.host(mac, address, board.doors[host])
            for host, (address, mac) in zip(hosts, ways, strict=True)
        ]
        frames = b"".join(frame for frame, _ in made)
        words = board.words[hosts.start : hosts.stop]
        return cls(link, hosts, frames, array("I", [total for _, total in made]), words)

    def block(self, batch: Batch, board: Board, ports: Sequence[int]) -> bytearray:
        """The frames of a batch, one after the other."""
        block = bytearray()
        sums: list[int] = []
        sequences: list[int] = []
        numbers = b""
        for place, hosts in batch.rows:
            frames, own_sums, own_words = self._of(hosts)
            port, word = ports[place], board.port_words[place]
            block += frames
            numbers += port.to_bytes(2, "big") * len(hosts)
            sums += [total + port for total in own_sums]
            sequences += [own ^ word for own in own_words]
        self.link.syn.patch(block, sums, sequences, numbers)
        return block

    def _of(self, hosts: Sequence[int]) -> tuple[bytes, Iterable[int], Iterable[int]]:
        if hosts == self.hosts:
            return self.frames, self.sums, self.words
        size, first = self.link.syn.size, self.hosts.start
        if isinstance(hosts, range):
            start, stop = hosts.start - first, hosts.stop - first
            return self.frames[start * size : stop * size], self.sums[start:stop], self.words[start:stop]
        places = [host - first for host in hosts]
        frames = b"".join([self.frames[place * size : (place + 1) * size] for place in places])
        return frames, [self.sums[place] for place in places], [self.words[place] for place in places]


@dataclass(frozen=True, slots=True)
class Batch:
    """One SYN for each host of each row: (the place of a port, the hosts that are asked on it)."""

    lane: Lane
    rows: Sequence[tuple[int, Sequence[int]]]

    def hosts(self) -> tuple[Sequence[int], int]:
        """(hosts, how many packets each of them gets); a host may also stand there several times."""
        first = self.rows[0][1]
        if all(hosts == first for _, hosts in self.rows):
            return first, len(self.rows)
        return [host for _, hosts in self.rows for host in hosts], 1


def batches(board: Board, lanes: Sequence[Lane], ports: int, pace: Rounds, letter: bytes) -> Iterator[Batch]:
    """What stands at that letter now, port by port over all hosts; read as late as possible."""
    rows: list[tuple[int, Sequence[int]]] = []
    held: Lane | None = None
    count = 0
    for place in range(ports):
        for lane in lanes:
            row = board.row(place, lane.hosts.start, lane.hosts.stop)
            if letter not in row:
                continue
            most = min(SEND_BATCH, pace.batch)
            hosts: Sequence[int] = lane.hosts
            if row.count(letter) < len(row):
                hosts = list(compress(lane.hosts, [value == letter[0] for value in row]))
            if (
                held
                and rows
                and (held is not lane or count + len(hosts) > most or len(rows) >= pace.together)
            ):
                yield Batch(held, rows)
                rows, count = [], 0
            while len(hosts) > (most := min(SEND_BATCH, pace.batch)):
                yield Batch(lane, [(place, hosts[:most])])
                hosts = hosts[most:]
            rows.append((place, hosts))
            count += len(hosts)
            held = lane
    if rows and held:
        yield Batch(held, rows)
