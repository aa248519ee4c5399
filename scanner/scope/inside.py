"""Which targets a scope contains, and which a person may name without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Protocol

import msgspec

from checks.facts.network import INSIDE, LOOPBACK
from checks.model import Kind, Target
from scanner.addresses import Address, AddressSet, Network, is_loopback, is_public, literal, text_of
from scanner.names import nearest
from scanner.scope.file import Asset, AwsEntry, HostEntry, LocalEntry, NetworkEntry
from scanner.scope.guard import Guard
from scanner.scope.load import Scope
from scanner.scope.planned import AwsScope, Draft, HostScope, LocalScope, NetworkDraft, PlannedTarget
from scanner.scope.ways import ExcludedError, HostWays, RefusedError
from scanner.targets import AnyTarget, AwsTarget, HostTarget, LocalTarget, NamedNetwork, NetworkTarget

FLAG = "--i-am-authorized"


class Rule(Protocol):
    """Decides about one target."""

    def expand(self, target: AnyTarget) -> tuple[AnyTarget, ...]:
        """The networks that a name stands for, else the target itself."""
        ...

    def find(self, target: AnyTarget) -> tuple[Draft, ...]:
        """What the target means here.

        Raises:
            RefusedError: it may not be scanned.

        """
        ...


@dataclass(frozen=True, slots=True)
class Inside:
    """The rule of a scope file: what is not in it is refused."""

    scope: Scope
    guard: Guard
    environ: Mapping[str, str]

    def find(self, target: AnyTarget) -> tuple[Draft, ...]:
        """What the target means in this scope; a network may be parts of several entries."""
        match target:
            case NetworkTarget():
                return self._network(target)
            case HostTarget():
                return (self._host(target),)
            case AwsTarget():
                return self._aws(target)
            case LocalTarget():
                return (self.local(),)
            case NamedNetwork():
                raise RefusedError(
                    nearest("network", target.name, (e.name for e in self.scope.file.networks))
                )

    def expand(self, target: AnyTarget) -> tuple[AnyTarget, ...]:
        """The networks of a named entry; an unknown name stays itself, and `find` refuses it."""
        return (
            tuple(self.networks(target.name)) or (target,) if isinstance(target, NamedNetwork) else (target,)
        )

    def networks(self, name: str = "") -> Iterator[NetworkTarget]:
        """The networks of the entry of that name, or of all."""
        for entry in self.scope.file.networks:
            if not name or entry.name.lower() == name.lower():
                yield from (NetworkTarget(network) for network in entry.cidrs)

    def local(self) -> PlannedTarget:
        """This machine."""
        if self.scope.file.local is None:
            raise RefusedError("this machine is not in the scope; add local: {} to the file")
        return PlannedTarget(_target(Kind.HOST, self.scope.file.local, LocalTarget().spec), LocalScope())

    def host(self, entry: HostEntry) -> PlannedTarget:
        """A host of the scope."""
        spec = HostTarget(entry.address, entry.port, entry.user).spec
        address = literal(entry.address)
        target = self._zoned(_target(Kind.HOST, entry, spec), address)
        return PlannedTarget(target, HostWays(self.scope, self.guard, self.environ).to(entry))

    def account(self, entry: AwsEntry, wanted: tuple[str, ...] = ()) -> PlannedTarget:
        """A cloud account of the scope, in the wanted regions or in all that the scope names."""
        outside = [region for region in wanted if entry.regions and region not in entry.regions]
        if outside:
            raise RefusedError(f"the scope names {entry.name} without {', '.join(outside)}")
        regions = wanted or tuple(sorted(set(entry.regions)))
        access = AwsScope(
            entry.profile,
            entry.account,
            regions,
            role=entry.role,
            external_id=self.scope.secret(entry.external_id),
            organization=entry.organization,
            left_out=frozenset(entry.exclude),
        )
        return PlannedTarget(_target(Kind.AWS, entry, access.spec), access)

    def _network(self, target: NetworkTarget) -> tuple[Draft, ...]:
        wanted = AddressSet.of([target.network])
        entries = self._entries(target.network)
        if (wanted - AddressSet.of(network for network, _ in entries)).size:
            raise RefusedError(
                "it is not in the scope" if not entries else "only a part of it is in the scope"
            )
        drafts: list[Draft] = []
        taken = AddressSet()
        some = False
        # The most specific entry owns an address; the others get what it leaves.
        for network, entry in entries:
            own = (AddressSet.machines(network) & wanted) - taken
            taken |= AddressSet.of([network]) & wanted
            some = some or own.size > 0
            left = own - self.guard.excluded
            if left.size:
                smaller = max(network, target.network, key=lambda n: n.prefixlen)
                draft = _network_draft(entry, smaller, left, own.size - left.size)
                drafts.append(self._with_ways(draft))
        if not drafts:
            if some:
                raise ExcludedError("the scope excludes all of it")
            raise RefusedError("it is the name or the broadcast address of a network of the scope")
        return tuple(drafts)

    def _zoned(self, target: Target, place: Network | Address | None) -> Target:
        """The target in the zone that its address lies in, where its entry names none."""
        if target.zone or place is None:
            return target
        return msgspec.structs.replace(target, zone=self.scope.policy.zone_of(place))

    def _with_ways(self, draft: NetworkDraft) -> NetworkDraft:
        """The network in its zone, to be asked also for the ports that the ways into the zone name."""
        target = self._zoned(draft.target, draft.network)
        policy = self.scope.policy
        also, also_udp = policy.ports_into(target.zone, "tcp"), policy.ports_into(target.zone, "udp")
        return replace(draft, target=target, also=also, also_udp=also_udp)

    def _entries(self, wanted: Network) -> list[tuple[Network, NetworkEntry]]:
        found = [
            (network, entry)
            for entry in self.scope.file.networks
            for network in entry.cidrs
            if network.version == wanted.version and network.overlaps(wanted)
        ]
        own = self.scope.file.local
        if not found and own is not None and is_loopback(wanted):
            return [(wanted, _as_network(own, wanted))]
        return sorted(found, key=lambda pair: (-pair[0].prefixlen, int(pair[0][0])))

    def _host(self, target: HostTarget) -> PlannedTarget:
        hosts = self.scope.file.hosts
        named = [e for e in hosts if target.host in (e.name.lower(), e.address)]
        # Port 22 is also what a word means that says no port.
        entry = next((e for e in named if e.port == target.port), None)
        if entry is None and len(named) == 1 and target.port == 22:
            entry = named[0]
        if entry is not None:
            if target.user and entry.user and target.user != entry.user:
                raise RefusedError(f"the scope logs in to {entry.name} as {entry.user}")
            return self.host(entry.model_copy(update={"user": entry.user or target.user}))
        if named:
            raise RefusedError(f"the scope names it with port {', '.join(str(e.port) for e in named)}")
        return self._host_of_network(target)

    def _host_of_network(self, target: HostTarget) -> PlannedTarget:
        address = literal(target.host)
        if target.host in self.guard.excluded_names or (address is not None and self.guard.bars(address)):
            raise ExcludedError("the scope excludes it")
        own = self.scope.file.local
        if target.host == "localhost" and own is not None:
            return _host(target, own)
        if address is None:
            names = [e.name for e in self.scope.file.hosts]
            raise RefusedError(
                f"{nearest('host', target.host, names)} (hosts are named in the scope by name and address)"
            )
        if not self.guard.allows_address(address):
            raise RefusedError(self.guard.why_not(address))
        entries = self._entries(ip_network(address))
        if not entries:
            raise RefusedError("it is not in the scope")
        return _host(target, entries[0][1])

    def _aws(self, target: AwsTarget) -> tuple[Draft, ...]:
        accounts = self.scope.file.aws
        who = target.organization or target.profile or target.account
        named = [e for e in accounts if not who or who in (e.name, e.profile, e.account, e.organization)]
        if not named:
            raise RefusedError(nearest("AWS account", who or "aws", (e.name for e in accounts)))
        return tuple(self.account(entry, target.regions) for entry in named)


@dataclass(frozen=True, slots=True)
class Outside:
    """The rule without a scope file: this machine, and what a person takes responsibility for."""

    authorised: bool
    public: bool

    def expand(self, target: AnyTarget) -> tuple[AnyTarget, ...]:
        """The target itself: names of networks are in scope files."""
        return (target,)

    def find(self, target: AnyTarget) -> tuple[Draft, ...]:
        """What the target means to a person who says to be authorised, or not."""
        match target:
            case LocalTarget():
                return (PlannedTarget(Target(Kind.HOST, "local", target.spec), LocalScope()),)
            case NetworkTarget():
                return (self._network(target.network),)
            case NamedNetwork():
                raise RefusedError("a network has a name only in a scope file; give one with --scope")
            case HostTarget():
                return (self._host(target),)
            case AwsTarget():
                self._allow(own=False)
                if target.organization:
                    raise RefusedError(
                        "all accounts of an organization need a role: name both under aws: in a scope file"
                    )
                name = target.profile or target.account or "aws"
                access = AwsScope(target.profile, target.account, target.regions)
                return (PlannedTarget(Target(Kind.AWS, name, target.spec), access),)

    def _network(self, network: Network) -> NetworkDraft:
        self._allow(own=is_loopback(network))
        if is_public(network) and not self.public:
            raise RefusedError("it is public; name it in a scope file with public: true")
        return NetworkDraft(
            target=Target(Kind.NETWORK, text_of(network), NetworkTarget(network).spec),
            network=network,
            addresses=AddressSet.machines(network),
            ports="top",
            vantage=LOOPBACK if is_loopback(network) else INSIDE,
            excluded=0,
        )

    def _host(self, target: HostTarget) -> PlannedTarget:
        address = literal(target.host)
        self._allow(
            own=target.host == "localhost" or (address is not None and is_loopback(ip_network(address)))
        )
        return _host(target, LocalEntry())

    def _allow(self, *, own: bool) -> None:
        if not own and not self.authorised:
            raise RefusedError(f"it is not this machine; name it in a scope file, or add {FLAG}")


def _target(kind: Kind, asset: Asset, spec: str, name: str = "") -> Target:
    return Target(kind, name or asset.name, spec, zone=asset.zone, value=asset.value, owner=asset.owner)


def _host(target: HostTarget, asset: Asset) -> PlannedTarget:
    """A host that no entry names: nothing but the word says how to log in."""
    access = HostScope(host=target.host, port=target.port, user=target.user)
    return PlannedTarget(_target(Kind.HOST, asset, target.spec, target.host), access)


def _network_draft(entry: NetworkEntry, network: Network, left: AddressSet, excluded: int) -> NetworkDraft:
    whole = entry.cidrs == [network]
    name = entry.name if whole else f"{entry.name} {text_of(network)}"
    return NetworkDraft(
        target=_target(Kind.NETWORK, entry, NetworkTarget(network).spec, name),
        network=network,
        addresses=left,
        ports=entry.ports,
        udp=entry.udp_ports,
        rate=entry.rate,
        vantage=LOOPBACK if is_loopback(network) else entry.vantage,
        excluded=excluded,
    )


def _as_network(own: LocalEntry, network: Network) -> NetworkEntry:
    fields = own.model_dump() | {"cidrs": [network]}
    return NetworkEntry.model_construct(**fields)
