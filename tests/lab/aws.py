"""An AWS account on loopback: a moto server, and an account full of mistakes to put into it.

`python -m tests.lab.aws plant http://127.0.0.1:5000` builds the account in a running server.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

LOOPBACK = "127.0.0.1"
ACCOUNT = "123456789012"
MAIN = "eu-west-1"
OTHER = "us-east-1"
REGIONS = (MAIN, OTHER)
CANARY = "wJalrXUtnFEMIbPxRfiCYzCanaryCanaryCanary"
"""A secret in the user data of the planted instance: it must never show up anywhere."""
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Moto:
    """A running moto server: its URL, and the environment in which nothing but it can be reached."""

    url: str
    env: Mapping[str, str]


def environment(url: str) -> dict[str, str]:
    """Dummy credentials, no metadata service, no configuration of whoever runs the tests."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": OTHER,
        "NO_PROXY": "*",
    }


@contextlib.contextmanager
def running_moto() -> Iterator[Moto]:
    """A moto server of its own on a free port of loopback; fails loudly where it does not start."""
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        port = one.getsockname()[1]
    own = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    url = f"http://{LOOPBACK}:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.lab.aws_server", str(port)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment(url), **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port, process)
        yield Moto(url, environment(url))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    """A moto server for this module; the environment leads to it and nowhere else."""
    with running_moto() as server, pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in server.env.items():
            patch.setenv(name, value)
        yield server


