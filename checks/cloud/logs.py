"""Log groups: how long lines are kept, under which key, and who writes them."""

from __future__ import annotations

from checks.check import check
from checks.cloud.resource_policies import family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.cloudtrail import TrailLogGroups
from checks.facts.cloud.kms import KmsKeys
from checks.facts.cloud.logs import LogGroups
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_KEYS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"

POLICIES = family("logs")

retention = setting(
    "cloud.logs.retention",
    LogGroups,
    lambda one: one.days > 0,
    title="Log groups say how long they keep",
    why="Without a limit, logs with personal data are kept for ever, which costs money and breaks the law.",
    severity=Severity.LOW,
    bad="kept for ever",
    good="a limit is set",
    fix=repair(
        "Say how long logs are kept",
        "Choose by what the logs are for: a year for records of access, less for the rest. Older lines are "
        "deleted at once: export them first where they are still needed.",
        "aws logs describe-log-groups --region @{region} --log-group-name-prefix @{name} "
        "--query 'logGroups[].retentionInDays'",
        "aws logs put-retention-policy --region @{region} --log-group-name @{name} --retention-in-days 365",
        "aws logs delete-retention-policy --region @{region} --log-group-name @{name}",
        terraform="# In the aws_cloudwatch_log_group with name @{name}:\nretention_in_days = 365\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    ),
)
own_key = setting(
    "cloud.logs.own-key",
    LogGroups,
    lambda one: bool(one.key),
    title="Log groups are encrypted under a key of the account",
    why="Under a key of one's own, reading logs is a second right, which can be taken away and is recorded.",
    severity=Severity.LOW,
    bad="under AWS's own key",
    good="under a key in KMS",
    fix=repair(
        "Encrypt log groups under a key of your own",
        "Make a KMS key whose policy lets the logs service of the region use it, and set it on the group.",
        "aws logs describe-log-groups --region @{region} --log-group-name-prefix @{name} --query "
        "'logGroups[].kmsKeyId'",
        'aws logs associate-kms-key --region @{region} --log-group-name @{name} --kms-key-id "$KEY_ARN"',
        "aws logs disassociate-kms-key --region @{region} --log-group-name @{name}",
        terraform="# In the aws_cloudwatch_log_group with name @{name}:\nkms_key_id = var.key_arn\n",
    ),
    refs=(_KEYS,),
)


@check(
    "cloud.logs.trail-retention",
    title="The log groups of trails keep what alarms need",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Keep log group @{name} of the trail longer",
        "Choose the days by what your rules ask to have at hand; the log files in the bucket keep the rest.",
        "aws logs describe-log-groups --region @{region} --log-group-name-prefix @{name} "
        "--query 'logGroups[].retentionInDays'   # the new figure",
        "aws logs put-retention-policy --region @{region} --log-group-name @{name} --retention-in-days 365",
        "aws logs put-retention-policy --region @{region} --log-group-name @{name} "
        "--retention-in-days @{before}",
        terraform="# In the aws_cloudwatch_log_group with name @{name}:\nretention_in_days = 365\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    ),
)
def trail_retention(found: LogGroups, trails: TrailLogGroups, *, days: int = 90) -> Verdicts:
    """Intruders are noticed after weeks: by then the lines that can be searched at once have to be there."""
    own = {one.log_group.removesuffix(":*") for one in trails.groups if one.log_group}
    for one in found.groups:
        if one.arn in own:
            yield expect(
                one.days == 0 or one.days >= days,
                on=one.arn,
                where=one.region,
                saw=f"{one.days} days" if one.days else "for ever",
                want=f"at least {days} days",
                values={"name": one.name, "before": str(one.days)},
            )


@check(
    "cloud.logs.usable-key",
    title="The keys of log groups can be used",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Make key @{key} of log groups usable again",
        "Cancel the deletion of the key and enable it, or give the groups another one. Whoever disabled it "
        "may have wanted the logs gone: look that up in the record.",
        "aws kms describe-key --region @{region} --key-id @{key} --query KeyMetadata.KeyState   # Enabled",
        "# The first one fails where no deletion is under way.\n"
        "aws kms cancel-key-deletion --region @{region} --key-id @{key}\n"
        "aws kms enable-key --region @{region} --key-id @{key}",
        "aws kms disable-key --region @{region} --key-id @{key}",
        back="Disable the key again.",
        key="kms:enable @{key}",
        terraform="# In the aws_kms_key of @{key}; a deletion that is under way is cancelled by the call:\n"
        "is_enabled = true\n",
    ),
    refs=(_KEYS,),
)
def usable_key(found: LogGroups, keys: KmsKeys) -> Verdicts:
    """A log group whose key is disabled takes no new lines and shows no old ones: nobody sees anything."""
    states = {one.arn: one.state for one in keys.keys}
    for one in found.groups:
        if not one.key:
            continue
        state = states.get(one.key, "")
        if not state:
            yield unknown(one.arn, f"{one.key} could not be read", needs="kms:DescribeKey", where=one.region)
            continue
        yield expect(
            state == "Enabled",
            on=one.arn,
            where=one.region,
            saw=f"the key is {state}",
            want="the key is Enabled",
            values={"key": one.key},
        )
