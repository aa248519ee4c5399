"""Holds every address of a scan against the list of approved machines, and networks against its absentees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from baselines.text import TextError
from checks.facts.network import NetworkCoverage, OpenPorts
from checks.facts.network.inventory import (
    ApprovedHost,
    CertificateOfList,
    HostKeysOfList,
    InventoryCertificates,
    InventoryHost,
    InventoryHostKeys,
    InventoryPorts,
    InventoryPresence,
    PortOfList,
)
from checks.facts.network.link import LinkAddress
from checks.facts.network.ssh import SshHostKeys
from checks.facts.network.tls import Certificate, TlsCertificates
from checks.facts.snapshot import Absence, Fact, Gap, Snapshot, source
from scanner.collect.collector import Collected
from scanner.derive.derivation import Derivation
from scanner.derive.network_digest import AddressDigest, CoverageDigest, cut_short
from scanner.inventory import HostEntry, Inventory, PortEntry, read_inventory, until_moment
from scanner.scope import Guard, read_scope

NO_LIST = "no list of approved machines is given (inventory: in the scope)"
STRANGER = "the machine itself is not in the list of approved ones"


@dataclass(frozen=True, slots=True)
class Approved:
    """The list, and which of its machines answered where. `fault` says why the list cannot be read."""

    inventory: Inventory | None = None
    fault: str = ""
    by_mac: dict[str, HostEntry] = field(default_factory=dict)
    by_key: dict[str, tuple[HostEntry, ...]] = field(default_factory=dict)
    by_address: dict[str, HostEntry] = field(default_factory=dict)
    seen_at: dict[str, tuple[str, ...]] = field(default_factory=dict)
    guard: Guard = field(default_factory=Guard)

    def find(self, address: str, mac: str, keys: Iterable[str]) -> tuple[HostEntry | None, str]:
        """The approved machine with these marks, and by which of them it is known."""
        if mac in self.by_mac:
            return self.by_mac[mac], "mac"
        found = self.by_address.get(address)
        for key in keys:
            owners = self.by_key.get(key, ())
            # Of several machines with one key only the address tells which of them this is.
            if owners:
                return found if found in owners else owners[0], "ssh-host-key"
        # Another network card at the address of a machine is another machine.
        if found is None or (found.mac and mac and found.mac != mac):
            return None, ""
        return found, "address"


def approved(
    inventory_text: str, scope_text: str, digests: Iterable[AddressDigest | CoverageDigest | None]
) -> Approved:
    """The list that was recorded with a scan, held against all that the scan saw."""
    if not inventory_text:
        return Approved()
    try:
        inventory = read_inventory(inventory_text.encode(), "the inventory of the scan")
        guard = read_scope(scope_text.encode(), "the scope of the scan").guard if scope_text else Guard()
    except TextError as error:
        return Approved(fault=f"what was recorded with the scan cannot be read: {error}")
    marks = Approved(
        inventory,
        "",
        {host.mac: host for host in inventory.hosts if host.mac},
        _owners(inventory),
        {address: host for host in inventory.hosts for address in host.addresses},
    )
    seen: dict[str, list[str]] = defaultdict(list)
    for one in digests:
        if isinstance(one, AddressDigest):
            host, _ = marks.find(one.address, one.mac, one.host_keys or ())
            if host is not None:
                seen[host.name].append(one.address)
    found = {name: tuple(dict.fromkeys(addresses)) for name, addresses in seen.items()}
    return Approved(inventory, "", marks.by_mac, marks.by_key, marks.by_address, found, guard)


def _owners(inventory: Inventory) -> dict[str, tuple[HostEntry, ...]]:
    """The machines of the list by each of their host keys."""
    found: dict[str, tuple[HostEntry, ...]] = {}
    for host in inventory.hosts:
        for key in host.host_keys:
            found[key] = (*found.get(key, ()), host)
    return found


def derivations(among: Approved) -> tuple[Derivation, ...]:
    """How the facts about an address, and those about a network, are made."""
    return (
        Derivation((InventoryHost,), lambda seen: _host(seen, among)),
        Derivation((InventoryPorts,), lambda seen: _ports(seen, among)),
        Derivation((InventoryCertificates,), lambda seen: _certificates(seen, among)),
        Derivation((InventoryHostKeys,), lambda seen: _keys(seen, among)),
        Derivation((InventoryPresence,), lambda seen: _presence(seen, among)),
    )


def _unlisted(fact: type[Fact], among: Approved) -> Collected | None:
    """What there is to say without a list; None where there is one."""
    if among.fault:
        return Collected(gaps=(Gap(fact.__name__, among.fault),))
    if among.inventory is None:
        return Collected(absences=(Absence(fact.__name__, NO_LIST),))
    return None


def _match(seen: Snapshot, among: Approved) -> tuple[HostEntry | None, str]:
    mac = next((one.removeprefix("mac:") for one in seen.identities if one.startswith("mac:")), "")
    keys = seen.get(SshHostKeys)
    shown = [key.fingerprint for key in keys.keys] if isinstance(keys, SshHostKeys) else []
    return among.find(seen.addresses[0] if seen.addresses else "", mac, shown)


def _made(fact: Fact, seen: Snapshot, lines: Iterable[str]) -> Collected:
    how = "what the address shows, held against the list of approved machines of the scan"
    return Collected((fact,), sources=(source(type(fact), how, seen.taken_at, "\n".join(lines)),))


def _host(seen: Snapshot, among: Approved) -> Collected:
    if (nothing := _unlisted(InventoryHost, among)) is not None:
        return nothing
    host, by = _match(seen, among)
    address = seen.addresses[0] if seen.addresses else ""
    mac = next((one.removeprefix("mac:") for one in seen.identities if one.startswith("mac:")), "")
    before = tuple(host.addresses) if host and address not in host.addresses else ()
    link = seen.get(LinkAddress)
    vendor = link.vendor if isinstance(link, LinkAddress) else ""
    fact = InventoryHost(address, host.name if host else "", by, before, mac, vendor)
    said = f"{address} {mac} {vendor}: {f'{host.name} by its {by}' if host else 'not in the list'}"
    return _made(fact, seen, [said])


def _ports(seen: Snapshot, among: Approved) -> Collected:
    if (nothing := _unlisted(InventoryPorts, among)) is not None:
        return nothing
    host, found = _match(seen, among)[0], seen.get(OpenPorts)
    if host is None or not isinstance(found, OpenPorts):
        return Collected(absences=(Absence("InventoryPorts", STRANGER),))
    listed = {port.port for port in host.ports}
    ports = tuple(PortOfList(port.name, port.service, port.name in listed) for port in found.ports)
    lines = (f"{p.port} {p.service} {'approved' if p.approved else 'not in the list'}" for p in ports)
    return _made(InventoryPorts(host.name, ports), seen, lines)


def _certificates(seen: Snapshot, among: Approved) -> Collected:
    if (nothing := _unlisted(InventoryCertificates, among)) is not None:
        return nothing
    host, found = _match(seen, among)[0], seen.get(TlsCertificates)
    if host is None or not isinstance(found, TlsCertificates):
        return Collected(absences=(Absence("InventoryCertificates", STRANGER),))
    listed = {port.port: port for port in host.ports}
    pairs = ((one, listed.get(one.port)) for one in found.usual())
    shown = tuple(_certificate(one, port) for one, port in pairs if port and port.certificate)
    lines = (f"{c.port} shows {c.fingerprint}, approved is {c.approved}" for c in shown)
    return _made(InventoryCertificates(host.name, shown), seen, lines)


def _certificate(one: Certificate, port: PortEntry) -> CertificateOfList:
    assert port.certificate is not None
    return CertificateOfList(
        port=one.port,
        fingerprint=one.fingerprint,
        issuer=one.issuer,
        names=one.names,
        not_before=one.not_before,
        self_signed=one.self_signed,
        approved=port.certificate.sha256,
        approved_issuer=port.certificate.issuer,
        approved_names=tuple(port.certificate.names),
        approved_until=until_moment(port.certificate.until),
    )


def _keys(seen: Snapshot, among: Approved) -> Collected:
    if (nothing := _unlisted(InventoryHostKeys, among)) is not None:
        return nothing
    host, found = _match(seen, among)[0], seen.get(SshHostKeys)
    if host is None or not isinstance(found, SshHostKeys):
        return Collected(absences=(Absence("InventoryHostKeys", STRANGER),))
    shown: dict[str, list[str]] = defaultdict(list)
    for key in found.keys:
        shown[key.port].append(key.fingerprint)
    keys = tuple(
        HostKeysOfList(port.port, tuple(shown[port.port]), tuple(port.host_keys))
        for port in host.ports
        if port.host_keys and port.port in shown
    )
    lines = (f"{k.port} proves {', '.join(k.shown)}, approved: {', '.join(k.approved)}" for k in keys)
    return _made(InventoryHostKeys(host.name, keys), seen, lines)


def _presence(seen: Snapshot, among: Approved) -> Collected:
    if (nothing := _unlisted(InventoryPresence, among)) is not None:
        return nothing
    found = seen.get(NetworkCoverage)
    if not isinstance(found, NetworkCoverage) or among.inventory is None:
        return Collected()
    network = ip_network(found.network, strict=False)
    hosts = []
    for host in among.inventory.hosts:
        mine = [a for a in map(ip_address, host.addresses) if a.version == network.version and a in network]
        if mine:
            at = among.seen_at.get(host.name, ())
            asked = [str(one) for one in mine if among.guard.excluded.size == 0 or not among.guard.bars(one)]
            reason = "" if at else _undecided(host, asked, found)
            hosts.append(ApprovedHost(host.name, tuple(map(str, mine)), at, reason))
    lines = (f"{h.name}: {', '.join(h.seen_at) or h.reason or 'no answer'}" for h in hosts)
    return _made(InventoryPresence(tuple(hosts)), seen, lines)


def _undecided(host: HostEntry, asked: list[str], found: NetworkCoverage) -> str:
    """Why no answer from a machine does not prove that it is gone."""
    cut = next(iter(cut_short(found.limits)), "")
    if not asked:
        return "the scope excludes its addresses"
    if cut:
        return cut
    if found.mode != "syn" and not any(port.port.startswith("tcp/") for port in host.ports):
        return "without raw packets a machine that has no open port is not seen"
    return ""
