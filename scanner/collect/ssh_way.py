"""From what scope and options say of a host to a way there whose every address may be touched."""

from __future__ import annotations

import socket
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

from scanner.collect.collector import CollectError, Failure
from scanner.scope import Guard, HostScope, ScopeError, resolve_host
from scanner.transport.secrets import SecretReader
from scanner.transport.ssh import SshAccess, resolved
from scanner.transport.ssh_keys import Logins

if TYPE_CHECKING:
    from scanner.collect.run import Options


def ssh_access(
    way: HostScope, options: Options, guard: Guard, secrets: SecretReader, logins: Logins
) -> SshAccess:
    """How to log in to a host, with the checked address of it and of every host on the way.

    Raises:
        CollectError: something on the way is out of scope, has no address, or its passphrase is not there.

    """
    access = led_access(way, options, secrets, logins)
    jumps = tuple(
        _addressed(hop, _scope_of(hop, way), guard.of_jumps(), jump_of=access.name) for hop in access.jumps
    )
    return replace(_addressed(access, way, guard, behind=bool(jumps)), jumps=jumps)


def led_access(way: HostScope, options: Options, secrets: SecretReader | None, logins: Logins) -> SshAccess:
    """The same before any name is resolved: the ssh_config applied, the jumps named.

    Without a reader no secret is read, and the access serves only to be looked at.
    """
    access = resolved(
        replace(
            _access(way, options, secrets, logins),
            jumps=tuple(_access(hop, options, secrets, logins) for hop in way.jumps),
        )
    )
    # A scope that says by which way, or that there is none, overrules the configuration.
    return replace(access, jumps=()) if way.direct and not way.jumps else access


def _access(way: HostScope, options: Options, secrets: SecretReader | None, logins: Logins) -> SshAccess:
    reference = way.passphrase or options.ssh_passphrase
    return SshAccess(
        host=way.host,
        port=way.port,
        user=way.user or options.ssh_user,
        key_files=way.key_files or options.ssh_keys,
        known_hosts=way.known_hosts or options.known_hosts,
        use_agent=way.use_agent or options.agent,
        config=options.ssh_config,
        passphrase=secrets.read(reference) if reference and secrets else None,
        connect_seconds=options.connect_seconds,
        total_seconds=min(options.host_seconds, options.minutes * 60),
        logins=logins,
    )


def _scope_of(hop: SshAccess, way: HostScope) -> HostScope:
    """What the scope says of a jump; of one that only a configuration names, no more than its name."""
    for one in way.jumps:
        if one.port == hop.port and one.host == hop.host:
            return one
    return HostScope(hop.host, hop.port, hop.user)


def _addressed(
    access: SshAccess, way: HostScope, guard: Guard, *, behind: bool = False, jump_of: str = ""
) -> SshAccess:
    leads_to = access.address or access.host
    try:
        # The name that the scope knows is judged by where the configuration really leads.
        addresses = resolve_host(way.host, lambda _name: _resolve(leads_to, way, behind), guard)
    except ScopeError as error:
        where = (
            f" (the jump host of {jump_of}; name it under jump: or hosts: in the scope file)"
            if jump_of
            else ""
        )
        raise CollectError(Failure.OUT_OF_SCOPE, f"{error}{where}") from None
    except OSError as error:
        message = f"{leads_to}: the name cannot be resolved ({error.strerror or error})"
        needs = "a working DNS name, or the address"
        raise CollectError(Failure.UNREACHABLE, message, needs) from None
    return replace(access, address=str(addresses[0]))


def _resolve(name: str, way: HostScope, behind: bool) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        only = [net for net in way.leads_to if net.num_addresses == 1]
        if not behind or not only:
            raise
        # No name is ever left to a jump host to resolve: the scope says where it leads.
        return [str(ip_network(only[0])[0])]
    return [str(sockaddr[0]) for *_, sockaddr in found]
