"""An SSH server that does one thing wrong, and all the rest right: a real one, on loopback.

What a healthy run of the script would print is made once, by this machine's own shell; the server answers
with it, changed by its fault.
"""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from tests.lab.parts import LOOPBACK, free_port
from tests.lab.ssh import new_key

_NONCE = re.compile(rb"[0-9a-f]{32}")
_SLICE = 0.02


class Fault(StrEnum):
    """What goes wrong, by where in the connection it does."""

    REFUSES = "refuses"
    RESETS = "resets"
    SILENT = "silent"
    NOT_SSH = "not-ssh"
    ENDLESS_BANNER = "endless-banner"
    ACCEPTS_AND_CLOSES = "accepts-and-closes"
    RESETS_IN_EXCHANGE = "resets-in-exchange"
    SILENT_IN_EXCHANGE = "silent-in-exchange"
    OTHER_KEY = "other-key"
    REFUSES_LOGIN = "refuses-login"
    ASKS_A_PERSON = "asks-a-person"
    CLOSES_AT_LOGIN = "closes-at-login"
    HANGS_AT_LOGIN = "hangs-at-login"
    REFUSES_EXEC = "refuses-exec"
    HANGS = "hangs"
    DRIPS = "drips"
    CUTS = "cuts"
    NO_STATUS = "no-status"
    ENDLESS_OUTPUT = "endless-output"
    FORGED = "forged"
    OUT_OF_ORDER = "out-of-order"
    ASKS_FOR_SUDO = "asks-for-sudo"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FaultyServer:
    """A running server: its port, the key that may log in, and what it has seen."""

    port: int
    key: Path
    known_hosts: Path
    seen: Seen


@dataclass(slots=True)
class Seen:
    """What a faulty server was asked: connections, logins, commands, and whether a terminal was wanted."""

    connections: int = 0
    logins: int = 0
    execs: list[str] = field(default_factory=list)
    terminals: int = 0
    agents: int = 0


class _Interface(paramiko.ServerInterface):
    def __init__(self, fault: Fault, seen: Seen, transport: paramiko.Transport) -> None:
        self.fault, self.seen, self.transport = fault, seen, transport
        self.asked = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive" if self.fault is Fault.ASKS_A_PERSON else "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.seen.logins += 1
        if self.fault is Fault.CLOSES_AT_LOGIN:
            self.transport.close()
        if self.fault is Fault.HANGS_AT_LOGIN:
            time.sleep(6)  # longer than any deadline of a test, or the refusal is seen and no hang
        refusing = (Fault.REFUSES_LOGIN, Fault.ASKS_A_PERSON, Fault.CLOSES_AT_LOGIN, Fault.HANGS_AT_LOGIN)
        return AUTH_FAILED if self.fault in refusing else AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.seen.execs.append(command.decode())
        self.asked.set()
        return self.fault is not Fault.REFUSES_EXEC

    def check_channel_pty_request(self, *_: object) -> bool:
        self.seen.terminals += 1
        return False

    def check_channel_forward_agent_request(self, channel: paramiko.Channel) -> bool:
        self.seen.agents += 1
        return False


class Answers:
    """What a healthy host prints for a script, made once for every script but its nonce."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def to(self, script: bytes) -> bytes:
        """The output with the script's own nonce."""
        found = _NONCE.search(script)
        nonce = found[0] if found else b"0" * 32
        plain = script.replace(nonce, b"@nonce@")
        with self._lock:
            if plain not in self._known:
                done = subprocess.run(
                    ["sh", "-s"], input=script, capture_output=True, timeout=300, check=False
                )
                self._known[plain] = done.stdout.replace(nonce, b"@nonce@")
        return self._known[plain].replace(b"@nonce@", nonce)


ANSWERS = Answers()


@contextmanager
def faulty_ssh(fault: Fault, folder: Path) -> Iterator[FaultyServer]:
    """A server with that fault."""
    folder.mkdir(parents=True, exist_ok=True)
    host_keys = [new_key(folder / f"host_{n}") for n in (1, 2)]
    key, seen, over = new_key(folder / "login"), Seen(), threading.Event()
    loaded = [paramiko.Ed25519Key.from_private_key_file(str(one)) for one in host_keys]
    with socket.create_server((LOOPBACK, 0)) as server:
        port = free_port() if fault is Fault.REFUSES else int(server.getsockname()[1])
        known = folder / "known_hosts"
        kind, data, *_ = host_keys[0].with_suffix(".pub").read_text().split()
        known.write_text(f"[{LOOPBACK}]:{port} {kind} {data}\n")
        server.settimeout(0.1)
        threads: list[threading.Thread] = []

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                seen.connections += 1
                changed = fault is Fault.OTHER_KEY and seen.connections > 1
                arguments = (connection, fault, loaded[1 if changed else 0], seen, over)
                thread = threading.Thread(target=_one, args=arguments, daemon=True)
                thread.start()
                threads.append(thread)

        main = threading.Thread(target=serve, daemon=True)
        main.start()
        try:
            yield FaultyServer(port, key, known, seen)
        finally:
            over.set()
            for thread in (main, *threads):
                thread.join(10)


