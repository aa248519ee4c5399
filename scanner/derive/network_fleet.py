"""Sets every address of a scan beside the others: keys that several have, and what only IPv6 lets through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from checks.facts.network import OpenPorts
from checks.facts.network.fleet import (
    Families,
    FamilyPort,
    Sameness,
    SharedHostKeys,
    SharedKey,
    SharedTlsKeys,
)
from checks.facts.snapshot import Absence, Fact, Snapshot, source
from scanner.collect.collector import Collected
from scanner.derive.derivation import Derivation
from scanner.derive.network_digest import AddressDigest, CoverageDigest

_SHOWN = 20
"""How many addresses with one key are named; all are counted."""
_COMPARED = 1_000
"""With how many holders of its key an address is compared: who has more copies knows enough."""
_VIRTUAL = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f", "00:07:b4:00:")
"""How the MACs begin that wander between routers: VRRP (also CARP), HSRP and GLBP."""
_ORDER = (Sameness.TWO, Sameness.OPEN, Sameness.ONE)


@dataclass(frozen=True, slots=True)
class Addresses:
    """All addresses of a scan by (address, vantage), by key, and by the marks of their machine."""

    all: dict[tuple[str, str], AddressDigest] = field(default_factory=dict)
    host_keys: dict[str, list[AddressDigest]] = field(default_factory=dict)
    tls_keys: dict[str, list[AddressDigest]] = field(default_factory=dict)
    marks: dict[str, list[AddressDigest]] = field(default_factory=dict)
    with_host_keys: int = 0
    with_tls_keys: int = 0


def addresses(digests: Iterable[AddressDigest | CoverageDigest | None]) -> Addresses:
    """The index over all addresses of a scan, except for the scanner's own loopback."""
    seen: dict[tuple[str, str], AddressDigest] = {}
    host: dict[str, list[AddressDigest]] = defaultdict(list)
    tls: dict[str, list[AddressDigest]] = defaultdict(list)
    marks: dict[str, list[AddressDigest]] = defaultdict(list)
    for one in digests:
        if not isinstance(one, AddressDigest) or _local(one.address):
            continue
        seen[one.address, one.vantage] = one
        for key in one.host_keys or ():
            host[key].append(one)
        for key in one.tls_keys or ():
            tls[key].append(one)
        for mark in _marks(one):
            marks[mark].append(one)
    own_host = {one.address for many in host.values() for one in many}
    own_tls = {one.address for many in tls.values() for one in many}
    return Addresses(seen, dict(host), dict(tls), dict(marks), len(own_host), len(own_tls))


def derivations(among: Addresses) -> tuple[Derivation, ...]:
    """How each fact about an address among the others is made."""
    return (
        Derivation((SharedHostKeys,), lambda seen: _host_keys(seen, among)),
        Derivation((SharedTlsKeys,), lambda seen: _tls_keys(seen, among)),
        Derivation((Families,), lambda seen: _families(seen, among)),
    )


def told_apart(own: AddressDigest, among: Addresses) -> frozenset[str]:
    """The SSH host keys of an address that another machine has, too: they name neither of them."""
    return frozenset(
        key
        for key in own.host_keys or ()
        if any(
            sameness(own, other) is Sameness.TWO for other in islice(among.host_keys.get(key, []), _COMPARED)
        )
    )


def sameness(one: AddressDigest, other: AddressDigest) -> Sameness:
    """Whether two addresses with the same key are one machine.

    Two network cards in one network are two machines; in different networks a machine may have both, and one
    that stands in for others answers with a virtual card besides its own. Addresses whose SSH servers have no
    version in common are two machines anywhere.
    """
    if one.mac and one.mac == other.mac:
        return Sameness.ONE
    virtual = one.mac.startswith(_VIRTUAL) or other.mac.startswith(_VIRTUAL)
    if one.mac and other.mac and one.parent == other.parent and not virtual:
        return Sameness.TWO
    if one.software and other.software and one.software.isdisjoint(other.software):
        return Sameness.TWO
    return Sameness.OPEN


