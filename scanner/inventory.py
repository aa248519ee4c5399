"""The list of approved machines: as people write it, and as it is learnt from a scan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field

from baselines.model import Written
from baselines.text import MAX_BYTES, Document, TextError, parse, read
from checks.facts.network import OpenPort, OpenPorts
from checks.facts.network.ssh import SshHostKeys
from checks.facts.network.tls import Certificate, TlsCertificates
from checks.facts.snapshot import Snapshot
from checks.fix import printable
from reports.identity import together
from scanner.addresses import parse_address
from scanner.names import parse_ports
from scanner.scope.clashes import refuse_secrets

_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_HOST_KEY = r"^SHA256:[A-Za-z0-9+/]{43}$"
_SHA256 = r"^[0-9a-f]{64}$"
MOST_NAMES = 100


def _port(value: object) -> str:
    protocol, slash, number = value.partition("/") if isinstance(value, str) else ("", "", "")
    if protocol in ("tcp", "udp") and slash and "-" not in number:
        return f"{protocol}/{parse_ports(number).start}"
    raise ValueError(f"a port such as tcp/443 or udp/53 is expected, not {str(value)[:40]!r}")


def _mac(value: object) -> str:
    text = str(value).lower().replace("-", ":") if isinstance(value, str) else ""
    if text and not _MAC.fullmatch(text):
        raise ValueError(f"a MAC such as 52:54:00:12:34:56 is expected, not {str(value)[:40]!r}")
    return text


def _address(value: object) -> str:
    if isinstance(value, str):
        return str(parse_address(value))
    raise ValueError(f"an address in quotes is expected, not {value!r}")


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError(f"a date such as 2026-12-31 is expected, not {str(value)[:40]!r}")


Day = Annotated[date, BeforeValidator(_day)]
Printed = Annotated[str, Field(max_length=500)]


class CertificateEntry(Written):
    """The approved certificate of a port; the same issuer may renew it for the same names."""

    sha256: Annotated[str, Field(pattern=_SHA256)]
    issuer: Printed = ""
    names: list[Printed] = Field(default_factory=list)
    until: Day


class PortEntry(Written):
    """An approved open port. The service is a note; what the list pins are certificate and host keys."""

    port: Annotated[str, BeforeValidator(_port)]
    service: Printed = ""
    certificate: CertificateEntry | None = None
    host_keys: list[Annotated[str, Field(pattern=_HOST_KEY)]] = Field(default_factory=list)


class HostEntry(Written):
    """An approved machine, known by its MAC, its host keys or its addresses, in this order."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    mac: Annotated[str, BeforeValidator(_mac)] = ""
    addresses: list[Annotated[str, BeforeValidator(_address)]] = Field(default_factory=list)
    ports: list[PortEntry] = Field(default_factory=list)

    @property
    def host_keys(self) -> frozenset[str]:
        """The host keys of all its ports."""
        return frozenset(key for port in self.ports for key in port.host_keys)


class InventoryFile(Written):
    """All that a list of approved machines may say."""

    version: Literal[1]
    hosts: list[HostEntry] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The approved machines, in the order of the list."""

    hosts: tuple[HostEntry, ...] = ()


def read_inventory(data: bytes, name: str) -> Inventory:
    """The list in these bytes; `name` is how messages call the file.

    Raises:
        TextError: the first mistake: file, line, key and the mend.
    """
    document = read(data, name)
    refuse_secrets(document)
    file = parse(document, InventoryFile)
    _refuse_doubles(document, file)
    return Inventory(tuple(file.hosts))


def bytes_of(path: Path) -> bytes:
    """The bytes of a list, one more than are read at most: of a huge file only its beginning is held.

    Raises:
        OSError: it cannot be read.
        TextError: it is longer.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TextError(
            f"{printable(str(path))}:1: the file has more than the {MAX_BYTES:,} bytes that are read"
        )
    return data


def _refuse_doubles(document: Document, file: InventoryFile) -> None:
    owners: dict[tuple[str, str], int] = {}
    for number, host in enumerate(file.hosts):
        if not (host.mac or host.addresses or host.host_keys):
            place = ("hosts", number)
            raise document.error(place, f"{host.name} has neither a MAC nor an address nor a host key")
        marks = [("name", host.name), *([("mac", host.mac)] if host.mac else [])]
        for key, value in (*marks, *(("addresses", one) for one in host.addresses)):
            if (first := owners.setdefault((key, value), number)) != number:
                owner = file.hosts[first].name
                raise document.error(("hosts", number, key), f"{value} is already that of {owner}")
        ports = [port.port for port in host.ports]
        for position, port in enumerate(ports):
            if port in ports[:position]:
                raise document.error(("hosts", number, "ports", position), f"{port} is already in the list")


# --- learnt from a scan ---


