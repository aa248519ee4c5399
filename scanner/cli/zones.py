"""`segmentation`: what zones reach of each other, for people at a terminal and for scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from scanner.cli.codes import FINE
from scanner.cli.options import format_option, open_store, store_option
from scanner.cli.text import table

if TYPE_CHECKING:
    from reports.matrix import Cell


@click.command(short_help="Show what zones reach of each other.")
@click.argument("number", metavar="[SCAN]", type=int, required=False)
@store_option
@format_option("table", "json")
def segmentation(number: int | None, store_url: str | None, form: str) -> int:
    """The ways between the zones of SCAN (default: the newest), held against the scope as it was then.

    \b
    holds       what is not allowed was tried, and refused or stayed silent
    leaks       more answers than the scope allows
    blocked     what must answer does not
    not tested  nobody looked from there, or not in full
    free        the scope lets everything pass
    """  # noqa: D301 - the character itself is what keeps the lines apart
    import msgspec

    from checks.catalogue import load
    from scanner.app import UsageError, utc_now
    from scanner.judging import Judgement

    store = open_store(store_url)
    scan = store.scan(number)
    matrix = Judgement(store, scan, load(), (), utc_now()).look().matrix
    if matrix is None:
        raise UsageError(f"the scope of scan {scan.number} declares no zones (zones: and reach:)")
    if form == "json":
        click.echo(json.dumps({"scan": scan.number, **msgspec.to_builtins(matrix)}, indent=2))
        return FINE
    heads = ["from", "to", "state", "may pass", "addresses", "ports", "said"]
    rows = [_row(one) for one in matrix.cells]
    click.echo(table(heads, rows, right=frozenset({4, 5}), wide=6, then=3))
    return FINE


def _row(one: Cell) -> list[str]:
    state = f"{one.state} ({one.leaks})" if one.leaks else str(one.state)
    said = [one.reason, *(f"blocked: {way}" for way in one.blocked), *(f"? {way}" for way in one.undecided)]
    asked = [f"{one.addresses:,}", f"{one.ports:,}"] if one.addresses else ["", ""]
    return [one.source, one.zone, state, one.allowed, *asked, "; ".join(filter(None, said))]
