"""A finding as JSON: our own form, with a published schema."""

from __future__ import annotations

import math
from typing import Any

from checks.fix import FixText
from checks.model import Kind, Outcome, Severity
from reports.model import Band, Ranked, Status

SCHEMA_ID = "bartizan-finding-1"

_TEXT = {"type": "string"}
_BOOLEAN = {"type": "boolean"}
_HOURS = {"type": "number", "minimum": 0}
_DATE = {"type": "string", "pattern": r"^(\d{4}-\d{2}-\d{2})?$"}


def finding_json(ranked: Ranked) -> dict[str, Any]:
    """The finding as plain JSON values; `finding_schema` describes them.

    `score`, `band` and `clock` are null for what is no failure. `score` is cut to two decimals, so
    that it never looks to be in a higher band than it is.
    """
    finding = ranked.finding
    return {
        "id": finding.id,
        "check": finding.check,
        "title": finding.title,
        "why": finding.why,
        "target": finding.target,
        "kind": finding.kind.value,
        "asset": finding.asset,
        "asset_name": ranked.asset_name,
        "on": finding.on,
        "region": finding.region,
        "outcome": finding.outcome.value,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "score": _cut(ranked.score.value) if ranked.score else None,
        "band": ranked.score.band.value if ranked.score else None,
        "explanation": ranked.line,
        "clock": _clock(ranked),
        "due": ranked.due,
        "saw": finding.saw,
        "want": finding.want,
        "reason": finding.reason,
        "needs": finding.needs,
        "evidence": [
            {"how": e.how, "at": e.at, "digest": e.digest, "excerpt": e.excerpt} for e in finding.evidence
        ],
        "fix": _fix(finding.fix),
        "fix_key": finding.fix_key,
        "controls": {framework: list(numbers) for framework, numbers in sorted(finding.controls.items())},
        "baseline": finding.baseline,
        "profile": finding.profile,
        "port": finding.port,
        "cves": list(finding.cves),
        "feeds": list(finding.feeds),
        "first_seen": ranked.first_seen,
        "status": ranked.status.value,
    }


def finding_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what `finding_json` gives."""
    texts = (
        "title why target asset asset_name on region confidence explanation saw want reason needs fix_key "
        "baseline profile port"
    )
    evidence = _closed(dict.fromkeys(("how", "at", "digest", "excerpt"), _TEXT))
    properties: dict[str, Any] = {
        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "check": {"type": "string", "minLength": 1},
        "kind": _one_of(Kind),
        "outcome": _one_of(Outcome),
        "severity": _one_of(Severity),
        "score": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
        "band": {"enum": [*(band.value for band in Band), None]},
        "clock": _clock_schema(),
        "due": _DATE,
        "first_seen": _DATE,
        "status": _one_of(Status),
        "evidence": {"type": "array", "items": evidence},
        "fix": _fix_schema(),
        "cves": {"type": "array", "items": _TEXT},
        "feeds": {"type": "array", "items": _TEXT},
        "controls": {"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}},
        **dict.fromkeys(texts.split(), _TEXT),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Bartizan finding",
        **_closed(properties),
    }


def _clock_schema() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "row": {"type": "integer", "minimum": 0, "maximum": 15},
        "days": {"type": ["integer", "null"], "minimum": 0},
        "because": _TEXT,
        **dict.fromkeys(("exploited", "exposed", "automatable", "total", "forensics"), _BOOLEAN),
    }
    return _closed(properties, nullable=True)


def _fix_schema() -> dict[str, Any]:
    snippet = _closed(dict.fromkeys(("language", "do", "undo"), _TEXT))
    properties: dict[str, Any] = {
        "effort": _closed(dict.fromkeys(("low", "likely", "high"), _HOURS)),
        "snippets": {"type": "array", "items": snippet},
        **dict.fromkeys(("action", "do", "verify", "undo", "disruption"), _TEXT),
    }
    return _closed(properties)


def _fix(fix: FixText) -> dict[str, Any]:
    low, likely, high = fix.effort.hours(1)
    return {
        "action": fix.action,
        "do": fix.do,
        "verify": fix.verify,
        "undo": fix.undo,
        "effort": {"low": round(low, 3), "likely": round(likely, 3), "high": round(high, 3)},
        "disruption": fix.disruption.value,
        "snippets": [{"language": s.language.value, "do": s.do, "undo": s.undo} for s in fix.snippets],
    }


def _clock(ranked: Ranked) -> dict[str, Any] | None:
    clock = ranked.clock
    if clock is None:
        return None
    return {
        "row": clock.row,
        "days": clock.days,
        "exploited": clock.exploited,
        "exposed": clock.exposed,
        "automatable": clock.automatable,
        "total": clock.total,
        "forensics": clock.forensics,
        "because": clock.because,
    }


def _cut(value: float) -> float:
    return math.floor(value * 100 + 1e-7) / 100


def _one_of(words: type[Kind] | type[Outcome] | type[Severity] | type[Status]) -> dict[str, Any]:
    return {"enum": [word.value for word in words]}


def _closed(properties: dict[str, Any], *, nullable: bool = False) -> dict[str, Any]:
    return {
        "type": ["object", "null"] if nullable else "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }
