"""`inventory`: approve the machines of a network as a scan saw them, and list what is approved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checks.fix import printable
from scanner.cli.codes import FINE
from scanner.cli.options import format_option, open_store, store_option
from scanner.cli.text import table

if TYPE_CHECKING:
    from scanner.inventory import Inventory

_FILE = click.Path(path_type=Path, dir_okay=False)
_LINES = 40
"""Changes that are shown; all are counted."""


@click.group(short_help="Approve the machines of a network, or list them.")
def inventory() -> None:
    """The list of approved machines, which the scope names as `inventory: file:inventory.yaml`."""


@inventory.command()
@click.argument("number", metavar="[SCAN]", type=int, required=False)
@click.option("--out", type=_FILE, default=Path("inventory.yaml"), show_default=True, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace a list that is there, once its changes were shown.")
@store_option
def accept(number: int | None, out: Path, force: bool, store_url: str | None) -> int:
    """Write the list of what SCAN (default: the newest) saw: machines, ports, certificates and host keys.

    A list that is there already is only replaced with --force; without it, the changes are shown.
    """
    from baselines.text import MAX_BYTES
    from checks.catalogue import load
    from checks.facts.network import OpenPorts
    from checks.facts.network.ssh import SshHostKeys
    from checks.facts.network.tls import TlsCertificates
    from scanner.app import UsageError
    from scanner.files import write_atomically
    from scanner.inventory import Inventory, changes, learn, write_inventory

    store = open_store(store_url)
    scan = store.scan(number)
    names = frozenset(fact.__name__ for fact in (OpenPorts, SshHostKeys, TlsCertificates))
    found = learn(store.snapshots(scan.number, load().facts, names))
    if not found.hosts:
        raise UsageError(f"scan {scan.number} saw no address of a network: there is nothing to approve")
    text = write_inventory(
        found, [f"What scan {scan.number} of {scan.started[:10]} saw. Look through it first."]
    )
    if len(text.encode()) > MAX_BYTES:
        raise UsageError(
            f"the list would have {len(text):,} bytes and {MAX_BYTES:,} are read; scan fewer networks"
        )
    there = _there(out)
    lines = changes(there or Inventory(), found)
    if there is not None:
        for line in lines[:_LINES]:
            click.echo(line)
        if len(lines) > _LINES:
            click.echo(f"and {len(lines) - _LINES:,} more changes")
        if not lines:
            click.echo(f"{printable(str(out))} says so already; it stays as it is")
            return FINE
        if not force:
            raise UsageError(f"{out} is there: nothing was written; --force replaces it by the above")
    try:
        write_atomically(out, text)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}") from None
    ports = sum(len(host.ports) for host in found.hosts)
    machines = f"{len(found.hosts):,} machine{'' if len(found.hosts) == 1 else 's'}"
    click.echo(
        f"{printable(str(out))}: {machines} with {ports:,} open port{'' if ports == 1 else 's'} approved"
    )
    click.echo(f"Say in the scope: inventory: file:{printable(out.name)}", err=True)
    return FINE


@inventory.command()
@click.argument("file", type=_FILE, default=Path("inventory.yaml"), required=False)
@format_option("table", "json")
def show(file: Path, form: str) -> int:
    """The machines of FILE (default: inventory.yaml), one a line."""
    from scanner.app import UsageError

    found = _there(file)
    if found is None:
        raise UsageError(f"{file}: there is no such file; `bartizan inventory accept` writes one")
    if form == "json":
        click.echo(json.dumps([host.model_dump(mode="json") for host in found.hosts], indent=2))
        return FINE
    rows = [
        [host.name, host.mac, ", ".join(host.addresses), ", ".join(port.port for port in host.ports)]
        for host in found.hosts
    ]
    click.echo(table(["machine", "MAC", "addresses", "open ports"], rows, wide=3, then=2))
    return FINE


def _there(path: Path) -> Inventory | None:
    """The list that lies there already, or None where there is no file."""
    from scanner.app import UsageError
    from scanner.inventory import bytes_of, read_inventory

    try:
        return read_inventory(bytes_of(path), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
