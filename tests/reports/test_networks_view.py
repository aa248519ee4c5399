"""The table of networks: how each was looked at, and what of it stayed without an answer."""

from __future__ import annotations

from checks.facts.network import NetworkCoverage
from checks.facts.snapshot import decode, encode
from checks.model import Kind
from reports.estate import Estate, merge
from reports.render import render
from reports.report import gather
from reports.views.networks import LIMITS, looked
from reports.views.workbook import workbook
from tests.reports.builder import HOSTILE, TODAY, company, ranked, scan, snapshot


def estate(*limits: str, pairs: int = 400, silent: int = 100) -> Estate:
    coverage = NetworkCoverage(
        "10.0.0.0/24", "office", "syn and connect", 254, 9, 2, 1_000, 21_000, 63.4, limits, pairs, silent
    )
    return merge(
        [
            snapshot(
                "lan",
                coverage,
                kind=Kind.NETWORK,
                spec="net:10.0.0.0/24",
                identities=("network:x",),
                zone="lan",
            )
        ],
        {},
    )


def test_a_network_says_from_where_how_and_how_long_it_was_asked() -> None:
    [row] = looked(estate())
    assert (row.name, row.network, row.vantage) == ("lan", "10.0.0.0/24", "office")
    assert row.addresses == "254 asked, 9 live, 2 left out"
    assert (row.way, row.ports) == ("SYN packets and connections", "1,000 TCP ports")
    assert (row.sent, row.silent) == ("21,000 probes in 63 s", "25%")


def test_a_share_that_nobody_counted_is_not_known() -> None:
    [row] = looked(estate(pairs=0, silent=0))
    assert row.silent == "not known"


def test_a_snapshot_of_an_older_version_tells_no_share() -> None:
    [one] = [
        snapshot(
            "lan",
            NetworkCoverage("10.0.0.0/24", "office", "syn", 254, 9, 2, 1_000, 21_000, 63.4, (), 400, 100),
            kind=Kind.NETWORK,
            spec="net:10.0.0.0/24",
            identities=("network:x",),
        )
    ]
    old = (
        encode(one)
        .replace(b',"pairs":400,"pairs_silent":100', b"")
        .replace(b'"pairs":400,"pairs_silent":100,', b"")
    )
    assert b"pairs" not in old
    [row] = looked(merge([decode(old, {"NetworkCoverage": NetworkCoverage})], {}))
    assert (row.silent, row.vantage) == ("not known", "office")


def test_many_limits_are_counted() -> None:
    [row] = looked(estate(*(f"limit {n}" for n in range(LIMITS + 3))))
    assert (len(row.limits), row.limits[-1]) == (LIMITS + 1, "and 3 more")


def test_the_page_holds_the_limits_and_no_markup_of_theirs() -> None:
    material = gather(scan(), ranked(), company(), (), budget_hours=40, today=TODAY)
    page = render("workbook", workbook(material))
    assert "UDP was not asked" in page
    assert "256,000 probes in 31 s" in page
    hostile = gather(scan(), (), estate(*HOSTILE), (), budget_hours=40, today=TODAY)
    assert "<script>window.bad" not in render("workbook", workbook(hostile))
