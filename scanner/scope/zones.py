"""Zones of a network and what may reach what, as a scope file says it: what is not named is denied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from baselines.model import Written
from baselines.text import Path
from checks.facts.network import INSIDE, LOOPBACK, OUTSIDE
from scanner.addresses import Address, Network, parse_network
from scanner.names import nearest, parse_ports

_PROTOCOL = re.compile(r"(?:(tcp|udp)/)?([0-9-]{1,11})")
RESERVED = frozenset({INSIDE, OUTSIDE, LOOPBACK, "all", "none", "any"})
"""Names that already mean something: places of a scanner, and words of other keys."""
MOST_ZONES = 64


class PortSpan(NamedTuple):
    """Ports of one protocol from `first` to `last`, both included."""

    protocol: str
    first: int
    last: int

    def holds(self, protocol: str, port: int) -> bool:
        """Whether that port is one of them."""
        return protocol == self.protocol and self.first <= port <= self.last

    @property
    def text(self) -> str:
        """`tcp/443` or `udp/8000-8100`."""
        return f"{self.protocol}/{self.first}" + (f"-{self.last}" if self.last > self.first else "")


EVERY_PORT = (PortSpan("tcp", 1, 65_535), PortSpan("udp", 1, 65_535))


def _spans(value: object) -> tuple[PortSpan, ...]:
    if value == "all":
        return EVERY_PORT
    if isinstance(value, list):
        return tuple(dict.fromkeys(_span(one) for one in value))
    raise ValueError(f'all, or a list such as [443, "udp/53", "8000-8100"] is expected, not {value!r}')


def _span(value: object) -> PortSpan:
    found = _PROTOCOL.fullmatch(str(value)) if isinstance(value, int | str) else None
    if isinstance(value, bool) or found is None:
        raise ValueError(f'a port such as 443, "udp/53" or "8000-8100" is expected, not {value!r}')
    ports = parse_ports(found[2])
    return PortSpan(found[1] or "tcp", ports.start, ports.stop - 1)


def _network(value: object) -> Network:
    if isinstance(value, str):
        try:
            return parse_network(value)
        except ValueError as error:
            raise ValueError(f"{value[:80]}: {error}") from None
    raise ValueError(f"an address or network in quotes is expected, not {value!r}")


ZoneName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,63}$")]
Part = Annotated[Network, BeforeValidator(_network)]


class ZoneEntry(Written):
    """A part of the network that is kept apart from the others, by the networks that it is made of."""

    name: ZoneName
    networks: list[Part] = Field(default_factory=list)


class ReachEntry(Written):
    """What one zone may reach in another. With `required` it also must be able to.

    `hosts` narrows it to these addresses of the zone. Between zones that no entry names nothing is allowed.
    """

    model_config = Written.model_config | {"populate_by_name": True}

    from_: Annotated[ZoneName, Field(alias="from")]
    to: ZoneName
    ports: Annotated[tuple[PortSpan, ...], BeforeValidator(_spans)]
    hosts: list[Part] = Field(default_factory=list)
    required: bool = False

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.required and any(span.last > span.first for span in self.ports):
            raise ValueError("what is required is named port by port, not as a range")
        if self.required and not self.ports:
            raise ValueError("a required way names the ports that must answer")
        return self


@dataclass(frozen=True, slots=True)
class Policy:
    """The zones of a scope and what may reach what."""

    zones: tuple[ZoneEntry, ...] = ()
    reach: tuple[ReachEntry, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The zones in the order of the file; the internet first where an entry names it."""
        outside = (OUTSIDE,) if any(OUTSIDE in (one.from_, one.to) for one in self.reach) else ()
        return (*outside, *(zone.name for zone in self.zones))

    def zone_of(self, network: Network | Address) -> str:
        """The zone that holds all of it, or an empty text."""
        first = last = network
        if not isinstance(network, Address):
            first, last = network[0], network[-1]
        for zone in self.zones:
            for part in zone.networks:
                if first.version == part.version and first in part and last in part:
                    return zone.name
        return ""

    def entries(self, source: str, target: str) -> tuple[ReachEntry, ...]:
        """The entries from one zone to another."""
        return tuple(one for one in self.reach if (one.from_, one.to) == (source, target))

    def free(self, source: str, target: str) -> bool:
        """Whether everything may pass: within a zone that no entry narrows, or because an entry says all."""
        entries = self.entries(source, target)
        if source == target and not entries:
            return True
        return any(set(EVERY_PORT) <= set(one.ports) and not one.hosts for one in entries)

    def allows(self, source: str, target: str, address: str, protocol: str, port: int) -> bool:
        """Whether that port of an address in the zone `target` may be reached from the zone `source`."""
        if self.free(source, target):
            return True
        return any(
            _about(one, address) and any(span.holds(protocol, port) for span in one.ports)
            for one in self.entries(source, target)
        )

    def allowed_ports(self, source: str, target: str, address: str) -> frozenset[int]:
        """The TCP ports of an address in the zone `target` that the entries from `source` name."""
        spans = {
            span
            for one in self.entries(source, target)
            if _about(one, address)
            for span in one.ports
            if span.protocol == "tcp"
        }
        return frozenset(port for span in spans for port in range(span.first, span.last + 1))

    def parts(self, name: str) -> tuple[Network, ...]:
        """The networks of which that zone is made; none where it names none, and for `outside`."""
        return tuple(part for zone in self.zones if zone.name == name for part in zone.networks)

    def ports_into(self, target: str, protocol: str) -> tuple[int, ...]:
        """The ports that any entry into a zone names: they are asked from everywhere, to see who gets in."""
        spans = {span for one in self.reach if one.to == target for span in one.ports} - set(EVERY_PORT)
        named = (range(span.first, span.last + 1) for span in spans if span.protocol == protocol)
        return tuple(sorted({port for ports in named for port in ports}))


