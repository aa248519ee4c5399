"""Endpoints: private ways from a network to services of AWS."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.policy import Policy
from checks.facts.snapshot import Fact


class VpcEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint that works: `service` as `s3`, `kind` `Gateway` or `Interface`.

    `tables` are the route tables that lead to a gateway; without one nothing goes through it.
    """

    id: str
    region: str
    vpc: str
    service: str
    kind: str
    tables: tuple[str, ...]


class VpcEndpoints(Fact, frozen=True, forbid_unknown_fields=True):
    """All endpoints that work; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    endpoints: tuple[VpcEndpoint, ...]


class EndpointPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an endpoint lets through, for whom."""

    id: str
    region: str
    service: str
    kind: str
    policy: Policy


class EndpointPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of the endpoints that have one."""

    account: str
    regions: tuple[str, ...]
    policies: tuple[EndpointPolicy, ...]