def _one(
    connection: socket.socket, fault: Fault, host_key: paramiko.PKey, seen: Seen, over: threading.Event
) -> None:
    with connection, suppress(OSError, EOFError, paramiko.SSHException):
        connection.settimeout(0.5)
        below = _BELOW.get(fault)
        if below is not None:
            below(connection, over)
            return
        transport = paramiko.Transport(connection)
        transport.add_server_key(host_key)
        interface = _Interface(fault, seen, transport)
        try:
            transport.start_server(server=interface)
            channel = None
            while channel is None and transport.is_active() and not over.is_set():
                channel = transport.accept(0.2)
            if channel is not None and interface.asked.wait(5):
                _answer(channel, fault, over)
            while transport.is_active() and not over.wait(_SLICE):
                pass
        finally:
            transport.close()


def _answer(channel: paramiko.Channel, fault: Fault, over: threading.Event) -> None:
    script = bytearray()
    channel.settimeout(20)
    if fault is Fault.REFUSES_EXEC:
        return
    if fault is Fault.ASKS_FOR_SUDO:
        channel.sendall_stderr(b"[sudo] password for audit: ")
        while not over.wait(_SLICE):
            if channel.closed:
                return
        return
    while block := channel.recv(65_536):
        script += block
    output = ANSWERS.to(bytes(script))
    spoken = _SPOKEN.get(fault)
    if spoken is None:
        _end(channel, _CHANGED.get(fault, bytes)(output))
    else:
        spoken(channel, output, over)


def _end(channel: paramiko.Channel, output: bytes) -> None:
    channel.sendall(output)
    channel.send_exit_status(0)
    channel.shutdown_write()
    channel.close()


def _hang(channel: paramiko.Channel, output: bytes, over: threading.Event) -> None:
    channel.sendall(output[: len(output) // 2])
    while not (over.wait(_SLICE) or channel.closed):
        pass


def _drip(channel: paramiko.Channel, output: bytes, over: threading.Event) -> None:
    for byte in output:
        if over.wait(0.05) or channel.closed:
            return
        channel.sendall(bytes([byte]))


def _break_off(channel: paramiko.Channel, output: bytes, _over: threading.Event) -> None:
    channel.sendall(_cut(output))
    channel.get_transport().close()


def _say_no_status(channel: paramiko.Channel, output: bytes, _over: threading.Event) -> None:
    channel.sendall(output)
    channel.shutdown_write()
    channel.close()


def _never_end(channel: paramiko.Channel, _output: bytes, over: threading.Event) -> None:
    while not (over.is_set() or channel.closed):
        channel.sendall(b"x" * 32_768)


def _cut(output: bytes) -> bytes:
    """All up to the middle of the first section."""
    begin = output.index(b" begin ")
    return output[: (begin + output.index(b" end ", begin)) // 2]


def _disordered(output: bytes) -> bytes:
    """Every section ends before it begins."""
    lines = output.split(b"\n")
    frames = [n for n, line in enumerate(lines) if re.match(rb"#[0-9a-f]{32} (begin|end) ", line)]
    for first, last in zip(frames[::2], frames[1::2], strict=False):
        lines[first], lines[last] = lines[last], lines[first]
    return b"\n".join(lines)


def _forged(output: bytes) -> bytes:
    return _NONCE.sub(b"f" * 32, output)


_SPOKEN: dict[Fault, Callable[[paramiko.Channel, bytes, threading.Event], None]] = {
    Fault.HANGS: _hang,
    Fault.DRIPS: _drip,
    Fault.CUTS: _break_off,
    Fault.NO_STATUS: _say_no_status,
    Fault.ENDLESS_OUTPUT: _never_end,
}
_CHANGED: dict[Fault, Callable[[bytes], bytes]] = {Fault.FORGED: _forged, Fault.OUT_OF_ORDER: _disordered}


def _reset(connection: socket.socket, _over: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _wait(connection: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        with suppress(TimeoutError):
            if not connection.recv(4_096):
                return


def _banner(text: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(text)
        _wait(connection, over)

    return behave


def _endless(connection: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        connection.sendall(b"welcome\r\n" * 1_000)


def _reset_in_exchange(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-faulty\r\n")
    connection.recv(4_096)
    _reset(connection, over)


def _close(connection: socket.socket, _over: threading.Event) -> None:
    connection.shutdown(socket.SHUT_RDWR)


_BELOW: dict[Fault, Callable[[socket.socket, threading.Event], None]] = {
    Fault.RESETS: _reset,
    Fault.SILENT: _wait,
    Fault.NOT_SSH: _banner(b"220 mail.example ESMTP\r\n"),
    Fault.ENDLESS_BANNER: _endless,
    Fault.ACCEPTS_AND_CLOSES: _close,
    Fault.RESETS_IN_EXCHANGE: _reset_in_exchange,
    Fault.SILENT_IN_EXCHANGE: _banner(b"SSH-2.0-faulty\r\n"),
}
