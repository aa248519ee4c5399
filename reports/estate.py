"""From snapshots to assets: which views show one machine, and what was seen to reach it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from checks.facts.host.services import ListeningServices
from checks.facts.host.system import OperatingSystem
from checks.facts.network import NetworkCoverage, OpenPorts
from checks.facts.snapshot import Snapshot
from checks.facts.untold import UntoldError
from checks.model import AssetValue, Finding, Kind, Outcome
from reports.identity import keys_of, strongest_first, together
from reports.model import Asset

SUPPORT_CHECK = "host.patch.os-supported"
"""The check whose answer says whether an asset's operating system still gets security fixes."""

VALUES = {
    AssetValue.LOW: 0.4,
    AssetValue.STANDARD: 0.6,
    AssetValue.IMPORTANT: 0.8,
    AssetValue.CROWN_JEWEL: 1.0,
}
"""Factor A of the risk model for an asset by itself."""

_KIND_ORDER = (Kind.HOST, Kind.AWS, Kind.NETWORK)


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a network probe saw of one asset: open ports (`tcp/22`), from where, how and when."""

    asset: str
    address: str
    vantage: str
    mode: str
    at: str
    asked: int
    ports: tuple[str, ...]


class Socket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A listening port of an asset as the asset itself states it, and whether only itself reaches it."""

    asset: str
    port: str
    addresses: tuple[str, ...]
    loopback_only: bool


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network that was swept: how many of its addresses were asked and answered, from where and how.

    `pairs` are the TCP ports asked of live addresses, `pairs_silent` those without an answer; `limits` say
    what was therefore not assessed.
    """

    name: str
    network: str
    zone: str
    vantage: str
    at: str
    asked: int
    live: int
    excluded: int
    mode: str = ""
    ports: int = 0
    packets: int = 0
    seconds: float = 0.0
    pairs: int = 0
    pairs_silent: int = 0
    limits: tuple[str, ...] = ()


class Edge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever holds the asset `source` can reach the asset `target`, with the evidence of that."""

    source: str
    target: str
    because: str


