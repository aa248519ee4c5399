"""The clock: all sixteen rows, and how findings without a CVE find theirs."""

from __future__ import annotations

import itertools

import pytest

from checks.model import Exploit, Exposure, Weakness
from reports.clock import TABLE, clock, due, words
from reports.exposure import Exposed
from tests.reports.builder import finding

# row | in KEV | exposed | automatable | total | due, as the directive prints it
DIRECTIVE = """
0 no no no partial upgrade
1 yes no no partial 14
2 no yes no partial 60
3 no no yes partial 60
4 no no no total upgrade
5 yes yes no partial 14
6 yes no yes partial 14
7 no yes yes partial 14
8 yes no no total 14
9 no yes no total 14
10 no no yes total 60
11 yes yes yes partial 3
12 yes yes no total 3+forensics
13 yes no yes total 3+forensics
14 no yes yes total 3
15 yes yes yes total 3+forensics
"""


@pytest.mark.parametrize("line", DIRECTIVE.split("\n")[1:-1])
def test_every_row_of_the_directive(line: str) -> None:
    row, kev, exposed, automatable, impact, when = line.split()
    days = None if when == "upgrade" else int(when.partition("+")[0])
    key = (kev == "yes", exposed == "yes", automatable == "yes", impact == "total")
    assert TABLE[key] == (int(row), days, when.endswith("forensics"))


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(itertools.product((False, True), repeat=4))
    assert sorted(row for row, _, _ in TABLE.values()) == list(range(16))


@pytest.mark.parametrize("impact", [0.2, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("exploit", Exploit)
@pytest.mark.parametrize("exposure", Exposure)
def test_the_inputs_are_read_from_the_finding(exposure: Exposure, exploit: Exploit, impact: float) -> None:
    one = clock(finding(exploit=exploit), Exposed(exposure, "seen"), impact)
    assert one.exposed is (exposure in (Exposure.INTERNET_OPEN, Exposure.INTERNET_LIMITED))
    assert one.automatable is (exploit not in (Exploit.POC, Exploit.HARDENING))
    assert one.total is (impact >= 0.8)
    assert one.exploited is (exploit is Exploit.ACTIVE)
    assert (one.row, one.days, one.forensics) == TABLE[one.exploited, one.exposed, one.automatable, one.total]


@pytest.mark.parametrize("weakness", Weakness)
def test_a_class_on_the_list_counts_as_exploited(weakness: Weakness) -> None:
    outside = clock(finding(weakness=weakness), Exposed(Exposure.INTERNET_OPEN, "seen"), 1.0)
    inside = clock(finding(weakness=weakness), Exposed(Exposure.SAME_ZONE, "seen"), 1.0)
    assert (outside.row, outside.forensics) == (15, True)
    assert inside.exploited is (weakness is not Weakness.ADMIN_PORT_NO_PASSWORD)


def test_an_unknown_exposure_is_said_and_not_taken_for_evidence() -> None:
    one = clock(finding(), Exposed(Exposure.UNKNOWN, "nobody looked"), 1.0)
    assert not one.exposed
    assert "publicly exposed: no (not evidenced: nobody looked)" in one.because
    assert one.because.count("; ") == 3


def test_due_dates() -> None:
    assert due("2026-02-26T23:59:00Z", 3) == "2026-03-01"
    assert due("2026-02-26", None) == ""


def test_words() -> None:
    assert words(clock(finding(), Exposed(Exposure.INTERNET_OPEN, ""), 1.0)) == "3 d (BOD 26-04 row 14)"
    low = clock(finding(exploit=Exploit.HARDENING), Exposed(Exposure.LOCAL, ""), 0.2)
    assert words(low) == "on upgrade (BOD 26-04 row 0)"
