"""Trails, the buckets and log groups they write into, and who else may write into the logs."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.account_logging import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

STRANGER = "999988887777"
GROUP = "logging-trail"
"""The log group of the one trail that records all regions."""
STOPPED_GROUP = "logging-stopped"
"""That of a trail of all regions which nobody started, in the other region."""
Raw = dict[str, Any]


def trail_arn(lab: Lab, name: str, region: str = MAIN) -> str:
    """The ARN of a trail."""
    return f"arn:aws:cloudtrail:{region}:{lab.account}:trail/{name}"


def group_arn(lab: Lab, name: str, region: str = MAIN) -> str:
    """The ARN of a log group, as a finding names it."""
    return f"arn:aws:logs:{region}:{lab.account}:log-group:{name}"


def plant(lab: Lab) -> None:
    """Builds them; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    key = lab.client("kms").create_key(Description="logging")["KeyMetadata"]["Arn"]
    _groups(lab, key)
    _buckets(lab)
    _trails(lab, key)
    _data(lab)
    _writers(lab)
    with_peers(lab, first)


def _groups(lab: Lab, key: str) -> None:
    kms = lab.client("kms")
    disabled = kms.create_key(Description="logging: disabled")["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=disabled.rpartition("/")[2])
    doomed = kms.create_key(Description="logging: doomed")["KeyMetadata"]["Arn"]
    kms.schedule_key_deletion(KeyId=doomed.rpartition("/")[2], PendingWindowInDays=30)
    groups = (
        (GROUP, MAIN, 365, key),
        (STOPPED_GROUP, OTHER, 30, ""),
        ("logging-mute", MAIN, 0, ""),
        ("logging-sealed", MAIN, 14, disabled),
        ("logging-doomed", MAIN, 14, doomed),
        ("logging-app", MAIN, 30, ""),
    )
    for name, region, days, own in groups:
        logs = lab.client("logs", region)
        more = {"kmsKeyId": own} if own else {}
        logs.create_log_group(logGroupName=name, **more)
        if days:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    trail, stopped = group_arn(lab, GROUP), group_arn(lab, STOPPED_GROUP, OTHER)
    mute, sealed = group_arn(lab, "logging-mute"), group_arn(lab, "logging-sealed")
    doomed, app = group_arn(lab, "logging-doomed"), group_arn(lab, "logging-app")
    check = "cloud.logs.retention"
    lab.problem(check, mute, "kept for ever", region=MAIN)
    lab.clean(check, app, "a month", region=MAIN)
    check = "cloud.logs.own-key"
    lab.problem(check, app, "the key that AWS keeps", region=MAIN)
    lab.clean(check, trail, "a key of the account", region=MAIN)
    check = "cloud.logs.usable-key"
    lab.problem(check, sealed, "its key is disabled", region=MAIN, fools=True)
    lab.problem(check, doomed, "its key is to be deleted", region=MAIN, fools=True)
    lab.clean(check, trail, "its key is enabled", region=MAIN)
    check = "cloud.logs.trail-retention"
    lab.problem(check, stopped, "a month is less than what alarms need", region=OTHER, fools=True)
    lab.clean(check, trail, "a year", region=MAIN)
    lab.clean(check, mute, "for ever is long enough", region=MAIN, fools=True)


def _buckets(lab: Lab) -> None:
    s3 = lab.client("s3")
    here = {"LocationConstraint": MAIN}
    rules: dict[str, Raw | None] = {
        "logging-locked": {"Mode": "GOVERNANCE", "Years": 1},
        "logging-brief": {"Mode": "COMPLIANCE", "Days": 7},
        "logging-lockable": None,
    }
    for name, rule in rules.items():
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=here, ObjectLockEnabledForBucket=True)
        if rule:
            told: Raw = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": rule}}
            s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=told)
    s3.create_bucket(Bucket="logging-plain", CreateBucketConfiguration=here)
    check = "cloud.cloudtrail.bucket-lock"
    lab.clean(check, "arn:aws:s3:::logging-locked", "a year, counted in years", fools=True)
    lab.problem(check, "arn:aws:s3:::logging-brief", "a week", fools=True)
    lab.problem(check, "arn:aws:s3:::logging-lockable", "it can be locked, and nothing is", fools=True)
    lab.problem(check, "arn:aws:s3:::logging-plain", "no lock")


