"""`report`: the pages of a stored scan, written anew."""

from __future__ import annotations

from pathlib import Path

import click

from scanner.cli.options import open_store, store_option

KINDS = ("all", "executive", "workbook", "segmentation")


@click.command(short_help="Write the reports of a scan.")
@click.argument("number", metavar="[SCAN]", type=int, required=False)
@click.option("--kind", type=click.Choice(KINDS), default="all", show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("bartizan-report"),
    show_default=True,
    metavar="DIR",
)
@click.option(
    "--budget", metavar="HOURS", help="Hours of work to plan with, such as 40h (default: the scope's)."
)
@store_option
def report(number: int | None, kind: str, out: Path, budget: str | None, store_url: str | None) -> None:
    """Write the reports of SCAN (default: the newest) as offline HTML files."""
    from checks.catalogue import load
    from scanner.app import UsageError, stored, write_report

    hours = _hours(budget) if budget else None
    store = open_store(store_url)
    judged = stored(store, number, load())
    written = write_report(store, judged, out, kind=kind, budget_hours=hours)
    if not written:
        raise UsageError("the scope of this scan declares no zones, so there is no page of them")
    for path in written:
        click.echo(path)


def _hours(text: str) -> float:
    try:
        hours = float(text.strip().removesuffix("h"))
    except ValueError:
        hours = -1.0
    if not 0 < hours <= 100_000:
        raise click.BadParameter(f"{text!r} is no number of hours; write it like 40h", param_hint="--budget")
    return hours
