"""Collects buckets, and per bucket only the settings that somebody wants to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from checks.facts.cloud.policy import Policy
from checks.facts.cloud.s3 import (
    AccountPublicAccess,
    Bucket,
    BucketAcl,
    BucketAcls,
    BucketOwner,
    BucketOwnership,
    BucketPolicies,
    BucketPolicy,
    BucketPublicAccess,
    Buckets,
    Grant,
    PublicAccessBlock,
)
from checks.facts.cloud.s3_data import BucketLog, BucketLogs, BucketVersioning, BucketVersions
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, flag, group, items, text
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected

_ALL = (
    Buckets,
    BucketPublicAccess,
    BucketPolicies,
    BucketAcls,
    BucketOwnership,
    BucketVersioning,
    BucketLogs,
)
LIST = Call("s3", "ListBuckets", _ALL, "s3:ListAllMyBuckets", "Buckets", 1000)
LOCATION = Call("s3", "GetBucketLocation", _ALL)
BLOCK = Call("s3", "GetPublicAccessBlock", (BucketPublicAccess,), "s3:GetBucketPublicAccessBlock")
POLICY = Call("s3", "GetBucketPolicy", (BucketPolicies,))
ACL = Call("s3", "GetBucketAcl", (BucketAcls,))
OWNERSHIP = Call("s3", "GetBucketOwnershipControls", (BucketOwnership,))
VERSIONING = Call("s3", "GetBucketVersioning", (BucketVersioning,))
LOGGING = Call("s3", "GetBucketLogging", (BucketLogs,))
ACCOUNT_BLOCK = Call(
    "s3control", "GetPublicAccessBlock", (AccountPublicAccess,), "s3:GetAccountPublicAccessBlock"
)

_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everybody",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "any-aws-account",
    "http://acs.amazonaws.com/groups/s3/LogDelivery": "log-delivery",
}
_LOG_DELIVERY = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
"""The account of AWS by which CloudFront writes its logs."""
_OLD_NAMES = {"": "us-east-1", "EU": "eu-west-1"}
"""Locations from before regions had the names of today."""


def account_block(place: Place) -> Collected:
    """The account's own Block Public Access; all off where it was never set."""
    try:
        answer = place.one(ACCOUNT_BLOCK, AccountId=place.account)
        block = _block(place.account, answer)
    except NotRead as error:
        if error.refused.code != "NoSuchPublicAccessBlockConfiguration":
            raise
        block = PublicAccessBlock(place.account, False, False, False, False)
    return place.found(AccountPublicAccess(place.account, (block,)), ACCOUNT_BLOCK, (block,), where="")


def buckets(place: Place) -> Collected:
    """The buckets in the regions asked for, and the wanted settings of each."""
    listed = place.all_of(LIST)
    named = sorted((text(one, "Name"), one) for one in listed)
    located = place.each(
        [(_arn(place, name), LOCATION, partial(_located, place, name, one)) for name, one in named]
    )
    here = tuple(
        bucket
        for fact in located.facts
        if isinstance(fact, Buckets)
        for bucket in fact.buckets
        if not place.limited or bucket.region in place.regions
    )
    things = [
        (bucket.arn, call, partial(read, place, bucket))
        for bucket in here
        for call, read in _SETTINGS
        if place.wants(call)
    ]
    elsewhere = tuple(sorted({name for name, _ in named} - {bucket.name for bucket in here}))
    fact = Buckets(place.account, here, elsewhere)
    whole = place.found(fact, LIST, here, where="", names=[b.arn for b in here])
    return Collected(gaps=located.gaps) + whole + place.each(things)


def _located(place: Place, name: str, listed: Raw) -> Collected:
    region = text(listed, "BucketRegion", "")
    if not region:
        told = text(place.one(LOCATION, Bucket=name), "LocationConstraint", "")
        region = _OLD_NAMES.get(told, told)
    return Collected(facts=(Buckets(place.account, (Bucket(_arn(place, name), name, region),)),))


def _block_of(place: Place, bucket: Bucket) -> Collected:
    try:
        block = _block(bucket.arn, place.one(BLOCK, bucket.region, Bucket=bucket.name))
    except NotRead as error:
        if error.refused.code != "NoSuchPublicAccessBlockConfiguration":
            raise
        block = PublicAccessBlock(bucket.arn, False, False, False, False)
    return place.found(BucketPublicAccess(place.account, (block,)), BLOCK, (block,), where=bucket.arn)


