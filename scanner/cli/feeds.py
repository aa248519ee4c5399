"""`feeds`: import, update and show what is known of flaws and of support."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from checks.fix import printable
from scanner.cli.codes import COVERAGE
from scanner.cli.options import format_option
from scanner.cli.text import MARKS, table

if TYPE_CHECKING:
    from scanner.intel.status import State
    from scanner.intel.store import Feeds

_LISTED = 4
F = TypeVar("F", bound=Callable[..., Any])


def feeds_option(function: F) -> F:
    """`--feeds FILE`, also from BARTIZAN_FEEDS."""
    return click.option(
        "--feeds",
        "feeds_path",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="BARTIZAN_FEEDS",
        help="File of the feeds (default: in the user's data directory; or BARTIZAN_FEEDS).",
    )(function)


def open_feeds(path: Path | None) -> Feeds | None:
    """The feeds to judge by; None where none was ever imported."""
    from scanner.intel.store import Feeds, default_feeds

    return Feeds.open_to_read(path or default_feeds())


@click.group(short_help="Import, update and show vulnerability data.")
def feeds() -> None:
    """Advisories of distributions, known exploited flaws, EPSS, SSVC and life cycles.

    A scan never fetches anything: what is imported here is what hosts are judged by.
    """


@feeds.command("import", short_help="Import files of feeds.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--date", "day", metavar="DAY", help="The day of the data, where it does not say one itself.")
@feeds_option
def import_files(files: tuple[Path, ...], day: str | None, feeds_path: Path | None) -> None:
    """Import FILES, packed or not, whatever their form; each feed replaces its former data.

    Files that belong to one feed are given together. If one of them is broken, nothing changes.
    """
    from scanner.app import utc_now
    from scanner.collect.collector import stamp
    from scanner.intel.importing import Offered, import_all, summary
    from scanner.intel.store import Feeds, default_feeds
    from scanner.intel.unpack import Source

    offered = [Offered(Source(path), str(path), date=day or "") for path in files]
    parts = import_all(Feeds.open(feeds_path or default_feeds()), offered, at=stamp(utc_now()))
    rows = [
        [name, date, str(count), f"{number:,}", f"{skipped:,}"]
        for name, date, count, number, skipped in summary(parts)
    ]
    click.echo(table(["feed", "data of", "files", "rows", "not usable"], rows, right=frozenset({2, 3, 4})))


@feeds.command(short_help="Fetch feeds from their publishers.")
@click.option("--only", multiple=True, metavar="NAME", help="Only this feed, even if it is not here yet.")
@click.option("--url", "urls", multiple=True, metavar="NAME=URL", help="Fetch this feed from there.")
@feeds_option
@click.pass_context
def update(ctx: click.Context, only: tuple[str, ...], urls: tuple[str, ...], feeds_path: Path | None) -> None:
    """Fetch over HTTPS what has changed: KEV, EPSS, life cycles, and every feed that is here already."""
    from scanner.app import utc_now
    from scanner.collect.collector import stamp
    from scanner.intel.store import Feeds, default_feeds
    from scanner.intel.update import chosen
    from scanner.intel.update import update as fetch_all

    given: dict[str, str] = {}
    for text in urls:
        name, equals, url = text.partition("=")
        if not equals or not name or not url:
            raise click.BadParameter(f"{text!r}: write it as NAME=URL", param_hint="--url")
        given[name] = url
    here = Feeds.open(feeds_path or default_feeds())
    addresses = chosen(here, only, given)
    failed = False
    marks = {"new": MARKS["pass"], "unchanged": MARKS["info"], "failed": MARKS["fail"]}

    def began(name: str) -> None:
        click.echo(f"fetching {name} from {addresses[name]}", err=True)

    for one in fetch_all(here, addresses, at=stamp(utc_now()), began=began):
        failed |= one.state == "failed"
        glyph, colour = marks[one.state]
        click.echo(f"{click.style(glyph, fg=colour)} {printable(f'{one.name} {one.state}: {one.said}')}")
    if failed:
        ctx.exit(COVERAGE)


@feeds.command(short_help="Show the feeds, their age, and what is missing.")
@click.option("--older-than", "days", type=click.IntRange(min=0), metavar="DAYS", help="Stale from then on.")
@feeds_option
@format_option("table", "json")
def status(days: int | None, feeds_path: Path | None, form: str) -> None:
    """Each feed with the day of its data, and what the lack of it costs."""
    from scanner.app import utc_now
    from scanner.intel.status import STALE_DAYS, states

    found = states(open_feeds(feeds_path), utc_now().date(), STALE_DAYS if days is None else days)
    if form == "json":
        click.echo(json.dumps([_json(one) for one in found], indent=2))
        return
    rows = [
        [
            one.name,
            one.date or "–",
            f"{one.age}" if one.parts else "",
            _mark(one),
            f"{one.rows:,}" if one.parts else "",
            _covers(one),
        ]
        for one in found
    ]
    headings = ["feed", "data of", "days", "state", "rows", "covers"]
    click.echo(table(headings, rows, right=frozenset({2, 4}), wide=5))
    for one in found:
        if one.cost:
            mend = f"; {one.mend}" if one.mend else ""
            click.echo(f"{one.name} is {_mark(one)}: {one.cost}{mend}")


def _covers(one: State) -> str:
    """Each distribution with its releases, or with their number where there are many."""
    releases: dict[str, list[str]] = {}
    for covered in one.covers:
        ecosystem, _, release = covered.partition(" ")
        releases.setdefault(ecosystem, []).append(release)
    shown = (
        f"{name} {', '.join(found) if len(found) <= _LISTED else f'({len(found)} releases)'}"
        for name, found in releases.items()
    )
    return "; ".join(shown)


def _mark(one: State) -> str:
    if not one.parts:
        return "missing"
    return "stale" if one.stale else "fresh"


def _json(one: State) -> dict[str, Any]:
    return {
        "feed": one.name,
        "state": _mark(one),
        "date": one.date,
        "age_days": one.age if one.parts else None,
        "rows": one.rows,
        "covers": list(one.covers),
        "cost": one.cost,
        "mend": one.mend,
        "files": [
            {
                "form": part.form,
                "origin": part.origin,
                "date": part.date,
                "imported": part.imported,
                "rows": part.count,
                "not_usable": part.skipped,
                "size": part.size,
                "sha256": part.sha256,
            }
            for part in one.parts[:100]
        ],
    }
