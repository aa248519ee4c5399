"""Whether the internet reaches an instance, with what each answer rests on; and what network checks mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from checks import Exposure, Outcome, Severity, Verdict
from checks.cloud.acm import expiry
from checks.cloud.cloudfront import lost_bucket
from checks.cloud.ec2_reach import REACHED, keys_behind_a_balancer, keys_to_the_account
from checks.cloud.elb import invalid_headers, risky_targets, tls_policy
from checks.cloud.launch_templates import imdsv2
from checks.cloud.routes import automatic_addresses, peering
from checks.cloud.vpc_endpoints import gateways, open_policy
from checks.facts.cloud.acm import IssuedCertificate, IssuedCertificates
from checks.facts.cloud.cloudfront import Distribution, Distributions
from checks.facts.cloud.ec2 import (
    Ec2Instances,
    Instance,
    Interface,
    NetworkInterfaces,
    PrefixList,
    PrefixLists,
    Rule,
    SecurityGroup,
    SecurityGroups,
)
from checks.facts.cloud.ec2_defaults import MetadataDefaults
from checks.facts.cloud.elb import (
    BalancerSetting,
    BalancerSettings,
    Listener,
    Listeners,
)
from checks.facts.cloud.policy import Condition, Statement
from checks.facts.cloud.routes import (
    AclWayOut,
    AclWaysOut,
    Peering,
    Peerings,
    RouteTable,
    RouteTables,
    Subnet,
    Subnets,
)
from checks.facts.cloud.s3 import Bucket, Buckets
from checks.facts.cloud.vpc import AclEntry, NetworkAcl, NetworkAcls
from checks.facts.cloud.vpc_endpoints import VpcEndpoint, VpcEndpoints
from checks.facts.snapshot import Fact
from scanner.collect.cloud.fields import UnreadableError
from scanner.collect.cloud.routes import _way_out
from tests.checks.cloud.examples.meaning import HERE, PROFILE, READER, STRONG
from tests.checks.cloud.examples.network import (
    EVERYTHING,
    balanced,
    endpoint_policy,
    hidden_behind,
    template,
    ways,
)
from tests.checks.cloud.examples.records import A, R, good

WORLD, SIX, OFFICE = "0.0.0.0/0", "::/0", "198.51.100.0/24"
HALVES = ("0.0.0.0/1", "128.0.0.0/1")
ADMIN, STORES = REACHED
GATE = RouteTable("rtb-1", R, "vpc-1", False, ("subnet-1",), True, True, ())
MAIN = RouteTable("rtb-m", R, "vpc-1", True, (), False, False, ())
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def entry(
    number: int, allow: bool, cidr: str, low: int = 0, high: int = 65535, protocol: str = ""
) -> AclEntry:
    told = protocol or ("-1" if (low, high) == (0, 65535) else "tcp")
    return AclEntry(number, allow, told, low, high, cidr)


ALL = (entry(100, True, WORLD), entry(101, True, SIX))


def tcp(low: int, high: int, *cidrs: str, protocol: str = "tcp", **more: Any) -> Rule:
    return Rule(protocol, low, high, cidrs, **more)


def world(
    *groups: Sequence[Rule],
    four: str = "192.0.2.9",
    six: str = "",
    tables: Sequence[RouteTable] = (GATE, MAIN),
    inward: Sequence[AclEntry] = ALL,
    outward: Sequence[AclEntry] = ALL,
    lists: Mapping[str, Sequence[str]] | None = None,
    named: Sequence[str] = (),
    subnets: Sequence[str] = ("subnet-1",),
    state: str = "running",
    cards: int = 1,
) -> tuple[Any, ...]:
    """An instance and the walls before it: groups `sg-1`, `sg-2` …, or those that are `named`."""
    known = tuple(SecurityGroup(f"sg-{n}", R, "vpc-1", "g", tuple(r), ()) for n, r in enumerate(groups, 1))
    own = tuple(named) or tuple(one.id for one in known)
    card = Interface(
        "eni-1", R, "vpc-1", "subnet-1", own, "i-1", "interface", (four,) * bool(four), (six,) * bool(six)
    )
    one = Instance("i-1", R, "web", state, "vpc-1", "subnet-1", four, "", True, "optional")
    return (
        Ec2Instances(A, HERE, (one,)),
        NetworkInterfaces(A, HERE, (card,) * cards),
        SecurityGroups(A, HERE, known),
        PrefixLists(A, HERE, tuple(PrefixList(k, R, tuple(v)) for k, v in (lists or {}).items())),
        RouteTables(A, HERE, tuple(tables)),
        NetworkAcls(A, HERE, (NetworkAcl("acl-1", R, "vpc-1", False, tuple(subnets), tuple(inward)),)),
        AclWaysOut(A, HERE, (AclWayOut("acl-1", R, tuple(outward)),)),
    )


def judged(*facts: Any, check: Any = ADMIN) -> Verdict:
    [verdict] = check.run(*facts)
    assert isinstance(verdict, Verdict)
    return verdict


OPEN = [tcp(22, 22, WORLD)]
BY_LIST = [tcp(22, 22, prefix_lists=("pl-1",))]
TO_443 = (entry(100, True, WORLD, 443, 443),)
DENIED = (entry(90, False, WORLD, 22, 22), *ALL)


@pytest.mark.parametrize(
    ("facts", "source", "evidence"),
    [
        (
            world(OPEN),
            WORLD,
            "eni-1 has 192.0.2.9; rtb-1 leads to an internet gateway; "
            "acl-1 and sg-1 let tcp/22 in from 0.0.0.0/0",
        ),
        (
            world(OPEN, tables=(replace(MAIN, internet4=True),)),
            WORLD,
            "eni-1 has 192.0.2.9; rtb-m (the main table, as subnet-1 names none) leads to an internet "
            "gateway; acl-1 and sg-1 let tcp/22 in from 0.0.0.0/0",
        ),
        (world([tcp(20, 30, WORLD)]), WORLD, "sg-1 let tcp/22 in from 0.0.0.0/0"),
        (world([tcp(0, 65535, WORLD, protocol="-1")]), WORLD, "sg-1 let tcp/22 in from 0.0.0.0/0"),
        (world([tcp(22, 22, *HALVES)]), WORLD, "sg-1 let tcp/22 in from 0.0.0.0/0"),
        (
            world(*([tcp(22, 22, half)] for half in HALVES)),
            WORLD,
            "acl-1 and sg-1, sg-2 let tcp/22 in from 0.0.0.0/0",
        ),
        (world([tcp(22, 22, HALVES[0])]), HALVES[0], "sg-1 let tcp/22 in from 0.0.0.0/1"),
        (world([tcp(443, 443, WORLD)], OPEN), WORLD, "acl-1 and sg-2 let tcp/22 in from 0.0.0.0/0"),
        (world(BY_LIST, lists={"pl-1": HALVES}), WORLD, "sg-1 let tcp/22 in from 0.0.0.0/0"),
        (
            world([tcp(22, 22, SIX)], four="", six="2001:db8::9"),
            SIX,
            "eni-1 has 2001:db8::9; rtb-1 leads to an internet gateway; "
            "acl-1 and sg-1 let tcp/22 in from ::/0",
        ),
        (
            world(OPEN, inward=(entry(90, True, WORLD, 22, 22), *DENIED)),
            WORLD,
            "let tcp/22 in from 0.0.0.0/0",
        ),
        (
            world(OPEN, inward=(entry(90, False, HALVES[0], 22, 22), *ALL)),
            HALVES[1],
            "acl-1 and sg-1 let tcp/22 in from 128.0.0.0/1",
        ),
        (world(OPEN, outward=(entry(100, True, WORLD, 1024, 65535),)), WORLD, "in from 0.0.0.0/0"),
        (
            world(OPEN, outward=TO_443),
            WORLD,
            "let tcp/22 in from 0.0.0.0/0; answers get out to port 443, and an attacker asks from there",
        ),
        (
            world(OPEN, outward=(entry(90, False, WORLD, 1024, 65535), *ALL)),
            WORLD,
            "and an attacker asks from there",
        ),
    ],
)
def test_what_reaches_an_instance_is_told_to_the_last_wall(
    facts: tuple[Fact, ...], source: str, evidence: str
) -> None:
    found = judged(*facts)
    assert (found.outcome, found.exposure) == (Outcome.FAIL, Exposure.INTERNET_OPEN)
    assert found.exposure_evidence.endswith(evidence) or evidence == found.exposure_evidence
    assert found.saw.endswith(f"from {source}")


NAT = replace(GATE, internet4=False, internet6=False, default4="nat-1", default6="eigw-1")
HOLE = replace(GATE, internet4=False, default4="a blackhole")
IMPLIED = "no route to an internet gateway: rtb-m (the main table, as subnet-1 names none) has no way out"
SHUT = "its security groups and access lists keep the internet out"
FRIENDS = [tcp(0, 65535, protocol="-1", groups=("sg-9",))]


@pytest.mark.parametrize(
    ("facts", "saw"),
    [
        (world(OPEN, four=""), "no public address"),
        (world(OPEN, state="stopped"), "it is stopped, and has no network"),
        (world(OPEN, tables=(NAT, MAIN)), "no route to an internet gateway: rtb-1 leads to nat-1"),
        (world(OPEN, tables=(HOLE, MAIN)), "no route to an internet gateway: rtb-1 leads to a blackhole"),
        (world(OPEN, tables=(MAIN,)), IMPLIED),
        (
            world([tcp(22, 22, SIX)], four="", six="2001:db8::9", tables=(NAT, MAIN)),
            "no route to an internet gateway: rtb-1 leads to eigw-1",
        ),
        (world([tcp(22, 22, SIX)]), SHUT),
        (world(OPEN, four="", six="2001:db8::9"), SHUT),
        (world([tcp(22, 22, OFFICE)]), SHUT),
        (world([tcp(22, 22, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]), SHUT),
        (world([tcp(22, 22, WORLD, protocol="udp")]), SHUT),
        (world([tcp(443, 443, WORLD)]), SHUT),
        (world(FRIENDS), SHUT),
        (world(BY_LIST, lists={"pl-1": (OFFICE,)}), SHUT),
        (world(OPEN, inward=DENIED), SHUT),
        (world(OPEN, inward=()), SHUT),
        (world(OPEN, outward=()), SHUT),
        (world(OPEN, outward=(entry(100, True, "10.0.0.0/8"),)), SHUT),
        (world(OPEN, outward=(entry(100, True, WORLD, 53, 53, "udp"),)), SHUT),
        (world([tcp(22, 22, HALVES[0])], inward=(entry(90, False, HALVES[0], 22, 22), *ALL)), SHUT),
    ],
)
def test_what_keeps_the_internet_out_is_told(facts: tuple[Fact, ...], saw: str) -> None:
    found = judged(*facts)
    assert (found.outcome, found.saw) == (Outcome.PASS, saw)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (world(BY_LIST), "pl-1"),
        (world(OPEN, named=("sg-7",)), "sg-7"),
        (world(OPEN, tables=()), "the route table of subnet-1"),
        (world(OPEN, subnets=()), "the access list of subnet-1"),
        (world(OPEN, cards=0), "its interfaces"),
    ],
)
def test_a_wall_that_was_not_told_leaves_it_unknown(facts: tuple[Fact, ...], reason: str) -> None:
    found = judged(*facts)
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, f"{reason} could not be looked into")


def test_a_way_that_is_known_needs_no_other_wall() -> None:
    assert judged(*world(OPEN, named=("sg-1", "sg-7"))).outcome is Outcome.FAIL
    assert judged(*world(BY_LIST, four="")).outcome is Outcome.PASS
    assert judged(*world(BY_LIST, tables=(NAT, MAIN))).outcome is Outcome.PASS


@pytest.mark.parametrize("at", range(1, 7))
def test_a_region_of_which_a_wall_is_missing_gets_no_verdict(at: int) -> None:
    facts = list(world(OPEN))
    facts[at] = replace(facts[at], regions=())
    assert list(ADMIN.run(*facts)) == []


def test_the_group_that_lets_it_in_is_the_one_to_mend() -> None:
    assert judged(*world([tcp(443, 443, WORLD)], OPEN)).values["groups"] == "sg-2"
    assert judged(*world([tcp(5432, 5432, WORLD)]), check=STORES).outcome is Outcome.FAIL


# --- routes, as they are read ---


def route(cidr: str, state: str = "active", **target: str) -> dict[str, str]:
    return {
        "DestinationIpv6CidrBlock" if ":" in cidr else "DestinationCidrBlock": cidr, "State": state, **target
    }  # fmt: skip


OUT, NATTED = {"GatewayId": "igw-1"}, {"NatGatewayId": "nat-1"}


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ((), (False, "")),
        ((route("10.0.0.0/16", GatewayId="local"),), (False, "")),
        ((route(WORLD, **OUT),), (True, "")),
        (tuple(route(half, **OUT) for half in HALVES), (True, "")),
        ((route(HALVES[0], **OUT),), (True, "")),
        ((route(OFFICE, **OUT),), (False, "")),
        ((route(WORLD, **NATTED),), (False, "nat-1")),
        ((route(WORLD, **OUT), *(route(half, **NATTED) for half in HALVES)), (False, "nat-1")),
        ((route(WORLD, **NATTED), *(route(half, **OUT) for half in HALVES)), (True, "")),
        ((route(WORLD, "blackhole", **OUT),), (False, "a blackhole")),
        ((route(WORLD, **OUT), *(route(h, "blackhole", **NATTED) for h in HALVES)), (False, "a blackhole")),
        ((route(WORLD, TransitGatewayId="tgw-1"),), (False, "tgw-1")),
        ((route(WORLD, GatewayId="vgw-1"),), (False, "vgw-1")),
        ((route(SIX, **OUT),), (False, "")),
        ((route(WORLD, **OUT), {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"}), (True, "")),
    ],
)
def test_the_narrowest_route_decides(routes: Sequence[dict[str, str]], told: tuple[bool, str]) -> None:
    assert _way_out(routes, 4) == told


def test_ipv6_is_routed_by_itself() -> None:
    assert _way_out((route(SIX, **OUT),), 6) == (True, "")
    assert _way_out((route(SIX, EgressOnlyInternetGatewayId="eigw-1"),), 6) == (False, "eigw-1")


def test_a_gateway_behind_a_prefix_list_is_not_taken_for_none() -> None:
    with pytest.raises(UnreadableError):
        _way_out(({"DestinationPrefixListId": "pl-1", "GatewayId": "igw-1"},), 4)


# --- keys ---


@pytest.mark.parametrize(
    ("changes", "walls", "outcome"),
    [
        ({}, {}, Outcome.FAIL),
        ({"tokens": "required"}, {}, Outcome.PASS),
        ({"metadata": False}, {}, Outcome.PASS),
        ({"profile": READER}, {}, Outcome.PASS),
        ({"profile": PROFILE + "-2"}, {}, Outcome.UNKNOWN),
        ({"profile": PROFILE + "-2", "tokens": "required"}, {}, Outcome.PASS),
        ({"state": "stopped"}, {}, Outcome.PASS),
        ({}, {"four": ""}, Outcome.PASS),
        ({}, {"tables": ()}, Outcome.UNKNOWN),
        ({"tokens": "required"}, {"tables": ()}, Outcome.PASS),
    ],
)
def test_keys_need_all_three(changes: dict[str, Any], walls: dict[str, Any], outcome: Outcome) -> None:
    instances, *rest = world([tcp(443, 443, WORLD)], **walls)
    [one] = instances.instances
    mended = replace(one, **{"profile": PROFILE, **changes})
    [found] = keys_to_the_account.run(Ec2Instances(A, HERE, (mended,)), *rest, *STRONG)
    assert found.outcome is outcome


def test_an_instance_behind_a_balancer_is_reached_by_it() -> None:
    [found] = keys_behind_a_balancer.run(*hidden_behind(WORLD))
    assert found.outcome is Outcome.FAIL
    assert found.exposure_evidence.startswith("load balancer front sends requests to i-1: front has ")
    instances, balancers, listeners, *rest = hidden_behind(WORLD)
    unheard = (instances, balancers, Listeners(A, ()), *rest)
    [found] = keys_behind_a_balancer.run(*unheard)
    assert (found.outcome, found.reason) == (
        Outcome.UNKNOWN,
        "the listeners of front could not be looked into",
    )
    assert isinstance(listeners, Listeners)


# --- load balancers ---


@pytest.mark.parametrize(
    ("cidr", "to", "kind", "outcome"),
    [
        (WORLD, 5432, "network", Outcome.FAIL),
        (WORLD, 9200, "application", Outcome.FAIL),
        (WORLD, 22, "application", Outcome.PASS),
        (WORLD, 8443, "network", Outcome.PASS),
        (OFFICE, 5432, "network", Outcome.PASS),
    ],
)
def test_what_a_door_leads_to_counts_and_not_its_number(
    cidr: str, to: int, kind: str, outcome: Outcome
) -> None:
    [found] = risky_targets.run(*balanced(cidr, to=to, kind=kind))
    assert found.outcome is outcome


def test_a_network_balancer_without_groups_lets_everybody_in() -> None:
    targets, balancers, *rest = balanced(OFFICE, to=5432)
    bare = replace(balancers, balancers=(replace(balancers.balancers[0], groups=()),))  # type: ignore[attr-defined]
    [found] = risky_targets.run(targets, bare, *rest)
    assert found.outcome is Outcome.FAIL
    assert "acl-1 lets tcp/443 in from 0.0.0.0/0" in found.exposure_evidence


@pytest.mark.parametrize(
    ("policy", "ok"),
    [
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", True),
        ("ELBSecurityPolicy-TLS13-1-3-2021-06", True),
        ("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", True),
        ("ELBSecurityPolicy-FS-1-2-Res-2020-10", True),
        ("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", True),
        ("ELBSecurityPolicy-TLS13-1-0-2021-06", False),
        ("ELBSecurityPolicy-TLS13-1-0-PQ-2025-09", False),
        ("ELBSecurityPolicy-FS-1-1-2019-08", False),
        ("ELBSecurityPolicy-FS-2018-06", False),
        ("ELBSecurityPolicy-2016-08", False),
    ],
)
def test_a_policy_is_judged_by_its_oldest_version(policy: str, ok: bool) -> None:
    [found] = tls_policy.run(Listeners(A, (good(Listener, policy=policy),)))
    assert found.ok is ok


def test_what_a_kind_does_not_have_is_not_held_against_it_nor_for_it() -> None:
    plain = good(BalancerSetting, drops_invalid=None)
    assert list(invalid_headers.run(BalancerSettings(A, (plain,)))) == []


# --- certificates, distributions ---


@pytest.mark.parametrize(
    ("ends", "used", "outcome"),
    [
        ("2026-12-01T00:00:00Z", True, Outcome.FAIL),
        ("2026-11-01T00:00:00Z", True, Outcome.FAIL),
        ("2026-12-01T00:00:00Z", False, Outcome.PASS),
        ("2027-06-01T00:00:00Z", True, Outcome.PASS),
        ("", True, None),
    ],
)
def test_a_certificate_that_nothing_uses_may_end(ends: str, used: bool, outcome: Outcome | None) -> None:
    one = good(IssuedCertificate, ends=ends, used=used)
    found = [v.outcome for v in expiry.run(IssuedCertificates(A, HERE, (one,)), now=NOW)]
    assert found == ([outcome] if outcome else [])


@pytest.mark.parametrize(
    ("origin", "bucket"),
    [
        ("site.s3.amazonaws.com", "site"),
        ("my.s3.pages.s3.eu-west-1.amazonaws.com", "my.s3.pages"),
        ("www.example.com.s3-website-eu-west-1.amazonaws.com", "www.example.com"),
        ("www.example.com.s3-website.eu-central-1.amazonaws.com", "www.example.com"),
    ],
)
def test_a_bucket_is_known_by_its_endpoint(origin: str, bucket: str) -> None:
    one = Distributions(A, (good(Distribution, origins=(origin,)),))
    for name, ok in ((bucket, True), (f"{bucket}2", False)):
        [found] = lost_bucket.run(one, Buckets(A, (Bucket(f"arn:aws:s3:::{name}", name, R),)))
        assert found.ok is ok


# --- launch templates, routes, endpoints ---


@pytest.mark.parametrize(
    ("default", "changes", "outcome"),
    [
        ("", {"tokens": "required"}, Outcome.PASS),
        ("required", {"tokens": ""}, Outcome.PASS),
        ("required", {"tokens": "optional"}, Outcome.FAIL),
        ("optional", {"tokens": ""}, Outcome.FAIL),
        ("", {"tokens": ""}, Outcome.FAIL),
        ("", {"tokens": "optional", "metadata": False}, Outcome.PASS),
    ],
)
def test_the_region_decides_what_a_template_leaves_open(
    default: str, changes: dict[str, Any], outcome: Outcome
) -> None:
    [found] = imdsv2.run(*template(default, **changes))
    assert found.outcome is outcome
    templates, _ = template(**changes)
    [found] = imdsv2.run(templates, MetadataDefaults(A, ()))
    decided = bool(changes["tokens"]) or changes.get("metadata") is False
    assert found.outcome is (outcome if decided else Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("cidr", "sides", "ok"),
    [
        ("10.8.3.0/24", ("10.8.0.0/16",), True),
        ("10.8.0.0/16", ("10.8.0.0/16",), False),
        ("10.8.0.0/20", ("10.8.0.0/20",), False),
        ("10.8.0.0/20", ("10.8.0.0/16",), True),
        ("10.8.0.0/24", ("10.8.0.0/24",), True),
        ("10.0.0.0/8", ("10.8.0.0/24",), False),
        ("10.8.0.0/20", (), True),
    ],
)
def test_a_route_to_all_of_the_other_side_is_wide(cidr: str, sides: tuple[str, ...], ok: bool) -> None:
    table = replace(GATE, peers=(cidr,), peerings=((cidr, "pcx-1"),))
    [found] = peering.run(RouteTables(A, HERE, (table,)), Peerings(A, HERE, (Peering("pcx-1", R, sides),)))
    assert found.ok is ok
    assert list(peering.run(RouteTables(A, HERE, (table,)), Peerings(A, (), ()))) == []


def test_a_public_address_without_a_way_out_is_graded_down() -> None:
    subnets = Subnets(A, HERE, (Subnet("subnet-1", R, "vpc-1", True),))
    for tables, severity in (((GATE,), None), ((NAT,), Severity.INFO), ((), None)):
        [found] = automatic_addresses.run(subnets, RouteTables(A, HERE, tables))
        assert (found.outcome, found.severity) == (Outcome.FAIL, severity)


def when(operator: str, key: str, *values: str) -> tuple[Condition, ...]:
    return (Condition(operator, key, values),)


FENCE = Statement(
    False, principals=("*",), actions=("*",), resources=("*",),
    conditions=when("StringNotEqualsIfExists", "aws:ResourceOrgID", "o-1"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("statements", "ok"),
    [
        ((EVERYTHING,), False),
        ((replace(EVERYTHING, conditions=when("StringEquals", "aws:ResourceAccount", A)),), True),
        ((replace(EVERYTHING, conditions=when("StringLike", "aws:ResourceAccount", "*")),), False),
        ((replace(EVERYTHING, conditions=when("StringEquals", "aws:PrincipalOrgID", "o-1")),), True),
        ((replace(EVERYTHING, conditions=when("Bool", "aws:SecureTransport", "true")),), False),
        ((replace(EVERYTHING, resources=("arn:aws:s3:::site/*",)),), True),
        ((replace(EVERYTHING, resources=("arn:aws:s3:::*",)),), False),
        ((EVERYTHING, FENCE), True),
        ((EVERYTHING, replace(FENCE, actions=("s3:DeleteBucket",))), False),
        ((EVERYTHING, replace(FENCE, conditions=when("StringEquals", "aws:ResourceOrgID", "o-1"))), False),
        ((replace(EVERYTHING, resources=(), not_resources=("arn:aws:s3:::site",)),), False),
        ((), True),
    ],
)
def test_an_endpoint_is_open_if_it_leads_to_everybody(statements: tuple[Statement, ...], ok: bool) -> None:
    [found] = open_policy.run(*endpoint_policy(*statements))
    assert found.ok is ok


def test_an_endpoint_that_no_table_leads_to_is_no_way() -> None:
    vpcs, endpoints, routes, interfaces = ways("s3", "dynamodb")
    assert isinstance(endpoints, VpcEndpoints)
    idle = tuple(replace(one, tables=()) for one in endpoints.endpoints)
    [found] = gateways.run(vpcs, VpcEndpoints(A, HERE, idle), routes, interfaces)
    assert found.outcome is Outcome.FAIL
    assert "vpce-s3 leads nowhere" in found.saw
    private = tuple(VpcEndpoint(f"vpce-{s}", R, "vpc-1", s, "Interface", ()) for s in ("s3", "dynamodb"))
    [found] = gateways.run(vpcs, VpcEndpoints(A, HERE, private), routes, interfaces)
    assert found.ok
    [found] = gateways.run(vpcs, endpoints, routes, NetworkInterfaces(A, HERE, ()))
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert list(gateways.run(vpcs, VpcEndpoints(A, (), ()), routes, interfaces)) == []
