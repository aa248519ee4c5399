"""The page of zones: each state has a sign and a word, nothing untried looks safe, leaks lead to a card."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from reports.estate import Estate
from reports.matrix import CellState, Matrix
from reports.report import gather, pages
from reports.views.segmentation import segmentation
from tests.lab.browser import Browser
from tests.reports.builder import HOSTILE, TODAY, company, ranked, scan
from tests.reports.test_pages import CONTRAST
from tests.reports.zones import ZONES, leaks, matrix

GREEN = "rgb(27, 110, 69)"


def made(count: int = 3, zones: tuple[str, ...] = ZONES) -> dict[str, str]:
    found = leaks(count)
    return pages(
        scan(),
        ranked(Estate(), found),
        company(),
        (),
        budget_hours=8,
        today=TODAY,
        matrix=matrix(found, zones),
    )


def test_only_a_scan_with_zones_has_the_page_and_the_index_leads_to_it() -> None:
    without = pages(scan(), ranked(), company(), (), budget_hours=8, today=TODAY)
    assert "segmentation.html" not in without
    assert all("segmentation.html" not in html for html in without.values())
    for name, html in made().items():
        assert 'href="segmentation.html"' in html, name


def test_every_state_has_a_sign_and_a_word() -> None:
    html = made()["segmentation.html"]
    for state, glyph, word in (
        ("leaks", "✕", "3 leaks"),
        ("blocked", "■", "1 blocked"),
        ("untested", "?", "not tested"),
        ("holds", "✓", "holds"),
        ("free", "–", "free"),
    ):
        assert f'<b class="z {state}"><span aria-hidden="true">{glyph}</span> {word}</b>' in html


def test_a_leak_leads_to_the_card_that_closes_it() -> None:
    made_pages = made()
    links = re.findall(r'href="workbook\.html#([^"]+)"', made_pages["segmentation.html"])
    assert len(links) == 3
    assert all(f'id="{one}"' in made_pages["workbook.html"] for one in links)


def test_the_page_says_from_where_when_and_how_much() -> None:
    found = leaks(20)
    material = gather(scan(), ranked(Estate(), found), company(), (), budget_hours=8, today=TODAY)
    view = segmentation(material, matrix(found))
    [way] = [one for one in view.ways if one.title == "guests → servers"]
    assert dict(way.facts) == {
        "May pass": "nothing",
        "Looked from": "guests",
        "Asked": "254 addresses × 152 TCP ports, 31 live",
        "When": "2026-11-23 10:02Z to 2026-11-23 10:31Z",
        "Must answer and does not": "guests → servers udp/53",
    }
    assert (len(way.leaks), way.more_leaks) == (12, 8)
    [nobody] = [one for one in view.ways if one.title == "management → servers"]
    assert dict(nobody.facts)["Looked from"] == "nowhere: no scanner stood there"
    assert view.headline == "Between zones, 1 way leaks and 1 way is blocked."


@pytest.mark.parametrize(
    ("states", "headline"),
    [
        ({CellState.UNTESTED}, "No way was seen to leak; 12 ways nobody tried."),
        ({CellState.HOLDS}, "Every way between zones is as the scope wants it."),
    ],
)
def test_the_headline_claims_no_more_than_was_tried(states: set[CellState], headline: str) -> None:
    [state] = states
    zones = ("a", "b", "c", "d")
    cells = [
        msgspec.structs.replace(one, state=CellState.FREE if one.source == one.zone else state, leaks=0)
        for one in matrix((), zones).cells
    ]
    material = gather(scan(), (), Estate(), (), budget_hours=8, today=TODAY)
    assert segmentation(material, Matrix(zones, tuple(cells))).headline == headline


@pytest.mark.real
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_stands_out_and_asks_nobody(browser: Browser, tmp_path: Path, width: int) -> None:
    for name, html in made(30).items():
        (tmp_path / name).write_text(html, encoding="utf-8")
    file = tmp_path / "segmentation.html"
    tab = browser.open(file, width=width)
    assert tab.requests() == [file.resolve().as_uri()]
    assert tab.complaints() == []
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask(CONTRAST) == []
    # What nobody tried is never green.
    colours = tab.ask(
        "[...document.querySelectorAll('.untested, .untested *')].flatMap(e => "
        "(s => [s.color, s.borderTopColor, s.backgroundColor])(getComputedStyle(e)))"
    )
    assert GREEN not in colours
    assert GREEN in tab.ask("[...document.querySelectorAll('b.holds')].map(e => getComputedStyle(e).color)")
    assert tab.ask("document.querySelectorAll('.zones tbody tr').length") == len(ZONES)
    assert tab.ask("document.querySelectorAll('.zones td.untested').length") == 4
    tab.close()


@pytest.mark.real
def test_hostile_names_of_zones_stay_texts(browser: Browser, tmp_path: Path) -> None:
    zones = tuple(f"{n}{text}" for n, text in enumerate(HOSTILE[:6]))
    file = tmp_path / "segmentation.html"
    file.write_text(made(1, zones)["segmentation.html"], encoding="utf-8")
    tab = browser.open(file, width=390)
    assert tab.ask("window.bad") is None
    assert tab.ask("document.scripts.length") == 0
    assert tab.complaints() == []
    assert tab.ask("document.documentElement.scrollWidth") <= 390
    tab.close()
