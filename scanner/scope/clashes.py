"""What a scope file as a whole may not say: secrets, and entries that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from baselines.text import Document, Path, names_a_secret
from scanner.addresses import Network, is_public
from scanner.names import nearest
from scanner.scope import zones
from scanner.scope.file import LONGEST_TEXT, Asset, NetworkEntry, Rate, ScopeFile
from scanner.scope.windows import fault
from scanner.transport.secrets import secret_reference

_URL_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s/@:]*:[^\s@]+@")
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}"
)


def refuse_secrets(document: Document) -> None:
    """Nothing in the document may be a secret, under whatever key it stands.

    Raises:
        TextError: a key that would hold one, or a value that looks like one; the value is not repeated.

    """
    for path, value in _scalars((), document.values):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise document.error(path, f"a text has at most {LONGEST_TEXT:,} characters, not {len(value):,}")
        if names_a_secret(key) and not _only_refers(path, value):
            raise document.error(
                path, "a secret is never written here; name where it is kept (key: file:PATH)"
            )
        if isinstance(value, str) and (found := _URL_PASSWORD.search(value)):
            hidden = found[0].partition("://")[0]
            raise document.error(
                path, f"a password is in the URL {hidden}://…:***@…; take it out (PGPASSFILE)"
            )
        if isinstance(value, str) and _SECRET_VALUE.search(value):
            raise document.error(path, "this looks like a secret; take it out, and replace the secret itself")


def _only_refers(path: Path, value: object) -> bool:
    """Whether this is the passphrase of a host, said by where it is kept."""
    if len(path) != 3 or path[0] != "hosts" or path[2] != "passphrase":
        return False
    try:
        return bool(secret_reference(value))
    except ValueError:
        return False


def refuse_clashes(document: Document, scope: ScopeFile) -> None:
    """What one entry alone cannot show: names and networks given twice, and what must come together.

    Raises:
        TextError: the first clash, with its line.

    """
    for path, message in _clashes(scope):
        raise document.error(path, message)
    key, message = fault(scope.windows, scope.blackouts)
    if key:
        raise document.error((key,), message)


def _clashes(scope: ScopeFile) -> Iterator[tuple[Path, str]]:
    lists: dict[str, list[Any]] = {"networks": scope.networks, "hosts": scope.hosts, "aws": scope.aws}
    if scope.authorisation is None and any(lists.values()):
        first = next(key for key, entries in lists.items() if entries)
        yield (first,), "authorisation is missing: say by whom, its reference and until when"
    names: dict[str, str] = {}
    for key, entries in lists.items():
        for number, entry in enumerate(entries):
            place = f"{key}.{number}"
            if (first := names.setdefault(entry.name.lower(), place)) != place:
                yield (key, number, "name"), f"{entry.name} is already the name of {first}"
    yield from zones.clashes(scope.zones, scope.reach)
    yield from _zone_clashes(scope)
    yield from _zones_named(scope)
    yield from _network_clashes(scope)
    hosts: dict[tuple[str, int], str] = {}
    for number, host in enumerate(scope.hosts):
        if (first := hosts.setdefault((host.address, host.port), host.name)) != host.name:
            yield ("hosts", number, "address"), f"{host.address} port {host.port} is already {first}"
    rates: list[tuple[Path, Rate]] = [(("rate", "per_host"), scope.rate)]
    for number, entry in enumerate(scope.networks):
        rates += [(("networks", number, "rate", "per_host"), entry.rate)] if entry.rate else []
    for place_of, rate in rates:
        if rate.per_host > rate.packets_per_second:
            yield place_of, f"{rate.per_host} is more than packets_per_second ({rate.packets_per_second})"


def _zone_clashes(scope: ScopeFile) -> Iterator[tuple[Path, str]]:
    """Zones of entries and baselines that nothing declares, and networks that are not in their zone."""
    declared = {zone.name: zone for zone in scope.zones}
    for key, entry, place in _assets(scope):
        if declared and entry.zone and entry.zone not in declared:
            yield (*place, "zone"), nearest("zone", entry.zone, declared)
        elif declared and isinstance(entry, NetworkEntry) and entry.zone:
            out = zones.outside_of(entry.cidrs, declared[entry.zone])
            if out is not None:
                position = entry.cidrs.index(out)
                yield (key, place[1], "cidrs", position), f"{out} is not in the zone {entry.zone}"
        if declared and isinstance(entry, NetworkEntry):
            yield from _across_zones(scope, entry, place)


def _zones_named(scope: ScopeFile) -> Iterator[tuple[Path, str]]:
    """Zones of windows, blackouts and baselines that are none, and two profiles of one for a zone."""
    known = _zones(scope)
    for key, times in (("windows", scope.windows or []), ("blackouts", scope.blackouts)):
        for number, one in enumerate(times):
            if one.zone and one.zone not in known:
                yield (key, number, "zone"), nearest("zone", one.zone, known)
    taken: dict[tuple[str, str], int] = {}
    for number, choice in enumerate(scope.baselines):
        for position, zone in enumerate(choice.zones):
            here: Path = ("baselines", number, "zones", position)
            if zone not in known:
                yield here, nearest("zone", zone, known)
            first = taken.setdefault((choice.id or choice.file or "", zone), number)
            if first != number:
                yield here, f"{zone} already has a profile of it in baselines.{first}"


def _across_zones(scope: ScopeFile, entry: NetworkEntry, place: Path) -> Iterator[tuple[Path, str]]:
    """Networks that reach beyond the zone that they touch: nobody could say from where to where one asks."""
    for position, network in enumerate(entry.cidrs):
        touched = zones.touched(network, scope.zones)
        if touched and not zones.Policy(tuple(scope.zones)).zone_of(network):
            what = " and ".join(touched)
            message = f"{network} reaches beyond {what}; name the networks of each zone one by one"
            yield (*place, "cidrs", position), message


def _assets(scope: ScopeFile) -> Iterator[tuple[str, Asset, Path]]:
    lists: dict[str, Sequence[Asset]] = {"networks": scope.networks, "hosts": scope.hosts, "aws": scope.aws}
    for key, entries in lists.items():
        yield from ((key, entry, (key, number)) for number, entry in enumerate(entries))
    if scope.local is not None:
        yield "local", scope.local, ("local",)


def _zones(scope: ScopeFile) -> frozenset[str]:
    """The zones that the file declares, or else those that its entries name."""
    named = {entry.zone for _, entry, _ in _assets(scope) if entry.zone}
    return frozenset(zone.name for zone in scope.zones) or frozenset(named)


def _network_clashes(scope: ScopeFile) -> Iterator[tuple[Path, str]]:
    seen: dict[Network, str] = {}
    for number, entry in enumerate(scope.networks):
        for position, network in enumerate(entry.cidrs):
            place: Path = ("networks", number, "cidrs", position)
            if network in seen:
                yield place, f"{network} is already in {seen[network]}"
            seen[network] = entry.name
            if not entry.public and is_public(network):
                yield place, f"{network} is public; say public: true if it is yours to scan"
        known = {"inside", "outside", *_zones(scope)}
        if entry.vantage not in known:
            yield ("networks", number, "vantage"), nearest("vantage", entry.vantage, known)


def _scalars(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _scalars((*path, key), child)
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _scalars((*path, number), child)
    else:
        yield path, value
