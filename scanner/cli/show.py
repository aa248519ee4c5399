"""`scans`, `checks`, `baselines` and `facts`: list and show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from checks.fix import printable
from scanner.cli.codes import USAGE
from scanner.cli.options import format_option, open_store, store_option
from scanner.cli.text import mark, table


@click.group(short_help="List scans, or show one.")
def scans() -> None:
    """The scans in the store."""


@scans.command("list")
@store_option
@format_option("table", "json")
def scans_list(store_url: str | None, form: str) -> None:
    """All scans, oldest first, with what they found."""
    from scanner.store.findings import outcomes_of

    store = open_store(store_url)
    found = outcomes_of(store)
    rows = [_scan_json(store, row, found.get(row.number, {})) for row in store.scans()]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        click.echo("There is no scan yet; `bartizan scan local` makes one.", err=True)
        return
    cells = [
        [
            str(r["number"]),
            r["started"].replace("T", " ").rstrip("Z"),
            r["state"],
            f"{r['coverage']['done']} of {r['coverage']['planned']}",
            str(r["outcomes"].get("fail", 0)) if r["outcomes"] else "",
            str(r["outcomes"].get("unknown", 0) + r["outcomes"].get("error", 0)) if r["outcomes"] else "",
            " ".join(r["words"]) or "(whole scope)",
        ]
        for r in rows
    ]
    heads = ["scan", "started (UTC)", "state", "targets seen", "failed", "not assessed", "targets"]
    click.echo(table(heads, cells, right=frozenset({0, 3, 4, 5}), wide=6))


@scans.command("show")
@click.argument("number", type=int, required=False)
@store_option
@format_option("table", "json")
def scans_show(number: int | None, store_url: str | None, form: str) -> None:
    """One scan (default: the newest): its targets and what became of each."""
    from scanner.store.findings import outcomes_of

    store = open_store(store_url)
    row = store.scan(number)
    data = _scan_json(store, row, outcomes_of(store).get(row.number, {}))
    data["targets"] = [
        {
            "name": j.name,
            "kind": str(j.kind),
            "spec": j.spec,
            "state": str(j.state),
            "failure": j.failure,
            "reason": j.reason,
        }
        for j in store.jobs(row.number)
    ]
    if form == "json":
        click.echo(json.dumps(data, indent=2))
        return
    click.echo(f"Scan {row.number} · {row.state} · {row.started} to {row.finished or 'now'}")
    click.echo(f"Baselines: {', '.join(row.record.baselines)} · version {row.record.version}")
    click.echo(f"Authorisation: {row.record.authorisation}")
    click.echo(f"Chain head: {row.head or 'no snapshot yet'}")
    c = data["coverage"]
    sums = f"{c['done']} done + {c['failed']} failed + {c['not_scanned']} not scanned"
    click.echo(f"Coverage: {c['planned']} planned = {sums}")
    for outcome, count in data["outcomes"].items():
        click.echo(f"  {mark(outcome)} {count}")
    cells = [[t["name"], t["kind"], t["state"], t["reason"]] for t in data["targets"]]
    click.echo("\n" + table(["target", "kind", "state", "reason"], cells, wide=3))


@scans.command("export")
@click.argument("number", type=int, required=False)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE")
@store_option
def scans_export(number: int | None, out: Path, store_url: str | None) -> None:
    """Write what a scan (default: the newest) saw of networks into one FILE, for another scanner.

    It holds the snapshots with their digests and the chain head, and no scope, option or secret.
    """
    from scanner.app import UsageError
    from scanner.files import writing
    from scanner.store.views import export

    store = open_store(store_url)
    row = store.scan(number)
    try:
        with writing(out) as file:
            count = export(store, row, file)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}") from None
    click.echo(f"{printable(str(out))}: {count} snapshots of scan {row.number}, chain head {row.head}")


def _scan_json(store: Any, row: Any, outcomes: Mapping[str, int]) -> dict[str, Any]:
    from scanner.app import coverage_of

    c = coverage_of(store.jobs(row.number))
    return {
        "number": row.number,
        "started": row.started,
        "finished": row.finished,
        "state": str(row.state),
        "head": row.head,
        "words": list(row.record.words),
        "organisation": row.record.organisation,
        "authorisation": row.record.authorisation,
        "baselines": list(row.record.baselines),
        "version": row.record.version,
        "plugins": [f"{p.distribution} {p.version}" for p in row.record.plugins],
        "limits": list(row.record.limits),
        "coverage": {"planned": c.planned, "done": c.done, "failed": c.failed, "not_scanned": c.not_scanned},
        "outcomes": dict(outcomes),
    }


@click.group(short_help="List checks, or show one.")
def checks() -> None:
    """The checks that Bartizan and its plug-ins know."""


@checks.command("list")
@click.option("--kind", type=click.Choice(["network", "host", "aws"]), help="Only checks of this kind.")
@format_option("table", "json")
def checks_list(kind: str | None, form: str) -> None:
    """All checks by id."""
    controls, rows = _controls(), []
    for check in _catalogue().checks.values():
        if kind in (None, check.kind):
            rows.append(_check_json(check, controls))
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [[r["id"], mark(r["severity"]), r["title"]] for r in rows]
    click.echo(table(["check", "severity", "good state"], cells, wide=2))
    click.echo(f"\n{len(rows)} checks", err=True)


@checks.command("show")
@click.argument("identifier", metavar="CHECK")
@format_option("table", "json")
@click.pass_context
def checks_show(ctx: click.Context, identifier: str, form: str) -> None:
    """One check: why it matters, what it needs, its thresholds, and how to repair."""
    catalogue = _catalogue()
    check = catalogue.find(identifier)
    if check is None:
        near = catalogue.nearest(identifier)
        click.echo(
            f"bartizan: there is no check {identifier}" + (f"; did you mean {near}?" if near else ""),
            err=True,
        )
        ctx.exit(USAGE)
    data = _check_json(check, _controls())
    if form == "json":
        click.echo(json.dumps(data, indent=2))
        return
    click.echo(f"{click.style(check.id, bold=True)}  {mark(check.severity)}\n{check.title}\n\n{check.why}\n")
    click.echo(f"Needs: {', '.join(data['needs'])}")
    for name, default in data["options"].items():
        click.echo(f"Threshold {name}: {default}")
    for framework, sections in data["controls"].items():
        click.echo(f"{framework}: {', '.join(sections)}")
    fix = data["fix"]
    click.echo(f"\nFix: {fix['do']}\nVerify: {fix['verify']}\nUndo: {fix['undo'] or 'not stated'}")
    low, likely, high = check.fix.effort.hours(1)
    click.echo(f"Effort for one asset: {likely:.2g} h ({low:.2g} to {high:.2g})")
    for ref in check.refs:
        click.echo(f"See {ref}")


def _check_json(check: Any, controls: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Any]:
    from checks.fix import fill
    from checks.verdict import shown

    fix = check.fix
    return {
        "id": check.id,
        "title": check.title,
        "kind": str(check.kind),
        "severity": str(check.severity),
        "why": check.why,
        "fix": {
            "do": fill(fix.do, {}),
            "verify": fill(fix.verify, {}),
            "undo": fill(fix.undo, {}),
            "effort": {"setup": fix.effort.setup, "each": fix.effort.each},
            "disruption": str(fix.disruption),
        },
        "needs": [fact.__name__ for fact in check.needs],
        "options": {name: shown(o.default) for name, o in check.options.items()},
        "controls": dict(controls.get(check.id, {})),
        "impact": str(check.impact),
        "exploit": str(check.exploit),
        "refs": list(check.refs),
    }


def _controls() -> dict[str, dict[str, list[str]]]:
    """Check id → framework → sections, over all baselines of the library."""
    from baselines.load import library

    found: dict[str, dict[str, list[str]]] = {}
    for loaded in library().values():
        for rule in loaded.baseline.rules:
            here = found.setdefault(rule.check, {})
            for framework, sections in rule.controls.items():
                here[framework] = sorted({*here.get(framework, []), *sections})
    return found


@click.group(short_help="List baselines, or show one.")
def baselines() -> None:
    """What is demanded: the baselines of the library."""


@baselines.command("list")
@format_option("table", "json")
def baselines_list(form: str) -> None:
    """All baselines with their profiles and the systems they are made for."""
    from baselines.fits import made_for

    catalogue = _catalogue()
    rows = [_baseline_json(loaded, catalogue) for loaded in _library().values()]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [
        [
            r["id"],
            r["version"],
            ", ".join(f"{p} ({n})" for p, n in r["demands"].items()),
            made_for(r["fits"]) or "any",
            r["title"],
        ]
        for r in rows
    ]
    click.echo(table(["baseline", "version", "profiles (checks)", "made for", "title"], cells, wide=4))


@baselines.command("show")
@click.argument("identifier", metavar="BASELINE")
@click.option("--profile", default="", help="Show what this profile demands.")
@format_option("table", "json")
def baselines_show(identifier: str, profile: str, form: str) -> None:
    """One baseline: each check that a profile demands, with thresholds and controls."""
    from scanner.demands import resolve_baselines

    demands = resolve_baselines([f"{identifier}:{profile}" if profile else identifier], _catalogue())
    from checks.verdict import shown

    rows = [
        {
            "check": d.check.id,
            "profile": d.profile,
            "severity": str(d.severity),
            "with": {k: shown(v) for k, v in d.options.items()},
            "controls": {k: list(v) for k, v in d.controls.items()},
            "title": d.check.title,
        }
        for d in demands
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [[str(r["check"]), str(r["profile"]), mark(str(r["severity"])), str(r["title"])] for r in rows]
    click.echo(table(["check", "profile", "severity", "good state"], cells, wide=3))
    click.echo(f"\n{len(rows)} checks", err=True)


def _baseline_json(loaded: Any, catalogue: Any) -> dict[str, Any]:
    from baselines.resolve import profiles_of, resolve

    b, profiles = loaded.baseline, profiles_of(loaded, _library())
    demands = {name: resolve(loaded, name, catalogue, _library()) for name in profiles}
    return {
        "id": b.id,
        "title": b.title,
        "version": b.version,
        "about": b.about,
        "extends": b.extends,
        "fits": {k: list(v) for demanded in demands.values() for k, v in demanded[0].fits.items()},
        "profiles": {name: p.title for name, p in profiles.items()},
        "demands": {name: len(demanded) for name, demanded in demands.items()},
    }


@click.group(short_help="List facts, or print their JSON Schema.")
def facts() -> None:
    """What can be known about a target."""


@facts.command("list")
@format_option("table", "json")
def facts_list(form: str) -> None:
    """All facts by name, with the checks that ask for each."""
    catalogue = _catalogue()
    askers: dict[str, list[str]] = {name: [] for name in catalogue.facts}
    for check in catalogue.checks.values():
        for fact in check.needs:
            askers[fact.__name__].append(check.id)
    rows = [
        {"fact": name, "about": (fact.__doc__ or "").strip().partition("\n")[0], "checks": askers[name]}
        for name, fact in catalogue.facts.items()
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [[str(r["fact"]), str(len(r["checks"])), str(r["about"])] for r in rows]
    click.echo(table(["fact", "checks", "about"], cells, right=frozenset({1}), wide=2))


@facts.command("schema")
def facts_schema() -> None:
    """The JSON Schema of a stored snapshot with all known facts."""
    from checks.facts.snapshot import json_schema

    click.echo(json.dumps(json_schema(_catalogue().facts), indent=2))


def _catalogue() -> Any:
    from checks.catalogue import load

    return load()


def _library() -> Any:
    from baselines.load import library

    return library()
