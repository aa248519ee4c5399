"""Load balancers, what they listen on, and where they lead."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Balancer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A load balancer (`application`, `network` or `gateway`) that faces the internet or not.

    `groups` are its security groups; a network balancer may have none, and then nothing stands before it.
    """

    arn: str
    name: str
    region: str
    kind: str
    public: bool
    vpc: str = ""
    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class Balancers(Fact, frozen=True, forbid_unknown_fields=True):
    """All load balancers of the newer kinds."""

    account: str
    regions: tuple[str, ...]
    balancers: tuple[Balancer, ...]


class Listener(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port of a load balancer: `policy` is that of TLS, `redirects` says that it only sends to HTTPS.

    `balancer` is its ARN.
    """

    arn: str
    name: str
    region: str
    kind: str
    public: bool
    port: int
    protocol: str
    policy: str
    redirects: bool
    balancer: str = ""


class Listeners(Fact, frozen=True, forbid_unknown_fields=True):
    """The ports of the load balancers of the newer kinds."""

    account: str
    listeners: tuple[Listener, ...]


class BalancerSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of a load balancer; `drops_invalid` is None where its kind knows no headers."""

    arn: str
    name: str
    region: str
    logs: bool
    protected: bool
    drops_invalid: bool | None


class BalancerSettings(Fact, frozen=True, forbid_unknown_fields=True):
    """The settings of the load balancers of the newer kinds."""

    account: str
    settings: tuple[BalancerSetting, ...]


class BalancedTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a load balancer sends what comes in: an instance by its id, or an address, and the port there."""

    id: str
    port: int


class TargetGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of targets that public load balancers (their ARNs) lead to; `kind` is that of its targets."""

    arn: str
    name: str
    region: str
    balancers: tuple[str, ...]
    kind: str
    targets: tuple[BalancedTarget, ...]


class TargetGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """The target groups of instances and addresses behind public load balancers."""

    account: str
    regions: tuple[str, ...]
    groups: tuple[TargetGroup, ...]
