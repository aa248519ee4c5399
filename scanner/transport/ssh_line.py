"""The connection below SSH: opened once, watched by a deadline, and named when it fails."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol

import paramiko

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.ssh_access import SshAccess
from scanner.transport.ssh_client import OURS, Client

TICK = 0.2
"""Seconds between two looks at the deadline."""

_BANNER_LIMIT = 1_024
_RESET = "connected, then reset before a greeting"


class Stream(Protocol):
    """What an SSH connection runs over: a socket, or a channel of another connection."""

    def recv(self, size: int, /) -> bytes:
        """The next bytes; none at the end."""
        ...

    def send(self, data: bytes, /) -> int:
        """Sends some of the bytes; how many."""
        ...

    def settimeout(self, seconds: float | None, /) -> None:
        """How long the others may wait."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


class Greeted:
    """A stream with its first bytes put back."""

    def __init__(self, below: Stream, first: bytes) -> None:
        self._first = first
        self._below = below
        self.send, self.settimeout = below.send, below.settimeout

    def recv(self, size: int) -> bytes:
        """The next bytes, those put back first."""
        if not self._first:
            return self._below.recv(size)
        now, self._first = self._first[:size], self._first[size:]
        return now

    def close(self) -> None:
        """Ends it; a channel whose own connection is gone cannot say so any more."""
        with suppress(OSError, EOFError, paramiko.SSHException):
            self._below.close()

    @property
    def _closed(self) -> bool:
        # paramiko asks a socket for this; a channel has it under the other name.
        return bool(getattr(self._below, "_closed", False) or getattr(self._below, "closed", False))


class NoAlgorithmError(CollectError):
    """Both ends speak SSH and have no algorithm in common."""

    def __init__(self, message: str, client: Client | None) -> None:
        super().__init__(Failure.ALGORITHMS, message, "a server that offers an algorithm of today")
        self.offer = client.offer if client else None


@dataclass(slots=True)
class Line:
    """A connection with its watch: whoever blocks on it is freed when the time is up.

    `access` is the host that is being talked to now: on the way through jumps first one of them.
    """

    access: SshAccess
    socket: socket.socket
    context: Context
    deadline: float
    address: str
    step: str = "the key exchange"
    clients: list[Client] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    expired: bool = False

    def watch(self) -> None:
        """Closes the connection at the deadline, or when somebody wants to stop."""
        while not self.over.wait(TICK):
            if self.context.cancelled.is_set() or time.monotonic() > self.deadline:
                self.expired = True
                _shut(self.socket)
                return

    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self.deadline - time.monotonic())

    def explained(self, error: Exception) -> CollectError:
        """What an error of the connection means for the target."""
        self.context.check()
        name = self.access.name
        if self.expired or not self.left():
            return CollectError(
                Failure.TIMEOUT,
                f"{name}: not done after {self.access.total_seconds:.0f} s, ended during {self.step}",
            )
        if isinstance(error, TimeoutError):
            return CollectError(Failure.TIMEOUT, f"{name}: no answer during {self.step}")
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            client = self.clients[-1] if self.clients else None
            return NoAlgorithmError(
                f"{name}: no algorithm in common: the host offers {client.offer if client else 'nothing'}. "
                f"This side speaks {OURS}",
                client,
            )
        if isinstance(error, ConnectionError | EOFError):
            early = self.step in ("the greeting", "the key exchange")
            failure = Failure.RESET if early else Failure.TRUNCATED
            return CollectError(failure, f"{name}: the connection was lost during {self.step}")
        return CollectError(Failure.PROTOCOL, f"{name}: SSH failed during {self.step}: {_words(error)}")


@contextmanager
def opened(access: SshAccess, context: Context, deadline: float) -> Iterator[Line]:
    """A connection to that host, closed at the end.

    Raises:
        CollectError: unreachable.

    """
    context.check()
    connection, address = _connect(access)
    line = Line(access, connection, context, deadline, address)
    watch = threading.Thread(target=line.watch, name=f"ssh-deadline-{access.name}", daemon=True)
    watch.start()
    try:
        yield line
    finally:
        line.over.set()
        watch.join()
        # Shut down first: paramiko's reading threads then end at once, and closing waits for nothing.
        _shut(connection)
        for client in reversed(line.clients):
            client.close()
        connection.close()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _words(error: Exception) -> str:
    """An error in one line that a server cannot have written at length."""
    text = " ".join(str(error).split())
    return text[:200] if text and text.isprintable() else type(error).__name__


def _connect(access: SshAccess) -> tuple[socket.socket, str]:
    name = access.name
    needs = f"tcp/{access.port} of {access.address or access.host} open to this machine"
    try:
        where = str(ip_address(access.address)) if access.address else access.host
    except ValueError:
        raise CollectError(Failure.UNREACHABLE, f"{name}: {access.address!r} is no IP address") from None
    try:
        connection = socket.create_connection((where, access.port), timeout=access.connect_seconds)
    except TimeoutError:
        message = f"{name}: no answer to the connection in {access.connect_seconds:.0f} s"
        raise CollectError(Failure.UNREACHABLE, message, needs) from None
    except ConnectionRefusedError:
        raise CollectError(Failure.UNREACHABLE, f"{name}: the connection was refused", needs) from None
    except ConnectionResetError:
        raise CollectError(Failure.RESET, f"{name}: {_RESET}") from None
    except socket.gaierror:
        message = f"{name}: the name has no address"
        raise CollectError(Failure.UNREACHABLE, message, "the name in DNS or /etc/hosts") from None
    except (OSError, UnicodeError) as error:
        said = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise CollectError(Failure.UNREACHABLE, f"{name}: {said}", needs) from None
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, str(connection.getpeername()[0])
    except OSError:
        connection.close()
        raise CollectError(Failure.RESET, f"{name}: {_RESET}") from None


def greeted(line: Line, stream: Stream) -> Greeted:
    """The stream of a server that greets as SSH servers do; silence and other protocols have names.

    Raises:
        CollectError: it is silent, ends, or speaks something else.

    """
    name, seconds = line.access.name, line.access.connect_seconds
    until = min(time.monotonic() + seconds, line.deadline)
    line.step = "the greeting"
    seen = b""
    stream.settimeout(TICK)
    while time.monotonic() < until and len(seen) < _BANNER_LIMIT:
        line.context.check()
        try:
            now = stream.recv(_BANNER_LIMIT - len(seen))
        except TimeoutError:
            continue
        except OSError:
            if line.expired:
                break
            raise CollectError(Failure.RESET, f"{name}: {_RESET}") from None
        if not now:
            if line.expired:
                break
            raise CollectError(Failure.RESET, f"{name}: connected, then closed before a greeting")
        seen += now
        if seen.startswith(b"SSH-") or b"\nSSH-" in seen:
            stream.settimeout(None)
            line.step = "the key exchange"
            return Greeted(stream, seen)
    line.context.check()
    if not seen:
        message = f"{name}: connected, but no SSH greeting came in {seconds:.0f} s"
        raise CollectError(Failure.SILENT, message)
    first = seen.decode("latin-1").splitlines()[0][:80]
    raise CollectError(Failure.PROTOCOL, f"{name}: what answers is not SSH: {first!r}")
