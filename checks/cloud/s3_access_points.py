"""Access points of S3: whom they let in to the bucket behind them."""

from __future__ import annotations

from checks.check import check
from checks.cloud.bucket_doors import either
from checks.cloud.openness import openings
from checks.cloud.outsiders import outsiders
from checks.cloud.setting import repair
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.s3 import AccountPublicAccess, BucketPublicAccess
from checks.facts.cloud.s3_access_points import AccessPoint, AccessPoints
from checks.fix import Fix
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface, Weakness
from checks.verdict import Verdict, Verdicts, expect, unknown

_NOBODY = "nobody but those who are named"


def _fix(action: str, do: str) -> Fix:
    read = "aws s3control get-access-point-policy --region @{region} --account-id @{account} --name @{name}"
    write = "aws s3control put-access-point-policy --region @{region} --account-id @{account} --name @{name}"
    return repair(
        action,
        do,
        f"{read}   # names nobody else",
        f"{read} --query Policy --output text > policy.before.json &&\n"
        "# Edit policy.after.json: take the statement out, or name who needs it.\n"
        "cp policy.before.json policy.after.json &&\n${EDITOR:-vi} policy.after.json &&\n"
        f"{write} --policy file://policy.after.json",
        f"{write} --policy file://policy.before.json",
        back="The same call with the policy that was saved first.",
        hours=(0.5, 0.5),
        key="s3:access-point @{on}",
        terraform="# In the policy of the aws_s3control_access_point_policy of @{name}; a statement "
        'that nobody needs goes:\nprincipals {\n  type        = "AWS"\n  identifiers = var.known_arns\n}\n',
    )


@check(
    "cloud.s3-access-points.public",
    title="No access point opens a bucket to everybody",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=_fix(
        "Close access point @{name} to the public",
        "Take the statement for everybody out of the policy of the access point, or name who needs it. Its "
        "own block cannot be changed later: the blocks of the bucket and of the account hold for it too.",
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-bpa-settings.html",),
)
def public(found: AccessPoints, account: AccountPublicAccess, blocks: BucketPublicAccess) -> Verdicts:
    """Where the bucket leaves it to its access points who gets in, this policy alone decides."""
    above = account.blocks[0].restrict_buckets if account.blocks else None
    by_name = {one.on.rpartition(":")[2]: one.restrict_buckets for one in blocks.blocks}
    for one in found.points:
        # The blocks that count are those of the account that the bucket belongs to.
        ours = one.owner == found.account
        yield _judged(one, found.account, either(above, by_name.get(one.bucket)) if ours else None)


def _judged(one: AccessPoint, account: str, held: bool | None) -> Verdict:
    values = {"name": one.name, "account": account}
    ways = openings(one.policy)
    words = "; ".join(way.words for way in ways)
    closed = f"only behind Block Public Access: {words}" if one.shut or held else ""
    if ways and one.vpc:
        closed = f"only within {one.vpc}: {words}"
    if ways and not closed and held is None:
        reason = f"{words}, unless a block of bucket {one.bucket} or of the account holds, which was not read"
        return unknown(one.arn, reason, where=one.region, needs="s3:GetBucketPublicAccessBlock")
    bad = bool(ways) and not closed
    return expect(
        not bad,
        on=one.arn,
        where=one.region,
        saw=words if bad else (closed if ways else _NOBODY),
        want=_NOBODY,
        # The policy of the bucket has to leave the decision to the access point.
        confidence=Confidence.LIKELY if bad else Confidence.CONFIRMED,
        exposure=Exposure.INTERNET_OPEN if bad else None,
        exposure_evidence=f"{one.name} (bucket {one.bucket}): {words}; no block stands before it"
        if bad
        else "",
        values=values,
    )


@check(
    "cloud.s3-access-points.let-in",
    title="Access points let in no account that nobody knows",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=_fix(
        "Check who is let in by access point @{name}",
        "Ask whose the account is. Where nobody knows, take the statement out; else name the account in the "
        "option `trusted` of this check.",
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html",),
)
def let_in(found: AccessPoints, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()) -> Verdicts:
    """Who reads the policy of the bucket sees nothing of those whom an access point lets in."""
    friends = trusted | {*known.accounts}
    for one in found.points:
        strangers = outsiders(one.policy, found.account, friends, known.organization)
        certain = known.whole and any(who.certain for who in strangers)
        yield expect(
            not strangers,
            on=one.arn,
            where=one.region,
            saw="; ".join(who.words for who in strangers) or "no unknown account",
            want="no unknown account",
            confidence=Confidence.CONFIRMED if certain or not strangers else Confidence.LIKELY,
            values={"name": one.name, "account": found.account},
        )
