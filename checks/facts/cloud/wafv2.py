"""Web application firewalls (web ACLs), what they record, and what they stand before."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class WebAcl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A web ACL: how many rules it has, how many of them stop anything, whether it stops all else.

    `scope` is `REGIONAL` or `CLOUDFRONT`.
    """

    arn: str
    id: str
    name: str
    region: str
    scope: str
    rules: int
    stopping: int
    closed: bool


class WebAcls(Fact, frozen=True, forbid_unknown_fields=True):
    """All web ACLs with their rules."""

    account: str
    acls: tuple[WebAcl, ...]


class AclLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A web ACL, and whether what it sees is recorded."""

    arn: str
    id: str
    name: str
    region: str
    scope: str
    logged: bool


class AclLogs(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether web ACLs record what they see."""

    account: str
    acls: tuple[AclLog, ...]


class GuardedBalancers(Fact, frozen=True, forbid_unknown_fields=True):
    """The load balancers that a web ACL stands before; `regions` are those where each ACL was read."""

    account: str
    regions: tuple[str, ...]
    arns: tuple[str, ...]
