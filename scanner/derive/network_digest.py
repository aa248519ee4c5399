"""The little that every snapshot of a network tells the others, so that thousands fit into memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from checks.facts.network import NetworkCoverage, OpenPorts, PortAnswers
from checks.facts.network.datagrams import UdpAnswers
from checks.facts.network.ssh import SshHostKeys
from checks.facts.network.tls import TlsCertificates
from checks.facts.snapshot import Fact, Snapshot
from checks.facts.untold import UntoldError
from checks.model import Kind
from reports.identity import kind_of
from scanner.addresses import AddressSet

SOURCES: tuple[type[Fact], ...] = (
    NetworkCoverage,
    OpenPorts,
    PortAnswers,
    UdpAnswers,
    SshHostKeys,
    TlsCertificates,
)
"""The facts that `digest` reads."""

CUT_SHORT = (
    "the time was over before every port",
    "not every port could be asked",
    "no port was asked",
    "answers came faster than they could be read",
)
"""Words of the limits of a sweep that left something unasked, or unheard."""


@dataclass(frozen=True, slots=True)
class AddressDigest:
    """One live address: what is open on it, and the keys that it proved. No secret.

    `open` maps ports (`tcp/22`) to the service there; `shut` are the ranges of TCP ports that refused or kept
    silent, `shut_udp` the UDP ports that refused; `between` is true where something else may have answered in
    its place. None in the place of a part means that it was not read. `names` are its
    lasting identities.
    """

    address: str
    name: str
    spec: str
    parent: str
    zone: str
    vantage: str
    at: str
    asked: int
    open: dict[str, str] | None
    shut: tuple[tuple[int, int], ...]
    shut_udp: tuple[tuple[int, int], ...]
    names: frozenset[str]
    mac: str
    host_keys: dict[str, str] | None
    tls_keys: dict[str, str] | None
    software: frozenset[str]
    whole: bool
    between: bool = False


@dataclass(frozen=True, slots=True)
class CoverageDigest:
    """One network: how many of its addresses were asked, and from where."""

    name: str
    spec: str
    network: str
    zone: str
    vantage: str
    at: str
    asked: int
    live: int
    ports: int
    limits: tuple[str, ...]
    """Why not all of it was asked; empty where all was."""
    excluded: int = 0
    tcp: tuple[tuple[int, int], ...] | None = None
    """The TCP ports that were asked, as ranges; None where the snapshot does not say."""

    @property
    def whole(self) -> bool:
        """Whether every port of every address was asked."""
        return not self.limits and not self.excluded and not self.left_out

    @property
    def left_out(self) -> bool:
        """Whether fewer addresses were asked than the network has."""
        return self.asked < AddressSet.machines(ip_network(self.network, strict=False)).size


def digest(snapshot: Snapshot) -> AddressDigest | CoverageDigest | None:
    """The digest of the snapshot of an address or a network; None for other targets and for what failed."""
    if snapshot.target.kind is not Kind.NETWORK:
        return None
    coverage = snapshot.get(NetworkCoverage)
    if isinstance(coverage, NetworkCoverage):
        return _coverage(snapshot, coverage)
    return _address(snapshot)


def vantage_of(snapshot: Snapshot) -> str:
    """From where the snapshot of a network or an address was taken; empty where it does not say."""
    for kind in (NetworkCoverage, OpenPorts, PortAnswers):
        fact = snapshot.get(kind)
        if isinstance(fact, NetworkCoverage | OpenPorts | PortAnswers):
            return fact.vantage
    return ""


def _coverage(snapshot: Snapshot, found: NetworkCoverage) -> CoverageDigest:
    target = snapshot.target
    return CoverageDigest(
        name=target.name,
        spec=target.spec,
        network=found.network,
        zone=target.zone,
        vantage=found.vantage,
        at=snapshot.taken_at,
        asked=found.addresses_asked,
        live=found.addresses_live,
        ports=found.ports_asked,
        limits=cut_short(found.limits),
        excluded=found.addresses_excluded,
        tcp=_tcp(found),
    )


def _address(snapshot: Snapshot) -> AddressDigest | None:
    target, ports, answers = snapshot.target, snapshot.get(OpenPorts), snapshot.get(PortAnswers)
    if not snapshot.addresses or not target.parent:
        return None
    udp = snapshot.get(UdpAnswers)
    shut: tuple[tuple[int, int], ...] = ()
    if isinstance(answers, PortAnswers):
        shut = tuple((one.first, one.last) for one in (*answers.closed, *answers.silent))
    asked = ports.asked if isinstance(ports, OpenPorts) else 0
    return AddressDigest(
        address=snapshot.addresses[0],
        name=target.name,
        spec=target.spec,
        parent=target.parent,
        zone=target.zone,
        vantage=vantage_of(snapshot),
        at=snapshot.taken_at,
        asked=asked,
        open={p.name: p.service for p in ports.ports} if isinstance(ports, OpenPorts) else None,
        shut=shut,
        shut_udp=tuple((port, port) for port in udp.closed) if isinstance(udp, UdpAnswers) else (),
        names=frozenset(one for one in snapshot.identities if kind_of(one) != "address"),
        mac=next((one.removeprefix("mac:") for one in snapshot.identities if one.startswith("mac:")), ""),
        host_keys=_host_keys(snapshot),
        tls_keys=_tls_keys(snapshot),
        software=frozenset(p.banner for p in ports.ports if p.service == "ssh" and p.banner)
        if isinstance(ports, OpenPorts)
        else frozenset(),
        whole=_whole(snapshot, answers),
        between=_between(answers),
    )


def cut_short(limits: Iterable[str]) -> tuple[str, ...]:
    """Those of the limits of a sweep after which no answer proves nothing."""
    return tuple(one for one in limits if any(words in one for words in CUT_SHORT))


def _whole(snapshot: Snapshot, answers: Fact | None) -> bool:
    """Whether all ports of an address were asked, and nothing in between answered in its place."""
    cut = any(gap.fact in ("OpenPorts", "PortAnswers") for gap in snapshot.gaps)
    return not cut and not _between(answers)


def _between(answers: Fact | None) -> bool:
    """Whether something else answered in place of the address, or the snapshot is too old to tell."""
    try:
        return isinstance(answers, PortAnswers) and bool(answers.in_between + "")
    except (UntoldError, TypeError):
        return True


def _tcp(found: NetworkCoverage) -> tuple[tuple[int, int], ...] | None:
    """The TCP ports that were asked; None where an old snapshot does not say."""
    try:
        ranges = tuple((one.first, one.last) for one in found.tcp)
    except UntoldError:
        return None
    return ranges if ranges or not found.ports_asked else None


def _host_keys(snapshot: Snapshot) -> dict[str, str] | None:
    """Fingerprint → port and algorithm, of the SSH host keys that were proven."""
    found = snapshot.get(SshHostKeys)
    if not isinstance(found, SshHostKeys):
        return None
    return {key.fingerprint: f"{key.port} {key.algorithm}" for key in found.keys}


def _tls_keys(snapshot: Snapshot) -> dict[str, str] | None:
    """Fingerprint of the public key → port, of the certificates; None also where an old one has none."""
    found = snapshot.get(TlsCertificates)
    if not isinstance(found, TlsCertificates):
        return None
    try:
        return {one.key_fingerprint: one.port for one in found.certificates if one.key_fingerprint + ""}
    except UntoldError:
        return None
