"""Networks, instances, load balancers, certificates and distributions, as a scan finds them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.facts.cloud.elb import TargetGroups
from checks.facts.cloud.launch_templates import LaunchTemplates
from checks.facts.cloud.routes import RouteTables
from checks.facts.cloud.vpc_endpoints import EndpointPolicies, VpcEndpoints
from checks.facts.snapshot import decode, encode
from checks.model import Exposure, Outcome, Severity
from scanner.collect.cloud import registry
from tests.lab.account_network import net
from tests.lab.aws import REGIONS, Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_account import MAIN, OTHER
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

PLANTED = ("network_balancers", "network_ground", "network_instances")


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED) as world:
        yield world


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)
    assert sum(one.bad for one in world.lab.planted) >= 60
    assert sum(not one.bad for one in world.lab.planted) >= 50
    assert sum(one.fools for one in world.lab.planted if not one.bad) >= 20


def test_nothing_is_missing_and_nothing_crashes(world: World) -> None:
    assert not world.snapshot.gaps
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []
    types = {fact.__name__: fact for fact in registry.facts()}
    assert decode(encode(world.snapshot), types) == world.snapshot
    assert b"Correct-Horse" not in encode(world.snapshot)


OURS = {
    ("acm", "ListCertificates"),
    ("cloudfront", "ListDistributions"),
    ("ec2", "DescribeFlowLogs"),
    ("ec2", "DescribeInstanceAttribute"),
    ("ec2", "DescribeInstances"),
    ("ec2", "DescribeLaunchTemplateVersions"),
    ("ec2", "DescribeNetworkAcls"),
    ("ec2", "DescribeNetworkInterfaces"),
    ("ec2", "DescribeRouteTables"),
    ("ec2", "DescribeSecurityGroups"),
    ("ec2", "DescribeSubnets"),
    ("ec2", "DescribeVpcEndpoints"),
    ("ec2", "DescribeVpcPeeringConnections"),
    ("ec2", "DescribeVpcs"),
    ("ec2", "GetImageBlockPublicAccessState"),
    ("ec2", "GetInstanceMetadataDefaults"),
    ("ec2", "GetManagedPrefixListEntries"),
    ("ec2", "GetSerialConsoleAccessStatus"),
    ("ec2", "GetSnapshotBlockPublicAccessState"),
    ("elbv2", "DescribeListeners"),
    ("elbv2", "DescribeLoadBalancerAttributes"),
    ("elbv2", "DescribeLoadBalancers"),
    ("elbv2", "DescribeTargetGroups"),
    ("elbv2", "DescribeTargetHealth"),
}


def test_all_that_is_declared_is_asked_and_nothing_else(world: World) -> None:
    world.collect()
    wanted = frozenset(n for d in world.demands for n in d.check.needs)
    services = {service for service, _ in OURS}
    asked = {(one.service, one.operation) for one in world.endpoint.asked if one.service in services}
    allowed = {one for one in registry.allowed(wanted) if one[0] in services}
    assert asked | {("ec2", "DescribeRegions")} == allowed | {("ec2", "DescribeRegions")}
    assert asked >= OURS


def test_a_list_is_asked_once_for_each_region(world: World) -> None:
    world.collect()
    for operation in ("DescribeLaunchTemplateVersions", "DescribeTargetGroups", "DescribeVpcEndpoints"):
        assert world.endpoint.count(operation) <= len(REGIONS), operation
    # Nobody is asked about the health of targets that no public load balancer leads to.
    assert world.endpoint.count("DescribeTargetHealth") == 8
    machines = {f.on for f in world.findings if f.check == "cloud.ec2.user-data-secrets"}
    assert world.endpoint.count("DescribeInstanceAttribute") == len(machines)


def test_what_an_exposure_rests_on_is_named(world: World) -> None:
    told = {one.note: one.on for one in world.lab.planted if one.check == "cloud.ec2-reach.admin-ports"}
    found = {f.on: f for f in world.findings if f.check == "cloud.ec2-reach.admin-ports"}
    place = net(world.lab, MAIN)

    def evidence(note: str) -> str:
        one = found[told[note]]
        assert (one.outcome, one.exposure) == (Outcome.FAIL, Exposure.INTERNET_OPEN)
        return one.exposure_evidence

    plain = evidence("every wall is open")
    assert place.tables["open"] in plain
    assert plain.endswith("let tcp/22 in from 0.0.0.0/0")
    assert "128.0.0.0/1" in evidence("the list keeps half of the internet out")
    assert "from ::/0" in evidence("over IPv6 alone")
    assert "answers get out to port 443" in evidence("answers get out to port 443 alone: he asks from there")
    main = evidence("the main table leads out, and the subnet names none")
    assert "the main table, as subnet-" in main
    assert evidence("each of two groups lets half of the internet in").count("sg-") == 2


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("no public address", "no public address"),
        ("it is stopped", "it is stopped"),
        ("the subnet leads to a NAT gateway alone", "leads to nat-"),
        ("narrower routes lead to the NAT gateway", "leads to nat-"),
        ("an egress-only gateway lets nobody in", "leads to eigw-"),
        ("the subnet has no way out", "has no way out"),
        ("the list denies SSH first", "access lists keep the internet out"),
        ("no answer gets out", "access lists keep the internet out"),
    ],
)
def test_what_keeps_the_internet_out_is_named(world: World, note: str, words: str) -> None:
    [on] = {one.on for one in world.lab.planted if one.note == note}
    [found] = [f for f in world.findings if (f.check, f.on) == ("cloud.ec2-reach.admin-ports", on)]
    assert (found.outcome, words in found.saw) == (Outcome.PASS, True), found.saw


def test_an_open_group_is_graded_by_what_is_behind_it(world: World) -> None:
    groups = net(world.lab, MAIN).groups
    found = {f.on: f for f in world.findings if f.check == "cloud.ec2.admin-ports"}
    idle = found[groups["idle"]]
    assert (idle.severity, idle.exposure) == (Severity.LOW, Exposure.UNREACHABLE)
    assert "no network interface uses the group" in idle.saw


def test_refused_targets_leave_what_is_behind_balancers_unknown(world: World) -> None:
    hidden = {"cloud.elb.risky-targets", "cloud.ec2-reach.keys-behind-a-balancer"}
    world.endpoint.faults["elbv2", "DescribeTargetHealth"] = Fault.DENIED
    snapshot = world.collect()
    assert {(gap.fact, gap.needs) for gap in snapshot.gaps} == {
        (TargetGroups.__name__, "elasticloadbalancing:DescribeTargetHealth")
    }
    after = [f for f in world.judge(snapshot) if f.check in hidden]
    assert {(f.check, f.outcome) for f in after} == {(name, Outcome.UNKNOWN) for name in hidden}


REFUSED = (
    ("ec2", "DescribeLaunchTemplateVersions"),
    ("ec2", "DescribeNetworkAcls"),
    ("ec2", "DescribeRouteTables"),
    ("ec2", "DescribeVpcEndpoints"),
    ("ec2", "DescribeVpcPeeringConnections"),
    ("ec2", "GetInstanceMetadataDefaults"),
    ("ec2", "GetManagedPrefixListEntries"),
    ("elbv2", "DescribeListeners"),
    ("elbv2", "DescribeLoadBalancerAttributes"),
    ("elbv2", "DescribeTargetGroups"),
)
"""Calls whose refusal takes a way of its own here; all others are refused in the tests of all calls."""


@pytest.mark.parametrize(("service", "operation"), REFUSED)
def test_a_refused_read_turns_nothing_green(world: World, service: str, operation: str) -> None:
    world.endpoint.faults[service, operation] = Fault.DENIED
    facts = {
        fact
        for call in registry.calls(registry.facts())
        if call.operation == operation
        for fact in call.facts
    }
    hit = {d.check.id for d in world.demands if facts.intersection(d.check.needs)}
    assert hit
    needed = {n for d in world.demands if d.check.id in hit for n in d.check.needs}
    after = {f.id: f for f in world.judge(world.collect(*needed, regions=(MAIN,))) if f.check in hit}
    assert {f.check for f in after.values() if f.outcome is Outcome.UNKNOWN} >= hit
    for old in world.findings:
        if old.check in hit and old.outcome is Outcome.FAIL and old.id in after and old.region == MAIN:
            assert after[old.id].outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)


def test_a_policy_that_cannot_be_read_hides_itself_and_not_its_endpoint(world: World) -> None:
    place = net(world.lab, OTHER)
    broken = world.lab.client("ec2", OTHER).create_vpc_endpoint(
        VpcId=place.vpc,
        ServiceName="com.amazonaws.us-east-1.s3",
        VpcEndpointType="Gateway",
        PolicyDocument="{]",
    )["VpcEndpoint"]["VpcEndpointId"]
    try:
        snapshot = world.collect(VpcEndpoints, EndpointPolicies)
    finally:
        world.lab.client("ec2", OTHER).delete_vpc_endpoints(VpcEndpointIds=[broken])
    assert [(gap.fact, gap.where) for gap in snapshot.gaps] == [("EndpointPolicies", f"{OTHER}/{broken}")]
    found = snapshot.get(VpcEndpoints)
    assert isinstance(found, VpcEndpoints)
    assert broken in {one.id for one in found.endpoints}


def test_a_template_whose_default_is_its_latest_is_told_once(world: World) -> None:
    found = world.snapshot.get(LaunchTemplates)
    assert isinstance(found, LaunchTemplates)
    names = [(one.region, one.name, one.version) for one in found.templates]
    assert len(set(names)) == len(names)
    assert [version for _, name, version in names if name == "net-half-mended"] == [1, 2]


def test_where_tables_lead_is_told(world: World) -> None:
    found = world.snapshot.get(RouteTables)
    assert isinstance(found, RouteTables)
    tables = {one.id: one for one in found.tables}
    place = net(world.lab, MAIN)
    ways = {name: tables[table] for name, table in place.tables.items()}
    assert {name for name, one in ways.items() if one.internet4} == {"open", "halves"}
    assert {name for name, one in ways.items() if one.internet6} == {"open"}
    assert ways["overruled"].default4.startswith("nat-")
    assert ways["egress"].default6.startswith("eigw-")
    assert (ways["inner"].default4, ways["inner"].default6) == ("", "")
