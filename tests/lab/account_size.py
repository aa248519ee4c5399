"""A large account without much of interest: what a scan costs there is what it costs at all.

`python -m tests.lab.account_size URL SIZE` fills a running emulator; size 10 is about 2,000 resources in
three regions.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.lab.aws import ACCOUNT, client, put_answer

REGIONS = ("eu-west-1", "us-east-1", "eu-central-1")
HOME = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/of-functions"
_LACKING: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("accessanalyzer", "ListAnalyzers", {"analyzers": []}),
    ("lightsail", "GetBuckets", {"buckets": []}),
    ("lightsail", "GetInstances", {"instances": []}),
    ("lightsail", "GetRelationalDatabases", {"relationalDatabases": []}),
    ("ssm", "DescribeInstanceInformation", {"InstanceInformationList": []}),
    (
        "ssm",
        "GetServiceSetting",
        {
            "ServiceSetting": {
                "SettingId": "/ssm/documents/console/public-sharing-permission",
                "SettingValue": "Enable",
            }
        },
    ),
)
"""What the emulator fails at, so that everybody would count its failures and their own retries."""


def fill(url: str, size: int) -> int:
    """Puts in about 200 resources for each unit of size; the number of calls that made something."""
    jobs: list[Callable[[], object]] = []
    for service, operation, output in _LACKING:
        put_answer(url, service, operation, output)
    _people(url, size, jobs)
    _buckets(url, size, jobs)
    for region in REGIONS:
        _network(url, region, size)
        _services(url, region, size, jobs)
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda job: job(), jobs):
            pass
    return len(jobs) + len(REGIONS) * size * 18


def _document(service: str = "") -> str:
    who = {"Principal": {"Service": service}} if service else {"Resource": "*"}
    action = "sts:AssumeRole" if service else ["s3:GetObject", "sqs:SendMessage", "logs:PutLogEvents"]
    statement = {"Effect": "Allow", "Action": action, **who}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _people(url: str, size: int, jobs: list[Callable[[], object]]) -> None:
    iam = client(url, "iam", HOME)
    iam.create_role(RoleName="of-functions", AssumeRolePolicyDocument=_document("lambda.amazonaws.com"))
    for number in range(5 * size):
        jobs.append(partial(_user, iam, f"user-{number}"))
    for number in range(15 * size):
        jobs.append(partial(_role, iam, f"role-{number}"))
    for number in range(5 * size):
        jobs.append(partial(iam.create_policy, PolicyName=f"policy-{number}", PolicyDocument=_document()))


def _user(iam: Any, name: str) -> None:
    iam.create_user(UserName=name)
    iam.create_access_key(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=_document())


def _role(iam: Any, name: str) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document("ec2.amazonaws.com"))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document())


def _buckets(url: str, size: int, jobs: list[Callable[[], object]]) -> None:
    for number in range(8 * size):
        region = REGIONS[number % len(REGIONS)]
        place = {} if region == HOME else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        jobs.append(partial(client(url, "s3", region).create_bucket, Bucket=f"bucket-{number}", **place))


def _network(url: str, region: str, size: int) -> None:
    ec2 = client(url, "ec2", region)
    for number in range(size):
        vpc = ec2.create_vpc(CidrBlock=f"10.{number % 250}.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number % 250}.{third}.0/24")["Subnet"]["SubnetId"]
            for third in range(2)
        ]
        groups = []
        for third in range(5):
            made = ec2.create_security_group(GroupName=f"g-{number}-{third}", Description="x", VpcId=vpc)
            groups.append(made["GroupId"])
            rule = {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
            }
            ec2.authorize_security_group_ingress(GroupId=groups[-1], IpPermissions=[rule])
        ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=4,
            MaxCount=4,
            InstanceType="t3.micro",
            SubnetId=subnets[0],
            SecurityGroupIds=groups[:1],
            UserData="#!/bin/sh\necho hello\n",
        )
        for _ in range(2):
            volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=8)["VolumeId"]
            ec2.create_snapshot(VolumeId=volume)


def _services(url: str, region: str, size: int, jobs: list[Callable[[], object]]) -> None:
    """Of each service some for every unit of size."""
    made = {
        name: client(url, name, region)
        for name in (
            "dynamodb",
            "ecr",
            "kms",
            "lambda",
            "logs",
            "rds",
            "secretsmanager",
            "sns",
            "sqs",
        )
    }
    code = _code()
    for number in range(2 * size):
        jobs += [
            partial(made["sqs"].create_queue, QueueName=f"queue-{number}"),
            partial(made["sns"].create_topic, Name=f"topic-{number}"),
            partial(made["logs"].create_log_group, logGroupName=f"/app/{number}"),
            partial(made["secretsmanager"].create_secret, Name=f"secret-{number}", SecretString="x"),
            partial(_function, made["lambda"], f"function-{number}", code),
            partial(_table, made["dynamodb"], f"table-{number}"),
        ]
    for number in range(size):
        jobs += [
            partial(made["kms"].create_key, Description=f"key-{number}"),
            partial(made["ecr"].create_repository, repositoryName=f"image-{number}"),
            partial(_database, made["rds"], f"database-{number}"),
        ]


def _code() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "def handle(event, context):\n    return 1\n")
    return packed.getvalue()


def _function(service: Any, name: str, code: bytes) -> None:
    service.create_function(
        FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="main.handle", Code={"ZipFile": code}
    )


def _table(service: Any, name: str) -> None:
    service.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _database(service: Any, name: str) -> None:
    service.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="owner",
        MasterUserPassword="Correct-Horse-1",
        AllocatedStorage=20,
    )


if __name__ == "__main__":
    print(fill(sys.argv[1], int(sys.argv[2])))
