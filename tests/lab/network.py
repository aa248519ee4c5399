"""Real networks on one machine: namespaces joined by a bridge, with hosts that listen, refuse and drop."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_NUMBER = count()
_LIBC = ctypes.CDLL(None, use_errno=True)


def run(*arguments: str) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr.strip()}"
    return done.stdout


def inside(handle: Path, function: Callable[[], T], seconds: float = 120) -> T:
    """The result of the function, run in a thread that lives in the network namespace behind `handle`.

    Sockets that it opens, threads and processes that it starts belong to the namespace.
    """
    result: Future[T] = Future()

    def enter() -> None:
        try:
            with handle.open("rb") as opened:
                failed = _LIBC.setns(opened.fileno(), _CLONE_NEWNET)
            assert failed == 0, f"setns {handle}: {os.strerror(ctypes.get_errno())}"
            result.set_result(function())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asked, in the other thread
            result.set_exception(error)

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "the function in the namespace did not end"
    return result.result()


@dataclass(frozen=True)
class Namespace:
    """One network namespace of our own."""

    name: str

    def inside(self, function: Callable[[], T], seconds: float = 120) -> T:
        """The result of the function, run in a thread that lives in this namespace.

        Sockets that it opens, threads and processes that it starts belong to the namespace.
        """
        return inside(Path(f"/run/netns/{self.name}"), function, seconds)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This very thread lives in the namespace: for what has to run in the main thread."""
        with Path("/proc/thread-self/ns/net").open("rb") as own:
            with Path(f"/run/netns/{self.name}").open("rb") as other:
                assert _LIBC.setns(other.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert _LIBC.setns(own.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())

    def command(self, *arguments: str) -> str:
        """The output of a command run in this namespace."""
        return run("ip", "netns", "exec", self.name, *arguments)

    def listen(self, stack: contextlib.ExitStack, address: str, port: int) -> None:
        """Opens a port that accepts and says nothing, until the stack closes."""

        def opened() -> socket.socket:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return socket.create_server((address, port), family=family)

        server = stack.enter_context(self.inside(opened))
        assert server.getsockname()[1] == port

    def drop(self, *ports: int) -> None:
        """From now on this host drops what comes to these TCP ports."""
        self.command("nft", "add table ip lab; add chain ip lab in { type filter hook input priority 0; }")
        for port in ports:
            self.command("nft", f"add rule ip lab in tcp dport {port} drop")


class Wire:
    """A bridge in a namespace of its own; `host` joins one more machine to it."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._switch = namespace(stack, "sw")
        self._switch.command("ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        self._switch.command("ip", "link", "set", "br0", "up")
        self._ends = count()

    def host(self, address: str, gateway: str = "") -> Namespace:
        """A new machine with that address (`10.99.0.2/24`) on this wire."""
        one = namespace(self._stack, "h")
        self.join(one, address)
        if gateway:
            one.command("ip", "route", "add", "default", "via", gateway)
        return one

    def plain(self) -> None:
        """From now on frames pass the bridge without a look at the machine's packet filter: faster."""
        names = ("iptables", "ip6tables", "arptables")
        if Path("/proc/sys/net/bridge").exists():
            self._switch.command("sysctl", "-qw", *(f"net.bridge.bridge-nf-call-{n}=0" for n in names))

    def hosts(self, addresses: Sequence[str]) -> list[Namespace]:
        """A new machine for each address (`10.99.0.2/24`), made with few commands: for dozens of them."""
        made = [Namespace(f"btz-{os.getpid()}-h{next(_NUMBER)}") for _ in addresses]
        _batch("ip", [f"netns add {one.name}" for one in made])
        for one in made:
            self._stack.callback(run, "ip", "netns", "del", one.name)
        ends = [f"p{next(self._ends)}" for _ in addresses]
        links = []
        for one, end in zip(made, ends, strict=True):
            links.append(f"link add {end} type veth peer name eth0 netns {one.name}")
            links.append(f"link set {end} master br0 up")
        _batch(f"ip -n {self._switch.name}", links)
        for one, address in zip(made, addresses, strict=True):
            settings = ["link set lo up", f"address add {address} dev eth0", "link set eth0 up"]
            _batch(f"ip -n {one.name}", settings)
        return made

    def join(self, one: Namespace, address: str) -> None:
        """Gives a machine an interface on this wire (`eth0`, or the next free name)."""
        end = f"p{next(self._ends)}"
        number = len(one.command("ip", "-o", "link").splitlines()) - 1
        name = f"eth{number}"
        run("ip", "-n", self._switch.name, "link", "add", end, "type", "veth",
            "peer", "name", name, "netns", one.name)  # fmt: skip
        self._switch.command("ip", "link", "set", end, "master", "br0", "up")
        one.command("ip", "address", "add", address, "dev", name)
        one.command("ip", "link", "set", name, "up")


def _batch(command: str, lines: Sequence[str]) -> None:
    words = [*command.split(), "-batch", "-"]
    done = subprocess.run(
        words, check=False, input="\n".join(lines), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{command}: {done.stderr.strip()}"


def namespace(stack: contextlib.ExitStack, kind: str) -> Namespace:
    """A new namespace with loopback up; it is gone when the stack closes."""
    one = Namespace(f"btz-{os.getpid()}-{kind}{next(_NUMBER)}")
    run("ip", "netns", "add", one.name)
    stack.callback(run, "ip", "netns", "del", one.name)
    one.command("ip", "link", "set", "lo", "up")
    return one


@contextlib.contextmanager
def capture(one: Namespace, interface: str = "eth0") -> Iterator[list[bytes]]:
    """All frames that leave through an interface while the block runs, without the kernel's own choice.

    The list is complete only after the block.
    """
    frames: list[bytes] = []

    def opened() -> socket.socket:
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024 * 1024)
        tap.bind((interface, 3))
        tap.settimeout(0.3)
        return tap

    tap = one.inside(opened)
    stop = threading.Event()

    def listen() -> None:
        while True:
            try:
                frame, (_, _, direction, *_rest) = tap.recvfrom(4096)
            except TimeoutError:
                if stop.is_set():
                    return
                continue
            if direction == socket.PACKET_OUTGOING:
                frames.append(frame)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield frames
    finally:
        stop.set()
        thread.join(10)
        tap.close()


def syn_of(frame: bytes) -> tuple[str, int] | None:
    """(destination, port) if the frame is a bare TCP SYN."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    start = 14 + (frame[14] & 15) * 4
    if frame[start + 13] & 0x3F != 0x02:
        return None
    return socket.inet_ntoa(frame[30:34]), struct.unpack_from("!H", frame, start + 2)[0]
