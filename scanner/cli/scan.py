"""`scan`, `collect` and `assess`: the main job and its halves."""

from __future__ import annotations

import shlex
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from checks.fix import printable
from checks.model import Outcome
from scanner.cli.codes import COVERAGE, FINDINGS, FINE, INTERRUPTED
from scanner.cli.feeds import feeds_option, open_feeds
from scanner.cli.options import format_option, open_store, store_option
from scanner.cli.text import mark, of_target, of_thing, table

if TYPE_CHECKING:
    from reports.model import Ranked
    from scanner.app import Judged
    from scanner.prepare import Prepared
    from scanner.store.store import Store

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_VIEWS = click.option(
    "--view",
    "views",
    multiple=True,
    type=_FILE,
    metavar="FILE",
    help="Add what another scanner saw from its place (repeatable; `bartizan scans export` writes it).",
)
_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("bartizan-report"),
    show_default=True,
    metavar="DIR",
    help="Where the report goes.",
)


def _ways(function: F) -> F:
    """The options that say what to touch and how."""
    for option in reversed(
        (
            click.argument("words", metavar="[TARGET]...", nargs=-1),
            click.option("--scope", type=_FILE, envvar="BARTIZAN_SCOPE", help="The scope file (scope.yaml)."),
            click.option(
                "--baseline",
                "baselines",
                multiple=True,
                metavar="ID[:PROFILE]",
                help="Judge by this (repeatable).",
            ),
            click.option(
                "--i-am-authorized",
                "authorised",
                is_flag=True,
                help="Without a scope file: you may scan the targets named here. It is recorded.",
            ),
            click.option("--public", is_flag=True, help="Together with that: public addresses too."),
            click.option("--ssh-key", "ssh_keys", multiple=True, type=_FILE, help="Private key for hosts."),
            click.option("--ssh-user", default="", help="Login name for hosts."),
            click.option("--ssh-agent", is_flag=True, help="Use the keys of the SSH agent."),
            click.option(
                "--ssh-passphrase",
                default="",
                metavar="REF",
                help="Where the passphrase of the keys is: env:NAME, file:PATH, exec:COMMAND, keyring:….",
            ),
            click.option("--known-hosts", multiple=True, type=_FILE, help="Host keys that are trusted."),
            click.option("--ssh-config", type=_FILE, help="An OpenSSH client configuration."),
            click.option("--aws-profile", default="", help="Profile of the AWS configuration."),
            click.option(
                "--ports", default="", metavar="LIST", help="Without a scope: 22,80,8000-8100, top or all."
            ),
            click.option(
                "--udp-ports", default="", metavar="LIST", help="Likewise for UDP: 53,161, usual or none."
            ),
            click.option(
                "--rate",
                type=click.IntRange(1, 1_000_000),
                metavar="PPS",
                help="Packets a second to a network; not above the scope's own.",
            ),
            click.option(
                "--rate-per-host",
                type=click.IntRange(1, 1_000_000),
                metavar="PPS",
                help="Of those, to one host.",
            ),
            click.option(
                "--lab",
                is_flag=True,
                help="These are test networks of mine: any rate is fine there. It is recorded.",
            ),
            click.option("--probe-log", type=_FILE, help="Append every probe to this file as JSON lines."),
            click.option("--no-nmap", is_flag=True, help="Go without nmap even if it is installed."),
            click.option("--no-raw", is_flag=True, help="Ask ports with full connections, not raw packets."),
            click.option("--workers", type=click.IntRange(1, 64), default=8, show_default=True),
            store_option,
        )
    ):
        function = option(function)
    return function


