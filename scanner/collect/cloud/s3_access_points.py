"""Collects access points of S3 with their policies.

One call a region lists them, one each reads the policy; the block of an access point is read only where its
policy lets everybody in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from operator import itemgetter

from checks.facts.cloud.policy import Policy
from checks.facts.cloud.s3_access_points import AccessPoint, AccessPoints
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, some, text
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected
from scanner.transport.aws import MAX_PAGES
from scanner.transport.aws_errors import Because, Refused

LIST = Call("s3control", "ListAccessPoints", (AccessPoints,), "s3:ListAccessPoints", "AccessPointList", 1000)
POLICY = Call("s3control", "GetAccessPointPolicy", (AccessPoints,), "s3:GetAccessPointPolicy")
POINT = Call("s3control", "GetAccessPoint", (AccessPoints,), "s3:GetAccessPoint")


def points(place: Place) -> Collected:
    """The access points of the region."""
    try:
        named = sorted(((text(one, "Name"), one) for one in _listed(place)), key=itemgetter(0))
    except UnreadableError as error:
        raise NotRead(LIST, Refused(Because.UNREADABLE, str(error))) from None
    empty = place.found(AccessPoints(place.account, ()), LIST)
    jobs = [(place.where(name), POLICY, partial(_point, place, name, one)) for name, one in named]
    return empty + place.each(jobs)


def _listed(place: Place) -> Iterator[Raw]:
    # The SDK knows no pages of this list.
    more: dict[str, str] = {}
    for _ in range(MAX_PAGES):
        answer = place.one(LIST, "", AccountId=place.account, MaxResults=1000, **more)
        yield from some(answer, LIST.key)
        after = text(answer, "NextToken", "")
        if not after:
            return
        more = {"NextToken": after}
    raise UnreadableError(f"the list goes on after {MAX_PAGES:,} pages")


def _point(place: Place, name: str, raw: Raw) -> Collected:
    try:
        told = place.one(POLICY, AccountId=place.account, Name=name)
        policy = parse(text(told, "Policy"))
    except NotRead as error:
        if error.refused.code != "NoSuchAccessPointPolicy":
            raise
        policy = Policy()
    vpc = text(group(raw, "VpcConfiguration"), "VpcId", "")
    anybody = any(one.allow and ("*" in one.principals or one.not_principals) for one in policy.statements)
    record = AccessPoint(
        arn=text(raw, "AccessPointArn", "") or place.arn("s3", f"accesspoint/{name}"),
        name=name,
        region=place.region,
        # One in front of a file system has none.
        bucket=text(raw, "Bucket", ""),
        owner=text(raw, "BucketAccountId", place.account),
        vpc=vpc,
        shut=_shut(place, name) if anybody and not vpc else False,
        policy=policy,
    )
    return place.found(AccessPoints(place.account, (record,)), POLICY, (record,), where=record.arn)


def _shut(place: Place, name: str) -> bool:
    told = place.one(POINT, AccountId=place.account, Name=name)
    return flag(group(told, "PublicAccessBlockConfiguration"), "RestrictPublicBuckets", False)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("s3 access points", True, (LIST, POLICY, POINT), points)
