"""The scope file as people write it: its keys, what each may hold, and what it may never hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from baselines.model import Slug, Written
from baselines.text import Document, Path, names_a_secret
from checks.model import AssetValue
from scanner.addresses import Network, count, is_public, never, parse_network
from scanner.names import host_name, numeric, parse_ports, region_name
from scanner.scope.windows import Window, fault
from scanner.targets import ADDRESS_LIMIT

MOST_ADDRESSES = 2**24
MOST_PACKETS_PER_SECOND = 5000
_NAME = r"^[A-Za-z][A-Za-z0-9._-]{0,63}$"
LONGEST_TEXT = 2_000
_REFERENCE = re.compile(r"(file|env):\S.*|agent:")
_LATER = ("keyring", "exec", "cred", "vault")
_STORE = re.compile(r"(sqlite|postgresql(\+psycopg)?):///?\S*")
_URL_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s/@:]*:[^\s@]+@")
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}"
)


def _text(value: object, wanted: str) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{wanted} in quotes is expected, not {value!r}")


def _network(value: object) -> Network:
    text = _text(value, "an address or network")
    try:
        network = parse_network(text)
    except ValueError as error:
        raise ValueError(f"{text[:80]}: {error}") from None
    if network.prefixlen == 0:
        raise ValueError(f"{text}: the whole internet is no entry of a scope; write single networks")
    return network


def _target_network(value: object) -> Network:
    network = _network(value)
    if reason := never(network):
        raise ValueError(f"{value}: never a target: {reason}")
    if network.num_addresses > MOST_ADDRESSES:
        raise ValueError(f"{value}: {count(network)} addresses are more than {MOST_ADDRESSES:,} at once")
    return network


def _excluded(value: object) -> Network | str:
    text = _text(value, "an address, a network or a host name")
    return _network(text) if "/" in text or ":" in text or numeric(text) else host_name(text)


def _host(value: object) -> str:
    return host_name(_text(value, "an address or a host name"))


def _ports(value: object) -> str | tuple[int, ...]:
    if value in ("top", "all"):
        return str(value)
    if not isinstance(value, list) or not value:
        raise ValueError(f'top, all, or a list such as [22, 443, "8000-8100"] is expected, not {value!r}')
    found: set[int] = set()
    for one in value:
        found.update(parse_ports(str(one)))
    return tuple(sorted(found))


def _region(value: object) -> str:
    return region_name(_text(value, "a region"))


def _account(value: object) -> str:
    text = _text(value, "the number of an account")
    if not re.fullmatch(r"[0-9]{12}", text):
        raise ValueError(f"the number of an account has 12 digits, not {text[:40]!r}")
    return text


def _day(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"there is no day {value}") from None
    raise ValueError(f"a date such as 2026-12-31 is expected, not {value!r}")


def _reference(value: object) -> str:
    """Where a key is kept. What stands there is never repeated: it may be the key."""
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return value
    kind = value.partition(":")[0] if isinstance(value, str) else ""
    if kind in _LATER:
        raise ValueError(f"{kind}: is not supported yet; use file:PATH, env:NAME or agent:")
    if kind == "profile":
        raise ValueError("profile: is for AWS accounts; use file:PATH, env:NAME or agent:")
    if kind == "agent":
        raise ValueError("nothing follows agent:")
    raise ValueError(
        "name where the key is kept, never the key: file:PATH, env:NAME (a variable with the path) or agent:"
    )


def _file(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"file:\S.*", value):
        return value
    raise ValueError("a file is named as file:PATH")


def _store(value: object) -> str:
    if isinstance(value, str) and _STORE.fullmatch(value):
        return value
    raise ValueError("a store is sqlite:///PATH or postgresql://USER@HOST/NAME")


Name = Annotated[str, Field(pattern=_NAME)]
Zone = Annotated[str, Field(pattern=r"^([A-Za-z][A-Za-z0-9._-]{0,63})?$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Scanned = Annotated[Network, BeforeValidator(_target_network)]
Host = Annotated[str, BeforeValidator(_host)]
Value = Annotated[AssetValue, Field(strict=False)]


class Authorisation(Written):
    """Who allowed the scan, under what reference, and until the end of which day in UTC."""

    by: Words
    reference: Words
    until: Annotated[date, BeforeValidator(_day)]


class Asset(Written):
    """What every entry says of what it names."""

    name: Name
    zone: Zone = ""
    value: Value = AssetValue.STANDARD
    owner: str = ""


class NetworkEntry(Asset):
    """Networks of one purpose. `ports` is `top`, `all` or sorted numbers; `vantage` is where we stand."""

    cidrs: Annotated[list[Scanned], Field(min_length=1)]
    ports: Annotated[str | tuple[int, ...], BeforeValidator(_ports)] = "top"
    vantage: Name = "inside"
    public: bool = False


class HostEntry(Asset):
    """One host to log in to. `leads_to` are the addresses that its name may resolve to."""

    address: Host
    port: Annotated[int, Field(ge=1, le=65_535)] = 22
    user: Annotated[str, Field(pattern=r"^([A-Za-z0-9_][A-Za-z0-9._+-]{0,63})?$")] = ""
    key: Annotated[str, BeforeValidator(_reference)] = ""
    known_hosts: Annotated[str, BeforeValidator(_file)] = ""
    leads_to: list[Scanned] = Field(default_factory=list)


class AwsEntry(Asset):
    """One cloud account; no regions means all that it has enabled."""

    profile: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._+@-]{0,127})?$")] = ""
    account: Annotated[str, BeforeValidator(_account)] = ""
    regions: list[Annotated[str, BeforeValidator(_region)]] = Field(default_factory=list)


class LocalEntry(Asset):
    """This machine."""

    name: Name = "local"


class Rate(Written):
    """How hard we knock: packets a second over all, and at one address."""

    packets_per_second: Annotated[int, Field(ge=1, le=MOST_PACKETS_PER_SECOND)] = 500
    per_host: Annotated[int, Field(ge=1, le=MOST_PACKETS_PER_SECOND)] = 50


class Limits(Written):
    """How much one scan may be: addresses in all, and minutes."""

    addresses: Annotated[int, Field(ge=1, le=MOST_ADDRESSES)] = ADDRESS_LIMIT
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 120


class BaselineChoice(Written):
    """A baseline of the library or of a file, and its profile (default: the one meant for everybody)."""

    id: Slug | None = None
    file: Annotated[str, Field(min_length=1)] | None = None
    profile: Slug | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.id is None) == (self.file is None):
            raise ValueError("a baseline has either an id or a file")
        return self


class ScopeFile(Written):
    """All that a scope file may say."""

    version: Literal[1]
    organisation: Words
    authorisation: Authorisation | None = None
    networks: list[NetworkEntry] = Field(default_factory=list)
    hosts: list[HostEntry] = Field(default_factory=list)
    aws: list[AwsEntry] = Field(default_factory=list)
    local: LocalEntry | None = None
    exclude: list[Annotated[Network | str, BeforeValidator(_excluded)]] = Field(default_factory=list)
    windows: list[Window] | None = None
    blackouts: list[Window] = Field(default_factory=list)
    rate: Rate = Rate()
    limits: Limits = Limits()
    baselines: list[BaselineChoice] = Field(default_factory=list)
    plugins: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]] = Field(
        default_factory=list
    )
    budget_hours: Annotated[float, Field(gt=0, le=10_000)] = 40
    store: Annotated[str, BeforeValidator(_store)] = ""


def refuse_secrets(document: Document) -> None:
    """Nothing in the document may be a secret, under whatever key it stands.

    Raises:
        TextError: a key that would hold one, or a value that looks like one; the value is not repeated.

    """
    for path, value in _scalars((), document.values):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise document.error(path, f"a text has at most {LONGEST_TEXT:,} characters, not {len(value):,}")
        if names_a_secret(key):
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