@click.command(short_help="Collect, judge, store, rank and report: the main job.")
@_ways
@_OUT
@click.option("--resume", is_flag=True, help="Go on with the newest scan, which was interrupted.")
@click.option("--dry-run", is_flag=True, help="Print what would be touched, and send nothing.")
@click.option(
    "--fail-on", metavar="WHAT", help="Exit 1 on: critical|high|medium|low, score:80, clock:3d, or new."
)
@click.option("--min-coverage", type=click.IntRange(0, 100), help="Exit 3 below this percentage of targets.")
@feeds_option
@_VIEWS
def scan(
    out: Path,
    resume: bool,
    dry_run: bool,
    fail_on: str | None,
    min_coverage: int | None,
    feeds_path: Path | None,
    views: tuple[Path, ...],
    **ways: Any,
) -> int:
    """Look at TARGETs (default: the whole scope), judge them, and write one ranked report.

    \b
    A target is  local                       this machine
                 10.0.0.0/24  10.0.0.5       a network, an address
                 net:NAME                    a network of the scope file
                 user@host  ssh://u@h:22     a host over SSH
                 aws  aws://profile/region   a cloud account
    """  # noqa: D301 - the character itself is what keeps the lines apart
    from scanner import app, vantages
    from scanner.store.record import ScanState

    reached = _threshold(fail_on)
    prepared, store, going = _prepared(ways, resume=resume, dry_run=dry_run)
    if dry_run:
        click.echo(_plan_table(prepared))
        return FINE
    seen = vantages.read(views, prepared.catalogue.facts)
    vantages.refuse_doubles(seen, vantages.planned(prepared.plan), prepared.record.organisation)
    app.folder_for_report(out)
    feeds = open_feeds(feeds_path)
    number = _collect(prepared, store, going, ways["workers"])
    interrupted = store.scan(number).state == "interrupted"
    if seen and not interrupted:
        vantages.join(store, store.scan(number), seen, prepared.catalogue.facts)
    judged = app.judge(store, number, prepared.demands, prepared.catalogue, app.utc_now(), feeds=feeds)
    judged = app.keep(store, judged, ScanState.INTERRUPTED if interrupted else ScanState.COMPLETE)
    try:
        index = app.write_report(store, judged, out)[0]
    except app.UsageError:
        # The scan is judged and kept; only its pages are missing.
        click.echo(_summary(judged, None))
        raise
    click.echo(_summary(judged, index))
    if interrupted:
        click.echo(
            f"The scan was interrupted; `bartizan scan --resume{_place(prepared, ways)}` goes on.", err=True
        )
        return INTERRUPTED
    return _exit_code(judged, reached, min_coverage)


@click.command(short_help="Only collect: store snapshots without judging them.")
@_ways
@click.option("--resume", is_flag=True, help="Go on with the newest scan, which was interrupted.")
@click.option(
    "--print-script", is_flag=True, help="Print the script that a host would run, and send nothing."
)
@click.option(
    "--from", "output", type=_FILE, help="Read the output of that script, which somebody ran by hand."
)
@click.option("--name", default="", help="With --from: what to call the host.")
def collect(resume: bool, print_script: bool, output: Path | None, name: str, **ways: Any) -> int:
    """Collect snapshots of TARGETs and store them; `bartizan assess` judges them later, offline."""
    from checks.model import Kind

    if print_script:
        from scanner.collect.host.collect import script_for
        from scanner.prepare import demands_of

        click.echo(script_for(demands_of(ways["baselines"])[1](Kind.HOST)), nl=False)
        return FINE
    prepared: Prepared | None = None
    if output is not None:
        from scanner.prepare import import_output

        store = open_store(ways["store_url"])
        number = import_output(store, output, name or output.stem, ways["baselines"])
    else:
        prepared, store, going = _prepared(ways, resume=resume)
        number = _collect(prepared, store, going, ways["workers"])
    row = store.scan(number)
    if row.state == "interrupted":
        place = _place(prepared, ways) if prepared else ""
        click.echo(f"The collection was interrupted; `bartizan collect --resume{place}` goes on.", err=True)
        return INTERRUPTED
    click.echo(f"Scan {number} is {row.state}; `bartizan assess {number}` judges it. Chain head {row.head}")
    jobs = store.jobs(number)
    if jobs and not any(job.state == "done" for job in jobs):
        click.echo(f"coverage: none of {len(jobs)} targets was seen", err=True)
        return COVERAGE
    return FINE


