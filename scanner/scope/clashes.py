"""What a scope file as a whole may not say: secrets, and entries that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from baselines.text import Document, Path, names_a_secret
from scanner.addresses import Network, is_public
from scanner.scope.file import LONGEST_TEXT, ScopeFile
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
    yield from _network_clashes(scope)
    hosts: dict[tuple[str, int], str] = {}
    for number, host in enumerate(scope.hosts):
        if (first := hosts.setdefault((host.address, host.port), host.name)) != host.name:
            yield ("hosts", number, "address"), f"{host.address} port {host.port} is already {first}"
    if scope.rate.per_host > scope.rate.packets_per_second:
        most = scope.rate.packets_per_second
        yield ("rate", "per_host"), f"{scope.rate.per_host} is more than packets_per_second ({most})"


def _network_clashes(scope: ScopeFile) -> Iterator[tuple[Path, str]]:
    zones = {entry.zone for entry in (*scope.networks, *scope.hosts, *scope.aws) if entry.zone}
    seen: dict[Network, str] = {}
    for number, entry in enumerate(scope.networks):
        for position, network in enumerate(entry.cidrs):
            place: Path = ("networks", number, "cidrs", position)
            if network in seen:
                yield place, f"{network} is already in {seen[network]}"
            seen[network] = entry.name
            if not entry.public and is_public(network):
                yield place, f"{network} is public; say public: true if it is yours to scan"
        known = {"inside", "outside", *zones}
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


def nearest(what: str, name: str, known: Iterable[str]) -> str:
    """That there is no such thing, and what was probably meant."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(names) or 'none'}"
    return f"there is no {what} {name}; {hint}"
