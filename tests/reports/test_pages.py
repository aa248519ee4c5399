"""The pages in a real browser: one sheet, no request, no script but ours, ten thousand findings."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.fix import Effort, Fix
from checks.model import Outcome
from reports.estate import Estate, merge
from reports.plan import actions, select
from reports.report import pages
from reports.risk import rank
from tests.lab.browser import Browser, Tab
from tests.reports.builder import (
    HOSTILE,
    TODAY,
    company,
    company_findings,
    finding,
    hostile_estate,
    hostile_findings,
    hostile_scan,
    many,
    past,
    ranked,
    scan,
    snapshot,
)

pytestmark = pytest.mark.real

NAMES = ("index", "executive", "workbook")
Made = Callable[[], dict[str, str]]
READY = "document.documentElement.dataset.ready === 'yes'"


def usual() -> dict[str, str]:
    return pages(scan(), ranked(), company(), past(), budget_hours=8, today=TODAY)


def hostile() -> dict[str, str]:
    found = ranked(hostile_estate(), hostile_findings())
    return pages(hostile_scan(), found, hostile_estate(), (), budget_hours=8, today=TODAY)


def nothing() -> dict[str, str]:
    return pages(scan(), (), Estate(), (), budget_hours=40, today=TODAY)


def one() -> dict[str, str]:
    return pages(scan(), ranked(findings=[finding()]), company(), (), budget_hours=40, today=TODAY)


def unknown() -> dict[str, str]:
    found = [f for f in company_findings() if f.outcome in (Outcome.UNKNOWN, Outcome.ERROR)]
    return pages(scan(), ranked(findings=found), company(), (), budget_hours=40, today=TODAY)


def long_words() -> dict[str, str]:
    """As full as the sheet can get: long names everywhere, twelve scans, four zones, all decisions."""
    estate = merge(
        [
            snapshot(
                f"a-very-long-host-name-{n:02}.of.a.department.example.invalid",
                zone=f"a zone with quite a long name {n % 6}",
                owner=f"Department of long names {n}",
                identities=(f"machine-id:{n}",),
            )
            for n in range(30)
        ],
        {},
    )
    found = [
        finding(
            asset=f"machine-id:{n}",
            check=f"host.topic.check-{n % 8}",
            title="A title that takes as much room as titles are ever given by the authors of checks " * 2,
            fix=Fix(
                do="Change the settings.",
                verify="look",
                effort=Effort(3, 1),
                action=f"{n % 8} Change a great many settings of every system of the whole company",
            ),
        )
        for n in range(30)
    ]
    ordered = rank(found, estate, first_seen={}, statuses={}, today=TODAY)
    info = scan(
        number=41,
        organisation="An organisation with a name of great length and standing, Incorporated",
        limits=("word " * 60,) * 5,
    )
    return pages(info, ordered, estate, past(40), budget_hours=2, today=TODAY)


def written(made: dict[str, str], folder: Path) -> dict[str, Path]:
    files = {}
    for name, html in made.items():
        files[name.removesuffix(".html")] = folder / name
        (folder / name).write_text(html, encoding="utf-8")
    return files


def opened(browser: Browser, file: Path, *, width: int = 1280) -> Tab:
    tab = browser.open(file, width=width)
    if file.name == "workbook.html":
        tab.until(READY)
    return tab


@pytest.mark.parametrize(
    "made", [usual, nothing, one, unknown, hostile, long_words], ids=lambda m: m.__name__
)
def test_the_executive_page_is_one_sheet(browser: Browser, tmp_path: Path, made: Made) -> None:
    tab = opened(browser, written(made(), tmp_path)["executive"])
    assert tab.pdf(tmp_path / "executive.pdf") == 1
    tab.close()


@pytest.mark.parametrize(
    "made", [usual, nothing, one, unknown, hostile, long_words], ids=lambda m: m.__name__
)
def test_pages_ask_nobody_complain_of_nothing_and_fit_a_telephone(
    browser: Browser,
    tmp_path: Path,
    made: Made,
) -> None:
    for name, file in written(made(), tmp_path).items():
        tab = opened(browser, file, width=390)
        assert tab.requests() == [file.resolve().as_uri()]
        assert tab.complaints() == []
        assert tab.ask("document.documentElement.scrollWidth") <= 390, name
        tab.size(1280, 900)
        assert tab.ask("document.documentElement.scrollWidth") <= 1280, name
        tab.close()


def test_the_policy_stops_a_script_and_the_test_would_see_it(browser: Browser, tmp_path: Path) -> None:
    for name, file in written(usual(), tmp_path).items():
        html = file.read_text(encoding="utf-8")
        file.write_text(html.replace("</main>", "<script>window.bad=1</script></main>"), encoding="utf-8")
        tab = opened(browser, file)
        assert tab.ask("window.bad") is None, name
        assert tab.complaints() != [], name
        tab.close()


def test_hostile_text_stays_text(browser: Browser, tmp_path: Path) -> None:
    census = "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName.toLowerCase()))].sort()"
    allowed: set[str] = set()
    for file in written(usual(), tmp_path).values():
        tab = opened(browser, file)
        allowed |= set(tab.ask(census))
        tab.close()
    for name, file in written(hostile(), tmp_path).items():
        tab = opened(browser, file)
        assert set(tab.ask(census)) <= allowed, name
        if name == "workbook":
            tab.ask("document.getElementById('view').focus()")
            for _ in HOSTILE:
                tab.press("ArrowDown")
                tab.press("Enter")
                tab.until("!document.getElementById('detail').hidden")
            assert "<script>window.bad=1</script>" in tab.ask("document.getElementById('view').textContent")
            assert set(tab.ask(census)) <= allowed | {"dl", "dt", "dd"}
        assert tab.ask("window.bad") is None
        assert tab.ask("document.scripts.length") == (1 if name == "workbook" else 0)
        assert tab.requests() == [file.resolve().as_uri()]
        assert tab.complaints() == []
        tab.close()


def test_without_scripts_all_actions_and_the_first_findings_are_there(
    browser: Browser, tmp_path: Path
) -> None:
    found = rank(many(1_000), Estate(), first_seen={}, statuses={}, today=TODAY)
    made = pages(scan(), found, Estate(), (), budget_hours=40, today=TODAY)
    files = written(made, tmp_path)
    for name, file in files.items():
        tab = browser.open(file, scripts=False)
        assert tab.complaints() == [], name
        tab.close()
    tab = browser.open(files["workbook"], scripts=False)
    root = tab.command("DOM.getDocument")["root"]["nodeId"]

    def count(selector: str) -> int:
        return len(tab.command("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"])

    assert count("#static tbody tr") == 200
    assert count("article.card") == len(actions(found, Estate())) == 36
    assert count("form[hidden]") == count("#big[hidden]") == count("#tabs[hidden]") == 1
    tab.close()


def test_ten_thousand_findings(browser: Browser, tmp_path: Path) -> None:
    found = rank(many(10_000), Estate(), first_seen={}, statuses={}, today=TODAY)
    made = pages(scan(), found, Estate(), (), budget_hours=40, today=TODAY)
    assert len(made["workbook.html"]) < 3_000_000
    tab = opened(browser, written(made, tmp_path)["workbook"])
    ask = tab.ask
    assert ask("performance.now()") < 10_000
    assert ask("document.getElementById('count').textContent") == "10,000 of 10,000"
    assert ask("document.getElementById('grid').getAttribute('aria-rowcount')") == "10001"
    assert ask("document.querySelectorAll('.r').length") <= 40
    assert ask("document.getElementById('static').hidden")

    ask("document.getElementById('view').focus()")
    tab.press("End")
    assert ask("document.querySelector('.r[aria-selected=true]').getAttribute('aria-rowindex')") == "10001"
    assert ask("document.getElementById('view').getAttribute('aria-activedescendant')") == "row-9999"
    assert ask("document.querySelectorAll('.r').length") <= 40
    tab.press("Home")
    assert ask("document.querySelector('.r[aria-selected=true]').getAttribute('aria-rowindex')") == "2"
    tab.press("Enter")
    tab.until("!document.getElementById('detail').hidden")
    text = ask("document.getElementById('detail').textContent")
    assert found[0].finding.id in text
    assert found[0].line in text
    assert "permitrootlogin yes" in text

    def type_in(control: str, value: str) -> str:
        ask(f"document.getElementById('{control}').value = '{value}'")
        ask(f"document.getElementById('{control}').dispatchEvent(new Event('input', {{bubbles: true}}))")
        shown: str = ask("document.getElementById('count').textContent")
        return shown

    assert type_in("search", "HOST-0042") == "10 of 10,000"
    assert type_in("search", "no such thing") == "0 of 10,000"
    assert not ask("document.getElementById('nothing').hidden")
    assert type_in("search", "") == "10,000 of 10,000"
    high = sum(one.score is not None and one.score.value >= 60 for one in found)
    assert type_in("least", "60") == f"{high:,} of 10,000"
    assert type_in("least", "0") == "10,000 of 10,000"
    ask("document.querySelector('input[value=unknown]').click()")
    assert ask("document.getElementById('count').textContent") == "1,000 of 10,000"
    assert set(ask("[...document.querySelectorAll('.r')].map(r => r.children[1].textContent)")) == {"unknown"}
    assert tab.complaints() == []
    tab.close()


def test_the_slider_plans_as_the_report_does(browser: Browser, tmp_path: Path) -> None:
    found = rank(many(2_000), Estate(), first_seen={}, statuses={}, today=TODAY)
    known = (*found, *(one for one in ranked() if one.score))
    tab = opened(
        browser,
        written(pages(scan(), known, company(), (), budget_hours=8, today=TODAY), tmp_path)["workbook"],
    )
    tiles = "[...document.querySelectorAll('.tile.in')].map(t => t.dataset.id).sort()"
    todo = actions(known, company())
    assert tab.ask(tiles) == sorted(select(todo, 8, TODAY).chosen)
    for budget in (0, 3.5, 12, 20, 33.5, 60):
        tab.ask(
            f"(b => {{ b.value = {budget}; b.dispatchEvent(new Event('input')) }})"
            "(document.getElementById('budget'))"
        )
        assert tab.ask("+document.getElementById('budget').value") == budget
        assert tab.ask(tiles) == sorted(select(todo, budget, TODAY).chosen), budget
    tab.close()


def test_work_packages_print_one_action_a_page(browser: Browser, tmp_path: Path) -> None:
    tab = opened(browser, written(usual(), tmp_path)["workbook"])
    tab.pdf(tmp_path / "workbook.pdf")
    command = ["pdftotext", "-layout", str(tmp_path / "workbook.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    _, *sheets = text.split("\f")
    todo = actions(ranked(), company())
    for action, sheet in zip(todo, sheets, strict=False):
        assert [a.id for a in todo if a.id in sheet] == [action.id]
        for part in ("Why this score", "Do", "Verify", "Undo"):
            assert part in sheet
    rest = "".join(sheets[len(todo) :])
    assert "Findings" in rest
    assert rest.count("PermitRootLogin") == 12
    tab.close()


def test_pages_name_their_parts(browser: Browser, tmp_path: Path) -> None:
    names = (
        "[...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-hidden') === 'true' || "
        "(s.getAttribute('role') === 'img' && (s.getAttribute('aria-label') || s.querySelector('title'))))"
    )
    doubles = "(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('[id]')].map(e => e.id))"
    labels = "[...document.querySelectorAll('input,select')].every(e => e.labels.length > 0)"
    for name, file in written(usual(), tmp_path).items():
        tab = opened(browser, file)
        assert tab.ask(names), name
        assert tab.ask(doubles) == 0, name
        assert tab.ask(labels), name
        assert tab.ask("document.querySelectorAll('h1').length") == 1
        assert tab.ask("document.documentElement.lang") == "en"
        tab.press("Tab")
        assert tab.ask("document.activeElement.textContent") == "Skip to the report"
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_text_has_enough_contrast(browser: Browser, tmp_path: Path, name: str) -> None:
    """WCAG AA: every text stands out from what is behind it by 4.5 to 1 (3 to 1 where it is large)."""
    tab = opened(browser, written(usual(), tmp_path)[name])
    poor = tab.ask(CONTRAST)
    assert poor == []
    tab.close()


CONTRAST = """(() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const curve = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.map(v => curve(v / 255));
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll('main *, header *')) {
    if (e.closest('svg') || e.closest('.vh') || !e.checkVisibility()) continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const s = getComputedStyle(e), a = light(parse(s.color).slice(0, 3)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), size = parseFloat(s.fontSize);
    const large = size >= 24 || (size >= 18.6 && +s.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push([e.className, e.textContent.slice(0, 40), ratio]);
  }
  return poor;
})()"""


def test_the_same_pages_again(browser: Browser, tmp_path: Path) -> None:
    """Opening a page twice shows the same text: nothing depends on the time or the machine."""
    file = written(usual(), tmp_path)["executive"]
    texts = []
    for _ in range(2):
        tab = opened(browser, file)
        texts.append(tab.ask("document.body.innerText"))
        tab.close()
    assert all(a == b for a, b in itertools.pairwise(texts))
