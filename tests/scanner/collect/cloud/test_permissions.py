"""The printed IAM policy, held against a server that enforces policies."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import boto3
import pytest

from checks.facts.cloud.rds import RdsInstances
from checks.model import Kind, Target
from scanner.collect.cloud import registry
from scanner.collect.cloud.collect import collect, iam_policy, permissions
from scanner.collect.collector import Context, Permission
from scanner.transport.aws import AwsAccess
from tests.lab.aws import MAIN, OTHER, REGIONS, Moto, client, moto, plant

__all__ = ["moto"]

pytestmark = pytest.mark.real

MISNAMED = {
    "apigateway:GET",
    "appsync:ListGraphqlApis",
    "backup:ListBackupVaults",
    "cloudfront:ListDistributions",
    "cloudwatch:DescribeAlarms",
    "eks:ListClusters",
    "elasticfilesystem:DescribeFileSystems",
    "es:ListDomainNames",
    "glacier:ListVaults",
    "guardduty:ListDetectors",
    "kafka:ListClustersV2",
    "lambda:ListFunctions",
    "macie2:GetMacieSession",
    "mq:ListBrokers",
    "route53:ListHostedZones",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPublicAccessBlock",
    "securityhub:DescribeHub",
}
"""Actions that the emulator looks for under another name than AWS does."""


READING = ("BatchGet", "Describe", "GenerateCredentialReport", "Get", "List")
"""How operations begin that change nothing."""


def enforce(server: Moto) -> None:
    request = urllib.request.Request(
        f"{server.url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_the_policy_allows_what_is_read_and_no_more(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(moto.url)
    iam = client(moto.url, "iam", OTHER)
    iam.create_user(UserName="scanner")
    document = json.dumps(iam_policy(registry.facts()))
    iam.put_user_policy(UserName="scanner", PolicyName="reads", PolicyDocument=document)
    key = iam.create_access_key(UserName="scanner")["AccessKey"]
    enforce(moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    access = AwsAccess(endpoint=moto.url, regions=REGIONS, attempts=1)
    everything = collect(Target(Kind.AWS, "lab", "aws"), registry.facts(), access, Context())
    assert {gap.needs for gap in everything.gaps if gap.needs} <= MISNAMED
    assert len(everything.facts) > 100
    make: Any = boto3.Session().client
    for service, call, parameters in (
        ("ec2", "create_volume", {"AvailabilityZone": f"{MAIN}a", "Size": 1}),
        ("s3", "list_objects_v2", {"Bucket": "customer-export"}),
        ("iam", "list_users", {}),
    ):
        with pytest.raises(Exception, match=r"AccessDenied|not authorized"):
            getattr(make(service, region_name=MAIN), call)(**parameters)


def test_permissions_are_as_narrow_as_what_is_wanted() -> None:
    assert permissions({RdsInstances}) == (
        Permission("iam", "ec2:DescribeRegions", ("RdsInstances",)),
        Permission("iam", "rds:DescribeDBInstances", ("RdsInstances",)),
    )


def test_every_call_only_reads() -> None:
    for call in registry.calls(registry.facts()):
        assert call.operation.startswith(READING), call
        assert call.facts, call
