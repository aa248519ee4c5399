"""The record of who did what: whether it is whole, and whether it can be trusted."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair, setting
from checks.cloud.trail_data import GUIDE, data_check, data_fix
from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.cloudtrail import (
    TrailBucketLocks,
    TrailLogGroups,
    Trails,
    TrailSelectors,
    TrailStates,
)
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown


@check(
    "cloud.cloudtrail.every-region",
    title="A trail records every region",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Record all regions in a trail",
        do="Make one trail for all regions with reading and writing management events, into a bucket of a "
        "separate log account, and start it. In an organisation, make it an organisation trail.",
        verify="aws cloudtrail describe-trails --query 'trailList[?IsMultiRegionTrail].Name'; "
        "aws cloudtrail get-trail-status --name NAME --query IsLogging   # a name, and true",
        effort=Effort(setup=2.0, each=0.25),
        undo="aws cloudtrail stop-logging, then delete-trail.",
        key="cloudtrail:every-region @{account}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "# LOG_BUCKET has to let CloudTrail write into it.\n"
                "aws cloudtrail create-trail --name all-regions --is-multi-region-trail "
                '--enable-log-file-validation --s3-bucket-name "$LOG_BUCKET" &&\n'
                "aws cloudtrail start-logging --name all-regions",
                "aws cloudtrail stop-logging --name all-regions\n"
                "aws cloudtrail delete-trail --name all-regions",
            ),
            Snippet(
                Language.TERRAFORM,
                'resource "aws_cloudtrail" "all_regions" {\n'
                '  name                       = "all-regions"\n'
                "  s3_bucket_name             = var.log_bucket\n"
                "  is_multi_region_trail      = true\n"
                "  enable_log_file_validation = true\n"
                "}\n",
            ),
        ),
    ),
    refs=(f"{GUIDE}/best-practices-security.html",),
)
def every_region(
    regions: AccountRegions, found: Trails, states: TrailStates, selectors: TrailSelectors
) -> Verdicts:
    """An intruder works where nobody records, and regions that nobody uses are the first choice."""
    logging = {one.arn: one.logging for one in states.states}
    chosen = {one.arn: one.reads and one.writes and not one.without for one in selectors.events}
    wide = [trail for trail in found.trails if trail.every_region]
    good = [t for t in wide if logging.get(t.arn, False) and chosen.get(t.arn, False)]
    unsure = [t for t in wide if logging.get(t.arn, True) and chosen.get(t.arn, True) and t not in good]
    want = "a running trail of all management events in every region"
    if good:
        yield expect(True, on="trails", saw=good[0].name, want=want)
    elif unsure or not set(regions.looked) <= set(found.regions):
        seen = ", ".join(t.name for t in unsure) or "none in the regions that answered"
        hidden = {
            "cloudtrail:GetTrailStatus": any(t.arn not in logging for t in unsure),
            "cloudtrail:GetEventSelectors": any(t.arn not in chosen for t in unsure),
        }
        needs = [action for action, lacking in hidden.items() if lacking]
        yield unknown(
            "trails",
            f"{seen}; what would decide could not be read",
            needs=", ".join(needs) or "cloudtrail:DescribeTrails",
        )
    else:
        without = {one.arn: f"without {', '.join(one.without)}" for one in selectors.events if one.without}
        partly = ", ".join(f"{t.name} ({without.get(t.arn, 'stopped or partial')})" for t in wide)
        some = ", ".join(f"{t.name} ({t.region} only)" for t in found.trails if not t.every_region)
        yield expect(
            False,
            on="trails",
            saw="; ".join(part for part in (partly, some) if part) or "no trail",
            want=want,
            values={"account": found.account},
        )


validation = setting(
    "cloud.cloudtrail.validation",
    Trails,
    lambda one: one.validation,
    records="trails",
    title="Trails are protected against changes of their log files",
    why="Without digests nobody can prove that the record was not cleaned after the fact.",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    bad="no digests",
    good="digests are written",
    fix=repair(
        "Turn on log file validation for trails",
        "Turn on log file validation: CloudTrail then writes signed digests beside the log files.",
        "aws cloudtrail describe-trails --region @{region} --trail-name-list @{on} "
        "--query 'trailList[].LogFileValidationEnabled'   # true",
        "aws cloudtrail update-trail --region @{region} --name @{on} --enable-log-file-validation",
        "aws cloudtrail update-trail --region @{region} --name @{on} --no-enable-log-file-validation",
        terraform="# In the aws_cloudtrail of @{on}:\nenable_log_file_validation = true\n",
        back="The same call with --no-enable-log-file-validation.",
        hours=(0.25, 0.05),
    ),
    refs=(f"{GUIDE}/cloudtrail-log-file-validation-intro.html",),
)
key = setting(
    "cloud.cloudtrail.key",
    Trails,
    lambda one: bool(one.key),
    records="trails",
    title="Trails are encrypted by a key of the account",
    why="With a key of its own, reading the record takes a second permission beside that on the bucket.",
    severity=Severity.LOW,
    bad="no key",
    good="a KMS key",
    fix=repair(
        "Encrypt trails with a key of your own",
        "Make a KMS key whose policy lets CloudTrail encrypt and only the auditors decrypt, and name it "
        "in the trail.",
        "aws cloudtrail describe-trails --region @{region} --trail-name-list @{on} "
        "--query 'trailList[].KmsKeyId'   # the ARN of the key",
        'aws cloudtrail update-trail --region @{region} --name @{on} --kms-key-id "$KEY_ARN"',
        "aws cloudtrail update-trail --region @{region} --name @{on} --kms-key-id ''",
        back="Take the key out of the trail again.",
        hours=(1.0, 0.25),
    ),
    refs=(f"{GUIDE}/encrypting-cloudtrail-log-files-with-aws-kms.html",),
)
delivery = setting(
    "cloud.cloudtrail.delivery",
    TrailStates,
    lambda one: one.logging and not one.delivery_error,
    title="Trails run, and their log files arrive",
    why="A trail that is stopped, or cannot write into its bucket, records nothing of what an intruder does.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"the last delivery failed: {one.delivery_error}" if one.logging else "stopped",
    good="runs and delivers",
    fix=repair(
        "Start the trail and mend its delivery",
        "Start the trail; where deliveries fail, let CloudTrail write into the bucket by the bucket's "
        "policy and the key's.",
        "aws cloudtrail get-trail-status --region @{region} --name @{on} "
        "--query '[IsLogging,LatestDeliveryError]'   # true, and nothing",
        "aws cloudtrail start-logging --region @{region} --name @{on}",
        "aws cloudtrail stop-logging --region @{region} --name @{on}",
    ),
    refs=(f"{GUIDE}/create-s3-bucket-policy-for-cloudtrail.html",),
)
log_group = setting(
    "cloud.cloudtrail.log-group",
    TrailLogGroups,
    lambda one: bool(one.log_group),
    title="Trails also write into a log group",
    why="Alarms look at log groups; in a bucket alone the record is read when it is too late.",
    severity=Severity.LOW,
    bad="into a bucket alone",
    good="into a log group too",
    fix=repair(
        "Let the trail write into a log group",
        "Make a log group and a role that CloudTrail may use to write into it, and name both in the trail.",
        "aws cloudtrail describe-trails --region @{region} --trail-name-list @{on} "
        "--query 'trailList[].CloudWatchLogsLogGroupArn'",
        "aws cloudtrail update-trail --region @{region} --name @{on} "
        '--cloud-watch-logs-log-group-arn "$LOG_GROUP_ARN" --cloud-watch-logs-role-arn "$ROLE_ARN"',
        "aws cloudtrail update-trail --region @{region} --name @{on} --cloud-watch-logs-log-group-arn '' "
        "--cloud-watch-logs-role-arn ''",
        hours=(1.0, 0.1),
    ),
    refs=(f"{GUIDE}/send-cloudtrail-events-to-cloudwatch-logs.html",),
)
log_group_delivery = setting(
    "cloud.cloudtrail.log-group-delivery",
    TrailStates,
    lambda one: not one.log_error if one.logging else None,
    title="What trails write into log groups arrives",
    why="Where the role may not write, the log group stays empty and no alarm on it is ever raised.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"the last delivery failed: {one.log_error}",
    good="arrives",
    fix=repair(
        "Let the trail write into its log group again",
        "Let the role of the trail call logs:CreateLogStream and logs:PutLogEvents on the log group, and "
        "CloudTrail assume it; make the log group again where it was deleted. A key that encrypts the group "
        "has to be enabled.",
        "aws cloudtrail get-trail-status --region @{region} --name @{on} "
        "--query LatestCloudWatchLogsDeliveryError   # null",
        "aws cloudtrail update-trail --region @{region} --name @{on} "
        '--cloud-watch-logs-log-group-arn "$LOG_GROUP_ARN" --cloud-watch-logs-role-arn "$ROLE_ARN"',
        "# Name the group and the role from before.\n"
        "aws cloudtrail update-trail --region @{region} --name @{on} "
        '--cloud-watch-logs-log-group-arn "$OLD_GROUP_ARN" --cloud-watch-logs-role-arn "$OLD_ROLE_ARN"',
        hours=(0.5, 0.25),
    ),
    refs=(f"{GUIDE}/send-cloudtrail-events-to-cloudwatch-logs.html",),
)


@check(
    "cloud.cloudtrail.bucket-lock",
    title="Log files of trails cannot be deleted for a time",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Lock the objects in the bucket of the trail",
        "Turn on object lock with a default retention of a year. It takes versioning, and cannot be turned "
        "off again; try the days with GOVERNANCE first, since COMPLIANCE binds root too.",
        "aws s3api get-object-lock-configuration --bucket @{name}   # a DefaultRetention",
        "aws s3api put-bucket-versioning --bucket @{name} --versioning-configuration Status=Enabled &&\n"
        "aws s3api put-object-lock-configuration --bucket @{name} --object-lock-configuration "
        "'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=GOVERNANCE,Days=365}}'",
        "# Object lock and versioning stay; new objects are no longer locked by default.\n"
        "aws s3api put-object-lock-configuration --bucket @{name} --object-lock-configuration "
        "ObjectLockEnabled=Enabled",
        back="Take the default retention away; object lock itself stays on.",
        key="s3:object-lock @{name}",
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html",),
)
def bucket_lock(found: Trails, locks: TrailBucketLocks, *, days: int = 90) -> Verdicts:
    """An intruder with the rights of an administrator deletes the record first; a lock refuses even that."""
    locked = {one.bucket: one for one in locks.locks}
    partitions = {trail.bucket: trail.arn.split(":")[1] for trail in found.trails if trail.bucket in locked}
    for name, partition in sorted(partitions.items()):
        one = locked[name]
        yield expect(
            bool(one.mode) and one.days >= days,
            on=f"arn:{partition}:s3:::{name}",
            saw=f"{one.mode} for {one.days} days" if one.mode else "nothing is locked",
            want=f"locked for at least {days} days",
            values={"name": name},
            cite=name,
        )


_OBJECTS = data_fix("what is done to the objects of buckets", "AWS::S3::Object", "arn:aws:s3")
object_writes = data_check(
    "object-writes",
    "Changes of objects in buckets are recorded",
    "Without them nobody can say who deleted or replaced a file.",
    "them for all buckets",
    _OBJECTS,
    has=lambda one: one.writes,
)
object_reads = data_check(
    "object-reads",
    "Reads of objects in buckets are recorded",
    "After a leak the first question is what was read, and only these events answer it.",
    "them for all buckets",
    _OBJECTS,
    has=lambda one: one.reads,
)
function_calls = data_check(
    "function-calls",
    "Calls of functions are recorded",
    "A function runs with the rights of its role; only these events say who started it, and when.",
    "them for all functions",
    data_fix("calls of functions", "AWS::Lambda::Function", "arn:aws:lambda"),
    has=lambda one: one.functions,
)
