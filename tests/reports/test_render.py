"""The pages as text: the same bytes again, a closed policy, nothing from outside, nothing unescaped."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import msgspec
import pytest

from checks.model import Outcome
from reports.estate import Estate
from reports.model import Coverage
from reports.render import _trusted, render
from reports.report import gather, pages
from reports.views.frame import Frame
from reports.views.workbook import workbook
from tests.reports.builder import (
    HOSTILE,
    TODAY,
    company,
    company_findings,
    finding,
    hostile_estate,
    hostile_findings,
    hostile_scan,
    past,
    ranked,
    scan,
)

NAMES = ("index.html", "executive.html", "workbook.html")


class Elements(HTMLParser):
    """Every element with its attributes, the ids, and the text of each script and style."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[tuple[str, str]] = []
        self.comments: list[str] = []
        self._raw = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._raw = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if self._raw:
            self.inline.append((self._raw, data))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def usual(**changes: object) -> dict[str, str]:
    return pages(scan(**changes), ranked(), company(), past(), budget_hours=8, today=TODAY)


def hostile() -> dict[str, str]:
    found = ranked(hostile_estate(), hostile_findings())
    return pages(hostile_scan(), found, hostile_estate(), (), budget_hours=8, today=TODAY)


def nothing() -> dict[str, str]:
    return pages(scan(), (), Estate(), (), budget_hours=40, today=TODAY)


def test_equal_inputs_give_equal_bytes() -> None:
    assert usual() == usual()
    assert tuple(usual()) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("made", [usual, hostile, nothing])
