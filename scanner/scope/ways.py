"""How the hosts of a scope are reached: each with its own login, after those of the hosts on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scanner.addresses import literal
from scanner.scope.file import MOST_JUMPS, NO_JUMP, HostEntry
from scanner.scope.guard import Guard
from scanner.scope.load import Scope
from scanner.scope.planned import HostScope
from scanner.targets import HostTarget, parse_target


class RefusedError(ValueError):
    """The target may not be scanned; the message says why and what would allow it."""


class ExcludedError(RefusedError):
    """It is in the scope, and the scope excludes it."""


@dataclass(frozen=True, slots=True)
class HostWays:
    """The ways to the hosts of a scope file."""

    scope: Scope
    guard: Guard
    environ: Mapping[str, str]

    def to(self, entry: HostEntry, path: tuple[HostEntry, ...] = ()) -> HostScope:
        """The way to a host; `path` are the entries that are reached over it.

        Raises:
            RefusedError: the scope excludes a host on it, or it goes in a circle.

        """
        address = literal(entry.address)
        if entry.name.lower() in self.guard.excluded_names or entry.address in self.guard.excluded_names:
            raise ExcludedError("the scope excludes it by name")
        if address is not None and self.guard.bars(address):
            raise ExcludedError("the scope excludes its address")
        if len(path) > MOST_JUMPS or entry.name in {one.name for one in path}:
            raise RefusedError(f"its jump hosts go in a circle at {entry.name}")
        keys: tuple[Path, ...] = ()
        if entry.key and entry.key != "agent:":
            keys = (self.scope.file_path(entry.key, self.environ),)
        known = (self.scope.file_path(entry.known_hosts, self.environ),) if entry.known_hosts else ()
        own = HostScope(
            host=entry.address,
            port=entry.port,
            user=entry.user,
            key_files=keys,
            known_hosts=known,
            use_agent=entry.key == "agent:",
            passphrase=self.scope.secret(entry.passphrase),
            direct=bool(entry.jump),
            leads_to=tuple(entry.leads_to),
        )
        return replace(own, jumps=self._jumps(entry, own, path)) if entry.jump else own

    def _jumps(self, entry: HostEntry, own: HostScope, path: tuple[HostEntry, ...]) -> tuple[HostScope, ...]:
        """The jumps of an entry. A host of the scope logs in as its own entry says, others as the target."""
        found: list[HostScope] = []
        for position, spec in enumerate(one for one in entry.jump if one != NO_JUMP):
            target = parse_target(spec)
            assert isinstance(target, HostTarget)
            named = next(
                (
                    one
                    for one in self.scope.file.hosts
                    if target.host in (one.name.lower(), one.address) and target.port in (one.port, 22)
                ),
                None,
            )
            if named is None:
                address = literal(target.host)
                if target.host in self.guard.excluded_names or (address and self.guard.bars(address)):
                    raise ExcludedError(f"the scope excludes its jump host {target.host}")
                user = target.user or own.user
                hop = replace(own, host=target.host, port=target.port, user=user, direct=True, leads_to=())
                found.append(hop)
                continue
            way = self.to(named.model_copy(update={"user": target.user or named.user}), (*path, entry))
            # Only the first of a list is reached over its own jumps; the others are reached through it.
            found += way.jumps if position == 0 else ()
            found.append(replace(way, jumps=(), direct=True))
        return tuple(found)
