"""Examples of the checks of names, APIs, firewalls and what else faces the internet."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.cloud.apigateway import (
    Api,
    ApiBackend,
    ApiBackends,
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
from checks.facts.cloud.appsync import GraphApi, GraphApis
from checks.facts.cloud.cloudfront import Distribution, Distributions
from checks.facts.cloud.ec2 import NetworkInterfaces, PrefixLists, SecurityGroups
from checks.facts.cloud.elb import Balancer, Balancers
from checks.facts.cloud.lightsail import (
    LightBucket,
    LightBuckets,
    LightDatabase,
    LightDatabases,
    LightMachine,
    LightMachines,
    LightPort,
)
from checks.facts.cloud.policy import Policy, Statement
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
    ZoneLog,
    ZoneLogs,
    ZoneSigning,
    ZoneSignings,
)
from checks.facts.cloud.route53_domains import Domain, DomainContact, DomainContacts, RegisteredDomains
from checks.facts.cloud.transfer import FileServer, FileServers
from checks.facts.cloud.wafv2 import AclLog, AclLogs, GuardedBalancers, WebAcl, WebAcls
from checks.facts.snapshot import Fact

Facts = tuple[Fact, ...]
A = "111122223333"
R = "eu-west-1"
ZONE = "arn:aws:route53:::hostedzone/Z1"


def _records(kind: str, *values: str, alias: str = "", name: str = "www.example.com.") -> NameRecords:
    return NameRecords(A, (NameRecord("Z1", "example.com.", name, kind, values, alias),))


_NO_INTERFACES = NetworkInterfaces(A, (R,), ())
_NO_STATIC = StaticAddresses(A, (R,), ())
_OWN = ElasticAddresses(A, (R,), (OwnAddress(R, "52.16.0.10"),))
_SITE = "s3-website-eu-west-1.amazonaws.com."
_SHOP = EnvironmentNames(A, (R,), (EnvironmentName(R, "shop.eu-west-1.elasticbeanstalk.com"),))
_DISTRIBUTION = Distribution(
    "arn:aws:cloudfront::111122223333:distribution/E1",
    "E1",
    "d111abc.cloudfront.net",
    (),
    "TLSv1.2_2021",
    True,
    "",
    (),
    (),
    (),
)
_SITES = Distributions(A, (_DISTRIBUTION,))


def _domain(ends: str = "2028-01-01T00:00:00Z", *, renews: bool = True, locked: bool = True) -> Facts:
    return (RegisteredDomains(A, (Domain("example.com", ends, renews, locked),)),)


API = f"arn:aws:apigateway:{R}::/restapis/a1"
_API = Api(API, "a1", "orders", R, "REST", private=False, default=True)
_EVERYBODY = Policy((Statement(True, principals=("*",), actions=("execute-api:Invoke",), resources=("*",)),))
_NOBODY = Policy(
    (
        Statement(
            True, principals=(f"AWS:arn:aws:iam::{A}:root",), actions=("execute-api:*",), resources=("*",)
        ),
    )
)
_STAGE = ApiStage(
    f"{API}/stages/live",
    API,
    "a1",
    "live",
    R,
    "REST",
    private=False,
    logged=True,
    throttled=True,
    plain_cache=(),
    certificate=True,
)
_DOMAINS = ApiDomains(A, (R,), (ApiDomain(f"{R}/d", "api.example.com", R, "TLS_1_2", False),))
_MAPPINGS = ApiMappings(A, (ApiMapping("api.example.com", R, ("a1",)),))


def _apis(**more: object) -> Apis:
    return Apis(A, (R,), (msgspec.structs.replace(_API, **more),))


def _stages(**more: object) -> ApiStages:
    return ApiStages(A, (API,), (msgspec.structs.replace(_STAGE, **more),))


def _ways(*free: str) -> ApiMethods:
    return ApiMethods(A, (ApiWays(API, "a1", "orders", R, 2, free),))


def _backends(url: str) -> ApiBackends:
    plain = (url,) if url.startswith("http:") else ()
    return ApiBackends(A, (ApiBackend(API, "a1", "orders", R, (url,), plain),))


_SETTINGS = "cloud.apigateway-settings"

ACL = f"arn:aws:wafv2:{R}:{A}:regional/webacl/edge/1"
BALANCER = f"arn:aws:elasticloadbalancing:{R}:{A}:loadbalancer/app/edge/1"
_BALANCERS = Balancers(A, (R,), (Balancer(BALANCER, "edge", R, "application", True),))
_NO_GROUPS = SecurityGroups(A, (R,), ())
_NO_LISTS = PrefixLists(A, (R,), ())
_GRAPH = GraphApi(
    f"arn:aws:appsync:{R}:{A}:apis/g1", "g1", "orders", R, "AWS_IAM", False, "ERROR", False, False, True
)


def _acl(rules: int, stopping: int) -> Facts:
    return (WebAcls(A, (WebAcl(ACL, "1", "edge", R, "REGIONAL", rules, stopping, closed=False),)),)


def _server(**more: object) -> FileServers:
    one = FileServer(
        arn=f"arn:aws:transfer:{R}:{A}:server/s-1",
        id="s-1",
        region=R,
        protocols=("SFTP",),
        public="no",
        groups=(),
        policy="TransferSecurityPolicy-2024-01",
        logged=True,
    )
    return FileServers(A, (R,), (msgspec.structs.replace(one, **more),))


def _graph(**more: object) -> Facts:
    return (GraphApis(A, (R,), (msgspec.structs.replace(_GRAPH, **more),)),)


def _light(kind: str) -> str:
    return f"arn:aws:lightsail:{R}:{A}:{kind}/edge"


def _machine(*cidrs: str) -> Facts:
    ports = (LightPort("tcp", 22, 22, cidrs),)
    return (LightMachines(A, (R,), (LightMachine(_light("Instance"), "edge", R, "52.16.0.9", "", ports),)),)


def _database(public: bool) -> Facts:
    return (LightDatabases(A, (R,), (LightDatabase(_light("RelationalDatabase"), "edge", R, public),)),)


def _bucket(public: bool) -> Facts:
    return (LightBuckets(A, (R,), (LightBucket(_light("Bucket"), "edge", R, public, False, False),)),)


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.route53.query-log": (
        (ZoneLogs(A, (ZoneLog(ZONE, "Z1", "example.com.", False),)),),
        (ZoneLogs(A, (ZoneLog(ZONE, "Z1", "example.com.", True),)),),
    ),
    "cloud.route53.dnssec": (
        (ZoneSignings(A, (ZoneSigning(ZONE, "Z1", "example.com.", "NOT_SIGNING"),)),),
        (ZoneSignings(A, (ZoneSigning(ZONE, "Z1", "example.com.", "SIGNING"),)),),
    ),
    "cloud.route53-names.lost-address": (
        (_records("A", "52.16.0.11"), _OWN, _NO_INTERFACES, _NO_STATIC),
        (_records("A", "52.16.0.10"), _OWN, _NO_INTERFACES, _NO_STATIC),
    ),
    "cloud.route53-names.lost-bucket": (
        (_records("A", alias=_SITE), BucketTargets(A, (BucketTarget("www.example.com", "free"),))),
        (_records("A", alias=_SITE), BucketTargets(A, (BucketTarget("www.example.com", "own"),))),
    ),
    "cloud.route53-names.lost-environment": (
        (_records("CNAME", "gone.eu-west-1.elasticbeanstalk.com"), _SHOP),
        (_records("CNAME", "Shop.eu-west-1.elasticbeanstalk.com."), _SHOP),
    ),
    "cloud.route53-names.lost-distribution": (
        (_records("A", alias="d999xyz.cloudfront.net."), _SITES),
        (_records("CNAME", "d111abc.cloudfront.net"), _SITES),
    ),
    "cloud.route53-domains.transfer-lock": (_domain(locked=False), _domain()),
    "cloud.route53-domains.renewal": (_domain(renews=False), _domain()),
    "cloud.route53-domains.expiry": (_domain("2026-12-01T00:00:00Z", renews=False), _domain()),
    "cloud.route53-domains.privacy": (
        (DomainContacts(A, (DomainContact("example.com", ("the holder",)),)),),
        (DomainContacts(A, (DomainContact("example.com", ()),)),),
    ),
    "cloud.apigateway.open-methods": (
        (_apis(), _ways("GET /"), _stages(), _DOMAINS, _MAPPINGS),
        (_apis(), _ways(), _stages(), _DOMAINS, _MAPPINGS),
    ),
    "cloud.apigateway.private-policy": (
        (_apis(private=True, policy=_EVERYBODY),),
        (_apis(private=True, policy=_NOBODY),),
    ),
    "cloud.apigateway.default-endpoint": (
        (_apis(), _DOMAINS, _MAPPINGS),
        (_apis(default=False), _DOMAINS, _MAPPINGS),
    ),
    "cloud.apigateway.client-certificate": (
        (_stages(certificate=False), _backends("https://b.example.com")),
        (_stages(), _backends("https://b.example.com")),
    ),
    f"{_SETTINGS}.access-log": ((_stages(logged=False),), (_stages(),)),
    f"{_SETTINGS}.throttling": ((_stages(throttled=False),), (_stages(),)),
    f"{_SETTINGS}.cache-encryption": ((_stages(plain_cache=("all methods",)),), (_stages(),)),
    f"{_SETTINGS}.request-bodies": ((_stages(bodies=("all methods",)),), (_stages(),)),
    f"{_SETTINGS}.stage-secrets": ((_stages(secrets=("DB_PASSWORD",)),), (_stages(),)),
    f"{_SETTINGS}.tls": (
        (ApiDomains(A, (R,), (ApiDomain(f"{R}/d", "api.example.com", R, "TLS_1_0", False),)),),
        (_DOMAINS,),
    ),
    f"{_SETTINGS}.plain-backends": (
        (_backends("http://b.example.com"),),
        (_backends("https://b.example.com"),),
    ),
    "cloud.wafv2.rules": (_acl(1, 0), _acl(1, 1)),
    "cloud.wafv2.logging": (
        (AclLogs(A, (AclLog(ACL, "1", "edge", R, "REGIONAL", False),)),),
        (AclLogs(A, (AclLog(ACL, "1", "edge", R, "REGIONAL", True),)),),
    ),
    "cloud.wafv2.balancers": (
        (_BALANCERS, GuardedBalancers(A, (R,), ())),
        (_BALANCERS, GuardedBalancers(A, (R,), (BALANCER,))),
    ),
    "cloud.wafv2.api-stages": ((_stages(),), (_stages(firewall=ACL),)),
    "cloud.transfer.plain-ftp": ((_server(protocols=("FTP",)),), (_server(),)),
    "cloud.transfer.policy": ((_server(policy="TransferSecurityPolicy-2018-11"),), (_server(),)),
    "cloud.transfer.logs": ((_server(logged=False),), (_server(),)),
    "cloud.transfer.public": (
        (_server(public="yes"), _NO_GROUPS, _NO_LISTS),
        (_server(), _NO_GROUPS, _NO_LISTS),
    ),
    "cloud.appsync.api-key": (_graph(sign_in="API_KEY"), _graph()),
    "cloud.appsync.logging": (_graph(level="NONE"), _graph()),
    "cloud.appsync.contents": (_graph(level="ALL", verbose=True), _graph()),
    "cloud.appsync.introspection": (_graph(tells=True), _graph()),
    "cloud.appsync.firewall": (_graph(firewall=False), _graph()),
    "cloud.lightsail.open-ports": (_machine("0.0.0.0/0"), _machine("198.51.100.0/24")),
    "cloud.lightsail.public-database": (_database(True), _database(False)),
    "cloud.lightsail.public-bucket": (_bucket(True), _bucket(False)),
}
"""By check: (facts on which it fails, facts on which it passes)."""
