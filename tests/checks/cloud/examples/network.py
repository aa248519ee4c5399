"""Examples of the checks of routes, endpoints, launch templates, and of what load balancers lead to."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.cloud.ec2 import Ec2Instances, Instance, NetworkInterfaces, PlainSecret
from checks.facts.cloud.ec2_defaults import MetadataDefault, MetadataDefaults
from checks.facts.cloud.elb import (
    BalancedTarget,
    Balancer,
    Balancers,
    Listener,
    Listeners,
    TargetGroup,
    TargetGroups,
)
from checks.facts.cloud.launch_templates import LaunchTemplate, LaunchTemplates
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.routes import Peering, Peerings, RouteTable, RouteTables, Subnet, Subnets
from checks.facts.cloud.vpc import Vpc, Vpcs
from checks.facts.cloud.vpc_endpoints import EndpointPolicies, EndpointPolicy, VpcEndpoint, VpcEndpoints
from tests.checks.cloud.examples.meaning import HERE, PROFILE, STRONG, network
from tests.checks.cloud.examples.records import A, Facts, R

LB = f"arn:aws:elasticloadbalancing:{R}:{A}:loadbalancer/net/front/1"
TABLE = RouteTable("rtb-1", R, "vpc-1", True, (), True, False, ())
PEERED = msgspec.structs.replace(TABLE, peers=("10.8.0.0/20",), peerings=(("10.8.0.0/20", "pcx-1"),))
WHOLE = Peerings(A, HERE, (Peering("pcx-1", R, ("10.1.0.0/16", "10.8.0.0/20")),))
PART = Peerings(A, HERE, (Peering("pcx-1", R, ("10.1.0.0/16", "10.8.0.0/16")),))
TEMPLATE = LaunchTemplate("lt-1", "web", R, 1, True, True, "required", False, ())
EVERYTHING = Statement(True, principals=("*",), actions=("*",), resources=("*",))
OWN = (Condition("StringEquals", "aws:ResourceAccount", (A,)),)


def subnets(*, public: bool) -> Facts:
    return Subnets(A, HERE, (Subnet("subnet-1", R, "vpc-1", public),)), RouteTables(A, HERE, (TABLE,))


def template(default: str = "", **changes: object) -> Facts:
    one = msgspec.structs.replace(TEMPLATE, **changes)
    return (
        LaunchTemplates(A, HERE, (one,)),
        MetadataDefaults(A, (MetadataDefault(R, default),)),
    )


def balanced(cidr: str, *, to: int, kind: str = "network") -> Facts:
    """A public load balancer before a target: group, balancer, listener and the walls."""
    target = TargetGroup("arn:tg", "tg", R, (LB,), "instance", (BalancedTarget("i-1", to),))
    front = Balancer(LB, "front", R, kind, True, "vpc-1", ("subnet-1",), ("sg-1",))
    listener = Listener("arn:l", "front", R, kind, True, 443, "TCP", "", False, LB)
    return (
        TargetGroups(A, HERE, (target,)),
        Balancers(A, HERE, (front,)),
        Listeners(A, (listener,)),
        *network(cidr, port=443)[2:],
    )


def hidden_behind(cidr: str) -> Facts:
    """An instance without a public address, with an administrator's role, behind that balancer."""
    targets, balancers, listeners, *walls = balanced(cidr, to=8080)
    one = Instance("i-1", R, "web", "running", "vpc-1", "subnet-1", "", PROFILE, True, "optional")
    return Ec2Instances(A, HERE, (one,)), balancers, listeners, targets, *walls, *STRONG


def endpoint_policy(*statements: Statement) -> Facts:
    return (EndpointPolicies(A, HERE, (EndpointPolicy("vpce-1", R, "s3", "Gateway", Policy(statements)),)),)


def ways(*services: str) -> Facts:
    found = tuple(VpcEndpoint(f"vpce-{s}", R, "vpc-1", s, "Gateway", ("rtb-1",)) for s in services)
    users = network("0.0.0.0/0")[1]
    assert isinstance(users, NetworkInterfaces)
    return (
        Vpcs(A, HERE, (Vpc("vpc-1", R, False),)),
        VpcEndpoints(A, HERE, found),
        RouteTables(A, HERE, (TABLE,)),
        users,
    )


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.ec2-reach.keys-behind-a-balancer": (hidden_behind("0.0.0.0/0"), hidden_behind("198.51.100.0/24")),
    "cloud.elb.risky-targets": (balanced("0.0.0.0/0", to=5432), balanced("0.0.0.0/0", to=8443)),
    "cloud.launch-templates.imdsv2": (template(tokens=""), template("required", tokens="")),
    "cloud.launch-templates.public-address": (template(public=True)[:1], template()[:1]),
    "cloud.launch-templates.user-data-secrets": (
        template(secrets=(PlainSecret("private key", 3),))[:1],
        template()[:1],
    ),
    "cloud.routes.automatic-addresses": (subnets(public=True), subnets(public=False)),
    "cloud.routes.peering": (
        (RouteTables(A, HERE, (PEERED,)), WHOLE),
        (RouteTables(A, HERE, (PEERED,)), PART),
    ),
    "cloud.vpc-endpoints.gateways": (ways("s3"), ways("s3", "dynamodb")),
    "cloud.vpc-endpoints.open-policy": (
        endpoint_policy(EVERYTHING),
        endpoint_policy(msgspec.structs.replace(EVERYTHING, conditions=OWN)),
    ),
}
