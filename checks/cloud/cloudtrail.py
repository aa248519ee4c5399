"""The record of who did what: whether it is whole, and whether it can be trusted."""

from __future__ import annotations

from checks import Effort, Fix, Impact, Language, Severity, Snippet, Surface, Verdicts, check, expect, unknown
from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.cloudtrail import Trails, TrailSelectors, TrailStates


@check(
    "cloud.cloudtrail.every-region",
    title="A trail records every region",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Record all regions in a trail",
        do="Make one trail for all regions with reading and writing management events, into a bucket of a "
        "separate log "
        "account, and start it. In an organisation, make it an organisation trail.",
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
    refs=("https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html",),
)
def every_region(
    regions: AccountRegions, found: Trails, states: TrailStates, selectors: TrailSelectors
) -> Verdicts:
    """An intruder works where nobody records, and regions that nobody uses are the first choice."""
    logging = {one.arn: one.logging for one in states.states}
    chosen = {one.arn: one.reads and one.writes for one in selectors.events}
    wide = [trail for trail in found.trails if trail.every_region]
    good = [t for t in wide if logging.get(t.arn, False) and chosen.get(t.arn, False)]
    unsure = [t for t in wide if logging.get(t.arn, True) and chosen.get(t.arn, True) and t not in good]
    want = "a running trail of all management events in every region"
    if good:
        yield expect(True, on="trails", saw=good[0].name, want=want)
    elif unsure or not set(regions.looked) <= set(found.regions):
        seen = ", ".join(t.name for t in unsure) or "none in the regions that answered"
        yield unknown(
            "trails", f"{seen}; what would decide could not be read", needs="cloudtrail:GetTrailStatus"
        )
    else:
        partly = ", ".join(f"{t.name} (stopped or partial)" for t in wide)
        some = ", ".join(f"{t.name} ({t.region} only)" for t in found.trails if not t.every_region)
        yield expect(
            False,
            on="trails",
            saw="; ".join(part for part in (partly, some) if part) or "no trail",
            want=want,
            values={"account": found.account},
        )


@check(
    "cloud.cloudtrail.validation",
    title="Trails are protected against changes of their log files",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Turn on log file validation for trails",
        do="Turn on log file validation: CloudTrail then writes signed digests beside the log files.",
        verify="aws cloudtrail describe-trails --region @{region} --trail-name-list @{on} "
        "--query 'trailList[].LogFileValidationEnabled'   # true",
        effort=Effort(setup=0.25, each=0.05),
        undo="The same call with --no-enable-log-file-validation.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws cloudtrail update-trail --region @{region} --name @{on} --enable-log-file-validation",
                "aws cloudtrail update-trail --region @{region} --name @{on} --no-enable-log-file-validation",
            ),
            Snippet(
                Language.TERRAFORM, "# In the aws_cloudtrail of @{on}:\nenable_log_file_validation = true\n"
            ),
        ),
    ),
)
def validation(found: Trails) -> Verdicts:
    """Without digests nobody can prove that the record was not cleaned after the fact."""
    for trail in found.trails:
        yield expect(
            trail.validation,
            on=trail.arn,
            where=trail.region,
            saw="digests are written" if trail.validation else "no digests",
            want="digests are written",
        )


@check(
    "cloud.cloudtrail.key",
    title="Trails are encrypted by a key of the account",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Encrypt trails with a key of your own",
        do="Make a KMS key whose policy lets CloudTrail encrypt and only the auditors decrypt, and name it "
        "in the trail.",
        verify="aws cloudtrail describe-trails --region @{region} --trail-name-list @{on} "
        "--query 'trailList[].KmsKeyId'   # the ARN of the key",
        effort=Effort(setup=1.0, each=0.25),
        undo="aws cloudtrail update-trail --kms-key-id ''",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                'aws cloudtrail update-trail --region @{region} --name @{on} --kms-key-id "$KEY_ARN"',
                "aws cloudtrail update-trail --region @{region} --name @{on} --kms-key-id ''",
            ),
        ),
    ),
)
def key(found: Trails) -> Verdicts:
    """With a key of its own, reading the record takes a second permission beside that on the bucket."""
    for trail in found.trails:
        yield expect(
            bool(trail.key), on=trail.arn, where=trail.region, saw=trail.key or "no key", want="a KMS key"
        )
