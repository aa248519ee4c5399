"""The processes with the raw sockets: `python -m scanner.transport.packets_child`.

They alone load scapy and hold CAP_NET_RAW. One takes requests as JSON lines on standard input, sends, and
answers on standard output (`packets_wire`); the other hears, and tells of what it hears on the file
descriptor that is named on the command line. They send to nobody that the first line did not name, give up
root once their sockets are open, and end when the input does.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import socket
import sys
import traceback

import msgspec

from scanner.transport.packets_board import Board, Cookie
from scanner.transport.packets_hear import Hearer, serve
from scanner.transport.packets_links import Wiring
from scanner.transport.packets_record import say
from scanner.transport.packets_send import EndedError, Sender
from scanner.transport.packets_wire import (
    LINE_LIMIT,
    MAX_HOSTS,
    MAX_STATES,
    Discover,
    Ranges,
    Ready,
    Refused,
    Request,
    Start,
    Sweep,
    pack,
    unpack,
)

NOBODY = 65_534
MEMORY_LIMIT = 1024 * 1024 * 1024
STDERR_LIMIT = 1024 * 1024
_SET_DEATH_SIGNAL = 1


def main(hearing: int) -> int:
    """Serves one parent; 0 when the parent has nothing more to ask."""
    start = msgspec.json.decode(_line(), type=Start)
    _bound(start.seconds)
    if Ranges(start.addresses).count > MAX_HOSTS:
        say(Refused(f"more than {MAX_HOSTS:,} addresses"))
        return 1
    wiring = Wiring()
    try:
        elsewhere = pack([a for a in unpack(start.addresses) if wiring.way(a) is None])
        if not wiring.sockets:
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError as error:
        say(Refused(f"no raw sockets: {error.strerror}"))
        return 1
    board, cookie = Board(), Cookie(os.urandom(16))
    control, end = socket.socketpair()
    # What both have in common stays shared memory only as long as nobody counts or collects it.
    gc.collect()
    gc.freeze()
    if os.fork() == 0:
        control.close()
        _hear(Hearer(board, cookie, hearing, keeps_log=start.log), board, wiring, end)
    end.close()
    os.close(hearing)
    _drop_root()
    sender = Sender(start, wiring, board, cookie, control)
    sender.meet()
    say(Ready(tuple(wiring.sockets), elsewhere))
    return _serve(sender)


def _hear(hearer: Hearer, board: Board, wiring: Wiring, control: socket.socket) -> None:
    """The life of the hearing process; it never returns."""
    code = 1
    try:
        _drop_root()
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
        os.close(0)
        os.close(1)
        serve(hearer, board, wiring.sockets.values(), control)
        code = 0
    except (BrokenPipeError, ConnectionError):
        code = 0
    except Exception:  # noqa: BLE001 - it must reach the parent's eyes, and this process must not go on
        traceback.print_exc()
    finally:
        os._exit(code)


def _serve(sender: Sender) -> int:
    try:
        while line := _line():
            request = msgspec.json.decode(line, type=Request)
            sender.begin()
            match request:
                case Discover(addresses) if _fits(addresses, 1):
                    whole = sender.discover(unpack(addresses))
                case Sweep(addresses, ports) if _fits(addresses, len(ports)):
                    whole = sender.sweep(unpack(addresses), ports)
                case Start():
                    say(Refused("already started"))
                    return 1
                case _:
                    whole = True
                    say(Refused(f"more than {MAX_STATES:,} pairs of address and port in one sweep"))
            sender.finish(whole)
    except (EndedError, BrokenPipeError):
        return 0
    return 0


def _fits(addresses: tuple[str, ...], ports: int) -> bool:
    count = Ranges(addresses).count
    return count <= MAX_HOSTS and count * ports <= MAX_STATES


def _bound(seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_FSIZE, (STDERR_LIMIT, STDERR_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 30, int(seconds) + 31))


def _drop_root() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    # From here on no socket can be opened for which there was a privilege, and no process started.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _line() -> bytes:
    return sys.stdin.buffer.readline(LINE_LIMIT)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else os.dup(1)))