def learn(snapshots: Iterable[Snapshot]) -> Inventory:
    """The list that approves just what these snapshots of addresses show, sorted by address."""
    seen = [one for one in snapshots if one.addresses and isinstance(one.get(OpenPorts), OpenPorts)]
    seen.sort(key=lambda one: (parse_address(one.addresses[0]).version, int(parse_address(one.addresses[0]))))
    names: list[str] = []
    hosts: list[HostEntry] = []
    for group in together([one.identities for one in seen]):
        members = [seen[number] for number in group]
        host = _learnt(members)
        name = host.name if host.name not in names else f"{host.name} ({len(names) + 1})"
        names.append(name)
        hosts.append(host.model_copy(update={"name": name}))
    return Inventory(tuple(hosts))


def _learnt(members: Sequence[Snapshot]) -> HostEntry:
    ports: dict[str, PortEntry] = {}
    for one in members:
        found, keys, shown = one.get(OpenPorts), one.get(SshHostKeys), one.get(TlsCertificates)
        certificates = shown.certificates if isinstance(shown, TlsCertificates) else ()
        proven: dict[str, list[str]] = {}
        for key in keys.keys if isinstance(keys, SshHostKeys) else ():
            proven.setdefault(key.port, []).append(key.fingerprint)
        for port in found.ports if isinstance(found, OpenPorts) else ():
            certificate = next((c for c in certificates if c.port == port.name), None)
            ports.setdefault(port.name, _port_of(port, certificate, proven.get(port.name, [])))
    macs = [i.removeprefix("mac:") for one in members for i in one.identities if i.startswith("mac:")]
    return HostEntry(
        name=members[0].target.name,
        mac=macs[0] if len(set(macs)) == 1 else "",
        addresses=[one.addresses[0] for one in members],
        ports=[ports[name] for name in sorted(ports, key=_order)],
    )


def _port_of(port: OpenPort, certificate: Certificate | None, keys: Sequence[str]) -> PortEntry:
    shown = None
    if certificate is not None:
        shown = CertificateEntry(
            sha256=certificate.fingerprint,
            issuer=printable(certificate.issuer)[:500],
            names=[printable(name)[:500] for name in certificate.names[:MOST_NAMES]],
            until=certificate.not_after.astimezone(UTC).date(),
        )
    service = printable(port.service)[:500]
    return PortEntry(port=port.name, service=service, certificate=shown, host_keys=sorted(set(keys)))


def _order(port: str) -> tuple[str, int]:
    protocol, _, number = port.partition("/")
    return protocol, int(number)


def write_inventory(inventory: Inventory, heading: Iterable[str] = ()) -> str:
    """The list as a file to edit, with these lines as comments at its head."""
    lines = [f"# {printable(line)}" for line in heading]
    lines += [
        "# A machine is known by its MAC, else by an SSH host key, else by its address.",
        "# What is not in this list is reported: machines, open ports, certificates and host keys.",
    ]
    hosts = [_plain(host) for host in inventory.hosts]
    whole = {"version": 1, "hosts": hosts}
    text = yaml.dump(whole, Dumper=_Quoting, sort_keys=False, allow_unicode=True, width=100)
    return "\n".join(lines) + "\n" + text


_Quoting: Any = type("_Quoting", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {})
"""Puts every text into quotes that some reader could take for a number, a time or a word of YAML."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Quoting.add_representer(str, _text)


def _plain(host: HostEntry) -> Mapping[str, object]:
    """The machine without what it does not have."""
    ports = []
    for port in host.ports:
        one: dict[str, object] = {"port": port.port}
        one |= {"service": port.service} if port.service else {}
        if port.certificate:
            certificate = port.certificate.model_dump()
            one["certificate"] = certificate | {"until": port.certificate.until.isoformat()}
        one |= {"host_keys": list(port.host_keys)} if port.host_keys else {}
        ports.append(one)
    whole = {"name": host.name, "mac": host.mac, "addresses": list(host.addresses), "ports": ports}
    return {key: value for key, value in whole.items() if value}


def changes(before: Inventory, after: Inventory) -> tuple[str, ...]:
    """What one list has that the other has not, one line each."""
    old, new = {h.name: h for h in before.hosts}, {h.name: h for h in after.hosts}
    lines = [f"+ {name}" for name in new if name not in old]
    lines += [f"- {name}" for name in old if name not in new]
    for name in (name for name in new if name in old):
        was, now = _parts(old[name]), _parts(new[name])
        lines += [f"+ {name}: {part}" for part in now if part not in was]
        lines += [f"- {name}: {part}" for part in was if part not in now]
    return tuple(printable(line) for line in lines)


def _parts(host: HostEntry) -> tuple[str, ...]:
    found = [f"mac {host.mac}"] if host.mac else []
    found += [f"address {one}" for one in host.addresses]
    for port in host.ports:
        found.append(f"{port.port} {port.service}".strip())
        found += [f"{port.port} certificate {port.certificate.sha256[:16]}…"] if port.certificate else []
        found += [f"{port.port} host key {key}" for key in port.host_keys]
    return tuple(found)


def until_moment(day: date) -> datetime:
    """The last moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)


__all__ = [
    "Inventory",
    "TextError",
    "bytes_of",
    "changes",
    "learn",
    "read_inventory",
    "until_moment",
    "write_inventory",
]
