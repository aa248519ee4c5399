"""How every check about a missing login judges."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.network.logins import Login
from checks.verdict import Verdict, expect


def logins(servers: Iterable[Login]) -> Iterable[Verdict]:
    """A failure for each server that served a stranger, a pass for each that asked who is there."""
    for server in servers:
        version = f" (version {server.version})" if server.version else ""
        yield expect(
            server.needed,
            on=server.port,
            saw=f"{server.answer}{version}",
            want="a login is asked for",
            port=server.port,
        )
