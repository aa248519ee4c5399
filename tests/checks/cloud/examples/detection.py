"""Examples of the checks of what watches: Config, GuardDuty, Security Hub, Inspector and log groups."""

from __future__ import annotations

from collections.abc import Mapping

from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.cloudtrail import TrailLogGroup, TrailLogGroups
from checks.facts.cloud.detection import Detector, Detectors, HubsStandards, HubStandards, Recorder, Recorders
from checks.facts.cloud.ec2 import Ec2Instances, Instance
from checks.facts.cloud.functions import Function, Functions
from checks.facts.cloud.inspector import Coverage, Covered
from checks.facts.cloud.kms import KmsKey, KmsKeys
from checks.facts.cloud.logs import LogGroup, LogGroups
from tests.checks.cloud.examples.records import A, Facts, R, fact, good

HERE = (R,)
LOOKED = AccountRegions(A, "aws", HERE, ())
KEY = f"arn:aws:kms:{R}:{A}:key/1"
LOGS = f"arn:aws:logs:{R}:{A}:log-group:trail"
FUNCTION = f"arn:aws:lambda:{R}:{A}:function:f"


def watched(*, recording: bool, enabled: bool) -> Facts:
    recorder = good(Recorder, recording=recording)
    return LOOKED, fact(Recorders, recorder), fact(Detectors, good(Detector, enabled=enabled))


def standards(*names: str) -> Facts:
    return (HubsStandards(A, (HubStandards(R, names),)),)


def kept(days: int) -> Facts:
    group = LogGroup(LOGS, "trail", R, days, "")
    trail = TrailLogGroup(f"arn:aws:cloudtrail:{R}:{A}:trail/all", R, f"{LOGS}:*")
    return LogGroups(A, HERE, (group,)), TrailLogGroups(A, (trail,))


def keyed(state: str) -> Facts:
    key = KmsKey(KEY, "1", R, "CUSTOMER", "SYMMETRIC_DEFAULT", "AWS_KMS", state, False)
    return LogGroups(A, HERE, (LogGroup(LOGS, "trail", R, 365, KEY),)), KmsKeys(A, HERE, (key,))


def covered(*found: Covered) -> Coverage:
    return Coverage(A, HERE, found)


MACHINE = Ec2Instances(
    A,
    HERE,
    (Instance("i-1", R, "web", "running", "vpc-1", "subnet-1", "", "", True, "required"),),
)
CODE = Functions(A, HERE, (good(Function, arn=FUNCTION),))

EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.config.worldwide": (
        (LOOKED, fact(Recorders, good(Recorder, worldwide=False))),
        (LOOKED, fact(Recorders, good(Recorder))),
    ),
    "cloud.detection.unwatched-regions": (
        watched(recording=False, enabled=False),
        watched(recording=False, enabled=True),
    ),
    "cloud.inspector.functions": (
        (covered(), CODE),
        (covered(Covered(R, "function", FUNCTION, True, "SUCCESSFUL")), CODE),
    ),
    "cloud.inspector.instances": (
        (covered(Covered(R, "instance", "i-1", False, "UNMANAGED_EC2_INSTANCE")), MACHINE),
        (covered(Covered(R, "instance", "i-1", True, "SUCCESSFUL")), MACHINE),
    ),
    "cloud.logs.trail-retention": (kept(7), kept(0)),
    "cloud.logs.usable-key": (keyed("Disabled"), keyed("Enabled")),
    "cloud.securityhub.standards": (
        standards("nist-800-53"),
        standards("aws-foundational-security-best-practices"),
    ),
}
