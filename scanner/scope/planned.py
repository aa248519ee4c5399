"""What a plan consists of: targets, each with all that a collector needs to reach it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from checks.model import Target
from scanner.addresses import Address, AddressSet, Network
from scanner.scope.file import Rate
from scanner.scope.guard import Guard
from scanner.targets import AwsTarget


@dataclass(frozen=True, slots=True)
class NetworkScope:
    """The addresses of one network that may be asked, and how.

    `ports` is `top`, `all` or sorted numbers, and `also` the TCP ports that the ways between zones name;
    `udp` is `usual`, `none` or sorted numbers, and `also_udp` likewise; `rate` and `per_host` are packets a
    second; `excluded` is how many of its addresses the scope excludes; `fragile` are those that get as few
    words as possible.
    """

    network: Network
    addresses: tuple[Address, ...]
    ports: str | tuple[int, ...]
    vantage: str
    rate: int
    per_host: int
    excluded: int
    also: tuple[int, ...] = ()
    udp: str | tuple[int, ...] = "none"
    also_udp: tuple[int, ...] = ()
    fragile: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class HostScope:
    """A host to log in to. `host` may be a name: give it to `resolve_host` and connect to its answer.

    `passphrase` is a reference. `jumps` are the hosts on the way, the first one first; with `direct` no
    configuration may add any. `leads_to` is where a name may lead that only the last jump can resolve.
    """

    host: str
    port: int
    user: str
    key_files: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    use_agent: bool = False
    passphrase: str = ""
    jumps: tuple[HostScope, ...] = ()
    direct: bool = False
    leads_to: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class AwsScope:
    """A cloud account: the profile to use, the number it must have, its regions (none: all enabled).

    `role` is assumed in it, by name or ARN, with the external id that `external_id` refers to. With
    `organization` it is all active accounts of that one but those in `left_out`, each by the role.
    """

    profile: str
    account: str
    regions: tuple[str, ...]
    role: str = ""
    external_id: str = ""
    organization: str = ""
    left_out: frozenset[str] = frozenset()

    @property
    def spec(self) -> str:
        """The target as people name it."""
        # Several roles may be assumed from one profile: the account is what tells them apart.
        profile = "" if self.role else self.profile
        return AwsTarget(profile, self.account, self.regions, self.organization).spec


@dataclass(frozen=True, slots=True)
class LocalScope:
    """This machine, which needs no access."""


Access = NetworkScope | HostScope | AwsScope | LocalScope


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """One target and the way to it."""

    target: Target
    access: Access


@dataclass(frozen=True, slots=True)
class NetworkDraft:
    """A network before its addresses are listed: that waits until their number is known to be allowed."""

    target: Target
    network: Network
    addresses: AddressSet
    ports: str | tuple[int, ...]
    vantage: str
    excluded: int
    also: tuple[int, ...] = ()
    udp: str | tuple[int, ...] = "usual"
    also_udp: tuple[int, ...] = ()
    rate: Rate | None = None

    def listed(self, rate: Rate, fragile: AddressSet) -> PlannedTarget:
        """The same with every address, at its own rate or else at this one."""
        own = self.rate or rate
        addresses = tuple(self.addresses)
        access = NetworkScope(
            network=self.network,
            addresses=addresses,
            ports=self.ports,
            vantage=self.vantage,
            rate=own.packets_per_second,
            per_host=own.per_host,
            excluded=self.excluded,
            also=self.also,
            udp=self.udp,
            also_udp=self.also_udp,
            fragile=frozenset(one for one in addresses if one in fragile) if fragile.size else frozenset(),
        )
        return PlannedTarget(self.target, access)


Draft = NetworkDraft | PlannedTarget


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one scan will touch; `notes` say what was merged or left out, in sentences.

    `authorisation` is who allowed it, as the evidence records it. `guard` is asked again before every
    target and every address.
    """

    targets: tuple[PlannedTarget, ...]
    notes: tuple[str, ...]
    guard: Guard
    authorisation: str
