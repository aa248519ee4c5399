"""Buckets: what is lost with a mistake, who was there, and which accounts are let in."""

from __future__ import annotations

from checks.check import check
from checks.cloud.bucket_doors import Doors, Entrances
from checks.cloud.openness import Opening, covers
from checks.cloud.outsiders import outsiders, told
from checks.cloud.setting import repair, setting
from checks.facts.cloud.cloudtrail import Trails
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.s3 import (
    AccountPublicAccess,
    Bucket,
    BucketAcls,
    BucketOwnership,
    BucketPolicies,
    BucketPublicAccess,
    Buckets,
)
from checks.facts.cloud.s3_data import BucketLogs, BucketVersioning
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect, unknown

_WRITES = (
    "s3:deleteobject",
    "s3:deleteobjectversion",
    "s3:putobject",
    "s3:putobjectacl",
    "s3:putobjecttagging",
    "s3:deletebucketpolicy",
    "s3:putbucketacl",
    "s3:putbucketpolicy",
    "s3:putlifecycleconfiguration",
)
"""What changes or takes away objects, at once or by way of the settings of the bucket."""

versioning = setting(
    "cloud.s3-data.versioning",
    BucketVersioning,
    lambda one: one.kept,
    title="Buckets keep older versions",
    why="A faulty job or an intruder overwrites and deletes everything; older versions bring it back.",
    severity=Severity.LOW,
    bad="an overwritten object is gone",
    good="older versions are kept",
    fix=repair(
        "Keep older versions in buckets",
        "Turn versioning on, with a rule that deletes older versions after some weeks.",
        "aws s3api get-bucket-versioning --bucket @{name}   # Enabled",
        "aws s3api put-bucket-versioning --bucket @{name} --versioning-configuration Status=Enabled",
        "aws s3api put-bucket-versioning --bucket @{name} --versioning-configuration Status=Suspended",
        terraform='resource "aws_s3_bucket_versioning" "kept" {\n  bucket = @{name}\n'
        '  versioning_configuration {\n    status = "Enabled"\n  }\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",),
)
mfa_delete = setting(
    "cloud.s3-data.mfa-delete",
    BucketVersioning,
    lambda one: one.mfa,
    title="Deleting versions takes a second factor",
    why="Whoever has stolen an administrator's key can otherwise delete the older versions too.",
    severity=Severity.INFO,
    bad="no second factor",
    good="a second factor",
    fix=repair(
        "Ask for a second factor before versions are deleted",
        "Only root can turn it on, over the command line, with its device. For most buckets a lock on the "
        "backups in "
        "another account is the better way.",
        "aws s3api get-bucket-versioning --bucket @{name} --query MFADelete   # Enabled",
        "aws s3api put-bucket-versioning --bucket @{name} --versioning-configuration "
        "Status=Enabled,MFADelete=Enabled "
        '--mfa "$ROOT_DEVICE $CODE"',
        "aws s3api put-bucket-versioning --bucket @{name} "
        '--versioning-configuration Status=Enabled,MFADelete=Disabled --mfa "$ROOT_DEVICE $CODE"',
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html",),
)
access_logs = setting(
    "cloud.s3-data.access-logs",
    BucketLogs,
    lambda one: bool(one.target),
    title="Requests to buckets are recorded",
    why="After a leak these logs say who read what, when and from where.",
    severity=Severity.LOW,
    bad="no access log",
    good="an access log",
    fix=repair(
        "Record requests to buckets",
        "Write the access logs into a bucket of its own in the same region; or record object events in a "
        "trail.",
        "aws s3api get-bucket-logging --bucket @{name}   # a target",
        "aws s3api put-bucket-logging --bucket @{name} "
        '--bucket-logging-status "LoggingEnabled={TargetBucket=$LOG_BUCKET,TargetPrefix=access/}"',
        "aws s3api put-bucket-logging --bucket @{name} --bucket-logging-status '{}'",
        terraform='resource "aws_s3_bucket_logging" "access" {\n  bucket        = @{name}\n'
        '  target_bucket = var.log_bucket\n  target_prefix = "access/"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html",),
)


@check(
    "cloud.s3-data.trail-bucket-logs",
    title="Requests to the bucket of the trail are recorded",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Record requests to the bucket of the trail",
        "Write its access log into another bucket.",
        "aws s3api get-bucket-logging --bucket @{name}   # a target",
        "aws s3api put-bucket-logging --bucket @{name} "
        '--bucket-logging-status "LoggingEnabled={TargetBucket=$LOG_BUCKET,TargetPrefix=trail/}"',
        "aws s3api put-bucket-logging --bucket @{name} --bucket-logging-status '{}'",
        key="s3:trail-bucket-logs @{name}",
        terraform='resource "aws_s3_bucket_logging" "access" {\n  bucket        = @{name}\n'
        '  target_bucket = var.log_bucket\n  target_prefix = "trail/"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html",),
)
def trail_bucket_logs(logs: BucketLogs, trails: Trails) -> Verdicts:
    """Whoever deletes the record of the account should leave a record of that."""
    known = {one.name: one for one in logs.logs}
    for name in sorted({trail.bucket for trail in trails.trails if trail.bucket in known}):
        one = known[name]
        yield expect(
            bool(one.target),
            on=one.arn,
            saw=f"recorded in {one.target}" if one.target else "not recorded",
            want="recorded",
            values={"name": name},
        )


@check(
    "cloud.s3-data.trail-bucket-open",
    title="The bucket of the trail lets in nobody else",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.CONTROL_PLANE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=repair(
        "Close the bucket of the trail",
        "Turn on Block Public Access for the bucket and take every statement but that for CloudTrail out of "
        "its policy.",
        "aws s3api get-public-access-block --bucket @{name}   # four times true",
        "aws s3api put-public-access-block --bucket @{name} --public-access-block-configuration "
        "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        "aws s3api delete-public-access-block --bucket @{name}",
        key="s3:bucket-public-access @{name}",
        terraform='resource "aws_s3_bucket_public_access_block" "closed" {\n'
        "  bucket                  = @{name}\n  block_public_acls       = true\n"
        "  ignore_public_acls      = true\n  block_public_policy     = true\n"
        "  restrict_public_buckets = true\n}\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-set-bucket-policy-for-multiple-accounts.html",
    ),
)
def trail_bucket_open(  # noqa: PLR0917 - one fact per refusable read
    found: Buckets,
    trails: Trails,
    account: AccountPublicAccess,
    blocks: BucketPublicAccess,
    policies: BucketPolicies,
    acls: BucketAcls,
    owners: BucketOwnership,
) -> Verdicts:
    """The record says which keys, roles and addresses there are, and what somebody is looking for."""
    kept = {trail.bucket for trail in trails.trails}
    entrances = Entrances(account, blocks, policies, acls, owners)
    for bucket, doors in entrances.doors(tuple(one for one in found.buckets if one.name in kept)):
        yield from _shut(bucket, doors, "closed")


@check(
    "cloud.s3-data.foreign-accounts",
    title="Buckets let in no account that nobody knows",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Check which accounts bucket @{name} lets in",
        "Ask whose the account is. Where nobody knows, take the statement out; else name the account in the "
        "option "
        "`trusted` of this check.",
        "aws s3api get-bucket-policy --bucket @{name} --query Policy --output text   # no unknown account",
        "aws s3api get-bucket-policy --bucket @{name} --query Policy --output text > policy.before.json &&\n"
        "cp policy.before.json policy.after.json &&\n${EDITOR:-vi} policy.after.json &&\n"
        "aws s3api put-bucket-policy --bucket @{name} --policy file://policy.after.json",
        "aws s3api put-bucket-policy --bucket @{name} --policy file://policy.before.json",
        hours=(0.5, 0.5),
        key="s3:policy @{on}",
        terraform="# In the policy of the aws_s3_bucket_policy of @{name}, without the account that "
        'nobody knows:\nprincipals {\n  type        = "AWS"\n  identifiers = var.known_arns\n}\n',
    ),
    refs=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-walkthroughs-managing-access-example2.html",
    ),
)
def foreign_accounts(
    found: Buckets, policies: BucketPolicies, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """The other account decides who reads and writes here, and nobody here sees who that is."""
    friends = trusted | {*known.accounts}
    written = {one.arn: one.policy for one in policies.policies}
    for bucket in found.buckets:
        if bucket.arn in written:
            strangers = outsiders(written[bucket.arn], found.account, friends, known.organization)
            yield told(strangers, known, on=bucket.arn, values={"name": bucket.name})


@check(
    "cloud.s3-data.public-write",
    title="Nobody but those who are named writes into buckets",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=repair(
        "Close bucket @{name} to writers from outside",
        "Turn on Block Public Access for the bucket, then look at what was written or deleted meanwhile.",
        "aws s3api get-public-access-block --bucket @{name}   # four times true",
        "aws s3api put-public-access-block --bucket @{name} --public-access-block-configuration "
        "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        "aws s3api delete-public-access-block --bucket @{name}",
        key="s3:bucket-public-access @{name}",
        terraform='resource "aws_s3_bucket_public_access_block" "closed" {\n'
        "  bucket                  = @{name}\n  block_public_acls       = true\n"
        "  ignore_public_acls      = true\n  block_public_policy     = true\n"
        "  restrict_public_buckets = true\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",),
)
def public_write(  # noqa: PLR0917 - one fact per refusable read
    found: Buckets,
    account: AccountPublicAccess,
    blocks: BucketPublicAccess,
    policies: BucketPolicies,
    acls: BucketAcls,
    owners: BucketOwnership,
) -> Verdicts:
    """Whoever can write replaces what your users download, or deletes it and asks for ransom."""
    entrances = Entrances(account, blocks, policies, acls, owners)
    for bucket, doors in entrances.doors(
        found.buckets,
        by_policy=_lets_write,
        by_acl=lambda grant: grant.permission in ("WRITE", "FULL_CONTROL", "WRITE_ACP"),
    ):
        yield from _shut(bucket, doors, "nobody from outside", exposed=True)


def _lets_write(way: Opening) -> bool:
    spared = [name.removeprefix("all but ") for name in way.actions if name.startswith("all but ")]
    if spared:
        return not covers(spared, _WRITES, fold=True)
    return any(covers(way.actions, [name], fold=True) for name in _WRITES)


def _shut(bucket: Bucket, doors: Doors, want: str, *, exposed: bool = False) -> Verdicts:
    """The verdict on one bucket; none where a gap of this very bucket already says that it is unknown."""
    ways = "; ".join(doors.open)
    if doors.open or (doors.known and not doors.perhaps):
        yield expect(
            not doors.open,
            on=bucket.arn,
            saw=ways or want,
            want=want,
            confidence=Confidence.CONFIRMED if doors.certain or not doors.open else Confidence.LIKELY,
            exposure=Exposure.INTERNET_OPEN if ways and exposed else None,
            exposure_evidence=f"{bucket.name}: {ways}" if ways and exposed else "",
            values={"name": bucket.name},
        )
    elif doors.known:
        reason = f"{'; '.join(doors.perhaps)}, unless the account blocks it, which could not be read"
        yield unknown(bucket.arn, reason, needs="s3:GetAccountPublicAccessBlock")
