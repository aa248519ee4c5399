"""Findings about known flaws: the score and the clock are those of the flaws, with the feeds beside them."""

from __future__ import annotations

from datetime import date

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import Exploit, Exposure, Finding, Impact, Points, Surface
from reports.clock import TABLE, clock
from reports.estate import merge
from reports.explain import explain
from reports.export.native import finding_json, finding_schema
from reports.exposure import Exposed, Worth
from reports.model import Ranked
from reports.risk import EXPLOIT, IMPACT, exploitability, rank, score
from tests.reports.builder import finding

KEV = Points(
    "CVE-2021-3156", Impact.SERIOUS, Exploit.ACTIVE, kev="2022-04-06", said="in KEV since 2022-04-06"
)
POC = Points("CVE-2024-6387", Impact.TOTAL, Exploit.POC, said="SSVC exploitation poc")
QUIET = Points("CVE-2024-1111", Impact.PARTIAL, Exploit.HARDENING, said="SSVC exploitation none")
FEEDS = ("KEV 2025-08-25", "SSVC 2024-10-24", "debian-tracker 2026-11-20")


def known(*points: Points, feeds: tuple[str, ...] = FEEDS, exposure: Exposure | None = None) -> Finding:
    plain = finding(
        surface=Surface.DATA, port="", exploit=points[0].exploit, impact=points[0].impact, exposure=exposure
    )
    named = tuple(one.cve for one in points)
    return msgspec.structs.replace(plain, points=points, cves=named, feeds=feeds)


def ranked(one: Finding) -> Ranked:
    [found] = rank([one], merge([], {}), first_seen={}, statuses={}, today=date(2026, 11, 23))
    return found


def factor(one: Finding, letter: str) -> tuple[float, str, str]:
    scored = score(one, Exposed(Exposure.SAME_ZONE, "x"), Worth(0.6, "y"))
    [found] = [f for f in scored.factors if f.letter == letter]
    return found.value, found.label, found.because


def test_the_line_names_the_feeds_with_their_days() -> None:
    line = ranked(known(KEV)).line
    assert line.endswith(
        "model PR-1.0, KEV 2025-08-25, EPSS none, SSVC 2024-10-24, debian-tracker 2026-11-20"
    )
    both = ("KEV 2026-11-20", "EPSS 2026-11-20")
    assert ranked(known(KEV, feeds=both)).line.endswith("model PR-1.0, KEV 2026-11-20, EPSS 2026-11-20")
    assert ranked(finding()).line.endswith("model PR-1.0, KEV none, EPSS none")


@pytest.mark.parametrize(
    ("one", "value", "label"),
    [
        (KEV, 1.0, "known to be exploited"),
        (
            Points("CVE-1-1", Impact.TOTAL, Exploit.POC_AUTOMATABLE),
            0.7,
            "public proof of concept, automatable",
        ),
        (POC, 0.5, "public proof of concept"),
        (Points("CVE-1-1", Impact.TOTAL, Exploit.AUTOMATABLE), 0.35, "no public exploit known, automatable"),
        (QUIET, 0.15, "no public exploit known"),
        (Points("CVE-1-1", Impact.TOTAL, Exploit.HARDENING, epss=0.5), 0.9, "EPSS 0.5"),
        (Points("CVE-1-1", Impact.TOTAL, Exploit.HARDENING, epss=0.49), 0.7, "EPSS 0.49"),
        (Points("CVE-1-1", Impact.TOTAL, Exploit.HARDENING, epss=0.1), 0.7, "EPSS 0.1"),
        (Points("CVE-1-1", Impact.TOTAL, Exploit.HARDENING, epss=0.01), 0.35, "EPSS 0.01"),
        (Points("CVE-1-1", Impact.TOTAL, Exploit.HARDENING, epss=0.0099), 0.15, "no public exploit known"),
        (Points("CVE-1-1", Impact.TOTAL, Exploit.POC, epss=0.02), 0.5, "public proof of concept"),
    ],
)
def test_exploitability_is_that_of_the_flaw_and_epss_may_only_raise_it(
    one: Points, value: float, label: str
) -> None:
    assert factor(known(one), "P")[:2] == (value, label)


