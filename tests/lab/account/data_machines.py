"""Systems Manager: managed machines, their patches, sessions, sharing, and parameters by their names."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.account_data import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

SHELL = "SSM-SessionManagerRunShell"


def plant(lab: Lab) -> None:
    """Builds them in two regions; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    _machines(lab)
    _sessions(lab)
    _documents(lab)
    _parameters(lab)
    with_peers(lab, first)


def _machines(lab: Lab) -> None:
    made = lab.client("ec2", MAIN).run_instances(ImageId="ami-12345678", MinCount=3, MaxCount=3)
    good, silent, alone = (str(one["InstanceId"]) for one in made["Instances"])
    edge = "mi-0123456789abcdef0"

    def told(name: str, ping: str, kind: str = "EC2Instance") -> dict[str, Any]:
        seen = {"$time": "2026-11-22T00:00:00Z"}
        return {"InstanceId": name, "PingStatus": ping, "ResourceType": kind, "LastPingDateTime": seen}

    listed = [told(good, "Online"), told(silent, "ConnectionLost"), told(edge, "Online", "ManagedInstance")]
    lab.answer("ssm", "DescribeInstanceInformation", {"InstanceInformationList": listed}, region=MAIN)
    lab.answer("ssm", "DescribeInstanceInformation", {"InstanceInformationList": []}, region=OTHER)
    check = "cloud.ssm.managed"
    lab.clean(check, good, "its agent answers", region=MAIN)
    lab.problem(check, silent, "its agent has not answered for long", region=MAIN, fools=True)
    lab.problem(check, alone, "nobody manages it", region=MAIN)

    def state(name: str, looked: str, **counts: int) -> dict[str, Any]:
        return {
            "InstanceId": name, "PatchGroup": "", "BaselineId": "pb-1", "Operation": "Scan",
            "OperationStartTime": {"$time": looked}, "OperationEndTime": {"$time": looked}, **counts,
        }  # fmt: skip

    states = [
        state(good, "2026-11-20T00:00:00Z", MissingCount=0, SecurityNonCompliantCount=0),
        state(silent, "2026-08-01T00:00:00Z", MissingCount=0),
    ]
    lab.answer("ssm", "DescribeInstancePatchStates", {"InstancePatchStates": states}, region=MAIN)
    check = "cloud.ssm.patches"
    lab.clean(check, good, "nothing is missing", region=MAIN)
    lab.problem(check, silent, "nothing was missing, months ago", region=MAIN, fools=True)
    lab.problem(check, edge, "nobody has ever looked", region=MAIN, fools=True)


def _sessions(lab: Lab) -> None:
    content = {
        "schemaVersion": "1.0", "description": "", "sessionType": "Standard_Stream",
        "inputs": {"s3BucketName": "", "cloudWatchLogGroupName": "data-sessions", "kmsKeyId": ""},
    }  # fmt: skip
    lab.client("ssm", OTHER).create_document(
        Name=SHELL, DocumentType="Session", DocumentFormat="JSON", Content=json.dumps(content)
    )
    lab.problem("cloud.ssm.session-logs", MAIN, "nobody has set preferences", region=MAIN, fools=True)
    lab.clean("cloud.ssm.session-logs", OTHER, "into a log group", region=OTHER)
    for region, value in ((MAIN, "Enable"), (OTHER, "Disable")):
        setting = {"SettingId": "/ssm/documents/console/public-sharing-permission", "SettingValue": value}
        lab.answer("ssm", "GetServiceSetting", {"ServiceSetting": setting}, region=region)
    lab.problem("cloud.ssm.share-block", MAIN, "sharing with everybody is possible", region=MAIN)
    lab.clean("cloud.ssm.share-block", OTHER, "blocked", region=OTHER)


def _documents(lab: Lab) -> None:
    ssm = lab.client("ssm", MAIN)
    content = json.dumps({"schemaVersion": "2.2", "description": "", "mainSteps": []})
    cases = (("data-script-all", "all"), ("data-script-own", lab.account), ("data-script", ""))
    for name, shared in cases:
        ssm.create_document(Name=name, DocumentType="Command", DocumentFormat="JSON", Content=content)
        if shared:
            ssm.modify_document_permission(Name=name, PermissionType="Share", AccountIdsToAdd=[shared])
        arn = f"arn:aws:ssm:{MAIN}:{lab.account}:document/{name}"
        tell = lab.problem if shared == "all" else lab.clean
        tell("cloud.ssm.shared-documents", arn, f"shared with {shared or 'nobody'}", region=MAIN)


def _parameters(lab: Lab) -> None:
    ssm = lab.client("ssm", MAIN)
    for name, kind in (
        ("/data/orders/password", "String"),
        ("/data/mysqlPassword/prod", "String"),
        ("/data/ledger/password", "SecureString"),
        ("/data/password-policy", "String"),
        ("/data/token-lifetime", "String"),
    ):
        ssm.put_parameter(Name=name, Value="Correct-Horse", Type=kind)
    stem = f"arn:aws:ssm:{MAIN}:{lab.account}:parameter/data"
    check = "cloud.ssm.plain-secrets"
    lab.problem(check, f"{stem}/orders/password", "a password in the clear", region=MAIN)
    lab.problem(check, f"{stem}/mysqlPassword/prod", "in the middle of its name", region=MAIN, fools=True)
    lab.clean(check, f"{stem}/ledger/password", "encrypted", region=MAIN)