def _local(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def _marks(one: AddressDigest) -> list[str]:
    return sorted({*([f"mac:{one.mac}"] if one.mac else []), *(f"key:{key}" for key in one.host_keys or ())})


def _own(seen: Snapshot, among: Addresses) -> AddressDigest | None:
    found = seen.get(OpenPorts)
    if not isinstance(found, OpenPorts):
        return None
    return among.all.get((found.address, found.vantage))


def _shared(
    own: AddressDigest, keys: dict[str, str], holders: dict[str, list[AddressDigest]]
) -> tuple[SharedKey, ...]:
    found = []
    for fingerprint, place in sorted(keys.items()):
        some = islice(holders.get(fingerprint, []), _COMPARED)
        holding = (one for one in some if one.address != own.address)
        others = {one.address: sameness(own, one) for one in holding}
        if others:
            same = min(others.values(), key=_ORDER.index)
            names = [a for a, how in others.items() if how is same]
            port = place.partition(" ")[0]
            found.append(SharedKey(port, fingerprint, tuple(names[:_SHOWN]), len(names), same))
    return tuple(found)


def _host_keys(seen: Snapshot, among: Addresses) -> Collected:
    own = _own(seen, among)
    if own is None or own.host_keys is None:
        return Collected(absences=(Absence("SharedHostKeys", "no SSH host key of this address was proven"),))
    keys = _shared(own, own.host_keys, among.host_keys)
    return _made(SharedHostKeys(keys, len(own.host_keys), among.with_host_keys), seen, keys)


def _tls_keys(seen: Snapshot, among: Addresses) -> Collected:
    own = _own(seen, among)
    if own is None or own.tls_keys is None:
        return Collected(absences=(Absence("SharedTlsKeys", "no key of a certificate was read here"),))
    keys = _shared(own, own.tls_keys, among.tls_keys)
    return _made(SharedTlsKeys(keys, len(own.tls_keys), among.with_tls_keys), seen, keys)


def _made(fact: Fact, seen: Snapshot, keys: Iterable[SharedKey]) -> Collected:
    lines = "\n".join(f"{one.fingerprint}\t{one.port}\t{', '.join(one.others)} ({one.same})" for one in keys)
    how = "the keys that all addresses of the scan proved, set beside each other"
    return Collected((fact,), sources=(source(type(fact), how, seen.taken_at, lines),))


def _families(seen: Snapshot, among: Addresses) -> Collected:
    own = _own(seen, among)
    if own is None or ":" not in own.address:
        return Collected(absences=(Absence("Families", "not an IPv6 address of another machine"),))
    for mark in _marks(own):
        for other in among.marks.get(mark, []):
            seen_well = other.open is not None and not other.between
            if ":" not in other.address and other.vantage == own.vantage and seen_well:
                return _beside(own, other, mark.partition(":")[0], seen)
    reason = "no IPv4 address of the same machine (by MAC or SSH host key) was seen"
    return Collected(absences=(Absence("Families", reason),))


def _beside(own: AddressDigest, four: AddressDigest, known_by: str, seen: Snapshot) -> Collected:
    ports = []
    for port, service in sorted((own.open or {}).items()):
        protocol, _, number = port.partition("/")
        shut = four.shut if protocol == "tcp" else four.shut_udp
        state = "open" if port in (four.open or {}) else "not asked"
        if any(first <= int(number) <= last for first, last in shut):
            state = "shut"
        ports.append(FamilyPort(port, service, state))
    by = "MAC" if known_by == "mac" else "SSH host key"
    fact = Families(own.address, four.address, by, tuple(ports))
    lines = "\n".join(f"{p.port} {p.service}: {p.on_four} on {four.address}" for p in ports)
    how = f"{own.address} beside {four.address}, the same machine by its {by}"
    return Collected((fact,), sources=(source(Families, how, seen.taken_at, lines),))
