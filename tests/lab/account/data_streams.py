"""Streams, delivery streams, message brokers and Kafka clusters."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.account_data import STRANGER, Ground, ground, with_peers
from tests.lab.planted_account import MAIN, Lab


def plant(lab: Lab) -> None:
    """Builds them; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    place = ground(lab, MAIN)
    _streams(lab)
    _deliveries(lab)
    _brokers(lab, place)
    _kafka(lab, place)
    with_peers(lab, first)


def _policy(principal: object, **more: Any) -> str:
    one = {
        "Sid": "S",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "kinesis:GetRecords",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [{**one, **more}]})


def _streams(lab: Lab) -> None:
    kinesis = lab.client("kinesis", MAIN)
    arns = {}
    for name in ("data-clicks", "data-quiet", "data-ours", "data-partner"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
        arns[name] = f"arn:aws:kinesis:{MAIN}:{lab.account}:stream/{name}"
    kinesis.start_stream_encryption(StreamName="data-quiet", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    kinesis.increase_stream_retention_period(StreamName="data-quiet", RetentionPeriodHours=168)
    narrow = {"StringEquals": {"aws:PrincipalAccount": lab.account}}
    for name, document in (
        ("data-clicks", _policy("*")),
        ("data-ours", _policy("*", Condition=narrow)),
        ("data-partner", _policy({"AWS": f"arn:aws:iam::{STRANGER}:root"})),
    ):
        kinesis.put_resource_policy(ResourceARN=arns[name], Policy=document)
    topic = "cloud.kinesis"
    lab.problem(f"{topic}.encryption", arns["data-clicks"], "plain", region=MAIN)  # fmt: skip
    lab.clean(f"{topic}.encryption", arns["data-quiet"], "encrypted", region=MAIN)
    lab.problem(f"{topic}.retention", arns["data-clicks"], "a day", region=MAIN)
    lab.clean(f"{topic}.retention", arns["data-quiet"], "a week", region=MAIN)
    lab.problem(f"{topic}.public", arns["data-clicks"], "open to everybody", region=MAIN)
    lab.clean(f"{topic}.public", arns["data-ours"], "everybody of this account", region=MAIN, fools=True)
    lab.clean(f"{topic}.public", arns["data-quiet"], "no policy", region=MAIN)
    lab.problem(f"{topic}.outsiders", arns["data-partner"], "a stranger reads along", region=MAIN)
    lab.clean(f"{topic}.outsiders", arns["data-ours"], "nobody else", region=MAIN)


def _deliveries(lab: Lab) -> None:
    def told(name: str, kind: str, state: str) -> dict[str, Any]:
        return {
            "DeliveryStreamName": name,
            "DeliveryStreamARN": f"arn:aws:firehose:{MAIN}:{lab.account}:deliverystream/{name}",
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamType": kind,
            "VersionId": "1",
            "HasMoreDestinations": False,
            "Destinations": [],
            **({"DeliveryStreamEncryptionConfiguration": {"Status": state}} if state else {}),
        }

    streams = (
        told("data-plain", "DirectPut", ""),
        told("data-sealed", "DirectPut", "ENABLED"),
        told("data-passing", "KinesisStreamAsSource", ""),
    )
    for one in streams:
        name = one["DeliveryStreamName"]
        lab.answer("firehose", "DescribeDeliveryStream", {"DeliveryStreamDescription": one}, region=MAIN,
                   about=name)  # fmt: skip
    listed = {"DeliveryStreamNames": [one["DeliveryStreamName"] for one in streams[:2]]}
    rest = {"DeliveryStreamNames": [streams[2]["DeliveryStreamName"]], "HasMoreDeliveryStreams": False}
    lab.answer("firehose", "ListDeliveryStreams", {**listed, "HasMoreDeliveryStreams": True}, region=MAIN)
    lab.answer("firehose", "ListDeliveryStreams", rest, region=MAIN, about="ExclusiveStart")
    check = "cloud.kinesis.delivery-encryption"
    lab.problem(check, streams[0]["DeliveryStreamARN"], "plain", region=MAIN)
    lab.clean(check, streams[1]["DeliveryStreamARN"], "encrypted", region=MAIN)


def _brokers(lab: Lab, place: Ground) -> None:
    mq = lab.client("mq", MAIN)

    def made(name: str, **more: Any) -> str:
        given = {
            "AutoMinorVersionUpgrade": True, "DeploymentMode": "ACTIVE_STANDBY_MULTI_AZ",
            "EngineType": "ACTIVEMQ", "EngineVersion": "5.18", "HostInstanceType": "mq.m5.large",
            "PubliclyAccessible": False, "Users": [{"Username": "keeper", "Password": "Correct-Horse-1"}],
            "SubnetIds": list(place.private), "SecurityGroups": [place.closed],
            "Logs": {"General": True, "Audit": True},
            "EncryptionOptions": {"UseAwsOwnedKey": False, "KmsKeyId": "alias/own"},
            **more,
        }  # fmt: skip
        return str(mq.create_broker(BrokerName=name, **given)["BrokerArn"])

    bad = made(
        "data-loud", AutoMinorVersionUpgrade=False, DeploymentMode="SINGLE_INSTANCE", EngineVersion="5.15.16",
        PubliclyAccessible=True, SubnetIds=[place.public[0]], SecurityGroups=[place.open],
        Logs={"General": True, "Audit": False}, EncryptionOptions={"UseAwsOwnedKey": True},
    )  # fmt: skip
    fine = made("data-calm")
    rabbit = made("data-rabbit", EngineType="RABBITMQ", EngineVersion="3.13", PubliclyAccessible=True,
                  SubnetIds=[], SecurityGroups=[], Logs={"General": True},
                  DeploymentMode="CLUSTER_MULTI_AZ")  # fmt: skip
    hidden = made("data-hidden", PubliclyAccessible=True, SecurityGroups=[place.open])
    topic = "cloud.mq"
    for name in ("public", "minor-upgrades", "zones", "supported-release", "logs", "own-key"):
        lab.problem(f"{topic}.{name}", bad, "lax", region=MAIN)
        lab.clean(f"{topic}.{name}", fine, "strict", region=MAIN)
    lab.problem(f"{topic}.public", rabbit, "no group stands before it", region=MAIN, fools=True)
    lab.clean(f"{topic}.public", hidden, "public, without a way out", region=MAIN, fools=True)
    lab.clean(f"{topic}.logs", rabbit, "it has no audit log", region=MAIN, fools=True)


def _kafka(lab: Lab, place: Ground) -> None:
    def told(name: str, subnets: tuple[str, ...], public: bool, version: str, **more: Any) -> dict[str, Any]:
        kind = "SERVICE_PROVIDED_EIPS" if public else "DISABLED"
        return {
            "ClusterArn": f"arn:aws:kafka:{MAIN}:{lab.account}:cluster/{name}/1",
            "ClusterName": name,
            "ClusterType": "PROVISIONED",
            "State": "ACTIVE",
            "CurrentVersion": "K1",
            "Provisioned": {
                "BrokerNodeGroupInfo": {
                    "ClientSubnets": list(subnets),
                    "SecurityGroups": [place.open],
                    "InstanceType": "kafka.m7g.large",
                    "ConnectivityInfo": {"PublicAccess": {"Type": kind}},
                },
                "CurrentBrokerSoftwareInfo": {"KafkaVersion": version},
                "NumberOfBrokerNodes": 2,
                **more,
            },
        }

    def transit(clients: str, between: bool) -> dict[str, Any]:
        return {"EncryptionInTransit": {"ClientBroker": clients, "InCluster": between}}

    iam = {"Sasl": {"Iam": {"Enabled": True}}, "Unauthenticated": {"Enabled": False}}
    both = {**iam, "Unauthenticated": {"Enabled": True}}
    kept = {"BrokerLogs": {"CloudWatchLogs": {"Enabled": False}, "S3": {"Enabled": True, "Bucket": "b"}}}
    clusters: list[dict[str, Any]] = [
        told("data-open", place.public, True, "2.8.1", EncryptionInfo=transit("TLS_PLAINTEXT", True)),
        told("data-both", place.private, True, "3.9.x", EncryptionInfo=transit("TLS", True),
             ClientAuthentication=both, LoggingInfo=kept),
        told("data-fine", place.private, False, "3.9.x", EncryptionInfo=transit("TLS", True),
             ClientAuthentication=iam, LoggingInfo=kept),
        {
            "ClusterArn": f"arn:aws:kafka:{MAIN}:{lab.account}:cluster/data-serverless/1",
            "ClusterName": "data-serverless", "ClusterType": "SERVERLESS", "State": "ACTIVE",
            "Serverless": {"VpcConfigs": [], "ClientAuthentication": {"Sasl": {"Iam": {"Enabled": True}}}},
        },
    ]  # fmt: skip
    lab.answer("kafka", "ListClustersV2", {"ClusterInfoList": clusters}, region=MAIN)
    bad, both_, fine, serverless = (str(one["ClusterArn"]) for one in clusters)
    topic = "cloud.msk"
    for name in ("public", "authentication", "tls", "logs", "supported-release"):
        lab.problem(f"{topic}.{name}", bad, "lax", region=MAIN)
        lab.clean(f"{topic}.{name}", fine, "strict", region=MAIN)
    lab.problem(f"{topic}.authentication", both_, "nobody need sign in", region=MAIN, fools=True)
    lab.clean(f"{topic}.public", both_, "public, without a way out", region=MAIN, fools=True)
    lab.clean(f"{topic}.authentication", serverless, "without brokers there is IAM", region=MAIN, fools=True)
    lab.clean(f"{topic}.tls", serverless, "without brokers there is TLS", region=MAIN, fools=True)
