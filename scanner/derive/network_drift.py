"""Sets every address of a scan beside what the scan before saw of the same machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from checks.facts.network import OpenPorts, PortAnswers
from checks.facts.network.drift import PortDrift, PortSince
from checks.facts.snapshot import Absence, Gap, Snapshot, source
from scanner.collect.collector import Collected
from scanner.derive.derivation import Derivation
from scanner.derive.network_digest import AddressDigest, CoverageDigest

NO_SCAN = "there is no earlier scan of the same networks to compare with"
LISTED = "the list of approved machines decides (network.inventory.unexpected-port)"


@dataclass(frozen=True, slots=True)
class Before:
    """The scan that is compared with: its addresses by mark, and its networks by (spec, vantage).

    `number` 0 means that there is none; `because` then says why nothing is compared.
    """

    number: int = 0
    because: str = NO_SCAN
    by_name: dict[tuple[str, str], list[AddressDigest]] = field(default_factory=dict)
    networks: dict[tuple[str, str], CoverageDigest] = field(default_factory=dict)

    def find(self, seen: Snapshot, vantage: str) -> AddressDigest | None:
        """The same machine as it was seen from the same place then: by MAC, host key or address.

        Of several addresses with the same mark it is the one at which the machine is now, else all as one.
        """
        own = seen.addresses[0] if seen.addresses else ""
        mac = next((one for one in seen.identities if one.startswith("mac:")), "")
        names = [mac, *(one for one in seen.identities if one.startswith("ssh-host-key:"))]
        for name in filter(None, names):
            if some := self.by_name.get((vantage, name)):
                return next((one for one in some if one.address == own), None) or _together(some)
        found = next(iter(self.by_name.get((vantage, own), ())), None)
        # Another network card at the same address is another machine.
        other = found is not None and bool(mac) and bool(found.mac) and mac != f"mac:{found.mac}"
        return None if other else found


def _together(some: Sequence[AddressDigest]) -> AddressDigest:
    """The addresses of one machine as one: open is what was open on any of them."""
    unread = any(one.open is None for one in some)
    return replace(
        some[0],
        open=None if unread else {port: name for one in some for port, name in (one.open or {}).items()},
        shut=tuple(pair for one in some for pair in one.shut),
        shut_udp=tuple(pair for one in some for pair in one.shut_udp),
        between=any(one.between for one in some),
    )


def before(number: int, digests: Iterable[AddressDigest | CoverageDigest | None]) -> Before:
    """The index over the snapshots of an earlier scan."""
    by_name: dict[tuple[str, str], list[AddressDigest]] = defaultdict(list)
    networks: dict[tuple[str, str], CoverageDigest] = {}
    for one in digests:
        if isinstance(one, CoverageDigest):
            networks[one.spec, one.vantage] = one
        elif one is not None:
            for name in (*one.names, one.address):
                by_name[one.vantage, name].append(one)
    return Before(number, "", dict(by_name), networks)


def derivations(among: Before) -> tuple[Derivation, ...]:
    """How the fact about an address is made."""
    return (Derivation((PortDrift,), lambda seen: _drift(seen, among)),)


def _drift(seen: Snapshot, among: Before) -> Collected:
    found = seen.get(OpenPorts)
    if not isinstance(found, OpenPorts) or not isinstance(seen.get(PortAnswers), PortAnswers):
        return Collected()
    if not among.number:
        return Collected(absences=(Absence("PortDrift", among.because),))
    then = among.find(seen, found.vantage)
    network = among.networks.get((seen.target.parent, found.vantage))
    if then is None:
        return _new(seen, found, network, among)
    if then.open is None or then.between:
        reason = f"the ports of {then.address} could not be read in scan {among.number}"
        return Collected(gaps=(Gap("PortDrift", reason),))
    ports = []
    for port in found.ports:
        was_open = port.name in then.open
        ports.append(PortSince(port.name, port.service, was_open, was_open or _was_asked(then, port.name)))
    return _made(PortDrift(among.number, then.at, False, tuple(ports)), seen)


def _was_asked(then: AddressDigest, port: str) -> bool:
    protocol, _, number = port.partition("/")
    return _within(then.shut if protocol == "tcp" else then.shut_udp, int(number))


def _within(ranges: Iterable[tuple[int, int]], number: int) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _new(seen: Snapshot, found: OpenPorts, network: CoverageDigest | None, among: Before) -> Collected:
    """A machine of which the scan before saw nothing: new where its network was asked in full."""
    if network is None or not network.whole:
        reason = f"scan {among.number} did not ask the network of this address"
        if network is not None:
            reason = f"scan {among.number} did not ask all of the network of this address"
        return Collected(gaps=(Gap("PortDrift", reason, needs="two scans of the same network"),))
    asked = network.tcp or ()
    ports = tuple(
        # An UDP port that kept silent then says nothing, and no record tells which were asked.
        PortSince(p.name, p.service, False, p.protocol == "tcp" and _within(asked, p.number))
        for p in found.ports
    )
    return _made(PortDrift(among.number, network.at, True, ports), seen)


def _made(fact: PortDrift, seen: Snapshot) -> Collected:
    lines: Sequence[str] = [
        f"{p.port} {p.service}: {'open' if p.was_open else 'shut' if p.was_asked else 'not asked'} then"
        for p in fact.ports
    ]
    how = f"the open ports beside those of scan {fact.scan} ({fact.at})"
    return Collected((fact,), sources=(source(PortDrift, how, seen.taken_at, "\n".join(lines)),))
