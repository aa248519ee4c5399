"""Access control lists of buckets: other accounts in them, and whether they count at all."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair, setting
from checks.facts.cloud.s3 import BucketAcls, BucketOwnership
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect

switched_off = setting(
    "cloud.s3-acls.switched-off",
    BucketOwnership,
    lambda one: one.setting == "BucketOwnerEnforced",
    title="Access to buckets is decided by policies alone",
    why="ACLs of single objects are seen in no list: whoever writes an object may open it to everybody.",
    severity=Severity.LOW,
    bad=lambda one: f"ACLs are in force ({one.setting})",
    good="ACLs are switched off",
    fix=repair(
        "Switch ACLs off for buckets",
        "First write into the policy what the ACLs of the bucket and its objects allow, then set the "
        "ownership to BucketOwnerEnforced.",
        "aws s3api get-bucket-ownership-controls --bucket @{name}   # BucketOwnerEnforced",
        "aws s3api get-bucket-ownership-controls --bucket @{name} --query OwnershipControls "
        "> ownership.before.json ||\n"
        "rm -f ownership.before.json\n"
        "aws s3api put-bucket-ownership-controls --bucket @{name} "
        "--ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'",
        "if test -e ownership.before.json\n"
        "then aws s3api put-bucket-ownership-controls --bucket @{name} "
        "--ownership-controls file://ownership.before.json\n"
        "else aws s3api delete-bucket-ownership-controls --bucket @{name}; fi",
        hours=(0.5, 0.25),
        terraform='resource "aws_s3_bucket_ownership_controls" "owner" {\n  bucket = @{name}\n'
        '  rule {\n    object_ownership = "BucketOwnerEnforced"\n  }\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",),
)


@check(
    "cloud.s3-acls.foreign-grants",
    title="The ACLs of buckets let in no other account",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Take other accounts out of the ACL of bucket @{name}",
        "An ACL names accounts by a number that says nothing. Ask who needs the bucket, name those accounts "
        "in its policy, and make the ACL private.",
        "aws s3api get-bucket-acl --bucket @{name} --query 'Grants[].Grantee'   # the owner alone",
        "aws s3api get-bucket-acl --bucket @{name} > acl.before.json &&\n"
        "aws s3api put-bucket-acl --bucket @{name} --acl private",
        "aws s3api put-bucket-acl --bucket @{name} --access-control-policy file://acl.before.json",
        hours=(0.5, 0.25),
        terraform='resource "aws_s3_bucket_acl" "private" {\n  bucket = @{name}\n  acl    = "private"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html",),
)
def foreign_grants(acls: BucketAcls, owners: BucketOwnership) -> Verdicts:
    """A grant to another account is in no policy, and stays when everybody has forgotten whose it is."""
    owner = {one.arn: one.setting for one in owners.owners}
    for one in acls.acls:
        rights = sorted({grant.permission for grant in one.grants if grant.grantee == "another"})
        in_force = owner.get(one.arn, "")
        if rights and not in_force:
            continue
        idle = "; ACLs are switched off" if rights and in_force == "BucketOwnerEnforced" else ""
        yield expect(
            not rights or bool(idle),
            on=one.arn,
            saw=f"another account has {', '.join(rights)}{idle}" if rights else "no other account",
            want="no other account",
            values={"name": one.name},
        )
