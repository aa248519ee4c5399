"""Policies that stand on resources and say who may use them; one fact for each service."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.policy import Policy
from checks.facts.snapshot import Fact


class ResourcePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The policy of one resource; without statements where it has none."""

    arn: str
    name: str
    region: str
    policy: Policy


class QueuePolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of SQS queues."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class TopicPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of SNS topics."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class FunctionPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of Lambda functions."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class RepositoryPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of ECR repositories."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class SecretPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of secrets in Secrets Manager."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class KeyPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of the account's own KMS keys."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class FileSystemPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of EFS file systems."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class VaultPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of vaults of AWS Backup."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class DomainPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of OpenSearch domains that have an endpoint outside of a VPC."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class BusPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of EventBridge buses."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class TablePolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of DynamoDB tables."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class LogPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of CloudWatch Logs that let others write into log groups."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class ArchivePolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of S3 Glacier vaults."""

    account: str
    policies: tuple[ResourcePolicy, ...]


class SendingPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of identities of SES, those of one identity together."""

    account: str
    policies: tuple[ResourcePolicy, ...]
