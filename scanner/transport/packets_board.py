"""What the sending and the hearing process share: memory that both see, and the secret of the probes."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from mmap import mmap

from scanner.transport.packets_swept import NOT_ASKED, SILENT
from scanner.transport.packets_wire import MAX_HOSTS, MAX_STATES

FIRST_SOURCE_PORT = 61_440
SOURCE_PORTS = 4_096
"""The SYNs leave from the last ports of all, which Linux gives to no connection unless it is told to."""

ANSWERED, REFUSED_FOR = 1, 2
"""Bits of `alive`: the address itself answered; somebody on the way refused in its name."""

LOST, ECHOED = 0, 1
"""Places in `counts`: frames that the hearing process was too slow for; frames that the kernel sent."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """The secret from which source port and sequence number of every probe follow.

    The number is the word of the address XOR the word of the port, so that no hash has to be made per
    packet. Whoever answers for itself learns how the words of ports differ, and still nothing of the word of
    another address: to speak in its name one has to guess 32 bits of number and 12 of source port.
    """

    key: bytes

    def host(self, address: bytes) -> tuple[int, int]:
        """(source port, word) of an address."""
        port, word = struct.unpack("!HI", self._digest(b"host", address, 6))
        return FIRST_SOURCE_PORT + port % SOURCE_PORTS, word

    def port(self, port: int) -> int:
        """The word of a port."""
        return int.from_bytes(self._digest(b"port", port.to_bytes(2, "big"), 4), "big")

    def syn(self, address: bytes, port: int) -> tuple[int, int]:
        """(source port, sequence number) of the SYN to that address and port."""
        source_port, word = self.host(address)
        return source_port, word ^ self.port(port)

    def echo(self, address: bytes) -> tuple[int, int]:
        """(identifier, sequence) of the ICMP echo to that address."""
        identifier, sequence = struct.unpack("!HH", self._digest(b"echo", address, 4))
        return identifier, sequence

    def _digest(self, what: bytes, data: bytes, size: int) -> bytes:
        return hashlib.blake2b(data, key=self.key, person=what, digest_size=size).digest()


class Board:
    """Tables in shared memory; the index of a host is its place in the request, row by row of ports.

    `states` has one letter for each (port, host), port by port; `alive` bits for each host; `echoes` and
    `macs` what was heard of each host and each neighbour. Pages that nobody touches take no memory.
    """

    def __init__(self) -> None:
        self.states = mmap(-1, MAX_STATES)
        self.alive = mmap(-1, MAX_HOSTS)
        self.echoes = mmap(-1, MAX_HOSTS)
        self.macs = mmap(-1, 8 * MAX_HOSTS)
        self.words = memoryview(mmap(-1, 4 * MAX_HOSTS)).cast("I")
        self.doors = memoryview(mmap(-1, 2 * MAX_HOSTS)).cast("H")
        self.port_words = memoryview(mmap(-1, 4 * 65_536)).cast("I")
        self.counts = memoryview(mmap(-1, 16)).cast("Q")
        self.hosts = 0
        self.ports = 0

    def begin(self, hosts: Sequence[bytes], ports: Sequence[int], cookie: Cookie) -> None:
        """Clears the tables for a request."""
        self.hosts, self.ports = len(hosts), len(ports)
        self.alive[: self.hosts] = bytes(self.hosts)
        self.echoes[: self.hosts] = bytes(self.hosts)
        row = NOT_ASKED.encode() * self.hosts
        for place in range(self.ports):
            self.states[place * self.hosts : (place + 1) * self.hosts] = row
        for index, host in enumerate(hosts):
            self.doors[index], self.words[index] = cookie.host(host)
        for place, port in enumerate(ports):
            self.port_words[place] = cookie.port(port)

    def ask(self, place: int, hosts: Sequence[int]) -> None:
        """Marks one port of these hosts as asked and not yet answered."""
        start, silent = place * self.hosts, ord(SILENT)
        if isinstance(hosts, range) or hosts[-1] - hosts[0] == len(hosts) - 1:
            self.states[start + hosts[0] : start + hosts[-1] + 1] = SILENT.encode() * len(hosts)
        else:
            for host in hosts:
                self.states[start + host] = silent

    def row(self, place: int, first: int = 0, last: int | None = None) -> bytes:
        """The letters of one port for the hosts from `first` to before `last`."""
        start = place * self.hosts
        return self.states[start + first : start + (self.hosts if last is None else last)]

    def column(self, index: int) -> bytes:
        """The letters of one host."""
        with memoryview(self.states) as whole:
            return whole[index : self.hosts * self.ports : self.hosts].tobytes()

    def any(self, letter: str) -> bool:
        """True where at least one pair stands at that letter."""
        wanted = letter.encode()
        return any(wanted in self.row(place) for place in range(self.ports))

    def count(self, letter: str) -> int:
        """How many pairs stand at that letter."""
        wanted = letter.encode()
        return sum(self.row(place).count(wanted) for place in range(self.ports))

    def mac(self, index: int) -> bytes | None:
        """The MAC of a neighbour, or None as long as it did not answer."""
        entry = self.macs[8 * index : 8 * index + 8]
        return entry[:6] if entry[6] else None

    def learn(self, index: int, mac: bytes) -> None:
        """Keeps the first MAC with which a neighbour answers."""
        if not self.macs[8 * index + 6]:
            self.macs[8 * index : 8 * index + 6] = mac
            self.macs[8 * index + 6] = 1
