"""Kafka clusters."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class KafkaCluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cluster of brokers. `clients` is TLS, TLS_PLAINTEXT or PLAINTEXT, `between` TLS among the brokers.

    `signs_in` are the ways in which clients say who they are, `nobody` that they need not; `logs` is where
    its broker logs go. One without brokers of its own (`serverless`) has TLS and IAM and nothing to set.
    """

    arn: str
    name: str
    region: str
    serverless: bool
    version: str
    public: bool
    clients: str
    between: bool
    signs_in: tuple[str, ...]
    nobody: bool
    logs: tuple[str, ...]
    subnets: tuple[str, ...]
    groups: tuple[str, ...]


class KafkaClusters(Fact, frozen=True, forbid_unknown_fields=True):
    """All clusters."""

    account: str
    regions: tuple[str, ...]
    clusters: tuple[KafkaCluster, ...]
