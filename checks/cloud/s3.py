"""Buckets: who can read and write them, and over what connection."""

from __future__ import annotations

from checks import (
    Confidence,
    Disruption,
    Effort,
    Exploit,
    Exposure,
    Fix,
    Impact,
    Language,
    Severity,
    Snippet,
    Surface,
    Verdict,
    Verdicts,
    Weakness,
    check,
    expect,
    unknown,
)
from checks.cloud.bucket_doors import Doors, Entrances
from checks.cloud.openness import covers
from checks.facts.cloud.policy import Statement
from checks.facts.cloud.s3 import (
    AccountPublicAccess,
    Bucket,
    BucketAcls,
    BucketOwnership,
    BucketPolicies,
    BucketPublicAccess,
    Buckets,
)

_BLOCKED = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
_OPEN = "BlockPublicAcls=false,IgnorePublicAcls=false,BlockPublicPolicy=false,RestrictPublicBuckets=false"
_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"

_ACCOUNT_FIX = Fix(
    action="Block public access to S3 for the whole account",
    do="Turn on all four switches of Block Public Access on the account. First give every bucket that is "
    "public on "
    "purpose (a web site, say) a CloudFront distribution in front, since the switch closes those too.",
    verify="aws s3control get-public-access-block --account-id @{account}   # four times true",
    effort=Effort(setup=1.0, each=0.25),
    disruption=Disruption.NONE,
    undo="The same call with false; it takes effect at once.",
    key="s3:account-public-access-block @{account}",
    snippets=(
        Snippet(
            Language.AWS_CLI,
            f"aws s3control put-public-access-block --account-id @{{account}} "
            f"--public-access-block-configuration {_BLOCKED}",
            "aws s3control delete-public-access-block --account-id @{account}",
        ),
        Snippet(
            Language.TERRAFORM,
            'resource "aws_s3_account_public_access_block" "this" {\n'
            "  account_id              = @{account}\n"
            "  block_public_acls       = true\n"
            "  ignore_public_acls      = true\n"
            "  block_public_policy     = true\n"
            "  restrict_public_buckets = true\n"
            "}\n",
        ),
    ),
)


@check(
    "cloud.s3.account-block",
    title="The account blocks public access to S3",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=_ACCOUNT_FIX,
    refs=(_GUIDE,),
)
def account_block(found: AccountPublicAccess) -> Verdicts:
    """With the switch of the account on, no mistake in any policy or ACL can publish a bucket."""
    for block in found.blocks:
        yield _blocked(block.off, found.account, found.account)


@check(
    "cloud.s3.bucket-block",
    title="Every bucket blocks public access",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=_ACCOUNT_FIX,
    refs=(_GUIDE,),
)
def bucket_block(found: BucketPublicAccess, account: AccountPublicAccess) -> Verdicts:
    """One permissive policy or ACL publishes a bucket; the block overrules both."""
    for block in found.blocks:
        # A switch holds when it is on at either level.
        off = set(block.off).intersection(*(above.off for above in account.blocks))
        if off and not account.blocks:
            yield unknown(
                block.on,
                f"{', '.join(sorted(off))} off on the bucket; the switches of the account could not be read",
                needs="s3:GetAccountPublicAccessBlock",
            )
        else:
            yield _blocked(tuple(sorted(off)), block.on, found.account)


def _blocked(off: tuple[str, ...], on: str, account: str) -> Verdict:
    return expect(
        not off,
        on=on,
        saw=f"off: {', '.join(off)}" if off else "all four switches on",
        want="all four switches on",
        values={"account": account},
    )


@check(
    "cloud.s3.public-access",
    title="No bucket is open to everybody",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Close bucket @{bucket} to the public",
        do="Turn on Block Public Access for the bucket, then take the public statements out of its policy "
        "and the "
        "public grants out of its ACL. Look in the access logs for who has read it meanwhile.",
        verify="aws s3api get-bucket-policy-status --bucket @{bucket}; "
        "aws s3api get-public-access-block --bucket @{bucket}   # IsPublic false, four times true",
        effort=Effort(setup=0.5, each=0.5),
        undo="The same call with false; policy and ACL are left as they were.",
        key="s3:bucket-public-access @{bucket}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                f"aws s3api put-public-access-block --bucket @{{bucket}} --region @{{region}} "
                f"--public-access-block-configuration {_BLOCKED}",
                f"aws s3api put-public-access-block --bucket @{{bucket}} --region @{{region}} "
                f"--public-access-block-configuration {_OPEN}",
            ),
            Snippet(
                Language.TERRAFORM,
                'resource "aws_s3_bucket_public_access_block" "closed" {\n'
                "  bucket                  = @{bucket}\n"
                "  block_public_acls       = true\n"
                "  ignore_public_acls      = true\n"
                "  block_public_policy     = true\n"
                "  restrict_public_buckets = true\n"
                "}\n",
            ),
        ),
    ),
    refs=(_GUIDE,),
)
def public_access(  # noqa: PLR0917 - one fact per refusable read
    found: Buckets,
    account: AccountPublicAccess,
    blocks: BucketPublicAccess,
    policies: BucketPolicies,
    acls: BucketAcls,
    owners: BucketOwnership,
) -> Verdicts:
    """Open buckets are found by name within hours, and everything in them is copied."""
    entrances = Entrances(account, blocks, policies, acls, owners)
    for bucket, doors in entrances.doors(found.buckets):
        verdict = _public(bucket, doors)
        if verdict is not None:
            yield verdict