@click.command(short_help="Judge stored snapshots, offline.")
@click.argument("number", metavar="[SCAN]", type=int, required=False)
@click.option("--baseline", "baselines", multiple=True, metavar="ID[:PROFILE]", help="Judge by this instead.")
@click.option("--date", "day", help="As of this day (2026-12-31) instead of today.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write a report."
)
@feeds_option
@_VIEWS
@store_option
@format_option("table", "jsonl", "json", "csv")
def assess(
    number: int | None,
    baselines: tuple[str, ...],
    day: str | None,
    out: Path | None,
    feeds_path: Path | None,
    views: tuple[Path, ...],
    store_url: str | None,
    form: str,
) -> int:
    """Judge the snapshots of SCAN (default: the newest). Connects to nothing.

    A scan that was only collected is completed and stored. One that was judged before is judged in
    memory: it is shown, and reported with --out, and nothing stored is changed. With --view what other
    scanners saw is added, and the whole is judged and stored, as a new scan where SCAN was judged before.
    """
    from scanner import app, vantages
    from scanner.cli.findings import write
    from scanner.prepare import demands_again
    from scanner.store.record import ScanState

    store = open_store(store_url)
    row = store.scan(number)
    catalogue, demands = demands_again(row, baselines)
    if views:
        seen = vantages.read(views, catalogue.facts)
        row = vantages.join(store, row, seen, catalogue.facts)
    judged = app.judge(store, row.number, demands, catalogue, _moment(day), feeds=open_feeds(feeds_path))
    stored = row.state == ScanState.COLLECTED and not baselines and day is None
    if stored:
        judged = app.keep(store, judged)
    paths = app.write_report(store, judged, out) if out else []
    if form != "table":
        write(judged.ranked, form)
        return FINE
    click.echo(_summary(judged, paths[0] if paths else None))
    if not stored:
        click.echo(f"Judged in memory from the snapshots of scan {row.number}; nothing was stored.", err=True)
    return FINE


def _prepared(
    ways: dict[str, Any], *, resume: bool = False, dry_run: bool = False
) -> tuple[Prepared, Any, int | None]:
    from scanner.app import UsageError
    from scanner.prepare import Request, again, prepare
    from scanner.scope import load_scope

    store: Store | None = None
    if resume:
        if ways["words"]:
            raise UsageError("--resume takes no targets: it goes on with those of the interrupted scan")
        store = open_store(ways["store_url"], load_scope(ways["scope"]).file.store if ways["scope"] else "")
        request = again(store.scan(), ways)
    else:
        request = Request(**{k: v for k, v in ways.items() if k not in {"store_url", "workers"}})
    prepared = prepare(request)
    for note in prepared.plan.notes:
        click.echo(f"note: {note}", err=True)
    if store is None and not dry_run:
        store = open_store(ways["store_url"], prepared.scope.file.store)
    return prepared, store, store.scan().number if resume and store else None


def _place(prepared: Prepared, ways: Mapping[str, Any]) -> str:
    """The option that leads to the same store again, where the scope file named it."""
    named = "" if ways["store_url"] else prepared.scope.file.store
    return f" --store {shlex.quote(named)}" if named else ""


def _collect(prepared: Prepared, store: Store, number: int | None, workers: int) -> int:
    from scanner.cli.progress import listener
    from scanner.memory import few_arenas, give_back
    from scanner.prepare import run

    cancelled = threading.Event()
    few_arenas()
    with listener() as heard, _stop_on_interrupt(cancelled):
        number = run(prepared, store, number, listener=heard, cancelled=cancelled, workers=workers)
    give_back()
    return number


@contextmanager
def _stop_on_interrupt(cancelled: threading.Event) -> Iterator[None]:
    """The first Ctrl-C stops in order, the second at once."""

    def stop(_signal: int, _frame: object) -> None:
        if cancelled.is_set():
            raise KeyboardInterrupt
        cancelled.set()
        click.echo("stopping: what was collected is kept (Ctrl-C again stops at once)", err=True)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _plan_table(prepared: Prepared) -> str:
    rows = [[p.target.kind, p.target.name, p.target.spec, prepared.effort(p)] for p in prepared.plan.targets]
    return table(["kind", "name", "target", "what would be sent"], rows, wide=3)