def client(endpoint: str, service: str, region: str = MAIN) -> Any:
    """A boto3 client for planting: it may write, unlike everything in Bartizan."""
    make: Any = boto3.client
    return make(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def put_answer(
    endpoint: str,
    service: str,
    operation: str,
    output: Any = None,
    *,
    region: str = "",
    about: str = "",
    error: tuple[int, str, str] | None = None,
) -> None:
    """From now on the emulator answers that call so: for what it does not serve, or serves wrongly.

    Times are written `{"$time": "2026-01-01T00:00:00Z"}`, bytes `{"$bytes": "<base64>"}`. `about` is a
    text that the request must hold (the name of a resource); `error` is status, code and message.
    """
    told = {
        "service": service,
        "operation": operation,
        "region": region,
        "about": about,
        "output": output,
        "error": error,
    }
    request = urllib.request.Request(
        f"{endpoint}/lab-api/answer", json.dumps(told).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


@dataclass(frozen=True)
class Planted:
    """The names of what was planted, by what is wrong or right with it."""

    names: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.names[key]


def plant(endpoint: str) -> Planted:
    """Builds the bad account, with a clean counterpart of each mistake, in two regions."""
    names: dict[str, str] = {}
    _plant_people(endpoint)
    _plant_buckets(endpoint)
    _plant_network(endpoint, names)
    _plant_disks(endpoint, names)
    _plant_databases(endpoint, names)
    _plant_keys_and_trails(endpoint, names)
    return Planted(names)


def _policy(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _plant_people(endpoint: str) -> None:
    iam = client(endpoint, "iam", OTHER)
    for name in ("alice", "bob", "robot"):
        iam.create_user(UserName=name)
    for name in ("alice", "bob"):
        iam.create_login_profile(UserName=name, Password="Correct-Horse-Battery-1")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="bob")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="bob", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    iam.create_access_key(UserName="robot")
    everything = iam.create_policy(PolicyName="everything", PolicyDocument=_policy(EVERYTHING))["Policy"][
        "Arn"
    ]
    iam.attach_user_policy(UserName="robot", PolicyArn=everything)
    iam.put_user_policy(UserName="alice", PolicyName="hidden", PolicyDocument=_policy(EVERYTHING))
    trust = _policy(
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )
    iam.create_role(RoleName="break-glass", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName="break-glass", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.create_group(GroupName="readers")
    iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.add_user_to_group(GroupName="readers", UserName="bob")


def _plant_buckets(endpoint: str) -> None:
    s3 = {region: client(endpoint, "s3", region) for region in REGIONS}
    here = {"LocationConstraint": MAIN}
    for name in ("customer-export", "shielded", "for-the-organisation", "strict"):
        s3[MAIN].create_bucket(
            Bucket=name, CreateBucketConfiguration=here, ObjectOwnership="BucketOwnerEnforced"
        )
    s3[OTHER].create_bucket(Bucket="old-website", ObjectOwnership="ObjectWriter")
    s3[OTHER].put_bucket_acl(Bucket="old-website", ACL="public-read")
    for name in ("customer-export", "shielded"):
        s3[MAIN].put_bucket_policy(Bucket=name, Policy=_policy(public_statement(name)))
    organisation = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    statement = {**public_statement("for-the-organisation"), "Condition": organisation}
    s3[MAIN].put_bucket_policy(Bucket="for-the-organisation", Policy=_policy(statement))
    arn = "arn:aws:s3:::strict"
    refuse = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3[MAIN].put_bucket_policy(Bucket="strict", Policy=_policy(refuse))
    switches = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    for name in ("shielded", "strict"):
        s3[MAIN].put_public_access_block(
            Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(switches, True)
        )


def public_statement(bucket: str) -> dict[str, object]:
    """Lets everybody read the objects of a bucket."""
    return {
        "Sid": "Everybody",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }


def _allow(protocol: str, low: int, high: int, *cidrs: str) -> dict[str, object]:
    return {
        "IpProtocol": protocol,
        "FromPort": low,
        "ToPort": high,
        "IpRanges": [{"CidrIp": cidr} for cidr in cidrs if ":" not in cidr],
        "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in cidrs if ":" in cidr],
    }


def _plant_network(endpoint: str, names: dict[str, str]) -> None:
    ec2 = client(endpoint, "ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    names["vpc"] = vpc
    rules = {
        "admin-open": _allow("tcp", 20, 25, "0.0.0.0/0", "::/0"),
        "two-halves": _allow("tcp", 5432, 5432, "0.0.0.0/1", "128.0.0.0/1"),
        "office-only": _allow("tcp", 22, 22, "198.51.100.0/24"),
    }
    for name, rule in rules.items():
        made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
        names[name] = made["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=names[name], IpPermissions=[rule])
    lists = ec2.create_managed_prefix_list(
        PrefixListName="all-of-it",
        MaxEntries=2,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "0.0.0.0/1"}, {"Cidr": "128.0.0.0/1"}],
    )
    names["prefix-list"] = lists["PrefixList"]["PrefixListId"]
    made = ec2.create_security_group(GroupName="by-list", Description="by list", VpcId=vpc)
    names["by-list"] = made["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=names["by-list"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 3389,
                "ToPort": 3389,
                "PrefixListIds": [{"PrefixListId": names["prefix-list"]}],
            }
        ],
    )
    user_data = f"#!/bin/sh\nexport AWS_SECRET_ACCESS_KEY={CANARY}\n"
    names["instance"] = _instance(ec2, names["admin-open"], user_data, "optional")
    names["instance-clean"] = _instance(ec2, names["office-only"], "#!/bin/sh\necho hello\n", "required")
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(InstanceId=names["instance"], AllocationId=address["AllocationId"])
    names["address"] = address["PublicIp"]
    other = client(endpoint, "ec2", OTHER)
    names["vpc-watched"] = other.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = other.create_flow_logs(
        ResourceIds=[names["vpc-watched"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::strict",
    )
    assert made["FlowLogIds"], made
    acl = other.describe_network_acls()["NetworkAcls"][0]["NetworkAclId"]
    names["acl-guarded"] = acl
    for number, port in ((10, 22), (11, 3389)):
        other.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=number,
            Protocol="6",
            RuleAction="deny",
            Egress=False,
            CidrBlock="0.0.0.0/0",
            PortRange={"From": port, "To": port},
        )
    names["acl"] = ec2.describe_network_acls()["NetworkAcls"][0]["NetworkAclId"]


def _instance(ec2: Any, group: str, user_data: str, tokens: str) -> str:
    made = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        SecurityGroupIds=[group],
        UserData=user_data,
        MetadataOptions={"HttpTokens": tokens, "HttpEndpoint": "enabled"},
    )
    return str(made["Instances"][0]["InstanceId"])


def _plant_disks(endpoint: str, names: dict[str, str]) -> None:
    ec2 = client(endpoint, "ec2")
    client(endpoint, "ec2", OTHER).enable_ebs_encryption_by_default()
    for name, encrypted in (("volume-plain", False), ("volume-encrypted", True)):
        made = ec2.create_volume(AvailabilityZone=f"{MAIN}a", Size=8, Encrypted=encrypted)
        names[name] = made["VolumeId"]
    for name in ("snapshot-public", "snapshot-private"):
        names[name] = ec2.create_snapshot(VolumeId=names["volume-plain"])["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=names["snapshot-public"],
        Attribute="createVolumePermission",
        OperationType="add",
        GroupNames=["all"],
    )
    for name in ("image-public", "image-private"):
        names[name] = ec2.create_image(InstanceId=names["instance"], Name=name)["ImageId"]
    ec2.modify_image_attribute(ImageId=names["image-public"], LaunchPermission={"Add": [{"Group": "all"}]})


def _plant_databases(endpoint: str, names: dict[str, str]) -> None:
    rds = client(endpoint, "rds")
    for name, good in (("orders", False), ("ledger", True)):
        made = rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            MasterUsername="owner",
            MasterUserPassword="Correct-Horse-1",
            AllocatedStorage=20,
            Port=5432,
            PubliclyAccessible=not good,
            StorageEncrypted=good,
            AutoMinorVersionUpgrade=good,
            VpcSecurityGroupIds=[names["two-halves" if not good else "office-only"]],
        )
        names[name] = made["DBInstance"]["DBInstanceArn"]


def _plant_keys_and_trails(endpoint: str, names: dict[str, str]) -> None:
    kms = client(endpoint, "kms")
    for name in ("key-still", "key-turning"):
        names[name] = kms.create_key(Description=name)["KeyMetadata"]["Arn"]
    kms.enable_key_rotation(KeyId=names["key-turning"])
    names["key-signing"] = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    trail = client(endpoint, "cloudtrail").create_trail(Name="local-only", S3BucketName="strict")
    names["trail"] = trail["TrailARN"]


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the moto server ended at once"
        with socket.socket() as one:
            one.settimeout(1)
            if one.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the moto server does not listen after {_START_SECONDS:g} s")


if __name__ == "__main__":
    [_, verb, where] = sys.argv
    assert verb == "plant", "usage: python -m tests.lab.aws plant ENDPOINT"
    for key, value in sorted(plant(where).names.items()):
        print(f"{key}\t{value}")