def _public(bucket: Bucket, doors: Doors) -> Verdict | None:
    """The verdict on one bucket; None where a gap of this very bucket already says that it is unknown."""
    values = {"bucket": bucket.name, "region": bucket.region}
    want = "no way in for everybody"
    if doors.open:
        ways = "; ".join(doors.open)
        return expect(
            False,
            on=bucket.arn,
            saw=ways,
            want=want,
            confidence=Confidence.CONFIRMED if doors.certain else Confidence.LIKELY,
            exposure=Exposure.INTERNET_OPEN,
            exposure_evidence=f"{bucket.name}: {ways}; no Block Public Access stands before it",
            values=values,
        )
    if not doors.known:
        return None
    if doors.perhaps:
        reason = f"{'; '.join(doors.perhaps)}, unless the account blocks it, which could not be read"
        return unknown(bucket.arn, reason, needs="s3:GetAccountPublicAccessBlock")
    shut = f"only behind Block Public Access: {'; '.join(doors.shut)}" if doors.shut else "no public way in"
    return expect(True, on=bucket.arn, saw=shut, want=want, values=values)


@check(
    "cloud.s3.tls-only",
    title="Buckets refuse plain HTTP",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Refuse plain HTTP on buckets",
        do="Add a statement to the bucket's policy that denies s3:* to everybody on the bucket and its "
        "objects when "
        "aws:SecureTransport is false. Keep the statements that are there.",
        verify="aws s3api get-bucket-policy --bucket @{bucket} --query Policy --output text | "
        "grep -o SecureTransport   # SecureTransport",
        effort=Effort(setup=0.5, each=0.1),
        undo="Put the saved policy back.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "{ aws s3api get-bucket-policy --bucket @{bucket} --query Policy --output text "
                "> policy.before.json 2> policy.error || {\n"
                "  grep -q NoSuchBucketPolicy policy.error &&\n"
                '  echo \'{"Version":"2012-10-17","Statement":[]}\' > policy.before.json; }; } &&\n'
                'jq --arg a @{on} \'.Statement += [{Sid:"RefusePlainHttp",Effect:"Deny",Principal:"*",'
                'Action:"s3:*",Resource:[$a,$a+"/*"],'
                'Condition:{Bool:{"aws:SecureTransport":"false"}}}]\' policy.before.json '
                "> policy.after.json &&\n"
                "aws s3api put-bucket-policy --bucket @{bucket} --policy file://policy.after.json",
                "if jq -e '.Statement == []' policy.before.json > /dev/null\n"
                "then aws s3api delete-bucket-policy --bucket @{bucket}\n"
                "else aws s3api put-bucket-policy --bucket @{bucket} --policy file://policy.before.json; fi",
            ),
            Snippet(
                Language.TERRAFORM,
                "# In the policy of the aws_s3_bucket_policy of @{bucket}, beside the statements that "
                'are there:\nstatement {\n  sid       = "RefusePlainHttp"\n  effect    = "Deny"\n'
                '  actions   = ["s3:*"]\n  resources = [@{on}, format("%s/*", @{on})]\n  principals {\n'
                '    type        = "*"\n    identifiers = ["*"]\n  }\n  condition {\n    test     = "Bool"\n'
                '    variable = "aws:SecureTransport"\n    values   = ["false"]\n  }\n}\n',
            ),
        ),
    ),
)
def tls_only(found: Buckets, policies: BucketPolicies) -> Verdicts:
    """Over plain HTTP, whoever is on the way reads the objects and the signature of the request."""
    by_arn = {one.arn: one.policy for one in policies.policies}
    for bucket in found.buckets:
        if bucket.arn in by_arn:
            refused = [one for one in by_arn[bucket.arn].statements if _refuses_http(one)]
            resources = [name for one in refused for name in one.resources]
            missing = [t for t in (bucket.arn, f"{bucket.arn}/*") if not covers(resources, [t])]
            yield expect(
                not missing,
                on=bucket.arn,
                saw=f"plain HTTP is answered for {' and '.join(missing)}"
                if missing
                else "plain HTTP is refused",
                want="plain HTTP is refused",
                values={"bucket": bucket.name, "region": bucket.region},
            )


def _refuses_http(statement: Statement) -> bool:
    if (
        statement.allow
        or "*" not in statement.principals
        or not covers(statement.actions, ["s3:*"], fold=True)
    ):
        return False
    if len(statement.conditions) != 1:
        return False
    [condition] = statement.conditions
    operator, key, values = condition.operator.lower(), condition.key.lower(), condition.values
    if key == "aws:securetransport":
        return operator in ("bool", "boolifexists") and [v.lower() for v in values] == ["false"]
    # Without IfExists this one says nothing about requests that have no TLS version at all.
    return key == "s3:tlsversion" and operator == "numericlessthanifexists"
