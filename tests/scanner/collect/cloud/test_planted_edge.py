"""Names, APIs, firewalls and what else faces the internet, as a scan finds them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.facts.cloud.route53 import NameRecords
from checks.facts.snapshot import decode, encode
from checks.model import Outcome
from scanner.collect.cloud import registry
from scanner.collect.cloud.calls import Call
from tests.lab.aws import Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_account import MAIN
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

PLANTED = ("edge_names", "edge_api", "edge_services")
SERVICES = (
    "apigateway",
    "apigatewayv2",
    "appsync",
    "elasticbeanstalk",
    "lightsail",
    "route53",
    "route53domains",
    "transfer",
    "wafv2",
)
OURS = [call for call in registry.calls(registry.facts()) if call.service in SERVICES]


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED) as world:
        yield world


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)


def test_nothing_is_missing_and_nothing_crashes(world: World) -> None:
    assert not world.snapshot.gaps
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []
    types = {fact.__name__: fact for fact in registry.facts()}
    assert decode(encode(world.snapshot), types) == world.snapshot


def test_all_that_is_declared_is_asked_and_nothing_else(world: World) -> None:
    world.collect()
    asked = {(one.service, one.operation) for one in world.endpoint.asked if one.service in SERVICES}
    assert asked == {(call.service, call.operation) for call in OURS}


def test_an_address_is_only_lost_where_somebody_has_looked(world: World) -> None:
    found = world.outcomes("cloud.route53-names.lost-address")
    by_name = {on.split("/")[1]: outcome for on, outcome in found.items() if on.count("/") == 2}
    assert by_name["osaka.edge.example.com"] is Outcome.UNKNOWN
    assert "cellar.edge.example.com" not in by_name


def test_private_zones_are_no_business_of_strangers(world: World) -> None:
    records = world.snapshot.get(NameRecords)
    assert isinstance(records, NameRecords)
    assert "edge.internal." not in {one.apex for one in records.records}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "DescribeAddresses"),
        ("ec2", "DescribeNetworkInterfaces"),
        ("lightsail", "GetStaticIps"),
    ],
)
def test_a_refused_list_of_addresses_makes_no_address_a_lost_one(
    world: World, service: str, operation: str
) -> None:
    world.endpoint.faults[service, operation, MAIN] = Fault.DENIED
    found = world.outcomes("cloud.route53-names.lost-address", world.judge(world.collect()))
    by_name = {on.split("/")[1]: outcome for on, outcome in found.items() if on.count("/") == 2}
    assert by_name["old.edge.example.com"] is Outcome.UNKNOWN
    assert by_name["there.edge.example.com"] is Outcome.FAIL
    others = {"ec2": "small.edge.example.com", "lightsail": "parked.edge.example.com"}
    assert by_name[others[service]] is Outcome.PASS


@pytest.mark.parametrize("call", OURS, ids=lambda call: call.label)
def test_a_refused_read_turns_nothing_green(world: World, call: Call) -> None:
    hit = {d.check.id for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)}
    assert hit
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    needed = {n for d in world.demands if d.check.id in hit for n in d.check.needs}
    after = {f.id: f for f in world.judge(world.collect(*needed, regions=(MAIN,))) if f.check in hit}
    assert {f.check for f in after.values() if f.outcome is Outcome.UNKNOWN} >= hit
    for old in world.findings:
        if old.check in hit and old.outcome is Outcome.FAIL and old.id in after:
            assert after[old.id].outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)
