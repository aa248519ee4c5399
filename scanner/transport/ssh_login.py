"""Logging in with keys: each is offered once, and a refusal is counted, never tried again."""

from __future__ import annotations

import time

import paramiko

from scanner.collect.collector import CollectError, Failure
from scanner.transport.ssh_client import Client
from scanner.transport.ssh_keys import OfferedKey, certificate_end
from scanner.transport.ssh_line import Line

_LOGIN_SECONDS = 60.0
"""After that a login hangs: others wait for how the first one with a credential ends."""


def log_in(line: Line, client: Client, keys: list[OfferedKey]) -> None:
    """Offers each key once, in turn with other hosts while the credential has not been accepted anywhere.

    Raises:
        CollectError: refused, hanging, or not tried since too many other hosts refused it.

    """
    access = line.access
    line.step = "the login"
    waiting = time.monotonic()
    lockout = access.logins.lockout
    with lockout.attempt(access.credential, access.name, line.context, client.is_active) as attempt:
        # The wait for others is not the fault of this host.
        line.deadline += time.monotonic() - waiting
        _offer(line, client, keys)
        attempt.settle(True)


def _offer(line: Line, client: Client, keys: list[OfferedKey]) -> None:
    access = line.access
    client.auth_timeout = min(_LOGIN_SECONDS, access.total_seconds)
    user = access.login
    needs = f"the public key in authorized_keys of {user}"
    for one in keys:
        try:
            more = client.auth_publickey(user, one.key)
        except paramiko.BadAuthenticationType as error:
            ways = ", ".join(name[:40] for name in error.allowed_types[:8] if name.isprintable())
            message = f"{access.name}: {user} may log in only by {ways}"
            raise CollectError(Failure.AUTHENTICATION, message, needs) from None
        except paramiko.AuthenticationException as error:
            if line.expired:
                raise line.explained(error) from None
            if "timeout" in str(error).lower():
                message = f"{access.name}: no answer to the login of {user} in {client.auth_timeout:.0f} s"
                raise CollectError(Failure.TIMEOUT, message) from None
            if not client.is_active():
                message = f"{access.name}: the host ended the connection during the login of {user}"
                raise CollectError(Failure.AUTHENTICATION, message, needs) from None
            continue
        if more:
            ways = " and ".join(name[:40] for name in more[:8] if name.isprintable())
            message = f"{access.name}: the key of {user} was accepted, but {ways} is asked for too"
            raise CollectError(Failure.AUTHENTICATION, message)
        return
    tried = "the key was" if len(keys) == 1 else f"all {len(keys)} keys were"
    ended = next(
        (f"; {one.certificate} ended on {end}" for one in keys if (end := certificate_end(one.certificate))),
        "",
    )
    raise CollectError(Failure.AUTHENTICATION, f"{access.name}: {tried} refused for {user}{ended}", needs)
