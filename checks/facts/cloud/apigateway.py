"""APIs of API Gateway, of the older kind (`REST`) and the newer ones (`HTTP`, `WEBSOCKET`)."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.policy import Policy
from checks.facts.snapshot import Fact


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An API: whether only a network of one's own reaches it, its policy, whether its own name answers.

    `policy` is None where the kind has none or none is set; `default` says whether the name that AWS gave
    it answers beside those of custom domains. `unread` says why its policy could not be understood.
    """

    arn: str
    id: str
    name: str
    region: str
    kind: str
    private: bool
    default: bool
    policy: Policy | None = None
    unread: str = ""


class Apis(Fact, frozen=True, forbid_unknown_fields=True):
    """All APIs."""

    account: str
    regions: tuple[str, ...]
    apis: tuple[Api, ...]


class ApiStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage: where an API is published.

    `throttled` is False where a way in has only the limit of the whole account. `bodies` are the methods of
    which whole requests and answers are logged, `plain_cache` those whose answers lie in an unencrypted
    cache, `secrets` the names of the variables that hold one. `firewall` is the ARN of the web ACL.
    """

    arn: str
    api: str
    id: str
    name: str
    region: str
    kind: str
    private: bool
    logged: bool
    throttled: bool
    bodies: tuple[str, ...] = ()
    plain_cache: tuple[str, ...] | None = None
    certificate: bool = False
    secrets: tuple[str, ...] = ()
    firewall: str = ""


class ApiStages(Fact, frozen=True, forbid_unknown_fields=True):
    """The stages of all APIs; `apis` are the ARNs of those whose stages were read."""

    account: str
    apis: tuple[str, ...]
    stages: tuple[ApiStage, ...]


class ApiWays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ways into one API: how many there are, and by name those where nobody is asked who he is."""

    arn: str
    id: str
    name: str
    region: str
    count: int
    open: tuple[str, ...]


class ApiMethods(Fact, frozen=True, forbid_unknown_fields=True):
    """The methods and routes of APIs."""

    account: str
    apis: tuple[ApiWays, ...]


class ApiBackend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The servers that one API asks over the internet, and those of them that it asks over plain HTTP."""

    arn: str
    id: str
    name: str
    region: str
    servers: tuple[str, ...]
    plain: tuple[str, ...]


class ApiBackends(Fact, frozen=True, forbid_unknown_fields=True):
    """Where APIs lead."""

    account: str
    apis: tuple[ApiBackend, ...]


class ApiDomain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A domain of one's own: its TLS policy, and whether clients must show a certificate."""

    arn: str
    name: str
    region: str
    policy: str
    mutual: bool


class ApiDomains(Fact, frozen=True, forbid_unknown_fields=True):
    """The domains under which APIs are reached."""

    account: str
    regions: tuple[str, ...]
    domains: tuple[ApiDomain, ...]


class ApiMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A domain and the ids of the APIs that it leads to."""

    domain: str
    region: str
    apis: tuple[str, ...]


class ApiMappings(Fact, frozen=True, forbid_unknown_fields=True):
    """Which APIs the domains lead to."""

    account: str
    mappings: tuple[ApiMapping, ...]