class Estate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All assets of a scan, sorted by key, and what is known of who reaches whom.

    `keys` maps every identity seen (and `target:<spec>` of every snapshot) to the key of its asset.
    """

    assets: tuple[Asset, ...] = ()
    views: tuple[View, ...] = ()
    sockets: tuple[Socket, ...] = ()
    networks: tuple[Network, ...] = ()
    edges: tuple[Edge, ...] = ()
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)

    def key(self, snapshot: Snapshot) -> str:
        """The key of the asset that a snapshot belongs to, for `baselines.evaluate`.

        For the snapshot of a whole network, which is no asset, its strongest identity.
        """
        fallback = next(iter(snapshot.identities), spec_identity(snapshot))
        return self.keys.get(spec_identity(snapshot), self.keys.get(fallback, fallback))

    def asset(self, key: str) -> Asset | None:
        """The asset of that key."""
        return next((asset for asset in self.assets if asset.key == key), None)


def merge(snapshots: Iterable[Snapshot], known: Mapping[str, str], edges: Iterable[Edge] = ()) -> Estate:
    """The estate that these snapshots show.

    `known` maps identities to asset keys of earlier scans (the `keys` of their estates): an asset that
    is recognised keeps its key, whatever is learnt about it since. Equal snapshots in any order give
    an equal estate.
    """
    ordered = sorted(snapshots, key=lambda s: (s.target.kind, s.target.spec, s.target.name, s.taken_at))
    machines = [s for s in ordered if not _is_network(s)]
    identities = [(*s.identities, spec_identity(s)) for s in machines]
    groups = together(identities)
    named = [frozenset(i for member in group for i in identities[member]) for group in groups]
    chosen = keys_of(named, known)
    # A name that two assets bear names neither of them in the next scan.
    shared = Counter(name for names in named for name in names)
    assets: list[Asset] = []
    views: list[View] = []
    sockets: list[Socket] = []
    keys: dict[str, str] = {}
    for group, names, key in zip(groups, named, chosen, strict=True):
        members = [machines[member] for member in group]
        assets.append(_asset(key, members, names))
        views.extend(_views(key, members))
        sockets.extend(_sockets(key, members))
        keys.update(dict.fromkeys((n for n in names if n == key or shared[n] == 1), key))
    return Estate(
        assets=tuple(sorted(assets, key=lambda a: a.key)),
        views=tuple(sorted(views, key=lambda v: (v.asset, v.vantage, v.address, v.at))),
        sockets=tuple(sorted(sockets, key=lambda s: (s.asset, s.port))),
        networks=tuple(_network(s) for s in ordered if _is_network(s)),
        edges=tuple(sorted(edges, key=lambda e: (e.source, e.target, e.because))),
        keys=dict(sorted(keys.items())),
    )


def with_support(estate: Estate, findings: Iterable[Finding]) -> Estate:
    """The estate with `Asset.supported` set where the support check was answered."""
    answers = {
        f.asset: f.outcome is Outcome.PASS
        for f in findings
        if f.check == SUPPORT_CHECK and f.outcome in (Outcome.PASS, Outcome.FAIL)
    }
    assets = tuple(
        msgspec.structs.replace(asset, supported=answers.get(asset.key, asset.supported))
        for asset in estate.assets
    )
    return msgspec.structs.replace(estate, assets=assets)


def spec_identity(snapshot: Snapshot) -> str:
    """The weakest name of an asset: the target as it was written."""
    return f"target:{snapshot.target.spec}"


def _is_network(snapshot: Snapshot) -> bool:
    return snapshot.target.kind is Kind.NETWORK and (
        snapshot.get(NetworkCoverage) is not None or "/" in snapshot.target.spec
    )


def _asset(key: str, members: Sequence[Snapshot], names: frozenset[str]) -> Asset:
    ordered = sorted(members, key=lambda s: _KIND_ORDER.index(s.target.kind))
    systems = [fact for s in ordered if isinstance(fact := s.get(OperatingSystem), OperatingSystem)]
    hostname = next((fact.hostname for fact in systems if fact.hostname), "")
    seen = [fact.address for s in ordered if isinstance(fact := s.get(OpenPorts), OpenPorts)]
    addresses = dict.fromkeys([*(a for s in ordered for a in s.addresses), *seen])
    return Asset(
        key=key,
        name=hostname or _account_name(key, ordered[0]) or ordered[0].target.name,
        kinds=tuple(dict.fromkeys(s.target.kind for s in ordered)),
        identities=strongest_first(names),
        addresses=tuple(sorted(addresses)),
        zone=next((s.target.zone for s in ordered if s.target.zone), ""),
        value=max((s.target.value for s in ordered), key=lambda v: VALUES[v]),
        owner=next((s.target.owner for s in ordered if s.target.owner), ""),
        os=next((fact.name for fact in systems if fact.name), ""),
    )


def _account_name(key: str, snapshot: Snapshot) -> str:
    """An account that nobody named goes by its number: `aws` alone says nothing to a reader."""
    unnamed = snapshot.target.kind is Kind.AWS and snapshot.target.name.startswith("aws")
    return f"AWS {key.removeprefix('aws:')}" if unnamed and key.startswith("aws:") else ""


def _views(key: str, members: Iterable[Snapshot]) -> Iterable[View]:
    for snapshot in members:
        fact = snapshot.get(OpenPorts)
        if isinstance(fact, OpenPorts):
            at = next((s.at for s in snapshot.sources if s.fact == "OpenPorts"), snapshot.taken_at)
            ports = tuple(port.name for port in fact.ports)
            yield View(key, fact.address, fact.vantage, fact.mode, at, fact.asked, ports)


def _sockets(key: str, members: Iterable[Snapshot]) -> Iterable[Socket]:
    found: dict[str, set[str]] = defaultdict(set)
    open_to_others: set[str] = set()
    for snapshot in members:
        fact = snapshot.get(ListeningServices)
        # A list with a gap in it may lack the very socket that others reach.
        if not isinstance(fact, ListeningServices) or any(
            gap.fact == "ListeningServices" for gap in snapshot.gaps
        ):
            continue
        for listener in fact.listeners:
            found[listener.name].add(listener.address)
            if not listener.loopback:
                open_to_others.add(listener.name)
    for port, addresses in found.items():
        yield Socket(key, port, tuple(sorted(addresses)), port not in open_to_others)


def _network(snapshot: Snapshot) -> Network:
    target, fact = snapshot.target, snapshot.get(NetworkCoverage)
    if not isinstance(fact, NetworkCoverage):
        return Network(target.name, target.spec.removeprefix("net:"), target.zone, "", "", 0, 0, 0)
    return Network(
        name=target.name,
        network=fact.network,
        zone=target.zone,
        vantage=fact.vantage,
        at=snapshot.taken_at,
        asked=fact.addresses_asked,
        live=fact.addresses_live,
        excluded=fact.addresses_excluded,
        mode=fact.mode,
        ports=fact.ports_asked,
        packets=fact.packets_sent,
        seconds=fact.seconds,
        pairs=_told(fact, "pairs"),
        pairs_silent=_told(fact, "pairs_silent"),
        limits=fact.limits,
    )


def _told(fact: NetworkCoverage, field: str) -> int:
    """A count that old snapshots do not hold; 0 there."""
    try:
        return int(getattr(fact, field))
    except UntoldError:
        return 0