def _summary(judged: Judged, index: Path | None) -> str:
    info, c = judged.info, judged.info.coverage
    outcomes = Counter({str(outcome): count for outcome, count in judged.ranked.counts().items()})
    bands: Counter[str] = Counter()
    worst: list[Ranked] = []
    for one in judged.ranked.of((Outcome.FAIL,)):
        if one.score:
            bands[str(one.score.band)] += 1
            worst += [one] if len(worst) < 5 else []
    lines = [
        f"Scan {info.number}: {c.done} of {c.planned} targets seen",
        "  ".join(f"{mark(b)} {bands[b]}" for b in ("critical", "high", "medium", "low", "info") if bands[b])
        or _no_failure(outcomes),
        f"{mark('unknown')} {outcomes['unknown'] + outcomes['error']} not assessed   "
        f"{mark('pass')} {outcomes['pass']}   {outcomes['not_applicable']} not applicable",
    ]
    lines.extend(printable(f"  not seen: {of_target(u.target, u.reason)}") for u in c.unreached[:10])
    if len(c.unreached) > 10:
        lines.append(f"  and {len(c.unreached) - 10} more targets not seen (bartizan scans show)")
    lines.extend(printable(f"  limit: {limit}") for limit in info.limits)
    if worst:
        rows = [
            [
                f"{one.score.value:.0f}" if one.score else "",
                mark(one.score.band) if one.score else "",
                one.due or "on upgrade",
                one.asset_name,
                of_thing(one.finding.region, one.finding.on, 34),
                one.finding.fix.action,
                one.finding.id[:10],
            ]
            for one in worst
        ]
        heads = ["risk", "band", "due", "asset", "on", "fix", "id"]
        lines += ["", f"The {len(worst)} worst findings" if len(worst) > 1 else "The worst finding"]
        lines.append(table(heads, rows, right=frozenset({0}), wide=5, then=4))
        lines.append(f"Why: bartizan explain {worst[0].finding.id[:10]}")
    if index:
        lines += ["", f"Report: {index}"]
    return "\n".join(lines)


def _no_failure(outcomes: Mapping[str, int]) -> str:
    """What it means that nothing failed: less than it seems, unless everything was answered."""
    if not outcomes["pass"]:
        return "nothing could be assessed"
    return "no failure in what was assessed" if outcomes["unknown"] + outcomes["error"] else "nothing failed"


def _threshold(text: str | None) -> Callable[[Any], bool]:
    """What `--fail-on` means, read before anything is sent."""
    ranks = ("info", "low", "medium", "high", "critical")
    head, _, value = (text or "").partition(":")
    if text is None:
        return lambda _one: False
    if text == "new":
        return lambda one: one.status in {"new", "back"}
    if head in ranks and not value:
        return lambda one: ranks.index(one.finding.severity) >= ranks.index(head)
    number = value.removesuffix("d") if head == "clock" else value
    if head in {"score", "clock"} and number.isascii() and number.isdigit():
        limit = int(number)
        if head == "score":
            return lambda one: one.score.value >= limit
        return lambda one: one.clock.days is not None and one.clock.days <= limit
    raise click.BadParameter(f"{text!r}; write a severity, score:80, clock:3d or new", param_hint="--fail-on")


def _exit_code(judged: Judged, reached: Callable[[Any], bool], min_coverage: int | None) -> int:
    c = judged.info.coverage
    if c.planned and (c.done == 0 or 100 * c.done < (min_coverage or 0) * c.planned):
        click.echo(f"coverage: only {c.done} of {c.planned} targets were seen", err=True)
        return COVERAGE
    if any(reached(one) for one in judged.ranked.of((Outcome.FAIL,)) if one.score):
        return FINDINGS
    return FINE


def _moment(day: str | None) -> datetime:
    from scanner.app import UsageError, utc_now

    if day is None:
        return utc_now()
    try:
        return datetime.combine(date.fromisoformat(day), time(12), UTC)
    except ValueError:
        raise UsageError(f"--date {day!r} is no day; write it like 2026-12-31") from None
