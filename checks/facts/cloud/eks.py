"""Kubernetes clusters."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Cluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cluster: its release, who reaches its endpoint, what it logs, whether secrets are encrypted.

    `protected` is against deletion by mistake.
    """

    arn: str
    name: str
    region: str
    version: str
    public: bool
    cidrs: tuple[str, ...]
    logs: tuple[str, ...]
    secrets: bool
    protected: bool = False


class Clusters(Fact, frozen=True, forbid_unknown_fields=True):
    """All clusters."""

    account: str
    regions: tuple[str, ...]
    clusters: tuple[Cluster, ...]
