"""Does one job: asks the guard, finds the way to the target, and lets the collectors of its kind look."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checks.facts.snapshot import Fact, Snapshot
from checks.model import Kind
from scanner.addresses import Address
from scanner.collect.collector import CollectError, Context, Failure
from scanner.dispatch.jobs import Job, Result
from scanner.scope import AwsScope, Guard, HostScope, NetworkScope, PlannedTarget, ScopeError, resolve_host
from scanner.transport.sent import Sent, not_kept

if TYPE_CHECKING:
    from scanner.collect.network.collect import NetworkAccess
    from scanner.transport.aws import AwsAccess
    from scanner.transport.ssh import SshAccess

Facts = frozenset[type[Fact]]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about the ways to targets; the scope's own words come first.

    `ssh_config` and `known_hosts` are OpenSSH's files; `agent` allows the SSH agent. `raw` and `nmap` say
    whether raw sockets and nmap may be used. `minutes` bounds each target.
    """

    ssh_keys: tuple[Path, ...] = ()
    ssh_user: str = ""
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path | None = None
    agent: bool = False
    aws_profile: str = ""
    raw: bool = True
    nmap: bool = True
    minutes: int = 120
    ports: str | tuple[int, ...] = ()
    """`top`, `all` or numbers; empty: what the scope says of each network."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Does jobs; safe to call from several threads.

    `plan` maps a target's spec to the way there, `wanted` each kind to the facts that will be judged.
    `progress(job, done, total)` hears how far a job is, `log` of every probe that a network is sent.
    """

    plan: Mapping[str, PlannedTarget]
    wanted: Mapping[Kind, Facts]
    guard: Guard
    options: Options
    context: Context
    progress: Callable[[Job, int, int], None] = field(default=lambda _job, _done, _total: None)
    log: Callable[[Sent], None] = not_kept

    def __call__(self, job: Job) -> Result:
        """The snapshots of one target. What was seen before an error comes with the error."""
        target = job.target
        moment = self.context.clock()
        if not self.guard.allows_now(moment):
            opening = self.guard.next_opening(moment)
            message = f"outside the time window of the scope; it opens {opening}"
            return Result(job, error=CollectError(Failure.OUT_OF_SCOPE, message))
        context = Context(
            self.context.clock, self.context.cancelled, lambda done, total: self.progress(job, done, total)
        )
        wanted = self.wanted.get(target.kind, frozenset())
        seen: list[Snapshot] = []
        try:
            match self.plan[target.spec].access:
                case NetworkScope() as way:
                    import scanner.collect.network.collect as network

                    for one in network.collect(target, wanted, self._network(way), context):
                        seen.append(one)
                case AwsScope() as way:
                    import scanner.collect.cloud.collect as cloud

                    seen.append(cloud.collect(target, wanted, self._aws(way), context))
                case HostScope() as way:
                    import scanner.collect.host.collect as host

                    seen.append(host.collect(target, wanted, self._ssh(way), context))
                case _:
                    import scanner.collect.host.collect as host

                    seen.append(host.collect(target, wanted, None, context))
        except CollectError as error:
            return Result(job, tuple(seen), error)
        return Result(job, tuple(seen))

    def _network(self, way: NetworkScope) -> NetworkAccess:
        from scanner.collect.network.collect import NetworkAccess
        from scanner.collect.network.ports import LISTS

        ports = self.options.ports or way.ports
        return NetworkAccess(
            addresses=way.addresses,
            ports=LISTS[ports] if isinstance(ports, str) else ports,
            vantage=way.vantage,
            rate=way.rate,
            per_host=way.per_host,
            allowed=self._may_send,
            use_raw=self.options.raw,
            use_nmap=self.options.nmap,
            total_seconds=self.options.minutes * 60,
            own_identities=own_identities(),
            log=self.log,
        )

    def _may_send(self, address: Address) -> bool:
        return self.guard.allows_address(address) and self.guard.allows_now(self.context.clock())

    def _ssh(self, way: HostScope) -> SshAccess:
        from scanner.transport.ssh import SshAccess, resolved

        options = self.options
        access = resolved(
            SshAccess(
                host=way.host,
                port=way.port,
                user=way.user or options.ssh_user,
                key_files=way.key_files or options.ssh_keys,
                known_hosts=way.known_hosts or options.known_hosts,
                use_agent=way.use_agent or options.agent,
                config=options.ssh_config,
            )
        )
        leads_to = access.address or access.host
        try:
            # The name that the scope knows is judged by where the configuration really leads.
            addresses = resolve_host(way.host, lambda _name: _resolve(leads_to), self.guard)
        except ScopeError as error:
            raise CollectError(Failure.OUT_OF_SCOPE, str(error)) from None
        except OSError as error:
            message = f"{leads_to}: the name cannot be resolved ({error.strerror or error})"
            raise CollectError(Failure.UNREACHABLE, message, "a working DNS name, or the address") from None
        return replace(access, address=str(addresses[0]))

    def _aws(self, way: AwsScope) -> AwsAccess:
        from scanner.transport.aws import AwsAccess

        return AwsAccess(
            profile=way.profile or self.options.aws_profile,
            regions=way.regions,
            account=way.account,
            total_seconds=self.options.minutes * 60,
        )


def own_identities(machine_id: Path = Path("/etc/machine-id")) -> tuple[str, ...]:
    """The lasting name of this machine, as its host collector gives it; none where it has no machine-id."""
    try:
        text = machine_id.read_text(encoding="ascii").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        return ()
    return (f"machine-id:{hashlib.sha256(text.encode()).hexdigest()[:32]}",) if text else ()


def _resolve(name: str) -> list[str]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]