def _about(entry: ReachEntry, address: str) -> bool:
    if not entry.hosts:
        return True
    parsed = ip_address(address)
    return any(parsed.version == part.version and parsed in part for part in entry.hosts)


def clashes(zones: Sequence[ZoneEntry], reach: Sequence[ReachEntry]) -> Iterator[tuple[Path, str]]:
    """What the zones of a file and their ways may not say together: the place and the message."""
    if len(zones) > MOST_ZONES:
        yield ("zones", MOST_ZONES), f"{len(zones)} zones are more than {MOST_ZONES}"
    names: dict[str, int] = {}
    seen: list[tuple[Network, str]] = []
    for number, zone in enumerate(zones):
        if zone.name.lower() in RESERVED:
            yield ("zones", number, "name"), f"{zone.name} means something else; take another name"
        if (first := names.setdefault(zone.name.lower(), number)) != number:
            yield ("zones", number, "name"), f"{zone.name} is already the name of zones.{first}"
        for position, network in enumerate(zone.networks):
            for other, owner in seen:
                if network.version == other.version and network.overlaps(other):
                    where = f"{other} of {owner}" if owner != zone.name else f"{other}, which is here already"
                    yield ("zones", number, "networks", position), f"{network} overlaps {where}"
            seen.append((network, zone.name))
    if reach and not zones:
        yield ("reach",), "reach needs zones: say first which networks each zone is made of"
    yield from _of_ways(zones, reach)


def _of_ways(zones: Sequence[ZoneEntry], reach: Sequence[ReachEntry]) -> Iterator[tuple[Path, str]]:
    known = {zone.name: zone for zone in zones}
    for number, entry in enumerate(reach):
        for key, name in (("from", entry.from_), ("to", entry.to)):
            if name not in known and name != OUTSIDE:
                yield ("reach", number, key), nearest("zone", name, (*known, OUTSIDE))
        if (entry.from_, entry.to) == (OUTSIDE, OUTSIDE):
            yield ("reach", number, "to"), "from outside to outside is nobody's network"
        parts = known[entry.to].networks if entry.to in known else []
        for position, network in enumerate(entry.hosts):
            if parts and not any(_inside(network, part) for part in parts):
                yield ("reach", number, "hosts", position), f"{network} is not in the zone {entry.to}"


def outside_of(networks: Iterable[Network], zone: ZoneEntry) -> Network | None:
    """The first of these networks that is not in the zone, where the zone says what it is made of."""
    if not zone.networks:
        return None
    return next((one for one in networks if not any(_inside(one, part) for part in zone.networks)), None)


def touched(network: Network, zones: Iterable[ZoneEntry]) -> tuple[str, ...]:
    """The zones with which a network shares an address."""
    return tuple(
        zone.name
        for zone in zones
        if any(network.version == part.version and network.overlaps(part) for part in zone.networks)
    )


def _inside(network: Network, part: Network) -> bool:
    return network.version == part.version and network[0] in part and network[-1] in part
