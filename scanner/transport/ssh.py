"""Runs a script on a host over SSH: one connection, one exec, host key first, and a deadline for all."""

from __future__ import annotations

import getpass
import logging
import threading
import time
from pathlib import Path

import paramiko

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.known_hosts import KnownKeys, fingerprint, known_name, lookup
from scanner.transport.result import STDERR_LIMIT, ScriptResult
from scanner.transport.ssh_access import SshAccess, offered_keys, resolved
from scanner.transport.ssh_line import TICK, Line, connected

__all__ = ["ScriptResult", "SshAccess", "resolved", "run_script"]

# Without a handler of its own, paramiko's errors would be printed on stderr by logging's last resort.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_COMMAND = "sh -s"
_BLOCK = 65_536
_RSA = ("rsa-sha2-512", "rsa-sha2-256")


def run_script(access: SshAccess, script: str, *, limit_bytes: int, context: Context) -> ScriptResult:
    """Runs the script with `sh -s` on the host and gives its whole output of at most `limit_bytes`.

    The host key is checked before anything of ours is sent. There is no retry, no pty and no forwarding.

    Raises:
        CollectError: unreachable, not SSH, an unknown or changed host key, refused credentials, too
            slow, too much output, or an end without an exit status: then nothing of the output is given.

    """
    access = resolved(access)
    keys = offered_keys(access)
    with connected(access, context) as line:
        transport = paramiko.Transport(line.socket)
        line.transport = transport
        try:
            key = _handshake(transport, access, _known(access))
            _login(transport, access, keys, line)
            stdout, stderr, status = _run(transport, line, script.encode(), limit_bytes)
            return ScriptResult(stdout, stderr, status, fingerprint(key), line.address)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise line.explained(error) from None


def _known(access: SshAccess) -> KnownKeys:
    files = access.known_hosts or (Path("~/.ssh/known_hosts").expanduser(),)
    try:
        return lookup(files, known_name(access.host, access.port))
    except OSError as error:
        message = f"{error.filename}: known hosts cannot be read: {error.strerror}"
        raise CollectError(Failure.HOST_KEY, message) from None


def _handshake(transport: paramiko.Transport, access: SshAccess, known: KnownKeys) -> bytes:
    """Agrees on keys with the host and checks that it is the one we know; gives its public key."""
    wanted = [one for kind in known.types for one in (_RSA if kind == "ssh-rsa" else (kind,))]
    options = transport.get_security_options()
    offered = tuple(options.key_types)
    first = tuple(one for one in wanted if one in offered)
    options.key_types = (*first, *(one for one in offered if one not in first))
    transport.banner_timeout = access.connect_seconds
    transport.start_client(timeout=access.total_seconds)
    key = transport.get_remote_server_key()
    blob = key.asbytes()
    seen = f"{key.get_name()} {fingerprint(blob)}"
    if blob in known.revoked:
        raise CollectError(Failure.HOST_KEY, f"{access.name}: the host key {seen} is revoked in known_hosts")
    if blob in {one for _, one in known.accepted}:
        return blob
    if known.accepted:
        was = ", ".join(f"{kind} {fingerprint(one)}" for kind, one in known.accepted)
        raise CollectError(
            Failure.HOST_KEY,
            f"{access.name}: THE HOST KEY HAS CHANGED: known is {was}, the host shows {seen}; "
            "nothing was sent to it",
            "somebody who knows why the key changed, then its new line in known_hosts",
        )
    port = "" if access.port == 22 else f"-p {access.port} "
    raise CollectError(
        Failure.HOST_KEY,
        f"{access.name}: unknown host key {seen}; nothing was sent to it. Compare it with the host's own "
        f"(`ssh-keygen -lf` on its .pub file), then enrol it: `ssh-keyscan {port}{access.host}` gives the "
        "line for known_hosts",
        "the host's key in known_hosts",
    )


def _login(transport: paramiko.Transport, access: SshAccess, keys: list[paramiko.PKey], line: Line) -> None:
    """Offers each key once; the deadline of the connection is the only one."""
    line.step = "the login"
    transport.auth_timeout = access.total_seconds
    user = access.user or _own_name()
    needs = f"the public key in authorized_keys of {user}"
    for key in keys:
        try:
            more = transport.auth_publickey(user, key)
        except paramiko.BadAuthenticationType as error:
            message = f"{access.name}: {user} may log in only by {', '.join(error.allowed_types)}"
            raise CollectError(Failure.AUTHENTICATION, message, needs) from None
        except paramiko.AuthenticationException as error:
            if line.expired:
                raise line.explained(error) from None
            if not transport.is_active():
                message = f"{access.name}: the host ended the connection during the login of {user}"
                raise CollectError(Failure.AUTHENTICATION, message, needs) from None
            continue
        if more:
            message = (
                f"{access.name}: the key of {user} was accepted, but {' and '.join(more)} is asked for too"
            )
            raise CollectError(Failure.AUTHENTICATION, message)
        return
    tried = "the key was" if len(keys) == 1 else f"all {len(keys)} keys were"
    raise CollectError(Failure.AUTHENTICATION, f"{access.name}: {tried} refused for {user}", needs)


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        message = "the user of this process has no name; say as whom to log in"
        raise CollectError(Failure.CREDENTIALS, message) from None


def _run(transport: paramiko.Transport, line: Line, script: bytes, limit: int) -> tuple[bytes, bytes, int]:
    """One exec: the script in, both outputs and the exit status out."""
    access = line.access
    line.step = "the script"
    channel = transport.open_session(timeout=access.total_seconds)
    channel.settimeout(TICK)
    channel.exec_command(_COMMAND)
    sender = threading.Thread(target=_send, args=(channel, script), name="ssh-script", daemon=True)
    sender.start()
    stdout, stderr = bytearray(), bytearray()
    ended = False
    while not ended:
        try:
            block = channel.recv(_BLOCK)
            ended = not block
            stdout += block
        except TimeoutError:
            if line.expired or not transport.is_active():
                break
        while channel.recv_stderr_ready():
            stderr += channel.recv_stderr(_BLOCK)[: max(0, STDERR_LIMIT - len(stderr))]
        if len(stdout) > limit:
            raise CollectError(Failure.TOO_LARGE, f"{access.name}: more than {limit:,} bytes of output")
    left = max(0.0, line.deadline - time.monotonic())
    if ended and not line.expired and transport.is_active():
        channel.status_event.wait(min(left, access.connect_seconds))
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
