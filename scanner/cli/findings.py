"""`findings` and `explain`: one ranked list, and the reasons behind one line of it."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import click

from scanner.cli.codes import USAGE
from scanner.cli.options import format_option, open_store, store_option
from scanner.cli.text import mark, of_thing, table

if TYPE_CHECKING:
    from reports.model import Ranked

OUTCOMES = ("fail", "unknown", "error", "pass", "not_applicable")
OPEN = ("fail", "unknown", "error")
SEVERITIES = ("info", "low", "medium", "high", "critical")


@click.command(short_help="List findings, worst first.")
@click.argument("number", metavar="[SCAN]", type=int, required=False)
@store_option
@format_option("table", "jsonl", "json", "csv")
@click.option(
    "--outcome",
    multiple=True,
    type=click.Choice([*OUTCOMES, "all"]),
    help="Only these outcomes (repeatable). A table shows fail, unknown and error; other formats show all.",
)
@click.option("--severity", type=click.Choice(SEVERITIES), help="At least this severity.")
@click.option("--check", "checks", multiple=True, help="Only this check, or all under host.ssh (a prefix).")
@click.option("--target", "targets", multiple=True, help="Only this target or asset.")
@click.option("--kind", type=click.Choice(["network", "host", "aws"]), help="Only findings of this kind.")
@click.option("--new", is_flag=True, help="Only failures that the scan before did not have.")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many, worst first.")
def findings(
    number: int | None,
    store_url: str | None,
    form: str,
    outcome: tuple[str, ...],
    severity: str | None,
    checks: tuple[str, ...],
    targets: tuple[str, ...],
    kind: str | None,
    new: bool,
    limit: int | None,
) -> None:
    """The findings of SCAN (default: the newest), worst first."""
    from scanner.app import findings_of

    store = open_store(store_url)
    scan, found = findings_of(store, number)
    wanted = frozenset(OUTCOMES if "all" in outcome or (not outcome and form != "table") else outcome or OPEN)
    least = SEVERITIES.index(severity) if severity else 0
    counts: Counter[str] = Counter()

    def matching() -> Iterator[Ranked]:
        for one in found:
            if (
                (kind is None or one.finding.kind == kind)
                and SEVERITIES.index(one.finding.severity) >= least
                and (not checks or any(_matches(one.finding.check, c) for c in checks))
                and (not targets or _names(one) & {*targets})
                and (not new or one.status in {"new", "back"})
            ):
                counts[str(one.finding.outcome)] += 1
                yield one

    if form != "table":
        write(islice((one for one in matching() if one.finding.outcome in wanted), limit), form)
        return
    rows = matching()
    shown = list(islice((one for one in rows if one.finding.outcome in wanted), limit))
    deque(rows, maxlen=0)
    if shown:
        click.echo(_rows(shown))
    hidden = [f"{counts[o]} {o.replace('_', ' ')}" for o in OUTCOMES if counts[o] and o not in wanted]
    summary = ", ".join(f"{counts[o]} {o.replace('_', ' ')}" for o in OUTCOMES if counts[o] and o in wanted)
    tail = f"; not shown: {', '.join(hidden)} (--outcome all)" if hidden else ""
    click.echo(f"\nScan {scan.number}: {summary or 'nothing matches'}{tail}", err=True)


def _matches(check: str, wanted: str) -> bool:
    return check == wanted or check.startswith(wanted.rstrip(".*") + ".")


def _rows(found: Iterable[Ranked]) -> str:
    cells = [
        [
            f"{one.score.value:.0f}" if one.score else "–",
            mark(one.score.band if one.score else one.finding.outcome),
            one.due or ("" if one.clock is None else "on upgrade"),
            one.asset_name,
            of_thing(one.finding.region, one.finding.on),
            one.finding.title + (f" ({one.finding.reason})" if one.finding.reason else ""),
            one.finding.id[:10],
        ]
        for one in found
    ]
    heads = ["risk", "band", "due", "asset", "on", "good state (or why unknown)", "id"]
    return table(heads, cells, right=frozenset({0}), wide=5, then=4)


def _names(one: Ranked) -> set[str]:
    return {one.finding.target, one.asset_name, one.finding.asset}


def write(found: Iterable[Ranked], form: str) -> None:
    """The findings on stdout as csv, jsonl or json."""
    if form == "csv":
        from reports.export.table import findings_csv

        sys.stdout.write(findings_csv(found))
        return
    import msgspec

    from reports.export.native import finding_json

    out = sys.stdout.buffer
    if form == "jsonl":
        encoder = msgspec.json.Encoder()
        for one in found:
            out.write(encoder.encode(finding_json(one)) + b"\n")
    else:
        # Piece by piece: a list of all findings of a thousand hosts would not fit.
        begun = b"["
        for one in found:
            text = msgspec.json.format(msgspec.json.encode(finding_json(one)), indent=2)
            out.write(begun + b"\n  " + text.replace(b"\n", b"\n  "))
            begun = b","
        out.write(b"\n]\n" if begun == b"," else b"[]\n")
    out.flush()


@click.command(short_help="Explain one finding: evidence, score, clock, fix.")
@click.argument("finding", metavar="FINDING")
@click.option("--scan", "number", type=int, help="In this scan (default: the newest).")
@store_option
@format_option("text", "json")
@click.pass_context
def explain(ctx: click.Context, finding: str, number: int | None, store_url: str | None, form: str) -> None:
    """Explain FINDING, named by its id or the first few characters of it."""
    from scanner.app import findings_of

    scan, found = findings_of(open_store(store_url), number)
    matching = [one for one in found if one.finding.id.startswith(finding.lower())] if finding else []
    if len(matching) != 1:
        problem = "no finding has" if not matching else f"{len(matching)} findings have"
        click.echo(
            f"bartizan: {problem} an id that begins with {finding!r} in scan {scan.number}; "
            "`bartizan findings` lists them",
            err=True,
        )
        ctx.exit(USAGE)
    if form == "json":
        write(matching, "json")
        return
    from reports.explain import explain as in_words

    click.echo(in_words(matching[0]))
