"""Collects endpoints and their policies; the list says all that is needed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.vpc_endpoints import EndpointPolicies, EndpointPolicy, VpcEndpoint, VpcEndpoints
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, some, text
from scanner.collect.cloud.lists import whole
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected

LIST = Call("ec2", "DescribeVpcEndpoints", (VpcEndpoints, EndpointPolicies), key="VpcEndpoints", page=1000)
_ENDPOINTS = Call("ec2", "DescribeVpcEndpoints", (VpcEndpoints,))
_POLICIES = Call("ec2", "DescribeVpcEndpoints", (EndpointPolicies,))
"""The same call, so that a policy that cannot be read hides itself and not its endpoint."""


def endpoints(place: Place) -> Collected:
    """The endpoints that are not being made or gone."""
    listed = [one for one in place.all_of(LIST) if text(one, "State").lower() == "available"]
    found, lost = place.read(listed, _ENDPOINTS, "VpcEndpointId", partial(_endpoint, place.region))
    with_policy = [one for one in listed if one.get("PolicyDocument")]
    policies, dark = place.read(with_policy, _POLICIES, "VpcEndpointId", partial(_policy, place.region))
    return (
        lost + dark + whole(place, LIST, VpcEndpoints, found) + whole(place, LIST, EndpointPolicies, policies)
    )


def _endpoint(region: str, raw: Raw) -> VpcEndpoint:
    return VpcEndpoint(
        id=text(raw, "VpcEndpointId"),
        region=region,
        vpc=text(raw, "VpcId"),
        service=_service(raw),
        kind=text(raw, "VpcEndpointType"),
        tables=tuple(sorted(some(raw, "RouteTableIds"))),
    )


def _policy(region: str, raw: Raw) -> EndpointPolicy:
    return EndpointPolicy(
        id=text(raw, "VpcEndpointId"),
        region=region,
        service=_service(raw),
        kind=text(raw, "VpcEndpointType"),
        policy=parse(text(raw, "PolicyDocument")),
    )


def _service(raw: Raw) -> str:
    """`s3` of `com.amazonaws.eu-west-1.s3`; services of others keep their whole name."""
    name = text(raw, "ServiceName")
    return name.rpartition(".")[2] if ".vpce-svc-" not in name and "amazonaws" in name else name


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("vpc endpoints", True, (LIST,), endpoints)
