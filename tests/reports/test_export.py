"""JSON and CSV: the promised keys, the schema, and cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import Outcome
from reports.explain import explain
from reports.export.native import finding_json, finding_schema
from reports.export.table import ACTION_COLUMNS, FINDING_COLUMNS, actions_csv, cell, findings_csv
from reports.plan import actions
from reports.risk import band
from tests.reports.builder import HOSTILE, company, finding, hostile_estate, hostile_findings, ranked

PROMISED = {
    *("id", "check", "title", "target", "kind", "asset", "asset_name", "on", "region", "outcome", "severity"),
    *(
        "score",
        "clock",
        "due",
        "saw",
        "want",
        "evidence",
        "fix",
        "fix_key",
        "controls",
        "first_seen",
        "status",
    ),
    *("reason", "needs"),
}


def test_a_finding_has_the_promised_keys_and_fits_its_schema() -> None:
    schema = finding_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for one in (*ranked(), *ranked(hostile_estate(), hostile_findings())):
        data = json.loads(msgspec.json.encode(finding_json(one)))
        assert set(data) >= PROMISED
        validator.validate(data)
        assert (data["score"] is None) == (one.finding.outcome is not Outcome.FAIL)
        if one.score:
            assert band(data["score"]) is one.score.band
    assert {"do", "verify", "undo", "effort"} <= set(data["fix"])


@pytest.mark.parametrize(
    ("key", "value"),
    [("score", 101), ("outcome", "fine"), ("id", "x"), ("due", "soon"), ("more", 1), ("clock", {"row": 16})],
)
def test_the_schema_refuses_what_is_wrong(key: str, value: object) -> None:
    data = finding_json(ranked()[0]) | {key: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(msgspec.json.encode(data)), finding_schema())


def test_the_findings_as_csv_are_whole() -> None:
    found = ranked()
    rows = list(csv.DictReader(io.StringIO(findings_csv(found), newline="")))
    assert len(rows) == len(found)
    assert tuple(rows[0]) == FINDING_COLUMNS
    assert [row["id"] for row in rows] == [one.finding.id for one in found]
    assert rows[0]["score"] == "89.74"
    assert rows[-1]["score"] == ""
    assert rows[0]["controls"] == "cis-debian-12 5.1.20"


def test_the_actions_as_csv_are_whole() -> None:
    found = actions(ranked(), company())
    rows = list(csv.DictReader(io.StringIO(actions_csv(found), newline="")))
    assert tuple(rows[0]) == ACTION_COLUMNS
    assert [row["id"] for row in rows] == [one.id for one in found]


@given(st.text(max_size=30))
def test_no_cell_starts_a_formula(text: str) -> None:
    shown = cell(text)
    assert not shown.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c == "\n" for c in shown)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\n=1", "＝1"])
def test_formulas_are_quoted(text: str) -> None:
    assert cell(text).startswith(("'", "\\u0009"))


def test_hostile_findings_stay_one_row_each() -> None:
    found = ranked(hostile_estate(), hostile_findings())
    rows = list(csv.reader(io.StringIO(findings_csv(found), newline="")))
    assert len(rows) == len(HOSTILE) + 1
    assert {len(row) for row in rows} == {len(FINDING_COLUMNS)}


def test_the_explanation_says_all_that_decided() -> None:
    [one] = [r for r in ranked() if r.finding.on == "tcp/3389"]
    text = explain(one)
    for part in (
        "FAIL  No remote desktop answers the internet",
        "why it matters: One guessed password owns the host",
        "saw open, want closed",
        "sshd -T (2026-11-23T10:02:00Z, SHA-256 abababababababab…)",
        "Score: R 88 of 100, critical (model PR-1.0)",
        "most useful change: E 1.0→0.5 (another zone) gives 74",
        "Clock: 3 d, evidence first (BOD 26-04 row 15), due 2026-11-05",
        "preserve the evidence",
        "Fix: Close remote desktop to the internet",
        "mend --check tcp/3389 && mend tcp/3389",
        one.line,
    ):
        assert part in text
    for letter in "TPEAC":
        assert f"\n  {letter} " in text
    assert explain(one) == explain(one)


def test_the_explanation_of_an_unknown_names_what_is_missing() -> None:
    [one] = ranked(
        findings=[
            finding(outcome=Outcome.UNKNOWN, saw="", want="", reason="Sshd: denied", needs="sudo -n sshd -T")
        ]
    )
    text = explain(one)
    assert "UNKNOWN" in text
    assert "reason: Sshd: denied" in text
    assert "would be answered with: sudo -n sshd -T" in text
    assert "Score" not in text
    assert "Fix" not in text


def test_an_explanation_cannot_steer_a_terminal() -> None:
    for one in ranked(hostile_estate(), hostile_findings()):
        hostile = msgspec.structs.replace(one, finding=msgspec.structs.replace(one.finding, why="\x1b[2J"))
        assert all(c.isprintable() or c == "\n" for c in explain(hostile))