def _policy_of(place: Place, bucket: Bucket) -> Collected:
    try:
        policy = parse(text(place.one(POLICY, bucket.region, Bucket=bucket.name), "Policy"))
    except NotRead as error:
        if error.refused.code != "NoSuchBucketPolicy":
            raise
        policy = Policy()
    record = BucketPolicy(bucket.arn, policy)
    lines = policy.statements or (record,)
    return place.found(BucketPolicies(place.account, (record,)), POLICY, lines, where=bucket.arn)


def _acl_of(place: Place, bucket: Bucket) -> Collected:
    answer = place.one(ACL, bucket.region, Bucket=bucket.name)
    owner = text(group(answer, "Owner"), "ID")
    grants = tuple(
        Grant(_grantee(group(one, "Grantee"), owner), text(one, "Permission"))
        for one in items(answer, "Grants")
    )
    record = BucketAcl(bucket.arn, grants)
    return place.found(BucketAcls(place.account, (record,)), ACL, (record,), where=bucket.arn)


def _grantee(raw: Raw, owner: str) -> str:
    if text(raw, "Type") == "Group":
        return _GROUPS.get(text(raw, "URI"), "another")
    known = {owner: "owner", _LOG_DELIVERY: "log-delivery"}
    return known.get(text(raw, "ID", ""), "another")


def _owner_of(place: Place, bucket: Bucket) -> Collected:
    try:
        answer = place.one(OWNERSHIP, bucket.region, Bucket=bucket.name)
        [rule] = items(group(answer, "OwnershipControls"), "Rules")
        setting = text(rule, "ObjectOwnership")
    except NotRead as error:
        if error.refused.code != "OwnershipControlsNotFoundError":
            raise
        setting = "ObjectWriter"
    record = BucketOwner(bucket.arn, setting)
    return place.found(BucketOwnership(place.account, (record,)), OWNERSHIP, (record,), where=bucket.arn)


def _versions_of(place: Place, bucket: Bucket) -> Collected:
    answer = place.one(VERSIONING, bucket.region, Bucket=bucket.name)
    # Both are left out as long as nobody has ever set them.
    record = BucketVersions(
        bucket.arn,
        bucket.name,
        bucket.region,
        kept=text(answer, "Status", "") == "Enabled",
        mfa=text(answer, "MFADelete", "") == "Enabled",
    )
    return place.found(BucketVersioning(place.account, (record,)), VERSIONING, (record,), where=bucket.arn)


def _log_of(place: Place, bucket: Bucket) -> Collected:
    answer = place.one(LOGGING, bucket.region, Bucket=bucket.name)
    target = text(group(answer, "LoggingEnabled"), "TargetBucket", "")
    record = BucketLog(bucket.arn, bucket.name, bucket.region, target)
    return place.found(BucketLogs(place.account, (record,)), LOGGING, (record,), where=bucket.arn)


_SETTINGS: tuple[tuple[Call, Callable[[Place, Bucket], Collected]], ...] = (
    (BLOCK, _block_of),
    (POLICY, _policy_of),
    (ACL, _acl_of),
    (OWNERSHIP, _owner_of),
    (VERSIONING, _versions_of),
    (LOGGING, _log_of),
)


def _block(on: str, answer: Raw) -> PublicAccessBlock:
    switches = group(answer, "PublicAccessBlockConfiguration")
    return PublicAccessBlock(
        on=on,
        block_acls=flag(switches, "BlockPublicAcls", False),
        ignore_acls=flag(switches, "IgnorePublicAcls", False),
        block_policy=flag(switches, "BlockPublicPolicy", False),
        restrict_buckets=flag(switches, "RestrictPublicBuckets", False),
    )


def _arn(place: Place, name: str) -> str:
    return f"arn:{place.identity.partition}:s3:::{name}"


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("s3 account", False, (ACCOUNT_BLOCK,), account_block)
    settings = tuple(call for call, _ in _SETTINGS)
    yield Collector("s3 buckets", False, (LIST, LOCATION, *settings), buckets)
