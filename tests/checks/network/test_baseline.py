from __future__ import annotations

from baselines.load import library
from baselines.resolve import needs, resolve
from checks.fix import places
from checks.model import Kind
from scanner.collect.network.ask.every import SERVICE_FACTS
from scanner.collect.network.collect import permissions
from tests.checks.network.judging import CATALOGUE

LOADED = library()["network-exposure"]
ALL = tuple(
    {
        demand.check.id: demand
        for profile in ("office", "internet-facing")
        for demand in resolve(LOADED, profile, CATALOGUE, library())
    }.values()
)
FRAMEWORKS = {"cis-controls-8.1", "iso-27001", "nist-csf-2.0", "pci-dss-4.0.1"}


def test_the_baseline_demands_every_network_check() -> None:
    ours = {i for i, one in CATALOGUE.checks.items() if one.kind is Kind.NETWORK}
    assert {demand.check.id for demand in ALL} == ours


def test_the_outer_profile_holds_the_inner_one() -> None:
    server = resolve(LOADED, "server", CATALOGUE, library())
    assert {d.check.id for d in server} < {d.check.id for d in ALL}


def test_every_rule_points_at_four_frameworks() -> None:
    for demand in ALL:
        assert set(demand.controls) == FRAMEWORKS, demand.check.id


def test_every_fact_that_is_demanded_is_collected_and_announced() -> None:
    wanted = needs(ALL, Kind.NETWORK)
    names = {fact.__name__ for fact in wanted}
    assert names - {f.__name__ for f in SERVICE_FACTS} == {
        "OpenPorts",
        "PortAnswers",
        "UdpAnswers",
        "NetworkCoverage",
        "LinkAddress",
    }
    announced = {name for permission in permissions(wanted) for name in permission.facts}
    assert names <= announced
    assert {p.kind for p in permissions(wanted)} == {"network"}


_OF_PEOPLE = ("network.coverage.", "network.inventory.", "network.segmentation.tested")
"""Where somebody has to find out or decide, and no command changes anything."""


def test_every_fix_can_be_acted_on() -> None:
    given = {
        "on",
        "region",
        "target",
        "saw",
        "want",
        "port",
        "weak",
        "keep",
        "place",
        "fingerprint",
        "scheme",
        "product",
        "path",
        "protocol",
        "display",
        "zone",
        "domain",
        *("source", "family", "example", "address", "marks", "host", "places"),
    }
    for demand in ALL:
        fix = demand.check.fix
        assert fix.action, demand.check.id
        assert not fix.action.endswith("."), demand.check.id
        assert fix.undo, demand.check.id
        assert fix.effort.each or fix.effort.setup, demand.check.id
        texts = [fix.action, fix.do, fix.verify, fix.undo, fix.key, *(s.do + s.undo for s in fix.snippets)]
        assert frozenset().union(*map(places, texts)) <= given, demand.check.id
        if not demand.check.id.startswith(_OF_PEOPLE):
            assert fix.snippets, demand.check.id
            assert all(s.undo for s in fix.snippets), demand.check.id
