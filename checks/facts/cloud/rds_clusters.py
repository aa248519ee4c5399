"""More of database clusters (Aurora, DocumentDB, Neptune)."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.rds import TlsRule
from checks.facts.snapshot import Fact


class RdsCluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cluster: how many members it has, and whether they stand in several zones.

    `iam` says that it can be signed in to with IAM, `logs` what it sends to CloudWatch.
    """

    arn: str
    id: str
    region: str
    engine: str
    version: str
    members: int
    zones: bool
    iam: bool
    logs: tuple[str, ...]


class RdsClusterSettings(Fact, frozen=True, forbid_unknown_fields=True):
    """The settings of all database clusters."""

    account: str
    regions: tuple[str, ...]
    clusters: tuple[RdsCluster, ...]


class RdsClusterTlsRules(Fact, frozen=True, forbid_unknown_fields=True):
    """What the parameter group of each cluster says of connections in the clear."""

    account: str
    rules: tuple[TlsRule, ...]
