"""Buckets: open and closed, and those that look like the other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.lab.account_data import STRANGER
from tests.lab.account_storage import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
FRIEND = {"Type": "CanonicalUser", "ID": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}
"""The canonical user of another account."""


def plant(lab: Lab) -> None:
    """Builds them in two regions."""
    first = len(lab.planted)
    lab.problem("cloud.s3.account-block", lab.account, "nothing holds for the whole account")
    _policies(lab)
    _acls(lab)
    _writers(lab)
    _settings(lab)
    _trail(lab)
    _foreign(lab)
    _access_points(lab)
    with_peers(lab, first)


def arn(name: str) -> str:
    """The ARN of a bucket."""
    return f"arn:aws:s3:::{name}"


def statement(bucket: str, **more: Any) -> dict[str, Any]:
    """Lets everybody read the objects of a bucket, or what `more` makes of it."""
    given = {"Sid": "S", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    return {**given, "Resource": f"{arn(bucket)}/*", **more}


def made(
    lab: Lab,
    name: str,
    *statements: dict[str, Any],
    region: str = MAIN,
    owner: str = "BucketOwnerEnforced",
    held: Iterable[str] = (),
    acl: str = "",
) -> str:
    """A bucket with that policy, ownership, ACL and those switches of its block; its ARN."""
    s3 = lab.client("s3", region)
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    more = {"ObjectOwnership": owner} if owner else {}
    s3.create_bucket(Bucket=name, **where, **more)
    if statements:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(document))
    if acl:
        s3.put_bucket_acl(Bucket=name, ACL=acl)
    switches = dict.fromkeys(held, True)
    if switches:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=switches)
    return arn(name)


def _policies(lab: Lab) -> None:
    check = "cloud.s3.public-access"

    def bad(name: str, note: str, fools: bool, **more: Any) -> None:
        region = more.pop("region", MAIN)
        lab.problem(check, made(lab, name, statement(name, **more), region=region), note, fools=fools)

    def fine(name: str, note: str, *rest: dict[str, Any], **more: Any) -> None:
        lab.clean(check, made(lab, name, statement(name, **more), *rest), note, fools=True)

    def when(operator: str, key: str, *values: str) -> dict[str, Any]:
        return {"Condition": {operator: {key: list(values)}}}

    bad("storage-open", "everybody reads it", False)
    bad("storage-open-far", "everybody reads it, in another region", False, region=OTHER)
    bad("storage-all-addresses", "every address", True, **when("IpAddress", "aws:SourceIp", "0.0.0.0/0"))
    bad("storage-two-halves", "every address in two halves", True,
        **when("IpAddress", "aws:SourceIp", "0.0.0.0/1", "128.0.0.0/1"))  # fmt: skip
    bad("storage-any-account", "any account", True, **when("StringLike", "aws:PrincipalAccount", "*"))
    bad("storage-any-arn", "an ARN of any account", True,
        **when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/reader"))  # fmt: skip
    bad("storage-referer", "a header that anybody sends", True,
        **when("StringLike", "aws:Referer", "https://example.com/*"))  # fmt: skip
    bad("storage-if-exists", "no condition for who sends no key", True,
        **when("StringEqualsIfExists", "aws:PrincipalOrgID", "o-a1b2c3d4e5"))  # fmt: skip
    bad("storage-not-principal", "everybody but one", True, Principal="*",
        **when("StringNotEquals", "aws:PrincipalAccount", STRANGER))  # fmt: skip
    bad("storage-aws-star", "every account", True, Principal={"AWS": "*"})
    fine("storage-organisation", "the organisation alone", Principal={"AWS": "*"},
         **when("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"))  # fmt: skip
    fine("storage-office", "the office alone", **when("IpAddress", "aws:SourceIp", "198.51.100.0/24"))
    fine("storage-endpoint", "one endpoint alone", **when("StringEquals", "aws:SourceVpce", "vpce-0a1b2c3d"))
    denied = statement("storage-denied", Sid="Back", Effect="Deny", Action="s3:*")
    fine("storage-denied", "a denial takes the opening back", denied)
    spared = statement("storage-spared", Sid="Back", Effect="Deny", Action="s3:*",
                       **when("StringNotEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"))  # fmt: skip
    fine("storage-spared", "a denial spares the organisation alone", spared)
    narrow = statement("storage-half-denied", Sid="Back", Effect="Deny", Action="s3:PutObject")
    half = made(lab, "storage-half-denied", statement("storage-half-denied"), narrow)
    lab.problem(check, half, "the denial is about something else", fools=True)
    held = made(lab, "storage-held", statement("storage-held"), held=SWITCHES)
    lab.clean(check, held, "open, behind the block of the bucket", fools=True)
    lab.clean("cloud.s3.bucket-block", held, "all four switches")
    wrong = made(lab, "storage-wrong-switch", statement("storage-wrong-switch"), held=SWITCHES[:3])
    lab.problem(check, wrong, "the switch that counts is off", fools=True)
    lab.problem("cloud.s3.bucket-block", wrong, "three of four switches", fools=True)
    lab.problem("cloud.s3.bucket-block", arn("storage-open"), "no switch")


def _acls(lab: Lab) -> None:
    check, grants, off = (
        "cloud.s3.public-access",
        "cloud.s3-acls.foreign-grants",
        "cloud.s3-acls.switched-off",
    )
    name = "storage-acl-open"
    opened = made(lab, name, region=OTHER, owner="ObjectWriter", acl="public-read")
    lab.problem(check, opened, "its ACL lets everybody list it")
    lab.problem(off, opened, "ACLs are in force")
    preferred = made(lab, "storage-acl-preferred", owner="BucketOwnerPreferred", acl="authenticated-read")
    lab.problem(check, preferred, "whoever has any AWS account lists it", fools=True)
    lab.problem(off, preferred, "preferred is not enforced", fools=True)
    ignored = made(lab, "storage-acl-ignored", owner="ObjectWriter", acl="public-read", held=SWITCHES[:2])
    lab.clean(check, ignored, "the block ignores the ACL", fools=True)
    moot = made(lab, "storage-acl-moot", owner="ObjectWriter", acl="public-read")
    rule = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    lab.client("s3", MAIN).put_bucket_ownership_controls(Bucket="storage-acl-moot", OwnershipControls=rule)
    lab.clean(check, moot, "a grant to everybody that the ownership makes moot", fools=True)
    lab.clean(off, moot, "policies alone")
    given = made(lab, "storage-acl-given", owner="ObjectWriter")
    old = made(lab, "storage-acl-old", owner="BucketOwnerEnforced")
    ours = made(lab, "storage-acl-ours", owner="ObjectWriter")
    for bucket in ("storage-acl-given", "storage-acl-old"):
        lab.answer("s3", "GetBucketAcl", _acl_of(FRIEND, "FULL_CONTROL"), about=bucket)
    lab.problem(grants, given, "another account may do everything", fools=True)
    lab.clean(grants, old, "the grant to another account is moot", fools=True)
    lab.clean(grants, ours, "the owner alone")


def _acl_of(other: dict[str, str], permission: str) -> dict[str, Any]:
    own = {"ID": "aa" * 32}
    grants = (({**own, "Type": "CanonicalUser"}, "FULL_CONTROL"), (other, permission))
    return {"Owner": own, "Grants": [{"Grantee": who, "Permission": may} for who, may in grants]}


def _writers(lab: Lab) -> None:
    check = "cloud.s3-data.public-write"
    for name, action, note in (
        ("storage-upload", "s3:PutObject", "everybody uploads"),
        ("storage-any-object", "s3:*Object", "a pattern that covers uploads"),
        ("storage-settings", "s3:PutBucketPolicy", "everybody changes its policy"),
    ):
        resource = [arn(name), f"{arn(name)}/*"]
        one = made(lab, name, statement(name, Action=action, Resource=resource))
        lab.problem(check, one, note, fools=action != "s3:PutObject")
    most = statement("storage-all-but")
    del most["Action"]
    lab.problem(check, made(lab, "storage-all-but", {**most, "NotAction": "s3:DeleteBucket"}),
                "everything but one action", fools=True)  # fmt: skip
    acl = made(lab, "storage-acl-write", owner="ObjectWriter")
    # The emulator puts several permissions into one grant.
    lab.answer("s3", "GetBucketAcl", _acl_of({"Type": "Group", "URI": ALL_USERS}, "WRITE"),
               about="storage-acl-write")  # fmt: skip
    lab.problem(check, acl, "its ACL lets everybody write")
    lab.clean(check, arn("storage-open"), "everybody reads, nobody writes", fools=True)
    lab.clean(check, arn("storage-organisation"), "nobody from outside")


def _settings(lab: Lab) -> None:
    s3 = lab.client("s3", MAIN)
    kept, once, never = (made(lab, f"storage-{word}") for word in ("kept", "suspended", "never"))
    for name, status in (("storage-kept", "Enabled"), ("storage-suspended", "Suspended")):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    check = "cloud.s3-data.versioning"
    lab.clean(check, kept, "older versions are kept", region=MAIN)
    lab.problem(check, once, "it was on once", fools=True, region=MAIN)
    lab.problem(check, never, "it was never on", region=MAIN)
    lab.answer(
        "s3", "GetBucketVersioning", {"Status": "Enabled", "MFADelete": "Enabled"}, about="storage-factor"
    )
    lab.clean("cloud.s3-data.mfa-delete", made(lab, "storage-factor"), "a second factor", region=MAIN)
    lab.problem("cloud.s3-data.mfa-delete", kept, "versions, and no factor", region=MAIN)
    far = {"LoggingEnabled": {"TargetBucket": "storage-of-another-account", "TargetPrefix": "a/"}}
    lab.answer("s3", "GetBucketLogging", far, about="storage-factor")
    check = "cloud.s3-data.access-logs"
    lab.clean(
        check, arn("storage-factor"), "recorded in a bucket of another account", fools=True, region=MAIN
    )
    lab.problem(check, never, "not recorded", region=MAIN)
    check = "cloud.s3.tls-only"
    plain = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    deny = {"Effect": "Deny", "Action": "s3:*", **plain}
    name = "storage-tls"
    whole = made(lab, name, statement(name, **deny, Resource=[arn(name), f"{arn(name)}/*"]))
    lab.clean(check, whole, "plain HTTP is refused")
    half = made(lab, "storage-tls-objects", statement("storage-tls-objects", **deny))
    lab.problem(check, half, "the bucket itself still answers", fools=True)
    turned = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    name = "storage-tls-turned"
    wrong = made(lab, name, statement(name, **turned, Resource=[arn(name), f"{arn(name)}/*"]))
    lab.problem(check, wrong, "it refuses TLS", fools=True)
    lab.problem(check, never, "no policy")


def _trail(lab: Lab) -> None:
    service = {"Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject"}
    fine = made(lab, "storage-trail", statement("storage-trail", **service))
    bad = made(lab, "storage-trail-open", statement("storage-trail-open"))
    acl = made(lab, "storage-trail-acl", owner="ObjectWriter", acl="public-read")
    trails = lab.client("cloudtrail", MAIN)
    for name in ("storage-trail", "storage-trail-open", "storage-trail-acl"):
        trails.create_trail(Name=name, S3BucketName=name)
    target = {"LoggingEnabled": {"TargetBucket": "storage-kept", "TargetPrefix": "trail/"}}
    lab.answer("s3", "GetBucketLogging", target, about="storage-trail")
    lab.answer("s3", "GetBucketLogging", {}, about="storage-trail-open")
    check = "cloud.s3-data.trail-bucket-open"
    lab.problem(check, bad, "everybody reads the record of the account")
    lab.problem(check, acl, "its ACL lets everybody list it", fools=True)
    lab.clean(check, fine, "CloudTrail alone", fools=True)
    check = "cloud.s3-data.trail-bucket-logs"
    lab.problem(check, bad, "not recorded")
    lab.clean(check, fine, "recorded")


def _foreign(lab: Lab) -> None:
    check = "cloud.s3-data.foreign-accounts"
    root = f"arn:aws:iam::{STRANGER}:root"
    partner = made(lab, "storage-partner", statement("storage-partner", Principal={"AWS": root}))
    lab.problem(check, partner, "a stranger reads along")
    narrowed = statement("storage-narrowed", Condition={"StringEquals": {"aws:PrincipalAccount": STRANGER}})
    lab.problem(check, made(lab, "storage-narrowed", narrowed), "everybody of a stranger", fools=True)
    own = {"AWS": [lab.account, f"arn:aws:iam::{lab.account}:role/reader"]}
    ours = made(lab, "storage-ours", statement("storage-ours", Principal=own))
    lab.clean(check, ours, "the own account by its number", fools=True)
    lab.clean(check, arn("storage-trail"), "a service of AWS is nobody's account", fools=True)
    back = statement("storage-taken", Sid="Back", Effect="Deny", Action="s3:*", Principal="*",
                     Condition={"StringNotEquals": {"aws:PrincipalAccount": lab.account}})  # fmt: skip
    taken = made(lab, "storage-taken", statement("storage-taken", Principal={"AWS": root}), back)
    lab.clean(check, taken, "a denial to all but the own account", fools=True)


def _access_points(lab: Lab) -> None:
    root = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    bucket = "storage-behind"
    made(lab, bucket)
    narrow = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}
    listed = []

    def point(
        name: str, *statements: dict[str, Any], of: str = bucket, vpc: str = "", shut: bool = False
    ) -> str:
        where = f"arn:aws:s3:{MAIN}:{lab.account}:accesspoint/{name}"
        more = {"VpcConfiguration": {"VpcId": vpc}} if vpc else {}
        one = {"Name": name, "Bucket": of, "BucketAccountId": lab.account, "AccessPointArn": where,
               "NetworkOrigin": "VPC" if vpc else "Internet", **more}  # fmt: skip
        listed.append(one)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            lab.answer("s3control", "GetAccessPointPolicy", {"Policy": document}, region=MAIN, about=name)
        else:
            error = (404, "NoSuchAccessPointPolicy", "no policy")
            lab.answer("s3control", "GetAccessPointPolicy", region=MAIN, about=name, error=error)
        block = dict.fromkeys(SWITCHES, shut)
        told = {**one, "PublicAccessBlockConfiguration": block}
        lab.answer("s3control", "GetAccessPoint", told, region=MAIN, about=name)
        return where

    check = "cloud.s3-access-points.public"
    lab.problem(check, point("storage-door", statement(bucket)), "everybody reads through it", region=MAIN)
    net = statement(bucket, Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})
    lab.problem(check, point("storage-gate", net), "every address", region=MAIN, fools=True)
    lab.clean(check, point("storage-wicket", statement(bucket), shut=True), "behind its own block",
              region=MAIN, fools=True)  # fmt: skip
    lab.clean(check, point("storage-hatch", statement(bucket), vpc="vpc-0a1b2c3d"), "within a network alone",
              region=MAIN, fools=True)  # fmt: skip
    lab.clean(check, point("storage-flap", statement("storage-held"), of="storage-held"),
              "behind the block of its bucket", region=MAIN, fools=True)  # fmt: skip
    ours = point("storage-arch", statement(bucket, Principal={"AWS": "*"}, **narrow))
    lab.clean(check, ours, "the organisation alone", region=MAIN, fools=True)
    lab.clean(check, point("storage-wall"), "no policy", region=MAIN)
    given = point("storage-pass", statement(bucket, Principal=root))
    check = "cloud.s3-access-points.let-in"
    lab.problem(check, given, "a stranger, whom the policy of the bucket does not name", region=MAIN)
    own = statement(bucket, Principal={"AWS": lab.account})
    lab.clean(check, point("storage-own", own), "the own account", region=MAIN, fools=True)
    first = {"AccessPointList": listed[:4], "NextToken": "storage-more"}
    lab.answer("s3control", "ListAccessPoints", first, region=MAIN)
    lab.answer(
        "s3control", "ListAccessPoints", {"AccessPointList": listed[4:]}, region=MAIN, about="storage-more"
    )
    lab.answer("s3control", "ListAccessPoints", {"AccessPointList": []}, region=OTHER)
