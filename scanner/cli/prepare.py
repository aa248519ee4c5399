"""`init`, `doctor` and `needs`: everything before the first packet."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from scanner.cli.codes import USAGE
from scanner.cli.options import default_store, format_option, store_option
from scanner.cli.text import mark, shortened, table

_LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,31}")


@click.command(short_help="Write a commented scope.yaml.")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("."))
@click.option("--yes", is_flag=True, help="Ask nothing; take the defaults.")
@click.option("--organisation", help="Whose systems these are.")
@click.pass_context
def init(ctx: click.Context, folder: Path, yes: bool, organisation: str | None) -> None:
    """Write DIR/scope.yaml: what may be scanned, when, and how hard. Nothing is overwritten."""
    path = folder / "scope.yaml"
    if path.exists():
        click.echo(f"bartizan: {path}: is there already; edit it, or name another folder", err=True)
        ctx.exit(USAGE)
    answers = {"organisation": organisation or "My organisation"}
    if not yes and sys.stdin.isatty():
        answers = _ask(answers["organisation"])
    text = _scope_text(answers)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    except OSError as error:
        click.echo(f"bartizan: {path}: {error.strerror}; name another folder", err=True)
        ctx.exit(USAGE)
    click.echo(path)
    click.echo(f"Next: edit it, then run: bartizan scan --scope {path}", err=True)


def _ask(organisation: str) -> dict[str, str]:
    answers = {"organisation": click.prompt("Organisation", default=organisation)}
    click.echo("Who allows the scans? Empty answers leave it as a comment to fill in.", err=True)
    for key, question in (
        ("authorised_by", "Name and role"),
        ("reference", "Reference (order, e-mail)"),
        ("until", "Until which day (2026-12-31)"),
    ):
        answers[key] = click.prompt(question, default="", show_default=False)
        if not answers[key]:
            break
    return answers


def _scope_text(answers: dict[str, str]) -> str:
    from datetime import date

    from scanner.scope.template import template

    try:
        until = date.fromisoformat(answers["until"]) if answers.get("until") else None
    except ValueError:
        raise click.BadParameter(f"{answers['until']!r} is no day; write it like 2026-12-31") from None
    return template(
        answers["organisation"],
        authorised_by=answers.get("authorised_by", ""),
        reference=answers.get("reference", ""),
        until=until,
    )


@click.command(short_help="Say what is here, what is missing, and what that costs.")
@store_option
@format_option("table", "json")
def doctor(store_url: str | None, form: str) -> None:
    """Look for everything that a scan can use. Sends nothing."""
    from scanner.doctor import examine

    found = examine(store_url or default_store())
    if form == "json":
        rows = [{"part": f.part, "state": f.state, "found": f.found, "cost": f.cost} for f in found]
        click.echo(json.dumps(rows, indent=2))
        return
    marks = {"here": "pass", "missing": "unknown", "broken": "fail"}
    for f in found:
        glyph = mark(marks[f.state]).partition(" ")[0]
        click.echo(f"{glyph} {f.part.ljust(18)} {f.found}")
        if f.cost:
            click.echo(f"  {''.ljust(18)} {f.cost}")


@click.command(short_help="Say what rights a scan would use, before it connects.")
@click.option(
    "--baseline", "baselines", multiple=True, metavar="ID[:PROFILE]", help="Default: all of the library."
)
@click.option("--format", "form", type=click.Choice(["table", "iam", "sudoers", "json"]), default="table")
@click.option("--user", default="bartizan", show_default=True, help="The login name for the sudoers file.")
@click.option(
    "--assume",
    "role",
    metavar="ROLE",
    help="With --format iam: what the credentials need that assume this role in every account.",
)
def needs(baselines: tuple[str, ...], form: str, user: str, role: str | None) -> None:
    """The exact rights that the checks of these baselines use. Connects to nothing."""
    from baselines.load import library
    from checks.catalogue import load
    from checks.model import Kind
    from scanner import needs as rights
    from scanner.demands import resolve_baselines
    from scanner.names import ROLE

    if not _LOGIN.fullmatch(user):
        # The name goes into a file that grants root; nothing but a name may get in there.
        raise click.BadParameter(f"{user!r} is no login name", param_hint="--user")
    if role is not None:
        if form != "iam" or not ROLE.fullmatch(role):
            raise click.BadParameter("it goes with --format iam, and names a role", param_hint="--assume")
        click.echo(rights.assume_policy(role))
        return
    demands = resolve_baselines(baselines or tuple(library()), load())
    kinds = {demand.check.kind for demand in demands}
    if (kind_of := {"iam": Kind.AWS, "sudoers": Kind.HOST}.get(form)) and kind_of not in kinds:
        raise click.UsageError(f"these baselines ask no {kind_of} anything; no {form} file is needed")
    if form == "iam":
        click.echo(rights.iam_policy(demands))
        return
    asked = rights.permissions(demands)
    if form == "sudoers":
        click.echo(rights.sudoers(asked.get(Kind.HOST, ()), user), nl=False)
        return
    rows = [
        {"kind": str(kind), "right": p.kind, "name": p.name, "facts": list(p.facts)}
        for kind, some in asked.items()
        for p in some
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [
        [str(r["kind"]), str(r["right"]), str(r["name"]), shortened(", ".join(r["facts"]))] for r in rows
    ]
    click.echo(table(["target", "right", "what", "for the facts"], cells, wide=2))
