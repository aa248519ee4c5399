"""Findings and actions as CSV that a spreadsheet opens and never runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from checks.fix import printable
from reports.export.native import finding_json
from reports.model import Ranked
from reports.plan import Action

FINDING_COLUMNS = (
    "id",
    "score",
    "band",
    "due",
    "outcome",
    "severity",
    "status",
    "check",
    "title",
    "asset_name",
    "asset",
    "kind",
    "target",
    "region",
    "on",
    "saw",
    "want",
    "reason",
    "needs",
    "action",
    "do",
    "verify",
    "fix_key",
    "controls",
    "first_seen",
)
ACTION_COLUMNS = (
    "id",
    "title",
    "owner",
    "score",
    "due",
    "hours_low",
    "hours_likely",
    "hours_high",
    "disruption",
    "assets",
    "findings",
    "risk_points",
    "key",
)

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def findings_csv(ranked: Iterable[Ranked]) -> str:
    """The findings, one a row, with the columns `FINDING_COLUMNS`; lines end with CR LF (RFC 4180)."""
    return _csv(FINDING_COLUMNS, (_finding_row(one) for one in ranked))


def actions_csv(actions: Iterable[Action]) -> str:
    """The actions, one a row, with the columns `ACTION_COLUMNS`."""
    return _csv(ACTION_COLUMNS, (_action_row(one) for one in actions))


def cell(text: str) -> str:
    """The text as a cell: control characters visible, and no start that a spreadsheet would calculate."""
    visible = "\n".join(printable(line) for line in text.split("\n"))
    return f"'{visible}" if visible.lstrip(" \n").startswith(_STARTS_FORMULA) else visible


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row[column]) for column in columns])
    return out.getvalue()


def _finding_row(ranked: Ranked) -> dict[str, str]:
    flat = finding_json(ranked)
    controls = ranked.finding.controls
    row = {name: value for name, value in flat.items() if isinstance(value, str)}
    return {
        **row,
        "score": "" if flat["score"] is None else f"{flat['score']:.2f}",
        "band": flat["band"] or "",
        "action": ranked.finding.fix.action,
        "do": ranked.finding.fix.do,
        "verify": ranked.finding.fix.verify,
        "controls": "; ".join(f"{name} {', '.join(numbers)}" for name, numbers in sorted(controls.items())),
    }


def _action_row(action: Action) -> dict[str, str]:
    low, likely, high = action.hours
    return {
        "id": action.id,
        "title": action.title,
        "owner": action.owner,
        "score": f"{action.score:.1f}",
        "due": action.due,
        "hours_low": f"{low:.2f}",
        "hours_likely": f"{likely:.2f}",
        "hours_high": f"{high:.2f}",
        "disruption": action.disruption.value,
        "assets": str(len(action.assets)),
        "findings": str(len(action.findings)),
        "risk_points": f"{action.points:.2f}",
        "key": action.key,
    }