def _trails(lab: Lab, key: str) -> None:
    role = f"arn:aws:iam::{lab.account}:role/logging-writer"

    def made(name: str, bucket: str, group: str, region: str = MAIN, **more: Any) -> str:
        written = {
            "CloudWatchLogsLogGroupArn": f"{group_arn(lab, group, region)}:*",
            "CloudWatchLogsRoleArn": role,
        }
        trails = lab.client("cloudtrail", region)
        trails.create_trail(Name=name, S3BucketName=bucket, **(written if group else {}), **more)
        if name != "logging-idle":
            trails.start_logging(Name=name)
        return trail_arn(lab, name, region)

    wide: Raw = {"IsMultiRegionTrail": True}
    every = made("logging-all", "logging-locked", GROUP, EnableLogFileValidation=True, KmsKeyId=key, **wide)
    idle = made("logging-idle", "logging-brief", STOPPED_GROUP, OTHER, **wide)
    local = made("logging-local", "logging-plain", "", EnableLogFileValidation=True)
    mute = made("logging-mute", "logging-lockable", "logging-mute")
    lab.answer(
        "cloudtrail",
        "GetTrailStatus",
        {"IsLogging": True, "LatestDeliveryError": "AccessDenied"},
        about="logging-local",
    )
    lab.answer(
        "cloudtrail",
        "GetTrailStatus",
        {"IsLogging": True, "LatestCloudWatchLogsDeliveryError": "Access denied"},
        about="logging-mute",
    )
    topic = "cloud.cloudtrail"
    lab.clean(f"{topic}.every-region", "trails", "one of all regions runs", names=(every,))
    lab.problem(f"{topic}.delivery", idle, "nobody started it", region=OTHER)
    lab.problem(f"{topic}.delivery", local, "it runs, and nothing arrives", region=MAIN, fools=True)
    lab.clean(f"{topic}.delivery", every, "runs and delivers", region=MAIN)
    lab.clean(f"{topic}.delivery", mute, "its log files arrive", region=MAIN, fools=True)
    lab.problem(f"{topic}.log-group-delivery", mute, "its role may not write", region=MAIN, fools=True)
    lab.clean(f"{topic}.log-group-delivery", every, "arrives", region=MAIN)
    lab.problem(f"{topic}.log-group", local, "into a bucket alone", region=MAIN)
    lab.clean(f"{topic}.log-group", every, "into a log group too", region=MAIN)
    lab.problem(f"{topic}.validation", mute, "no digests", region=MAIN)
    lab.clean(f"{topic}.validation", local, "digests", region=MAIN)
    lab.problem(f"{topic}.key", local, "no key", region=MAIN)
    lab.clean(f"{topic}.key", every, "a key of the account", region=MAIN)


def _data(lab: Lab) -> None:
    """Data events: the trail that runs records writes of objects, and the calls of one function."""
    function = f"arn:aws:lambda:{MAIN}:{lab.account}:function:logging-one"
    chosen: dict[str, dict[str, Raw]] = {
        "management": {"eventCategory": {"Equals": ["Management"]}},
        "objects": {
            "eventCategory": {"Equals": ["Data"]},
            "resources.type": {"Equals": ["AWS::S3::Object"]},
            "readOnly": {"Equals": ["false"]},
        },
        "function": {
            "eventCategory": {"Equals": ["Data"]},
            "resources.type": {"Equals": ["AWS::Lambda::Function"]},
            "resources.ARN": {"Equals": [function]},
        },
    }
    selectors = [
        {"Name": name, "FieldSelectors": [{"Field": field, **test} for field, test in tests.items()]}
        for name, tests in chosen.items()
    ]
    lab.client("cloudtrail").put_event_selectors(TrailName="logging-all", AdvancedEventSelectors=selectors)
    objects = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
    everything = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": objects}
    lab.client("cloudtrail", OTHER).put_event_selectors(TrailName="logging-idle", EventSelectors=[everything])
    topic = "cloud.cloudtrail"
    lab.clean(f"{topic}.object-writes", "object writes", "all of them, by a newer selector", fools=True)
    lab.problem(f"{topic}.object-reads", "object reads", "by a trail that is stopped", fools=True)
    lab.problem(f"{topic}.function-calls", "function calls", "those of one function", fools=True)


def _writers(lab: Lab) -> None:
    """Resource policies of the logs: who writes into them from outside."""
    logs = lab.client("logs")
    every = group_arn(lab, "*")
    root = f"arn:aws:iam::{STRANGER}:root"
    organization = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "orders"}}
    told: tuple[tuple[str, str, Any, Raw, bool, str, bool], ...] = (
        ("logging-open", "public", "*", {}, True, "everybody writes", False),
        ("logging-tagged", "public", {"AWS": "*"}, tagged, True, "a tag that anybody gives himself", True),
        ("logging-ours", "public", "*", organization, False, "the organisation alone", True),
        ("logging-partner", "outsiders", {"AWS": root}, {}, True, "a stranger writes", False),
        ("logging-names", "outsiders", {"Service": "route53.amazonaws.com"}, {}, False, "AWS itself", True),
    )
    for name, check, principal, condition, bad, note, fools in told:
        statement = {
            "Effect": "Allow", "Principal": principal, "Action": "logs:PutLogEvents", "Resource": every,
            **({"Condition": condition} if condition else {}),
        }  # fmt: skip
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        logs.put_resource_policy(policyName=name, policyDocument=document)
        on = f"arn:aws:logs:{MAIN}:{lab.account}:resource-policy:{name}"
        say = lab.problem if bad else lab.clean
        say(f"cloud.logs.{check}", on, note, region=MAIN, fools=fools)
