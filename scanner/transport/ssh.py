"""Runs a script on a host over SSH: one connection, one exec, host key first, and a deadline for all."""

from __future__ import annotations

import threading
import time

import paramiko

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.known_hosts import fingerprint
from scanner.transport.result import STDERR_LIMIT, Errand, ScriptResult
from scanner.transport.ssh_access import SshAccess, resolved
from scanner.transport.ssh_client import BROKEN, Client
from scanner.transport.ssh_jump import shake_hands, way_to
from scanner.transport.ssh_keys import OfferedKey, offered_keys
from scanner.transport.ssh_line import TICK, Line, NoAlgorithmError
from scanner.transport.ssh_login import log_in
from scanner.transport.ssh_system import run_by_system
from scanner.transport.ssh_trust import asked_keys, trusted

__all__ = ["ScriptResult", "SshAccess", "resolved", "run_script"]

_COMMAND = "sh -s"
_BLOCK = 65_536
_PASSING = frozenset({Failure.UNREACHABLE, Failure.RESET, Failure.SILENT})
"""What may be over a moment later. None of it comes after a login."""


def run_script(access: SshAccess, script: str, *, limit_bytes: int, context: Context) -> ScriptResult:
    """Runs the script with `sh -s` on the host and gives its whole output of at most `limit_bytes`.

    The host key is checked before anything of ours is sent. There is no pty and no forwarding of anything of
    ours. A host that is not reached, resets or stays silent is asked once more; a refused login never is.
    Where this library and the host have no algorithm in common, the system's OpenSSH client tries.

    Raises:
        CollectError: unreachable, not SSH, an unknown or changed host key, refused credentials, too
            slow, too much output, or an end without an exit status: then nothing of the output is given.

    """
    access = resolved(access)
    access.logins.lockout.check(access.credential, access.name)
    keys = offered_keys(access)
    deadline = time.monotonic() + access.total_seconds
    errand = Errand(script.encode(), limit_bytes, deadline, context)
    try:
        return _run_once(access, keys, errand)
    except NoAlgorithmError as error:
        return run_by_system(access, errand, error)
    except CollectError as error:
        left = deadline - time.monotonic() - access.retry_seconds
        if error.failure not in _PASSING or left < TICK or context.cancelled.wait(access.retry_seconds):
            raise
    try:
        return _run_once(access, keys, errand)
    except CollectError as error:
        if error.failure in _PASSING:
            error.args = (f"{error} (asked twice)",)
        raise


def _run_once(access: SshAccess, keys: list[OfferedKey], errand: Errand) -> ScriptResult:
    known = access.known()
    with way_to(access, errand.context, errand.deadline) as way:
        line = way.line
        try:
            client = shake_hands(line, way.stream, asked_keys(known))
            key = trusted(client.get_remote_server_key(), access, known)
            log_in(line, client, keys)
            stdout, stderr, status = _run(client, line, errand)
            return ScriptResult(stdout, stderr, status, fingerprint(key), line.address)
        except BROKEN as error:
            raise line.explained(error) from None


def _run(client: Client, line: Line, errand: Errand) -> tuple[bytes, bytes, int]:
    """One exec: the script in, both outputs and the exit status out."""
    access = line.access
    line.step = "the script"
    channel = client.open_session(timeout=access.total_seconds)
    channel.settimeout(TICK)
    channel.exec_command(_COMMAND)
    sender = threading.Thread(target=_send, args=(channel, errand.script), name="ssh-script", daemon=True)
    sender.start()
    stdout, stderr = bytearray(), bytearray()
    ended = False
    while not ended:
        try:
            block = channel.recv(_BLOCK)
            ended = not block
            stdout += block
        except TimeoutError:
            if line.expired or not client.is_active():
                break
        while channel.recv_stderr_ready():
            stderr += channel.recv_stderr(_BLOCK)[: max(0, STDERR_LIMIT - len(stderr))]
        if len(stdout) > errand.limit:
            message = f"{access.name}: more than {errand.limit:,} bytes of output"
            raise CollectError(Failure.TOO_LARGE, message)
    if ended and not line.expired and client.is_active():
        channel.status_event.wait(min(line.left(), access.connect_seconds))
    sender.join(TICK)
    while channel.recv_stderr_ready() and len(stderr) < STDERR_LIMIT:
        stderr += channel.recv_stderr(_BLOCK)[: STDERR_LIMIT - len(stderr)]
    status = channel.exit_status if channel.exit_status_ready() else -1
    if status < 0:
        if line.expired or line.context.cancelled.is_set():
            raise line.explained(TimeoutError())
        message = f"{access.name}: the connection ended in the middle of the answer, which is not used"
        raise CollectError(Failure.TRUNCATED, message)
    return bytes(stdout), bytes(stderr), status


def _send(channel: paramiko.Channel, script: bytes) -> None:
    """Sends the script beside the reading, so that a server that answers early cannot stall both."""
    left = memoryview(script)
    while left and not channel.closed:
        try:
            left = left[channel.send(bytes(left[:_BLOCK])) :]
        except TimeoutError:
            continue
        except OSError:
            return
    try:
        channel.shutdown_write()
    except (OSError, EOFError):
        return
