"""The process with the raw sockets: `python -m scanner.transport.packets_child`.

It alone loads scapy and holds CAP_NET_RAW, takes requests as JSON lines on standard input and answers on
standard output (`packets_wire`). It sends to nobody that its first line did not name, gives up root once
its sockets are open, and ends when its input does.
"""

from __future__ import annotations

import errno
import os
import resource
import select
import sys
from ipaddress import IPv4Address
from time import monotonic, time

import msgspec

from scanner.transport import packets_frames as frames
from scanner.transport import packets_links as links
from scanner.transport.pace import Pace
from scanner.transport.packets_wire import (
    FILTERED,
    LINE_LIMIT,
    MAX_STATES,
    NOT_ASKED,
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
from scanner.transport.sent import ProbeKind, Sent

STDIN = 0
NOBODY = 65_534
MEMORY_LIMIT = 1024 * 1024 * 1024
STDERR_LIMIT = 1024 * 1024
LOG_BATCH = 256
TRIES = 3
"""How often an address is asked for its MAC or for an echo."""
RECEIVE_BATCH = 64
SEND_TRIES = 200


class _EndedError(Exception):
    """The parent closed our input: nobody listens any more."""


class Child:
    """One life: the sockets of `start`, then requests until the input ends."""

    def __init__(self, start: Start, wiring: links.Wiring) -> None:
        self._wiring = wiring
        self._pace = Pace(start.rate, start.per_host)
        self._deadline = monotonic() + start.seconds
        self._late = start.settle
        self._allowed = frozenset(start.addresses)
        self._cookie = frames.Cookie(os.urandom(16))
        self._identification = int.from_bytes(os.urandom(2), "big")
        self._log: list[Sent] = []
        self._sent = 0
        self._live: set[bytes] = set()
        self._mute: set[str] = set()
        self._places: dict[int, int] = {}
        self._states: dict[bytes, bytearray] = {}

    def discover(self, request: Discover) -> bool:
        """Asks the link by ARP and those behind routers by ICMP echo; True if there was time for all."""
        asked = self._asked(request.addresses)
        on_link = [a for a in asked if self._wiring.routes[a].hop == a]
        behind = [a for a in asked if self._wiring.routes[a].hop != a]
        whole = self._resolve([*on_link, *dict.fromkeys(self._wiring.routes[a].hop for a in behind)])
        for address in on_link:
            mac = self._wiring.macs.get(address)
            if mac is not None:
                _say(Found(address, mac.hex(":"), "arp"))
        whole = self._echo([a for a in behind if self._wiring.routes[a].hop in self._wiring.macs]) and whole
        for packed in sorted(self._live):
            _say(Found(str(IPv4Address(packed)), "", "icmp-echo"))
        return whole

    def sweep(self, request: Sweep) -> bool:
        """Two passes of SYNs, port by port over all addresses; True if the first had time for all."""
        addresses = self._asked(request.addresses)
        if len(addresses) * len(request.ports) > MAX_STATES:
            _say(Refused(f"more than {MAX_STATES:,} pairs of address and port in one sweep"))
            return False
        hops = dict.fromkeys(self._wiring.routes[a].hop for a in addresses)
        self._resolve([hop for hop in hops if hop not in self._mute])
        reachable = [a for a in addresses if self._wiring.routes[a].hop in self._wiring.macs]
        nothing = NOT_ASKED * len(request.ports)
        self._places = {port: place for place, port in enumerate(request.ports)}
        self._states = {IPv4Address(a).packed: bytearray(nothing.encode()) for a in reachable}
        whole = self._pass(reachable, NOT_ASKED)
        self._settle()
        if whole:
            self._pass(reachable, SILENT)
            self._settle()
        for address in addresses:
            found = self._states.get(IPv4Address(address).packed)
            _say(Answers(address, found.decode() if found else nothing))
        return whole

    def finish(self, whole: bool, began: float) -> None:
        """Flushes the log and closes the request."""
        self._flush()
        _say(Done(self._sent, monotonic() - began, whole))
        self._sent = 0
        self._live.clear()
        self._places.clear()
        self._states.clear()

    def _asked(self, addresses: tuple[str, ...]) -> list[str]:
        return [a for a in addresses if a in self._allowed and a in self._wiring.routes]

    def _pass(self, addresses: list[str], wanted: str) -> bool:
        """One SYN to each pair that stands at `wanted`; False if the time ran out on the way."""
        code, silent = ord(wanted), ord(SILENT)
        targets = [(a, IPv4Address(a).packed, self._wiring.routes[a]) for a in addresses]
        for port, place in self._places.items():
            for address, packed, way in targets:
                states = self._states[packed]
                if states[place] != code:
                    continue
                if not self._wait(address):
                    return False
                if states[place] != code:
                    continue  # the answer to the first try came while the second waited for its turn
                states[place] = silent
                source_port, sequence = self._cookie.syn(packed, port)
                frame = way.link.template.frame(
                    self._wiring.macs[way.hop], packed, self._next_id(), (source_port, port, sequence)
                )
                self._send(way.link, frame, address, port, ProbeKind.SYN)
        return True

    def _resolve(self, hops: list[str]) -> bool:
        """Learns the MACs of these neighbours, as far as they answer; False if the time ran out."""
        for _ in range(TRIES):
            missing = [hop for hop in hops if hop not in self._wiring.macs]
            for hop in missing:
                if not self._wait(hop):
                    return False
                if hop not in self._wiring.macs:
                    link = self._wiring.hops[hop]
                    self._send(link, frames.arp_request(link.mac, link.address, hop), hop, 0, ProbeKind.ARP)
            until = min(self._deadline, monotonic() + self._late / 2)
            while monotonic() < until and any(hop not in self._wiring.macs for hop in missing):
                self._receive(until - monotonic())
        self._mute.update(hop for hop in hops if hop not in self._wiring.macs)
        return True

    def _echo(self, addresses: list[str]) -> bool:
        for _ in range(TRIES - 1):
            for address in addresses:
                packed = IPv4Address(address).packed
                if packed in self._live:
                    continue
                if not self._wait(address):
                    return False
                way = self._wiring.routes[address]
                macs = (way.link.mac, self._wiring.macs[way.hop].hex(":"))
                frame = frames.echo_request(macs, way.link.address, address, self._cookie.echo(packed))
                self._send(way.link, frame, address, 0, ProbeKind.ECHO)
            until = min(self._deadline, monotonic() + self._late)
            while monotonic() < until and len(self._live) < len(addresses):
                self._receive(until - monotonic())
        return True

    def _wait(self, host: str) -> bool:
        """Listens until one packet to that host may leave; False once the time is over."""
        self._receive(0.0)
        while (pause := self._pace.take(host)) > 0:
            if monotonic() + pause >= self._deadline:
                return False
            self._receive(pause)
        return monotonic() < self._deadline

    def _settle(self) -> None:
        until = min(self._deadline, monotonic() + self._late)
        silent = ord(SILENT)
        while monotonic() < until and any(silent in states for states in self._states.values()):
            self._receive(until - monotonic())

    def _receive(self, seconds: float) -> None:
        receivers = {link.receiver.fileno(): link.receiver for link in self._wiring.links}
        ready, _, _ = select.select([STDIN, *receivers], [], [], max(0.0, seconds))
        if STDIN in ready:
            raise _EndedError
        for source in (receivers[number] for number in ready):
            for _ in range(RECEIVE_BATCH):
                try:
                    frame = source.recv(2048)
                except BlockingIOError:
                    break
                reply = frames.read(frame, self._cookie)
                if reply is not None:
                    self._note(reply)

    def _note(self, reply: frames.Reply) -> None:
        match reply:
            case frames.ArpReply(address, mac):
                hop = str(IPv4Address(address))
                if hop in self._wiring.hops:
                    self._wiring.macs.setdefault(hop, mac)
            case frames.EchoReply(address):
                if str(IPv4Address(address)) in self._allowed:
                    self._live.add(address)
            case frames.PortReply(address, port, state):
                states, place = self._states.get(address), self._places.get(port)
                # A real answer stands: a filter's refusal of the second try does not undo it.
                if states is not None and place is not None and chr(states[place]) in (SILENT, FILTERED):
                    states[place] = ord(state)

    def _send(self, link: links.Link, frame: bytes, address: str, port: int, kind: ProbeKind) -> None:
        for _ in range(SEND_TRIES):
            try:
                link.sender.send(frame)
                break
            except OSError as error:
                # A full transmit queue is no reason to lose a packet; anything else is an end.
                if error.errno not in (errno.ENOBUFS, errno.EAGAIN):
                    raise
                select.select([], [], [], 0.01)
        else:
            raise OSError(errno.ENOBUFS, f"the transmit queue of {link.name} stays full")
        self._sent += 1
        self._log.append(Sent(time(), link.address, address, port, kind, len(frame)))
        if len(self._log) >= LOG_BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._log:
            _say(Log(tuple(self._log)))
            self._log.clear()

    def _next_id(self) -> int:
        self._identification = (self._identification + 1) & 0xFFFF
        return self._identification


def main() -> int:
    """Serves one parent; 0 when the parent has nothing more to ask."""
    line = sys.stdin.buffer.readline(LINE_LIMIT)
    start = msgspec.json.decode(line, type=Start)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_FSIZE, (STDERR_LIMIT, STDERR_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (int(start.seconds) + 30, int(start.seconds) + 31))
    try:
        wiring = links.open_links(start.addresses)
    except OSError as error:
        _say(Refused(f"no raw sockets: {error.strerror}"))
        return 1
    _drop_root()
    child = Child(start, wiring)
    _say(Ready(tuple(link.name for link in wiring.links), wiring.elsewhere))
    try:
        while line := _line():
            request = msgspec.json.decode(line, type=Request)
            began = monotonic()
            match request:
                case Discover():
                    whole = child.discover(request)
                case Sweep():
                    whole = child.sweep(request)
                case _:
                    _say(Refused("already started"))
                    return 1
            child.finish(whole, began)
    except _EndedError:
        child.finish(False, monotonic())
    return 0


def _drop_root() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    # From here on no socket can be opened for which there was a privilege, and no process started.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _line() -> bytes:
    return sys.stdin.buffer.readline(LINE_LIMIT)


def _say(response: Response) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(response) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
