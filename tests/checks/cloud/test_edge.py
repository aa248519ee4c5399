"""Names, APIs and file servers: the cases that a naive reading gets wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from checks.cloud import apigateway, lightsail, route53_domains, route53_names, transfer, wafv2
from checks.cloud.ec2_ranges import region_of
from checks.cloud.name_targets import bucket_of, distribution_of, environment_of, environment_region
from checks.facts.cloud.apigateway import (
    Api,
    ApiDomain,
    ApiDomains,
    ApiMapping,
    ApiMappings,
    ApiMethods,
    Apis,
    ApiStage,
    ApiStages,
    ApiWays,
)
from checks.facts.cloud.cloudfront import Distributions
from checks.facts.cloud.ec2 import (
    NetworkInterfaces,
    PrefixList,
    PrefixLists,
    Rule,
    SecurityGroup,
    SecurityGroups,
)
from checks.facts.cloud.elb import Balancer, Balancers
from checks.facts.cloud.lightsail import LightBucket, LightBuckets, LightMachine, LightMachines, LightPort
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.route53 import (
    BucketTarget,
    BucketTargets,
    ElasticAddresses,
    EnvironmentName,
    EnvironmentNames,
    NameRecord,
    NameRecords,
    OwnAddress,
    StaticAddresses,
)
from checks.facts.cloud.route53_domains import Domain, RegisteredDomains
from checks.facts.cloud.transfer import FileServer, FileServers
from checks.facts.cloud.wafv2 import GuardedBalancers
from checks.model import Confidence, Exposure, Outcome, Severity

A = "111122223333"
R = "eu-west-1"
FAIL, PASS, UNKNOWN, NONE = Outcome.FAIL, Outcome.PASS, Outcome.UNKNOWN, None
API = f"arn:aws:apigateway:{R}::/restapis/a1"


def record(kind: str, *values: str, alias: str = "", name: str = "www.example.com.") -> NameRecord:
    return NameRecord("Z1", "example.com.", name, kind, values, alias)


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("52.16.0.1", "eu-west-1"),
        ("3.80.0.1", "us-east-1"),
        ("13.208.40.12", "ap-northeast-3"),
        ("8.8.8.8", ""),
        ("10.0.0.1", ""),
        ("0.0.0.0", ""),
        ("255.255.255.255", ""),
        ("2a05:d018::1", ""),
        ("no address", ""),
    ],
)
def test_ec2_is_known_by_its_addresses(address: str, region: str) -> None:
    assert region_of(address) == region


@pytest.mark.parametrize(
    ("one", "bucket"),
    [
        (record("A", alias="s3-website-eu-west-1.amazonaws.com."), "www.example.com"),
        (record("A", alias="s3-website.eu-central-1.amazonaws.com."), "www.example.com"),
        (record("CNAME", "other.s3.amazonaws.com"), "www.example.com"),
        (record("CNAME", "other.s3.dualstack.eu-west-1.amazonaws.com."), "www.example.com"),
        (record("CNAME", "Other.S3-eu-west-1.amazonaws.com"), "www.example.com"),
        (record("CNAME", "x.s3.cn-north-1.amazonaws.com.cn"), "www.example.com"),
        (record("CNAME", "s3-website-eu-west-1.amazonaws.com", name="\\052.example.com."), "*.example.com"),
        (record("CNAME", "s3.amazonaws.com.example.net"), ""),
        (record("CNAME", "mys3.amazonaws.com"), ""),
        (record("CNAME", "d1.cloudfront.net"), ""),
        (record("A", "52.16.0.1"), ""),
    ],
)
def test_a_bucket_is_found_by_the_name_that_was_asked_for(one: NameRecord, bucket: str) -> None:
    assert bucket_of(one) == bucket


def test_environments_and_distributions_are_known_by_their_names() -> None:
    shop = record("CNAME", "Shop.eu-west-1.elasticbeanstalk.com.")
    assert environment_of(shop) == "shop.eu-west-1.elasticbeanstalk.com"
    assert environment_region(shop) == R
    assert environment_region(record("A", alias="a.b.us-gov-west-1.elasticbeanstalk.com.")) == "us-gov-west-1"
    # The names of long ago have no region, and nobody can take them.
    assert environment_of(record("CNAME", "shop.elasticbeanstalk.com")) == ""
    assert distribution_of(record("CNAME", "D111.cloudfront.net")) == "d111.cloudfront.net"
    assert distribution_of(record("CNAME", "d111.cloudfront.net.example.org")) == ""


def addresses(
    *values: str, held: tuple[str, ...] = (), read: tuple[str, ...] = (R,), own: tuple[str, ...] = (R,)
) -> list[tuple[Outcome, str]]:
    facts = (
        NameRecords(A, (record("A", *values),)),
        ElasticAddresses(A, own, tuple(OwnAddress(R, one) for one in held)),
        NetworkInterfaces(A, read, ()),
        StaticAddresses(A, own, ()),
    )
    return [(one.outcome, one.values.get("lost", "")) for one in route53_names.lost_address(*facts)]


@pytest.mark.parametrize(
    ("values", "held", "outcome", "lost"),
    [
        (("52.16.0.1",), (), FAIL, "52.16.0.1"),
        (("52.16.0.1",), ("52.16.0.1",), PASS, ""),
        (("52.16.0.1", "52.16.0.2"), ("52.16.0.2",), FAIL, "52.16.0.1"),
        (("3.80.0.1",), (), UNKNOWN, ""),
        # What is known to be lost is not hidden by what is not known.
        (("3.80.0.1", "52.16.0.1"), (), FAIL, "52.16.0.1"),
    ],
)
def test_lost_addresses(values: tuple[str, ...], held: tuple[str, ...], outcome: Outcome, lost: str) -> None:
    assert addresses(*values, held=held) == [(outcome, lost)]


def test_addresses_outside_of_ec2_are_no_question() -> None:
    assert addresses("198.51.100.7", "10.0.0.1") == []


@pytest.mark.parametrize(("read", "own"), [((), (R,)), ((R,), ())])
def test_an_address_is_not_lost_where_a_list_was_refused(read: tuple[str, ...], own: tuple[str, ...]) -> None:
    assert addresses("52.16.0.1", read=read, own=own) == [(UNKNOWN, "")]


@pytest.mark.parametrize(
    ("state", "outcome", "confidence"),
    [
        ("free", FAIL, Confidence.CONFIRMED),
        ("own", PASS, Confidence.CONFIRMED),
        ("closed", UNKNOWN, Confidence.CONFIRMED),
        ("", None, None),
    ],
)
def test_lost_buckets(state: str, outcome: Outcome | None, confidence: Confidence | None) -> None:
    records = NameRecords(A, (record("A", alias="s3-website-eu-west-1.amazonaws.com."),))
    told = BucketTargets(A, (BucketTarget("www.example.com", state),) if state else ())
    found = list(route53_names.lost_bucket(records, told))
    assert [(one.outcome, one.confidence) for one in found] == ([(outcome, confidence)] if outcome else [])


def test_every_name_under_a_star_leads_to_a_bucket_of_anybody() -> None:
    one = record("CNAME", "s3-website-eu-west-1.amazonaws.com", name="\\052.example.com.")
    [found] = route53_names.lost_bucket(NameRecords(A, (one,)), BucketTargets(A, ()))
    assert found.outcome is FAIL
    assert found.on == "Z1/*.example.com/CNAME"
    assert found.values["record"] == "\\052.example.com."


def test_environments_of_regions_that_were_not_read_are_unknown() -> None:
    records = NameRecords(A, (record("CNAME", "shop.eu-west-1.elasticbeanstalk.com"),))
    nowhere = EnvironmentNames(A, (), ())
    elsewhere = EnvironmentNames(A, (R,), (EnvironmentName(R, "other.eu-west-1.elasticbeanstalk.com"),))
    assert [one.outcome for one in route53_names.lost_environment(records, nowhere)] == [UNKNOWN]
    assert [one.outcome for one in route53_names.lost_environment(records, elsewhere)] == [FAIL]


def test_without_any_distribution_nothing_is_said_of_one() -> None:
    records = NameRecords(A, (record("CNAME", "d1.cloudfront.net"),))
    assert [o.outcome for o in route53_names.lost_distribution(records, Distributions(A, ()))] == [UNKNOWN]


@pytest.mark.parametrize(
    ("ends", "renews", "outcome"),
    [
        ("2026-11-01T00:00:00Z", True, FAIL),
        ("2026-11-28T00:00:00Z", True, FAIL),
        ("2026-12-10T00:00:00Z", True, PASS),
        ("2026-12-10T00:00:00Z", False, FAIL),
        ("2027-12-10T00:00:00Z", False, PASS),
        ("", False, None),
    ],
)
def test_domains_that_run_out(ends: str, renews: bool, outcome: Outcome | None) -> None:
    facts = RegisteredDomains(A, (Domain("example.com", ends, renews, True),))
    found = list(route53_domains.expiry(facts, now=datetime(2026, 11, 23, tzinfo=UTC)))
    assert [one.outcome for one in found] == ([outcome] if outcome else [])


def test_a_registry_without_locks_is_not_blamed_on_its_domains() -> None:
    facts = RegisteredDomains(
        A, (Domain("example.de", "", True, False), Domain("example.co.uk", "", True, True))
    )
    found = list(route53_domains.transfer_lock(facts))
    assert [(one.on, one.outcome) for one in found] == [("example.co.uk", PASS)]


# --- APIs ---

EVERYBODY = Statement(True, principals=("*",), actions=("execute-api:Invoke",), resources=("*",))


def but(*conditions: Condition) -> Policy:
    return Policy((EVERYBODY, msgspec.structs.replace(EVERYBODY, allow=False, conditions=conditions)))


ONE_API = Api(API, "a1", "orders", R, "REST", private=False, default=True)
DOMAIN = ApiDomain(f"{R}/d", "api.example.com", R, "TLS_1_2", False)
MUTUAL = msgspec.structs.replace(DOMAIN, name="mutual.example.com", mutual=True)
STAGE = ApiStage(f"{API}/stages/live", API, "a1", "live", R, "REST", False, True, True)


def judged(
    one: Api,
    *,
    free: tuple[str, ...] = ("GET /",),
    domains: tuple[ApiDomain, ...] = (),
    led: tuple[str, ...] | None = None,
    regions: tuple[str, ...] = (R,),
    stages: ApiStages = ApiStages(A, (API,), (STAGE,)),  # noqa: B008 - facts never change
) -> list[Outcome]:
    names = [d.name for d in domains] if led is None else led
    mappings = ApiMappings(A, tuple(ApiMapping(name, R, ("a1",)) for name in names))
    ways = ApiMethods(A, (ApiWays(API, "a1", "orders", R, 1, free),))
    told = apigateway.open_methods(
        Apis(A, (R,), (one,)), ways, stages, ApiDomains(A, regions, domains), mappings
    )
    return [found.outcome for found in told]


def api(**more: object) -> Api:
    return msgspec.structs.replace(ONE_API, **more)


OFFICE = Condition("NotIpAddress", "aws:SourceIp", ("198.51.100.0/24",))
WORLD = Condition("NotIpAddress", "aws:SourceIp", ("0.0.0.0/0",))


@pytest.mark.parametrize(
    ("one", "domains", "outcome"),
    [
        (api(), (), FAIL),
        (api(private=True), (), PASS),
        (api(policy=Policy((EVERYBODY,))), (), FAIL),
        (api(policy=but(OFFICE)), (), PASS),
        (api(policy=but(WORLD)), (), FAIL),
        (api(policy=Policy()), (), PASS),
        (api(unread="the policy is not JSON"), (), UNKNOWN),
        (api(default=False), (), PASS),
        (api(default=False), (MUTUAL,), PASS),
        (api(default=False), (MUTUAL, DOMAIN), FAIL),
        (api(), (MUTUAL,), FAIL),
    ],
)
def test_open_methods(one: Api, domains: tuple[ApiDomain, ...], outcome: Outcome) -> None:
    assert judged(one, domains=domains) == [outcome]


def test_an_api_without_its_own_name_is_unknown_where_a_domain_was_not_read() -> None:
    hidden = api(default=False)
    assert judged(hidden, domains=(MUTUAL,), led=()) == [UNKNOWN]
    assert judged(hidden, regions=()) == [UNKNOWN]
    # A domain that is known to let everybody in is enough.
    assert judged(hidden, domains=(MUTUAL, DOMAIN), led=(DOMAIN.name,)) == [FAIL]


def test_what_is_published_nowhere_is_no_question_and_what_was_not_read_no_answer() -> None:
    assert judged(api(), stages=ApiStages(A, (API,), ())) == [Outcome.NOT_APPLICABLE]
    assert judged(api(), stages=ApiStages(A, (), ())) == []


def test_an_open_api_says_who_reaches_it() -> None:
    told = apigateway.open_methods(
        Apis(A, (R,), (ONE_API,)),
        ApiMethods(A, (ApiWays(API, "a1", "orders", R, 9, tuple(f"GET /{n}" for n in range(7))),)),
        ApiStages(A, (API,), (STAGE,)),
        ApiDomains(A, (R,), ()),
        ApiMappings(A, ()),
    )
    [found] = told
    assert found.exposure is Exposure.INTERNET_OPEN
    assert found.saw.endswith("and 2 more")


@pytest.mark.parametrize(
    ("domain", "severity"), [(DOMAIN, None), (MUTUAL, Severity.HIGH)], ids=["plain", "mutual"]
)
def test_the_default_name_weighs_more_where_it_goes_past_certificates(
    domain: ApiDomain, severity: Severity | None
) -> None:
    facts = (
        Apis(A, (R,), (ONE_API,)),
        ApiDomains(A, (R,), (domain,)),
        ApiMappings(A, (ApiMapping(domain.name, R, ("a1",)),)),
    )
    [found] = apigateway.default_endpoint(*facts)
    assert (found.outcome, found.severity) == (FAIL, severity)


def test_apis_without_a_domain_need_their_default_name() -> None:
    facts = (Apis(A, (R,), (ONE_API,)), ApiDomains(A, (R,), (DOMAIN,)), ApiMappings(A, ()))
    assert list(apigateway.default_endpoint(*facts)) == []


# --- firewalls, file servers, Lightsail ---


@pytest.mark.parametrize(
    ("kind", "public", "guarded", "regions", "outcome"),
    [
        ("application", True, False, (R,), FAIL),
        ("application", True, True, (R,), PASS),
        ("application", True, True, (), PASS),
        ("application", True, False, (), UNKNOWN),
        ("application", False, False, (R,), None),
        ("network", True, False, (R,), None),
    ],
)
def test_firewalls_before_balancers(
    kind: str, public: bool, guarded: bool, regions: tuple[str, ...], outcome: Outcome | None
) -> None:
    balancers = Balancers(A, (R,), (Balancer("b", "b", R, kind, public),))
    found = wafv2.balancers(balancers, GuardedBalancers(A, regions, ("b",) if guarded else ()))
    assert [one.outcome for one in found] == ([outcome] if outcome else [])


def rule(*cidrs: str, port: int = 22, lists: tuple[str, ...] = ()) -> Rule:
    return Rule("tcp", port, port, cidrs, lists)


@pytest.mark.parametrize(
    ("public", "rules", "outcome"),
    [
        ("yes", (), FAIL),
        ("no", (rule("0.0.0.0/0"),), PASS),
        ("groups", (rule("0.0.0.0/0"),), FAIL),
        ("groups", (rule("0.0.0.0/1"), rule("128.0.0.0/1")), FAIL),
        ("groups", (rule("198.51.100.0/24"),), PASS),
        ("groups", (rule("0.0.0.0/0", port=443),), PASS),
        ("groups", (rule(lists=("pl-wide",)),), FAIL),
        ("groups", (rule(lists=("pl-unread",)),), UNKNOWN),
        ("groups", None, UNKNOWN),
    ],
)
def test_file_servers_on_the_internet(public: str, rules: tuple[Rule, ...] | None, outcome: Outcome) -> None:
    server = FileServer("s", "s-1", R, ("SFTP",), public, ("sg-1",), "", True)
    groups = () if rules is None else (SecurityGroup("sg-1", R, "vpc-1", "g", rules, ()),)
    lists = PrefixLists(A, (R,), (PrefixList("pl-wide", R, ("0.0.0.0/0",)),))
    found = transfer.public(FileServers(A, (R,), (server,)), SecurityGroups(A, (R,), groups), lists)
    assert [one.outcome for one in found] == [outcome]


@pytest.mark.parametrize(
    ("policy", "good"),
    [
        ("TransferSecurityPolicy-2018-11", False),
        ("TransferSecurityPolicy-2020-06", False),
        ("TransferSecurityPolicy-FIPS-2020-06", False),
        ("TransferSecurityPolicy-PQ-SSH-Experimental-2023-04", False),
        ("TransferSecurityPolicy-2022-03", True),
        ("TransferSecurityPolicy-2024-01", True),
        ("TransferSecurityPolicy-Restricted-2018-11", True),
        ("TransferSecurityPolicy-AS2Restricted-2025-07", True),
    ],
)
def test_policies_of_file_servers(policy: str, good: bool) -> None:
    server = FileServer("s", "s-1", R, ("SFTP",), "no", (), policy, True)
    [found] = transfer.policy(FileServers(A, (R,), (server,)))
    assert found.ok is good


@pytest.mark.parametrize(
    ("address", "ports", "bad"),
    [
        ("52.16.0.1", (LightPort("tcp", 22, 22, ("0.0.0.0/0",)),), True),
        ("52.16.0.1", (LightPort("all", 0, 65535, ("::/0",)),), True),
        ("52.16.0.1", (LightPort("tcp", 1, 100, ("0.0.0.0/1", "128.0.0.0/1")),), True),
        ("52.16.0.1", (LightPort("udp", 22, 22, ("0.0.0.0/0",)),), False),
        ("52.16.0.1", (LightPort("tcp", 443, 443, ("0.0.0.0/0",)),), False),
        ("52.16.0.1", (LightPort("tcp", 22, 22, ("::/0",)),), True),
        # Without an IPv4 address only IPv6 leads to it.
        ("", (LightPort("tcp", 22, 22, ("0.0.0.0/0",)),), False),
    ],
)
def test_ports_of_lightsail(address: str, ports: tuple[LightPort, ...], bad: bool) -> None:
    machine = LightMachine("m", "m", R, address, "2a05:d018::1", ports)
    [found] = lightsail.open_ports(LightMachines(A, (R,), (machine,)))
    assert found.ok is not bad
    assert (found.exposure is Exposure.INTERNET_OPEN) is bad


@pytest.mark.parametrize(
    ("public", "overrides", "blocked", "bad", "confidence"),
    [
        (True, False, False, True, Confidence.CONFIRMED),
        (True, True, True, False, Confidence.CONFIRMED),
        (False, True, False, True, Confidence.POSSIBLE),
        (False, False, False, False, Confidence.CONFIRMED),
    ],
)
def test_buckets_of_lightsail(
    public: bool, overrides: bool, blocked: bool, bad: bool, confidence: Confidence
) -> None:
    bucket = LightBucket("b", "b", R, public, overrides, blocked)
    [found] = lightsail.public_bucket(LightBuckets(A, (R,), (bucket,)))
    assert found.ok is not bad
    if bad:
        assert found.confidence is confidence
