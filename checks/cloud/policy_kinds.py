"""The kinds of resources that carry a policy, and how each is read and written."""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts.cloud.resource_policies import (
    ArchivePolicies,
    BusPolicies,
    DomainPolicies,
    FileSystemPolicies,
    FunctionPolicies,
    KeyPolicies,
    LogPolicies,
    QueuePolicies,
    RepositoryPolicies,
    SecretPolicies,
    SendingPolicies,
    TablePolicies,
    TopicPolicies,
    VaultPolicies,
)
from checks.facts.snapshot import Fact
from checks.model import Exposure, Impact, Severity


@dataclass(frozen=True, slots=True)
class Kind:
    """Resources of one service that carry a policy.

    `read` and `write` are its calls: `write` with `before` puts back what `read` saved. `lost` is what an
    outsider has of it.
    """

    topic: str
    fact: type[Fact]
    noun: str
    plural: str
    lost: str
    read: str
    write: str
    severity: Severity = Severity.HIGH
    impact: Impact = Impact.SERIOUS
    alone: bool = False
    """Whether a policy can be about nothing but the resource that it stands on."""
    exposure: Exposure = Exposure.INTERNET_OPEN
    """Who reaches a resource whose policy is open to everybody, as far as the policy alone proves it."""
    within: str = ""
    """Why that is not the whole internet."""


KINDS = (
    Kind(
        "sqs",
        QueuePolicies,
        "queue",
        "queues",
        "reads, forges or drains the messages between your systems",
        "aws sqs get-queue-attributes --region @{region} --queue-url @{url} --attribute-names Policy",
        "aws sqs set-queue-attributes --region @{region} --queue-url @{url} --attributes",
        alone=True,
    ),
    Kind(
        "sns",
        TopicPolicies,
        "topic",
        "topics",
        "subscribes to your notifications, or sends them in your name",
        "aws sns get-topic-attributes --region @{region} --topic-arn @{on} --query Attributes.Policy "
        "--output text",
        "aws sns set-topic-attributes --region @{region} --topic-arn @{on} --attribute-name Policy "
        "--attribute-value",
        alone=True,
    ),
    Kind(
        "functions",
        FunctionPolicies,
        "function",
        "functions",
        "runs your code with the rights of its role",
        "aws lambda get-policy --region @{region} --function-name @{on} --query Policy --output text",
        "",
    ),
    Kind(
        "ecr",
        RepositoryPolicies,
        "image repository",
        "image repositories",
        "pulls your images with all that is baked into them, or replaces them",
        "aws ecr get-repository-policy --region @{region} --repository-name @{name} --query policyText "
        "--output text",
        "aws ecr set-repository-policy --region @{region} --repository-name @{name} --policy-text",
    ),
    Kind(
        "secretsmanager",
        SecretPolicies,
        "secret",
        "secrets",
        "reads the secret itself",
        "aws secretsmanager get-resource-policy --region @{region} --secret-id @{on} --query ResourcePolicy "
        "--output text",
        "aws secretsmanager put-resource-policy --region @{region} --secret-id @{on} --resource-policy",
        Severity.CRITICAL,
        Impact.TOTAL,
        alone=True,
    ),
    Kind(
        "kms",
        KeyPolicies,
        "key",
        "keys",
        "decrypts what the key protects, or takes the key away from you",
        "aws kms get-key-policy --region @{region} --key-id @{on} --policy-name default --query Policy "
        "--output text",
        "aws kms put-key-policy --region @{region} --key-id @{on} --policy-name default --policy",
        Severity.CRITICAL,
        Impact.TOTAL,
        alone=True,
    ),
    Kind(
        "efs",
        FileSystemPolicies,
        "file system",
        "file systems",
        "mounts the file system once it reaches the network",
        "aws efs describe-file-system-policy --region @{region} --file-system-id @{name} --query Policy "
        "--output text",
        "aws efs put-file-system-policy --region @{region} --file-system-id @{name} --policy",
        exposure=Exposure.SAME_ZONE,
        within="it is mounted over private addresses of its network",
    ),
    Kind(
        "backup",
        VaultPolicies,
        "backup vault",
        "backup vaults",
        "copies your backups away, or fills the vault",
        "aws backup get-backup-vault-access-policy --region @{region} --backup-vault-name @{name} "
        "--query Policy --output text",
        "aws backup put-backup-vault-access-policy --region @{region} --backup-vault-name @{name} --policy",
    ),
    Kind(
        "opensearch",
        DomainPolicies,
        "search domain",
        "search domains",
        "searches, changes and deletes everything that is indexed",
        "aws opensearch describe-domain --region @{region} --domain-name @{name} "
        "--query DomainStatus.AccessPolicies --output text",
        "aws opensearch update-domain-config --region @{region} --domain-name @{name} --access-policies",
        Severity.CRITICAL,
    ),
    Kind(
        "events",
        BusPolicies,
        "event bus",
        "event buses",
        "sends events that your rules act upon",
        "aws events describe-event-bus --region @{region} --name @{name} --query Policy --output text",
        "aws events put-permission --region @{region} --event-bus-name @{name} --policy",
        Severity.MEDIUM,
        Impact.PARTIAL,
    ),
    Kind(
        "ses",
        SendingPolicies,
        "sender of mail",
        "senders of mail",
        "sends mail in the name of your domain, signed as yours",
        "aws sesv2 get-email-identity-policies --region @{region} --email-identity @{name} "
        "| jq -r --arg name \"$POLICY_NAME\" '.Policies[$name]'",
        "aws sesv2 update-email-identity-policy --region @{region} --email-identity @{name} "
        '--policy-name "$POLICY_NAME" --policy',
        alone=True,
    ),
    Kind(
        "dynamodb",
        TablePolicies,
        "table",
        "tables",
        "reads and changes the items of the table",
        "aws dynamodb get-resource-policy --region @{region} --resource-arn @{on} --query Policy "
        "--output text",
        "aws dynamodb put-resource-policy --region @{region} --resource-arn @{on} --policy",
        Severity.CRITICAL,
    ),
    Kind(
        "logs",
        LogPolicies,
        "log policy",
        "log policies",
        "writes lines into your logs that cannot be told from real ones",
        "aws logs describe-resource-policies --region @{region}",
        "aws logs put-resource-policy --region @{region} --policy-name @{name} --policy-document",
        Severity.MEDIUM,
        Impact.PARTIAL,
    ),
    Kind(
        "glacier",
        ArchivePolicies,
        "archive vault",
        "archive vaults",
        "reads or deletes the archives",
        "aws glacier get-vault-access-policy --region @{region} --account-id - --vault-name @{name} "
        "--query policy.Policy --output text",
        "",
    ),
)