@given(st.sampled_from(list(Exploit)), st.floats(0, 1), st.floats(0, 1))
def test_more_epss_never_lowers(exploit: Exploit, less: float, more: float) -> None:
    less, more = sorted((less, more))
    values = [exploitability(Points("CVE-1-1", Impact.TOTAL, exploit, epss=e)) for e in (0.0, less, more)]
    assert EXPLOIT[exploit] == values[0] <= values[1] <= values[2] <= 1.0


def test_of_several_flaws_the_one_that_weighs_most_makes_the_score() -> None:
    both = known(QUIET, POC)
    assert factor(both, "T")[0] == 1.0
    assert factor(both, "T")[2] == "CVE-2024-6387: SSVC exploitation poc"
    alone = score(known(POC), Exposed(Exposure.SAME_ZONE, "x"), Worth(0.6, "y")).value
    assert score(both, Exposed(Exposure.SAME_ZONE, "x"), Worth(0.6, "y")).value == alone


@given(
    st.lists(
        st.builds(
            Points,
            st.just("CVE-2024-1234"),
            st.sampled_from(list(Impact)),
            st.sampled_from([e for e in Exploit if e is not Exploit.ACTIVE]),
            st.booleans(),
            st.sampled_from(["", "2024-01-01"]),
            st.floats(0, 1),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([Exposure.INTERNET_OPEN, Exposure.LOCAL, Exposure.UNKNOWN]),
)
def test_the_clock_is_the_tightest_row_of_any_single_flaw(points: list[Points], exposure: Exposure) -> None:
    exposed = Exposed(exposure, "x")
    timed = clock(known(*points), exposed, 0.8)
    public = exposure is Exposure.INTERNET_OPEN
    rows = [TABLE[bool(p.kev), public, p.automatable, IMPACT[p.impact] >= 0.8] for p in points]
    days = [10_000 if row[1] is None else row[1] for row in rows]
    assert (10_000 if timed.days is None else timed.days) == min(days)
    # Two flaws together are not one that has the worst of both.
    assert (timed.row, timed.days, timed.forensics) in rows


def test_the_clock_says_which_flaw_it_is_about() -> None:
    timed = clock(known(KEV), Exposed(Exposure.LOCAL, "x"), 0.8)
    assert (timed.row, timed.days, timed.exploited) == (8, 14, True)
    assert "exploited in the wild: yes (CVE-2021-3156, KEV since 2022-04-06)" in timed.because
    active = Points("CVE-2024-1", Impact.PARTIAL, Exploit.ACTIVE, said="SSVC exploitation active")
    timed = clock(known(active), Exposed(Exposure.LOCAL, "x"), 0.5)
    assert timed.exploited
    assert "seen exploited: SSVC exploitation active" in timed.because
    timed = clock(known(QUIET), Exposed(Exposure.LOCAL, "x"), 0.5)
    assert (timed.row, timed.days) == (0, None)
    assert "CVE-2024-1111 is not in the catalogue" in timed.because


def test_what_is_exported_names_the_flaws_and_the_feeds() -> None:
    data = finding_json(ranked(known(KEV, POC)))
    jsonschema.validate(data, finding_schema())
    assert data["cves"] == ["CVE-2021-3156", "CVE-2024-6387"]
    assert data["feeds"] == list(FEEDS)
    assert finding_json(ranked(finding()))["cves"] == []


def test_the_explanation_in_words_says_why() -> None:
    text = explain(ranked(known(KEV)))
    assert "CVE-2021-3156: in KEV since 2022-04-06" in text
    assert "known flaws: CVE-2021-3156" in text
    assert "by the feeds KEV 2025-08-25, SSVC 2024-10-24, debian-tracker 2026-11-20" in text


def test_a_finding_that_was_stored_before_there_were_feeds_still_loads() -> None:
    one = finding()
    old = {
        name: value
        for name, value in msgspec.to_builtins(one).items()
        if name not in ("cves", "points", "feeds")
    }
    assert msgspec.convert(old, Finding) == one
    assert msgspec.json.decode(msgspec.json.encode(known(KEV, POC)), type=Finding) == known(KEV, POC)
