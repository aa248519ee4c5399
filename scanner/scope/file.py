"""The scope file as people write it: its keys, what each may hold, and what it may never hold."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from baselines.model import Slug, Written
from checks.model import AssetValue
from scanner.addresses import Network, count, never, parse_network
from scanner.names import ORGANIZATION, ROLE, host_name, numeric, parse_ports, region_name
from scanner.scope.windows import Window
from scanner.scope.zones import ReachEntry, ZoneEntry, ZoneName
from scanner.targets import ADDRESS_LIMIT, HostTarget, parse_target
from scanner.transport.secrets import secret_reference

MOST_ADDRESSES = 2**24
MOST_PACKETS_PER_SECOND = 5000
MOST_JUMPS = 8
MOST_UDP_PORTS = 256
NO_JUMP = "none"
_NAME = r"^[A-Za-z][A-Za-z0-9._-]{0,63}$"
LONGEST_TEXT = 2_000
_REFERENCE = re.compile(r"(file|env):\S.*|agent:")
_ROLE_ARN = re.compile(r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/")
_LATER = ("keyring", "exec", "cred", "vault")
_STORE = re.compile(r"(sqlite|postgresql(\+psycopg)?):///?\S*")


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


def _datagrams(value: object) -> str | tuple[int, ...]:
    """UDP ports: the usual ones, none, or a list."""
    if value in ("usual", "none"):
        return str(value)
    if not isinstance(value, list) or not value:
        raise ValueError(f"usual, none, or a list such as [53, 161] is expected, not {value!r}")
    found = tuple(sorted({port for one in value for port in parse_ports(str(one))}))
    if len(found) > MOST_UDP_PORTS:
        raise ValueError(
            f"{len(found):,} UDP ports are more than {MOST_UDP_PORTS}: each silent one takes a wait"
        )
    return found


def _region(value: object) -> str:
    return region_name(_text(value, "a region"))


def _account(value: object) -> str:
    text = _text(value, "the number of an account")
    if not re.fullmatch(r"[0-9]{12}", text):
        raise ValueError(f"the number of an account has 12 digits, not {text[:40]!r}")
    return text


def _role(value: object) -> str:
    text = _text(value, "the name or ARN of a role")
    if not ROLE.fullmatch(_ROLE_ARN.sub("", text)):
        raise ValueError(
            f"the name of a role, or arn:aws:iam::ACCOUNT:role/NAME, is expected, not {text[:80]!r}"
        )
    return text


def _external_id(value: object) -> str:
    """Where an external id is kept: whoever has it and the trust of the role gets in."""
    return secret_reference(value, "external id")


def _organization(value: object) -> str:
    text = _text(value, "the id of an organization")
    if not ORGANIZATION.fullmatch(text):
        raise ValueError(f"the id of an organization is like o-a1b2c3d4e5, not {text[:40]!r}")
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


def _passphrase(value: object) -> str:
    """Where a passphrase is kept."""
    return secret_reference(value)


def _jumps(value: object) -> tuple[str, ...]:
    """The hosts on the way to a host, as specs; the word none says that there are none."""
    if value == "none":
        return (NO_JUMP,)
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_JUMPS:
        raise ValueError(f"none, or a list of 1 to {MOST_JUMPS} such as [user@bastion:22] is expected")
    found: list[str] = []
    for one in value:
        text = _text(one, "user@host:port")
        target = parse_target(f"ssh://{text.removeprefix('ssh://')}")
        assert isinstance(target, HostTarget)
        if target.spec in found:
            raise ValueError(f"{text[:80]} is named twice on one way")
        found.append(target.spec)
    return tuple(found)


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


class Rate(Written):
    """How hard we knock: packets a second over all, and at one address."""

    packets_per_second: Annotated[int, Field(ge=1, le=MOST_PACKETS_PER_SECOND)] = 500
    per_host: Annotated[int, Field(ge=1, le=MOST_PACKETS_PER_SECOND)] = 50


class NetworkEntry(Asset):
    """Networks of one purpose. `ports` is `top`, `all` or sorted numbers; `vantage` is where we stand.

    `udp` is `usual`, `none` or sorted numbers; left out, the usual ones where `ports` is no list.
    """

    cidrs: Annotated[list[Scanned], Field(min_length=1)]
    ports: Annotated[str | tuple[int, ...], BeforeValidator(_ports)] = "top"
    udp: Annotated[str | tuple[int, ...], BeforeValidator(_datagrams)] = ""
    vantage: Name = "inside"
    public: bool = False
    rate: Rate | None = None

    @property
    def udp_ports(self) -> str | tuple[int, ...]:
        """`usual`, `none` or sorted numbers."""
        return self.udp or ("usual" if isinstance(self.ports, str) else "none")


class HostEntry(Asset):
    """One host to log in to. `leads_to` are the addresses that its name may resolve to.

    `jump` are the hosts on the way to it, the first one first; `passphrase` says where that of its key is.
    """

    address: Host
    port: Annotated[int, Field(ge=1, le=65_535)] = 22
    user: Annotated[str, Field(pattern=r"^([A-Za-z0-9_][A-Za-z0-9._+-]{0,63})?$")] = ""
    key: Annotated[str, BeforeValidator(_reference)] = ""
    passphrase: Annotated[str, BeforeValidator(_passphrase)] = ""
    jump: Annotated[tuple[str, ...], BeforeValidator(_jumps)] = ()
    known_hosts: Annotated[str, BeforeValidator(_file)] = ""
    leads_to: list[Scanned] = Field(default_factory=list)


class AwsEntry(Asset):
    """One cloud account, or all accounts of an organization; no regions means all that are enabled.

    `role` is assumed from the profile (or the default credentials), with an external id where the trust
    of the role asks for one; `external_id` says where that is kept. `exclude` are accounts of the
    organization that are left alone.
    """

    profile: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._+@-]{0,127})?$")] = ""
    account: Annotated[str, BeforeValidator(_account)] = ""
    regions: list[Annotated[str, BeforeValidator(_region)]] = Field(default_factory=list)
    role: Annotated[str, BeforeValidator(_role)] = ""
    external_id: Annotated[str, BeforeValidator(_external_id)] = ""
    organization: Annotated[str, BeforeValidator(_organization)] = ""
    exclude: list[Annotated[str, BeforeValidator(_account)]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.external_id and not self.role:
            raise ValueError("external_id needs role: it is given when a role is assumed")
        if self.role and not (self.account or self.organization):
            raise ValueError("role needs account: the number of the account that the role is in")
        if self.organization and not self.role:
            raise ValueError("organization needs role: the name of the role that is assumed in each account")
        if self.organization and (self.account or self.role.startswith("arn:")):
            raise ValueError("organization stands for all its accounts: leave account out, and name the role")
        if self.exclude and not self.organization:
            raise ValueError("exclude needs organization: it leaves accounts of it out")
        if self.role.startswith("arn:") and self.role.split(":")[4] != self.account:
            raise ValueError("the role is in another account than account says")
        return self


class LocalEntry(Asset):
    """This machine."""

    name: Name = "local"


class Limits(Written):
    """How much one scan may be: addresses in all, and minutes."""

    addresses: Annotated[int, Field(ge=1, le=MOST_ADDRESSES)] = ADDRESS_LIMIT
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 120


class BaselineChoice(Written):
    """A baseline of the library or of a file, and its profile (default: the one meant for everybody).

    With `zones` it is for the targets in these zones only.
    """

    id: Slug | None = None
    file: Annotated[str, Field(min_length=1)] | None = None
    profile: Slug | None = None
    zones: list[ZoneName] = Field(default_factory=list)

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
    zones: list[ZoneEntry] = Field(default_factory=list)
    reach: list[ReachEntry] = Field(default_factory=list)
    inventory: Annotated[str, BeforeValidator(_file)] = ""
    fragile: list[Annotated[Network, BeforeValidator(_network)]] = Field(default_factory=list)
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
