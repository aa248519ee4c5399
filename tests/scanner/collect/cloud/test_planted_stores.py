"""Databases, caches, warehouses, streams, brokers and managed machines, as a scan finds them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.facts.cloud.elasticache import CacheUsers
from checks.facts.cloud.kinesis import Deliveries
from checks.facts.cloud.opensearch import Domains
from checks.facts.cloud.rds import RdsTlsRules
from checks.facts.cloud.resource_policies import DomainPolicies
from checks.facts.cloud.ssm import ManagedInstances, Parameters, PatchStates, SessionLogs
from checks.facts.snapshot import decode, encode
from checks.model import Outcome
from scanner.collect.cloud import registry
from scanner.collect.cloud.calls import Call
from tests.lab.aws import Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_account import MAIN, OTHER
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

PLANTED = ("data_databases", "data_stores", "data_streams", "data_tables", "data_machines")
SERVICES = (
    "dms",
    "dynamodb",
    "elasticache",
    "firehose",
    "kafka",
    "kinesis",
    "mq",
    "opensearch",
    "rds",
    "redshift",
    "ssm",
)
REFUSED = (
    "DescribeClusterParameters",
    "DescribeClusterSubnetGroups",
    "DescribeDBClusterParameters",
    "DescribeDBClusterSnapshotAttributes",
    "DescribeDBParameters",
    "DescribeDeliveryStream",
    "DescribeInstanceInformation",
    "DescribeLoggingStatus",
    "GetServiceSetting",
    "ListBrokers",
    "ListDeliveryStreams",
)
"""Calls whose refusal takes a way of its own here; all others are refused in the tests of all calls."""
OURS = [call for call in registry.calls(registry.facts()) if call.service in SERVICES]


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED) as world:
        yield world


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)
    assert len(world.lab.planted) > 150
    assert sum(one.fools for one in world.lab.planted) > 30


def test_nothing_is_missing_and_nothing_crashes(world: World) -> None:
    assert not world.snapshot.gaps
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []
    types = {fact.__name__: fact for fact in registry.facts()}
    assert decode(encode(world.snapshot), types) == world.snapshot
    assert b"Correct-Horse" not in encode(world.snapshot)


def test_all_that_is_declared_is_asked_and_nothing_else(world: World) -> None:
    world.collect()
    wanted = frozenset(n for d in world.demands for n in d.check.needs)
    asked = {(one.service, one.operation) for one in world.endpoint.asked if one.service in SERVICES}
    ours = {one for one in registry.allowed(wanted) if one[0] in SERVICES}
    assert asked == ours
    assert ours == {(call.service, call.operation) for call in OURS}


def test_a_member_of_a_cluster_is_not_judged_for_what_its_cluster_decides(world: World) -> None:
    stem = f"arn:aws:rds:{MAIN}:{world.lab.account}:db:data"
    members = {f"{stem}-{name}" for name in ("ledger-1", "orders-1", "orders-2")}
    judged = [f for f in world.findings if f.check == "cloud.rds.encryption"]
    outcomes = {(f.on, f.outcome) for f in judged if f.on in members}
    assert outcomes == {(name, Outcome.NOT_APPLICABLE) for name in members}
    rules = world.snapshot.get(RdsTlsRules)
    assert isinstance(rules, RdsTlsRules)
    assert not members & {one.arn for one in rules.rules}


def test_a_cache_of_several_nodes_has_one_release(world: World) -> None:
    found = [f for f in world.findings if f.check == "cloud.elasticache.supported-release"]
    assert len([f for f in found if "data-sessions" in f.on]) == 1


def test_names_of_parameters_are_understood(world: World) -> None:
    parameters = world.snapshot.get(Parameters)
    assert isinstance(parameters, Parameters)
    suspect = {one.name: one.suspect for one in parameters.parameters if one.name.startswith("/data/")}
    assert suspect["/data/mysqlPassword/prod"]
    assert not suspect["/data/password-policy"]
    assert not suspect["/data/token-lifetime"]


def test_the_list_of_delivery_streams_is_read_to_its_end(world: World) -> None:
    found = world.snapshot.get(Deliveries)
    assert isinstance(found, Deliveries)
    assert [one.name for one in found.streams] == ["data-passing", "data-plain", "data-sealed"]


def test_machines_whose_patches_are_refused_are_unknown_and_not_unpatched(world: World) -> None:
    world.endpoint.faults["ssm", "DescribeInstancePatchStates"] = Fault.DENIED
    snapshot = world.collect(PatchStates, ManagedInstances)
    states, machines = snapshot.get(PatchStates), snapshot.get(ManagedInstances)
    assert isinstance(states, PatchStates)
    assert isinstance(machines, ManagedInstances)
    assert (states.regions, states.states) == ((OTHER,), ())
    assert len(machines.instances) == 3
    [gap] = snapshot.gaps
    assert (gap.fact, gap.needs) == ("PatchStates", "ssm:DescribeInstancePatchStates")
    found = [f for f in world.judge(snapshot) if f.check == "cloud.ssm.patches"]
    assert {f.outcome for f in found} == {Outcome.UNKNOWN}


def test_users_that_are_refused_leave_a_cache_with_users_unknown(world: World) -> None:
    world.endpoint.faults["elasticache", "DescribeUsers", MAIN] = Fault.DENIED
    found = [f for f in world.judge(world.collect()) if f.check == "cloud.elasticache.authentication"]
    after = {f.on.rpartition(":")[2]: f.outcome for f in found}
    assert "data-fine" not in after
    assert "data-guests" not in after
    assert after["data-token"] is Outcome.PASS
    assert after["data-sessions"] is Outcome.FAIL
    assert Outcome.UNKNOWN in after.values()
    assert CacheUsers.__name__ in {gap.fact for gap in world.collect(CacheUsers).gaps}


def test_a_refused_document_is_not_a_missing_one(world: World) -> None:
    world.endpoint.faults["ssm", "GetDocument", MAIN] = Fault.DENIED
    snapshot = world.collect(SessionLogs)
    found = snapshot.get(SessionLogs)
    assert isinstance(found, SessionLogs)
    assert [one.region for one in found.settings] == [OTHER]
    assert [(gap.where, gap.needs) for gap in snapshot.gaps] == [(MAIN, "ssm:GetDocument")]


def test_a_policy_that_cannot_be_read_hides_its_own_domain(world: World) -> None:
    search = world.lab.client("opensearch", MAIN)
    for name, policy in (("data-garbled", "{]"), ("data-legible", "")):
        search.create_domain(DomainName=name, EngineVersion="OpenSearch_2.19", AccessPolicies=policy)
    try:
        snapshot = world.collect(Domains, DomainPolicies)
    finally:
        for name in ("data-garbled", "data-legible"):
            search.delete_domain(DomainName=name)
    [gap] = snapshot.gaps
    assert gap.fact == "DomainPolicies"
    assert gap.where.endswith("/data-garbled")
    policies, domains = snapshot.get(DomainPolicies), snapshot.get(Domains)
    assert isinstance(policies, DomainPolicies)
    assert isinstance(domains, Domains)
    assert [one.name for one in policies.policies if one.region == MAIN] == ["data-legible"]
    assert [one.name for one in domains.domains if one.region == MAIN] == ["data-garbled", "data-legible"]


def test_the_policy_of_a_domain_within_a_network_is_no_door(world: World) -> None:
    found = world.snapshot.get(DomainPolicies)
    assert isinstance(found, DomainPolicies)
    assert "data-inner" not in {one.name for one in found.policies}


@pytest.mark.parametrize(
    "call", [call for call in OURS if call.operation in REFUSED], ids=lambda call: call.label
)
def test_a_refused_read_turns_nothing_green(world: World, call: Call) -> None:
    hit = {d.check.id for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)}
    assert hit
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    region = OTHER if call.service == "opensearch" else MAIN
    needed = {n for d in world.demands if d.check.id in hit for n in d.check.needs}
    after = {f.id: f for f in world.judge(world.collect(*needed, regions=(region,))) if f.check in hit}
    assert {f.check for f in after.values() if f.outcome is Outcome.UNKNOWN} >= hit
    for old in world.findings:
        if old.check in hit and old.outcome is Outcome.FAIL and old.id in after:
            assert after[old.id].outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)
