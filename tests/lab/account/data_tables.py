"""Search domains and tables."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.account_data import STRANGER, with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab


def plant(lab: Lab) -> None:
    """Builds the tables, and has the emulator answer for the domains, which it gets wrong."""
    first = len(lab.planted)
    _search(lab)
    _tables(lab)
    with_peers(lab, first)


def _search(lab: Lab) -> None:
    everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "es:*", "Resource": "*"}
    ours = {**everybody, "Principal": {"AWS": f"arn:aws:iam::{lab.account}:root"}}
    theirs = {**everybody, "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"}}
    on, off = {"Enabled": True}, {"Enabled": False}

    def told(name: str, policy: object, version: str, **more: Any) -> dict[str, Any]:
        return {
            "DomainId": f"{lab.account}/{name}",
            "DomainName": name,
            "ARN": f"arn:aws:es:{OTHER}:{lab.account}:domain/{name}",
            "ClusterConfig": {},
            "EngineVersion": version,
            "AccessPolicies": json.dumps({"Version": "2012-10-17", "Statement": [policy]}),
            "DomainEndpointOptions": {
                "EnforceHTTPS": True,
                "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10",
            },
            "EncryptionAtRestOptions": on,
            "NodeToNodeEncryptionOptions": on,
            "AdvancedSecurityOptions": on,
            "LogPublishingOptions": {"AUDIT_LOGS": on},
            "ServiceSoftwareOptions": {"UpdateAvailable": False},
            **more,
        }

    lax = {
        "DomainEndpointOptions": {"EnforceHTTPS": False}, "EncryptionAtRestOptions": off,
        "NodeToNodeEncryptionOptions": off, "AdvancedSecurityOptions": off, "LogPublishingOptions": {},
        "ServiceSoftwareOptions": {"UpdateAvailable": True},
    }  # fmt: skip
    domains = [
        told("data-ancient", everybody, "Elasticsearch_6.7", **lax),
        told("data-defaulted", ours, "OpenSearch_2.19", DomainEndpointOptions={"EnforceHTTPS": True}),
        told(
            "data-inner",
            everybody,
            "OpenSearch_2.19",
            VPCOptions={"VPCId": "vpc-1", "SubnetIds": ["subnet-1"]},
        ),
        told("data-recent", ours, "OpenSearch_2.19"),
        told("data-partner", theirs, "OpenSearch_2.19"),
    ]
    names = [{"DomainName": one["DomainName"], "EngineType": "OpenSearch"} for one in domains]
    lab.answer("opensearch", "ListDomainNames", {"DomainNames": names}, region=OTHER)
    lab.answer("opensearch", "DescribeDomains", {"DomainStatusList": domains}, region=OTHER)
    ancient, defaulted, inner, recent, partner = (str(one["ARN"]) for one in domains)
    topic = "cloud.opensearch"
    lab.problem(f"{topic}.outsiders", partner, "a stranger searches too", region=OTHER)
    lab.clean(f"{topic}.outsiders", recent, "this account alone", region=OTHER)
    for name in ("public", "supported-release", "https", "encryption", "between-nodes", "fine-grained",
                 "audit-logs", "updates"):  # fmt: skip
        lab.problem(f"{topic}.{name}", ancient, "lax", region=OTHER)
        lab.clean(f"{topic}.{name}", recent, "strict", region=OTHER)
    lab.problem(f"{topic}.https", defaulted, "no policy of TLS is the oldest", region=OTHER, fools=True)
    lab.clean(f"{topic}.encryption", inner, "within a network", region=OTHER)


def _tables(lab: Lab) -> None:
    dynamodb = lab.client("dynamodb", MAIN)
    arns = {}
    for name, protected in (("data-carts", False), ("data-bills", True), ("data-lent", True)):
        made = dynamodb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=protected,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            SSESpecification={"Enabled": True, "SSEType": "KMS"} if protected else {"Enabled": False},
        )  # fmt: skip
        arns[name] = str(made["TableDescription"]["TableArn"])
    dynamodb.update_continuous_backups(
        TableName="data-bills", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    for name, principal in (
        ("data-carts", "*"),
        ("data-bills", {"AWS": f"arn:aws:iam::{lab.account}:root"}),
        ("data-lent", {"AWS": f"arn:aws:iam::{STRANGER}:root"}),
    ):
        one = {"Effect": "Allow", "Principal": principal, "Action": "dynamodb:*", "Resource": arns[name]}
        document = json.dumps({"Version": "2012-10-17", "Statement": [one]})
        dynamodb.put_resource_policy(ResourceArn=arns[name], Policy=document)
    for name in ("public", "continuous-backup", "deletion-protection", "own-key"):
        lab.problem(f"cloud.dynamodb.{name}", arns["data-carts"], "as it was made", region=MAIN)
        lab.clean(f"cloud.dynamodb.{name}", arns["data-bills"], "cared for", region=MAIN)
    lab.problem("cloud.dynamodb.outsiders", arns["data-lent"], "a stranger reads it", region=MAIN)
    lab.clean("cloud.dynamodb.outsiders", arns["data-bills"], "this account alone", region=MAIN)
    lab.problem(
        "cloud.dynamodb.continuous-backup", arns["data-lent"], "the default is none", region=MAIN, fools=True
    )
