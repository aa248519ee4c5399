"""Does one job: asks the guard, finds the way to the target, and lets the collectors of its kind look."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from checks.facts.snapshot import Fact, Snapshot
from checks.model import Kind
from scanner.collect.collector import CollectError, Context, Failure
from scanner.dispatch.jobs import Job, Result
from scanner.scope import AwsScope, Guard, HostScope, NetworkScope, PlannedTarget
from scanner.transport.secrets import SecretReader
from scanner.transport.sent import Sent, not_kept

if TYPE_CHECKING:
    from scanner.collect.network.collect import NetworkAccess
    from scanner.transport.aws import AwsAccess
    from scanner.transport.ssh import SshAccess
    from scanner.transport.ssh_keys import Logins

Facts = frozenset[type[Fact]]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about the ways to targets; the scope's own words come first.

    `ssh_config` and `known_hosts` are OpenSSH's files; `agent` allows the SSH agent; `ssh_passphrase` says
    where the passphrase of the keys is kept; `connect_seconds` and `host_seconds` bound the connection to a
    host and all that is done there. `raw` and `nmap` say
    whether raw sockets and nmap may be used. `minutes` bounds each target.
    """

    ssh_keys: tuple[Path, ...] = ()
    ssh_user: str = ""
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path | None = None
    agent: bool = False
    ssh_passphrase: str = ""
    connect_seconds: float = 10
    host_seconds: float = 120
    aws_profile: str = ""
    raw: bool = True
    nmap: bool = True
    minutes: int = 120
    ports: str | tuple[int, ...] = ()
    """`top`, `all` or numbers; empty: what the scope says of each network."""
    udp_ports: str | tuple[int, ...] = ()
    """`usual`, `none` or numbers; empty: what the scope says of each network."""
    rate: int = 0
    rate_per_host: int = 0
    """Packets a second to a network and to one host; 0: what the scope says."""


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
    secrets: SecretReader = field(default_factory=SecretReader)
    _kept: dict[str, Logins] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, job: Job) -> Result:
        """The snapshots of one target. What was seen before an error comes with the error."""
        target = job.target
        moment = self.context.clock()
        guard = self.guard.of_zone(target.zone)
        if not guard.allows_now(moment):
            opening = guard.next_opening(moment)
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

                    for one in network.collect(target, wanted, self._network(way, guard), context):
                        seen.append(one)
                case AwsScope(organization="") as way:
                    import scanner.collect.cloud.collect as cloud

                    seen.append(cloud.collect(target, wanted, self._aws(way), context))
                case AwsScope() as way:
                    from scanner.collect.cloud import members

                    access = self._aws(way)
                    for one in members.collect(
                        target,
                        wanted,
                        access,
                        context,
                        organization=way.organization,
                        left_out=way.left_out,
                    ):
                        seen.append(one)
                case HostScope() as way:
                    import scanner.collect.host.collect as host

                    seen.append(host.collect(target, wanted, self._ssh(way), context))
                case _:
                    import scanner.collect.host.collect as host

                    seen.append(host.collect(target, wanted, None, context))
        except CollectError as error:
            return Result(job, tuple(seen), error)
        return Result(job, tuple(seen))

    def _network(self, way: NetworkScope, guard: Guard) -> NetworkAccess:
        from scanner.collect.network.collect import NetworkAccess
        from scanner.rates import rates

        rate, per_host = rates(self.options, way)
        return NetworkAccess(
            addresses=way.addresses,
            ports=tcp_ports(self.options, way),
            udp_ports=udp_ports(self.options, way),
            fragile=way.fragile,
            vantage=way.vantage,
            rate=rate,
            per_host=per_host,
            allowed=lambda address: guard.allows_address(address) and guard.allows_now(self.context.clock()),
            use_raw=self.options.raw,
            use_nmap=self.options.nmap,
            total_seconds=self.options.minutes * 60,
            own_identities=own_identities(),
            log=self.log,
        )

    def _ssh(self, way: HostScope) -> SshAccess:
        from scanner.collect.ssh_way import ssh_access

        return ssh_access(way, self.options, self.guard, self.secrets, self._logins())

    def _logins(self) -> Logins:
        # Made when the first host is reached: what only networks are asked needs no SSH library.
        from scanner.transport.ssh_keys import Logins

        with self._lock:
            return self._kept.setdefault("logins", Logins())

    def _aws(self, way: AwsScope) -> AwsAccess:
        from scanner.transport.aws import AwsAccess

        return AwsAccess(
            profile=way.profile or self.options.aws_profile,
            regions=way.regions,
            account=way.account,
            role=way.role,
            external_id=self.secrets.read(way.external_id, "external id") if way.external_id else None,
            total_seconds=self.options.minutes * 60,
        )


def tcp_ports(options: Options, way: NetworkScope) -> tuple[int, ...]:
    """The TCP ports that a network is asked for, with those that the ways between zones name."""
    from scanner.collect.network.ports import LISTS

    ports = options.ports or way.ports
    listed = LISTS[ports] if isinstance(ports, str) else ports
    return tuple(sorted({*listed, *way.also})) if way.also else listed


def udp_ports(options: Options, way: NetworkScope) -> tuple[int, ...]:
    """The UDP ports that a network is asked for; none where somebody named TCP ports and no UDP ones."""
    from scanner.collect.network.udp_payloads import USUAL_UDP

    own_list = isinstance(options.ports, tuple) and bool(options.ports)
    chosen = options.udp_ports or ("none" if own_list else way.udp)
    listed = {"usual": tuple(USUAL_UDP), "none": ()}[chosen] if isinstance(chosen, str) else chosen
    return tuple(sorted({*listed, *way.also_udp}))


def own_identities(machine_id: Path = Path("/etc/machine-id")) -> tuple[str, ...]:
    """The lasting name of this machine, as its host collector gives it; none where it has no machine-id."""
    try:
        text = machine_id.read_text(encoding="ascii").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        return ()
    return (f"machine-id:{hashlib.sha256(text.encode()).hexdigest()[:32]}",) if text else ()
