"""The connection below SSH: opened once, watched by a deadline, and named when it fails."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

import paramiko

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.ssh_access import SshAccess

TICK = 0.2
"""Seconds between two looks at the deadline."""

_BANNER_LIMIT = 1_024
_RESET = "connected, then reset before a greeting"


@dataclass(slots=True)
class Line:
    """A connection with its watch: whoever blocks on it is freed when the time is up."""

    access: SshAccess
    socket: socket.socket
    context: Context
    deadline: float
    address: str
    step: str = "the key exchange"
    transport: paramiko.Transport | None = None
    over: threading.Event = field(default_factory=threading.Event)
    expired: bool = False

    def watch(self) -> None:
        """Closes the connection at the deadline, or when somebody wants to stop."""
        while not self.over.wait(TICK):
            if self.context.cancelled.is_set() or time.monotonic() > self.deadline:
                self.expired = True
                _shut(self.socket)
                return

    def explained(self, error: Exception) -> CollectError:
        """What an error of the connection means for the target."""
        self.context.check()
        name = self.access.name
        if self.expired:
            return CollectError(
                Failure.TIMEOUT,
                f"{name}: not done after {self.access.total_seconds:.0f} s, ended during {self.step}",
            )
        if isinstance(error, TimeoutError):
            return CollectError(Failure.TIMEOUT, f"{name}: no answer during {self.step}")
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            return CollectError(Failure.PROTOCOL, f"{name}: no algorithm in common: {error}")
        if isinstance(error, ConnectionError | EOFError):
            return CollectError(Failure.TRUNCATED, f"{name}: the connection was lost during {self.step}")
        return CollectError(Failure.PROTOCOL, f"{name}: SSH failed during {self.step}: {error}")


@contextmanager
def connected(access: SshAccess, context: Context) -> Iterator[Line]:
    """A connection to a server that has greeted as SSH servers do, closed at the end.

    Raises:
        CollectError: unreachable, silent, or not SSH.

    """
    context.check()
    deadline = time.monotonic() + access.total_seconds
    connection, address = _connect(access)
    line = Line(access, connection, context, deadline, address)
    watch = threading.Thread(target=line.watch, name=f"ssh-deadline-{access.name}", daemon=True)
    watch.start()
    try:
        _await_banner(line)
        yield line
    finally:
        line.over.set()
        watch.join()
        # Shut down first: paramiko's reading thread then ends at once, and closing waits for nothing.
        _shut(connection)
        if line.transport is not None:
            line.transport.close()
        connection.close()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


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
        raise CollectError(Failure.PROTOCOL, f"{name}: {_RESET}") from None
    except socket.gaierror:
        raise CollectError(Failure.UNREACHABLE, f"{name}: the name has no address") from None
    except (OSError, UnicodeError) as error:
        raise CollectError(Failure.UNREACHABLE, f"{name}: {error}", needs) from None
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, str(connection.getpeername()[0])
    except OSError:
        connection.close()
        raise CollectError(Failure.PROTOCOL, f"{name}: {_RESET}") from None


def _await_banner(line: Line) -> None:
    """Looks at the server's first words without taking them: silence and other protocols have names."""
    name, seconds = line.access.name, line.access.connect_seconds
    until = min(time.monotonic() + seconds, line.deadline)
    line.step = "the greeting"
    seen = b""
    while time.monotonic() < until:
        line.context.check()
        line.socket.settimeout(TICK)
        try:
            now = line.socket.recv(_BANNER_LIMIT, socket.MSG_PEEK)
        except TimeoutError:
            continue
        except OSError:
            raise CollectError(Failure.PROTOCOL, f"{name}: {_RESET}") from None
        if not now:
            raise CollectError(Failure.PROTOCOL, f"{name}: connected, then closed before a greeting")
        if now.startswith(b"SSH-") or b"\nSSH-" in now:
            line.socket.settimeout(None)
            line.step = "the key exchange"
            return
        if len(now) >= _BANNER_LIMIT:
            seen = now
            break
        if now == seen:
            # The same bytes are there again at once; wait for more of them.
            time.sleep(TICK / 4)
        seen = now
    if line.expired or not seen:
        message = f"{name}: connected, but no SSH greeting came in {seconds:.0f} s"
        raise CollectError(Failure.TIMEOUT, message)
    first = seen.decode("latin-1").splitlines()[0][:80]
    raise CollectError(Failure.PROTOCOL, f"{name}: what answers is not SSH: {first!r}")
