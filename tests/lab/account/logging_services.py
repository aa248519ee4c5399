"""What watches the account, on in one region and off, asleep or half on in the other."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from tests.lab.account_logging import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

PROTECTIONS = {
    "S3_DATA_EVENTS": "ENABLED",
    "EKS_AUDIT_LOGS": "ENABLED",
    "EBS_MALWARE_PROTECTION": "DISABLED",
    "RDS_LOGIN_EVENTS": "ENABLED",
    "EKS_RUNTIME_MONITORING": "DISABLED",
    "LAMBDA_NETWORK_LOGS": "DISABLED",
    "RUNTIME_MONITORING": "ENABLED",
}
"""The protections of GuardDuty: disks and functions are left out; the older one of clusters has to be."""


def plant(lab: Lab) -> None:
    """Builds them; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    _config(lab)
    _guardduty(lab)
    _hub(lab)
    _macie(lab)
    _things(lab)
    with_peers(lab, first)


def _config(lab: Lab) -> None:
    """One recorder that leaves out what has no region, and one that would take it in but is stopped."""
    role = f"arn:aws:iam::{lab.account}:role/logging-recorder"
    lab.client("s3").create_bucket(
        Bucket="logging-config", CreateBucketConfiguration={"LocationConstraint": MAIN}
    )
    for region, wide in ((MAIN, False), (OTHER, True)):
        config = lab.client("config", region)
        recording = {"allSupported": True, "includeGlobalResourceTypes": wide}
        config.put_configuration_recorder(
            ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": recording}
        )
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "logging-config"})
    lab.client("config", MAIN).start_configuration_recorder(ConfigurationRecorderName="default")
    check = "cloud.config.recording"
    lab.clean(check, "recorder", "all that has a region", region=MAIN, fools=True)
    lab.problem(check, "recorder", "there is one, and it is stopped", region=OTHER, fools=True)
    lab.problem(
        "cloud.config.worldwide", "resources without a region", "the one that would is stopped", fools=True
    )


def _guardduty(lab: Lab) -> None:
    on = lab.client("guardduty", MAIN).create_detector(Enable=True)["DetectorId"]
    lab.client("guardduty", OTHER).create_detector(Enable=False)
    lab.answer("guardduty", "GetDetector", detector(lab, PROTECTIONS), region=MAIN, about=on)
    check = "cloud.guardduty.enabled"
    lab.clean(check, MAIN, "watching", region=MAIN)
    lab.problem(check, OTHER, "there is a detector, and it is suspended", region=OTHER, fools=True)
    lab.problem("cloud.guardduty.protections", MAIN, "disks and functions are left out", region=MAIN)
    lab.problem(
        "cloud.detection.unwatched-regions",
        "regions",
        f"in {OTHER} both are there, one stopped and one suspended",
        fools=True,
    )


def detector(lab: Lab, protections: Mapping[str, str]) -> dict[str, Any]:
    """A detector that is on, as AWS answers."""
    return {
        "Status": "ENABLED",
        "ServiceRole": f"arn:aws:iam::{lab.account}:role/guardduty",
        "Features": [{"Name": name, "Status": status} for name, status in protections.items()],
    }


def _hub(lab: Lab) -> None:
    lab.client("securityhub", MAIN).enable_security_hub(EnableDefaultStandards=False)
    lab.answer("securityhub", "GetEnabledStandards", standards(lab, "pci-dss/v/3.2.1"), region=MAIN)
    check = "cloud.securityhub.enabled"
    lab.clean(check, MAIN, "on", region=MAIN)
    lab.problem(check, OTHER, "never turned on", region=OTHER)
    lab.problem(
        "cloud.securityhub.standards", MAIN, "a standard that is about cards", region=MAIN, fools=True
    )


def standards(lab: Lab, *names: str, status: str = "READY") -> dict[str, Any]:
    """The standards that Security Hub has on, as AWS answers; `names` as `pci-dss/v/3.2.1`."""
    return {
        "StandardsSubscriptions": [
            {
                "StandardsArn": f"arn:aws:securityhub:{MAIN}::standards/{name}",
                "StandardsSubscriptionArn": f"arn:aws:securityhub:{MAIN}:{lab.account}:subscription/{name}",
                "StandardsInput": {},
                "StandardsStatus": status,
            }
            for name in names
        ]
    }


def _macie(lab: Lab) -> None:
    for region, status in ((MAIN, "PAUSED"), (OTHER, "ENABLED")):
        lab.answer("macie2", "GetMacieSession", {"status": status}, region=region)
    check = "cloud.macie.enabled"
    lab.problem(check, MAIN, "it was on, and somebody paused it", region=MAIN, fools=True)
    lab.clean(check, OTHER, "it looks", region=OTHER)


def _things(lab: Lab) -> None:
    """A running instance and a function in each region; `logging_last` says which Inspector looks through."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = lab.client("iam", OTHER).create_role(RoleName="logging-runner", AssumeRolePolicyDocument=document)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as one:
        one.writestr("app.py", "def run(event, context): return 1\n")
    for region in (MAIN, OTHER):
        lab.client("ec2", region).run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="t3.nano"
        )
        lab.client("lambda", region).create_function(
            FunctionName="logging-one",
            Role=role["Role"]["Arn"],
            Runtime="python3.13",
            Handler="app.run",
            Code={"ZipFile": held.getvalue()},
        )