def test_a_page_is_closed_to_the_world(name: str, made: object) -> None:
    assert callable(made)
    html = made()[name]
    page = Elements(html)
    [policy] = [
        a["content"]
        for t, a in page.found
        if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["base-uri"] == directives["form-action"] == "'none'"
    assert directives["img-src"] == "data:"
    assert "unsafe" not in policy
    [style] = [text for tag, text in page.inline if tag == "style"]
    assert directives["style-src"] == f"'{digest(style)}'"
    programs = [text for tag, text in page.inline if tag == "script" and text.startswith("(")]
    assert directives.get("script-src") == (f"'{digest(programs[0])}'" if programs else None)
    assert len(programs) == (name == "workbook.html")
    for tag, attributes in page.found:
        assert "style" not in attributes
        assert "src" not in attributes
        assert not any(key.startswith("on") for key in attributes)
        if "href" in attributes:
            assert re.fullmatch(r"(index|executive|workbook)\.html|#[\w-]+", attributes["href"] or "")
        assert tag not in ("img", "iframe", "object", "embed", "base", "link", "audio", "video")
        assert attributes.get("http-equiv") in (None, "Content-Security-Policy")
    assert not re.search(r"@import|url\(", style)
    assert page.comments == []


def digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.mark.parametrize("name", NAMES)
def test_hostile_text_adds_no_element_and_no_attribute(name: str) -> None:
    allowed = {(tag, key) for page in usual().values() for tag, a in Elements(page).found for key in (*a, "")}
    allowed |= {
        (tag, key) for page in nothing().values() for tag, a in Elements(page).found for key in (*a, "")
    }
    found = {(tag, key) for tag, a in Elements(hostile()[name]).found for key in (*a, "")}
    assert found <= allowed


@pytest.mark.parametrize("name", NAMES)
def test_hidden_characters_are_made_visible(name: str) -> None:
    html = hostile()[name]
    assert not any(c in html for c in "\u202e\u200b\ufeff\x00\x1b")
    if name != "index.html":
        assert "\\u202e" in html


def test_what_is_packed_for_the_table_is_plain_text() -> None:
    found = ranked(hostile_estate(), hostile_findings())
    material = gather(hostile_scan(), found, hostile_estate(), (), budget_hours=8, today=TODAY)
    view = workbook(material)
    table = json.loads(gzip.decompress(base64.b64decode(view.table)))
    details = json.loads(gzip.decompress(base64.b64decode(view.details)))
    assert len(table["scores"]) == len(details["rows"]) == view.listed == len(HOSTILE)
    cells = [cell for row in details["rows"] for pair in row for cell in pair]
    texts = [cell for cell in cells if isinstance(cell, str)]
    assert all(c.isprintable() or c == "\n" for text in texts for c in text)
    # Each text stands once, and a number only for one that stood before.
    assert len(set(texts)) == len(texts)
    assert max(cell for cell in cells if isinstance(cell, int)) < len(texts)
    for name, words in table["words"].items():
        assert all(c.isprintable() for word in words for c in word)
        assert max(table["columns"][name]) < len(words)


def test_a_forgotten_name_stops_the_page_and_leaves_no_hole() -> None:
    class Half(msgspec.Struct, frozen=True):
        frame: Frame

    material = gather(scan(), ranked(), company(), (), budget_hours=8, today=TODAY)
    with pytest.raises(Exception, match="has no attribute"):
        render("executive", Half(workbook(material).frame))
    with pytest.raises(ValueError, match="no page 'other'"):
        render("other", Half(workbook(material).frame))


@pytest.mark.parametrize("text", ["a</script>", "a</SCRIPT >", "<!-- a", "a\r\nb"])
def test_only_text_that_stays_in_its_element_is_trusted(text: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in"):
        _trusted(text, "script")


def test_no_template_marks_anything_safe() -> None:
    for entry in (files("reports") / "templates").iterdir():
        text = entry.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape\s+false|Markup|style=", text), entry.name
        assert "http:" not in text
        assert "https:" not in text


def test_the_parts_of_a_score_add_up_in_the_card() -> None:
    material = gather(scan(), ranked(), company(), (), budget_hours=8, today=TODAY)
    for card in workbook(material).cards:
        lost = sum(float(part.lost.replace("−", "-")) for part in card.why.parts)
        assert card.why.left + -lost == pytest.approx(100, abs=1e-6)
        assert sum(part.width for part in card.why.parts) == pytest.approx(100 - card.why.left, abs=0.15)


def test_the_headline_asks_for_what_the_plan_says() -> None:
    html = usual()["executive.html"]
    assert "Four fixes for internet-facing weaknesses are due within 3 days, three of them late." in html
    assert "<em>Approve 7.1 hours: that removes" in html
    assert "2 targets of 24 not reached: ssh://backup-01 and net:10.9.0.0/24" in html
    assert "8224ead247265defa0c1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c38d2319cc" in html


def test_a_budget_too_small_is_said_to_be() -> None:
    html = pages(scan(), ranked(), company(), (), budget_hours=2, today=TODAY)["executive.html"]
    assert "together they need 6.2 hours." in html
    assert "Approve 4.2 hours more than the 2 planned: they cannot wait." in html


@pytest.mark.parametrize(
    ("outcomes", "covered", "lead", "decision"),
    [
        ((), False, "Nothing was assessed.", "Give the scan the access it lacks"),
        (
            (Outcome.UNKNOWN, Outcome.ERROR),
            True,
            "Nothing could be judged: all 2 questions stayed unanswered.",
            "Give the scan the access it lacks",
        ),
        (
            (Outcome.PASS, Outcome.UNKNOWN),
            True,
            "No weakness was found, but 1 of 2 questions stayed unanswered.",
            "Close these gaps before relying on this result.",
        ),
        (
            (Outcome.PASS, Outcome.PASS),
            True,
            "All 2 questions that were asked passed.",
            "Nothing is to be decided",
        ),
        (
            (Outcome.PASS,),
            False,
            "What was reached passed, but 2 of 3 targets were not reached.",
            "Close these gaps before relying on this result.",
        ),
        (
            (Outcome.FAIL,),
            True,
            "One fix for internet-facing weaknesses is",
            "that closes the one open action.",
        ),
    ],
)
def test_the_quiet_cases(outcomes: tuple[Outcome, ...], covered: bool, lead: str, decision: str) -> None:
    found = [finding(on=str(n), outcome=o, asset="machine-id:dmz-00") for n, o in enumerate(outcomes)]
    coverage = Coverage(3, 3, 0, 0) if covered else Coverage(3, 1, 2, 0)
    made = pages(
        scan(coverage=coverage),
        ranked(company(), found, ages={}),
        company() if found else Estate(),
        (),
        budget_hours=40,
        today=TODAY,
    )
    text = made["executive.html"]
    assert lead in text
    assert decision in text
    if not covered:
        assert "2 targets of 3 not reached" in text


def test_what_was_not_assessed_is_never_green() -> None:
    unknown = [
        msgspec.structs.replace(one, outcome=Outcome.UNKNOWN, reason="denied") for one in company_findings()
    ]
    made = pages(scan(), ranked(findings=unknown), company(), past(), budget_hours=8, today=TODAY)
    page = Elements(made["executive.html"])
    assert not [a for _, a in page.found if "good" in (a.get("class") or "").split()]
    assert "? Not assessed" in made["executive.html"]
    assert "nothing was judged" in made["executive.html"]


def test_less_coverage_is_never_shown_as_progress() -> None:
    whole = usual(coverage=Coverage(24, 24, 0, 0))["executive.html"]
    part = usual()["executive.html"]
    assert 'class="good"' in whole
    assert 'class="good"' not in part
    assert "not all was reached" in part
