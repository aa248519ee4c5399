"""The way to a host: its key checked and the login done at every jump, with one connection below it all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import paramiko

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.ssh_access import SshAccess
from scanner.transport.ssh_client import BROKEN, Client
from scanner.transport.ssh_keys import offered_keys
from scanner.transport.ssh_line import Line, Stream, greeted, opened
from scanner.transport.ssh_login import log_in
from scanner.transport.ssh_trust import asked_keys, trusted

_PROHIBITED = 1
_BEYOND = 10.0


@dataclass(frozen=True, slots=True)
class Way:
    """A way that is open as far as the greeting of the host: `stream` is what its SSH runs over."""

    line: Line
    stream: Stream


@contextmanager
def way_to(access: SshAccess, context: Context, deadline: float) -> Iterator[Way]:
    """Opens the way to a host, through its jumps: one TCP connection, from which all else follows.

    At a jump nothing is run and nothing of ours is forwarded: it is asked for one channel to the next host.

    Raises:
        CollectError: a host on the way is not reached, not known, or refuses the login or the channel.

    """
    keys = [(hop, offered_keys(hop), hop.known()) for hop in access.jumps]
    for hop in access.jumps:
        hop.logins.lockout.check(hop.credential, access.name)
    route = (*access.jumps, access)
    with ExitStack() as stack:
        try:
            line = stack.enter_context(opened(route[0], context, deadline))
        except CollectError as error:
            raise _on_the_way(error, access) from None
        stream: Stream = line.socket
        for (hop, offered, known), beyond in zip(keys, route[1:], strict=True):
            line.access = hop
            try:
                client = shake_hands(line, stream, asked_keys(known))
                trusted(client.get_remote_server_key(), hop, known)
                log_in(line, client, offered)
                stream = _through(client, hop, beyond, line)
            except CollectError as error:
                raise _on_the_way(error, access) from None
            except BROKEN as error:
                raise _on_the_way(line.explained(error), access) from None
        line.access = access
        yield Way(line, stream)


def shake_hands(line: Line, stream: Stream, host_keys: tuple[str, ...]) -> Client:
    """An SSH connection over this stream, up to the proof of the host key, which nobody has judged yet."""
    access = line.access
    client = Client(greeted(line, stream), host_keys)
    line.clients.append(client)
    client.banner_timeout = access.connect_seconds
    # The deadline of the line comes first; these would end it under another name.
    client.handshake_timeout = access.total_seconds + _BEYOND
    client.start_client(timeout=access.total_seconds + _BEYOND)
    return client


def _through(client: Client, hop: SshAccess, beyond: SshAccess, line: Line) -> Stream:
    line.step = f"the channel to {beyond.name}"
    try:
        return client.open_channel(
            "direct-tcpip",
            (beyond.address or beyond.host, beyond.port),
            ("127.0.0.1", 0),
            timeout=min(beyond.connect_seconds, max(0.1, line.left())),
        )
    except paramiko.ChannelException as error:
        if error.code == _PROHIBITED:
            message = f"{beyond.name}: the jump host {hop.name} forwards no connection there"
            raise CollectError(
                Failure.PROTOCOL, message, f"AllowTcpForwarding and PermitOpen on {hop.name}"
            ) from None
        message = f"{beyond.name}: the jump host {hop.name} does not reach it"
        needs = f"tcp/{beyond.port} of {beyond.address or beyond.host} open to {hop.name}"
        raise CollectError(Failure.UNREACHABLE, message, needs) from None


def _on_the_way(error: CollectError, access: SshAccess) -> CollectError:
    """The same error, saying also which target was not reached through it."""
    text = str(error)
    if not text.startswith(f"{access.name}:"):
        error.args = (f"{text} (on the way to {access.name})",)
    return error
