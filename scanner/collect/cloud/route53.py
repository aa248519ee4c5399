"""Collects public zones, and of what their records point at only what it takes to say that it is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from checks.cloud.ec2_ranges import region_of
from checks.cloud.name_targets import bucket_of, environment_region
from checks.facts.cloud.route53 import (
    BucketTarget,
    BucketTargets,
    ElasticAddresses,
    EnvironmentName,
    EnvironmentNames,
    NameRecord,
    NameRecords,
    OwnAddress,
    StaticAddresses,
    ZoneLog,
    ZoneLogs,
    ZoneSigning,
    ZoneSignings,
)
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, flag, group, items, some, text
from scanner.collect.collector import Collected

_TARGETS = (ElasticAddresses, StaticAddresses, EnvironmentNames, BucketTargets)
LIST = Call(
    "route53",
    "ListHostedZones",
    (NameRecords, ZoneLogs, ZoneSignings, *_TARGETS),
    key="HostedZones",
    page=100,
)
RECORDS = Call(
    "route53", "ListResourceRecordSets", (NameRecords, *_TARGETS), key="ResourceRecordSets", page=300
)
LOGS = Call("route53", "ListQueryLoggingConfigs", (ZoneLogs,), key="QueryLoggingConfigs", page=100)
SIGNING = Call("route53", "GetDNSSEC", (ZoneSignings,))
ADDRESSES = Call("ec2", "DescribeAddresses", (ElasticAddresses,))
STATIC = Call("lightsail", "GetStaticIps", (StaticAddresses,), key="staticIps")
MACHINES = Call("lightsail", "GetInstances", (StaticAddresses,), key="instances")
ENVIRONMENTS = Call(
    "elasticbeanstalk", "DescribeEnvironments", (EnvironmentNames,), key="Environments", page=1000
)
BUCKET = Call("s3", "GetBucketLocation", (BucketTargets,))
_ASKED = (LIST, RECORDS, LOGS, SIGNING, ADDRESSES, STATIC, MACHINES, ENVIRONMENTS, BUCKET)
_KINDS = ("A", "AAAA", "CNAME", "NS")
_CLOSED = ("AccessDenied", "AllAccessDisabled", "PermanentRedirect", "AuthorizationHeaderMalformed")
"""What S3 answers about a bucket that is there but not for us."""


def zones(place: Place) -> Collected:
    """The public zones, and what is wanted of each."""
    public = [one for one in place.all_of(LIST) if not flag(group(one, "Config"), "PrivateZone", False)]
    whole = _logs(place, public) if place.wants(LOGS) else Collected()
    jobs: list[tuple[str, Call, Callable[[], Collected]]] = []
    for one in public:
        where = _arn(place, one)
        if place.wants(SIGNING):
            jobs.append((where, SIGNING, partial(_signing, place, one)))
    whole += place.each(jobs)
    return whole + _names(place, public) if place.wants(RECORDS) else whole


def _names(place: Place, public: Sequence[Raw]) -> Collected:
    """The records, then what they point at."""
    told: list[NameRecord] = []
    jobs = [(_arn(place, one), RECORDS, partial(_records, place, one, told)) for one in public]
    read = place.each(jobs)
    return read + _targets(place, told)


def _logs(place: Place, public: Sequence[Raw]) -> Collected:
    try:
        logged = {text(one, "HostedZoneId") for one in place.all_of(LOGS)}
    except NotRead as error:
        return place.lost(LOGS, error.refused, "")
    found = tuple(
        sorted(
            (ZoneLog(_arn(place, one), _id(one), _name(one), _id(one) in logged) for one in public),
            key=lambda one: one.arn,
        )
    )
    fact = ZoneLogs(place.account, found)
    return place.found(fact, LOGS, found, where="", names=[one.arn for one in found])


def _signing(place: Place, zone: Raw) -> Collected:
    answer = place.one(SIGNING, HostedZoneId=_id(zone))
    state = text(group(answer, "Status"), "ServeSignature")
    record = ZoneSigning(_arn(place, zone), _id(zone), _name(zone), state)
    return place.found(ZoneSignings(place.account, (record,)), SIGNING, (record,), where=record.arn)


def _records(place: Place, zone: Raw, told: list[NameRecord]) -> Collected:
    found = tuple(
        sorted(
            (_record(zone, one) for one in place.all_of(RECORDS, HostedZoneId=_id(zone)) if _leads(one)),
            key=lambda one: (one.name, one.kind, one.values, one.alias),
        )
    )
    told.extend(found)
    names = [f"{one.zone}/{one.name}/{one.kind}" for one in found]
    fact = NameRecords(place.account, found)
    return place.found(fact, RECORDS, found, where=_arn(place, zone), names=names)


def _leads(raw: Raw) -> bool:
    return text(raw, "Type") in _KINDS


def _record(zone: Raw, raw: Raw) -> NameRecord:
    return NameRecord(
        zone=_id(zone),
        apex=_name(zone),
        name=text(raw, "Name"),
        kind=text(raw, "Type"),
        values=tuple(sorted(text(one, "Value") for one in some(raw, "ResourceRecords"))),
        alias=text(group(raw, "AliasTarget"), "DNSName", ""),
    )


def _targets(place: Place, records: Sequence[NameRecord]) -> Collected:
    """What the account holds of that which the records point at, asked only in those regions."""
    whole = Collected()
    addresses = {region_of(value) for one in records if one.kind == "A" for value in one.values}
    environments = {environment_region(one) for one in records}
    for regions, call, read in (
        (addresses, ADDRESSES, _elastic),
        (addresses, STATIC, _static),
        (environments, ENVIRONMENTS, _environments),
    ):
        # Regions that nobody chose are none of our business, and what points there stays unknown.
        here = sorted((regions - {""}) & set(place.regions))
        if place.wants(call):
            whole += place.each([(one, call, partial(read, replace(place, region=one))) for one in here])
    if place.wants(BUCKET):
        names = sorted({one for one in map(bucket_of, records) if one and "*" not in one})
        jobs = [
            (f"arn:{place.identity.partition}:s3:::{one}", BUCKET, partial(_bucket, place, one))
            for one in names
        ]
        whole += place.each(jobs)
    return whole


def _elastic(place: Place) -> Collected:
    answer = place.one(ADDRESSES)
    told = sorted({text(one, "PublicIp", "") for one in items(answer, "Addresses")} - {""})
    found = tuple(OwnAddress(place.region, one) for one in told)
    return place.found(ElasticAddresses(place.account, (place.region,), found), ADDRESSES, found)


def _static(place: Place) -> Collected:
    told = {text(one, "ipAddress", "") for one in place.all_of(STATIC)}
    told |= {text(one, "publicIpAddress", "") for one in place.all_of(MACHINES)}
    found = tuple(OwnAddress(place.region, one) for one in sorted(told - {""}))
    return place.found(StaticAddresses(place.account, (place.region,), found), STATIC, found)


def _environments(place: Place) -> Collected:
    told = place.all_of(ENVIRONMENTS, IncludeDeleted=False)
    names = sorted({text(one, "CNAME", "").lower().rstrip(".") for one in told} - {""})
    found = tuple(EnvironmentName(place.region, one) for one in names)
    return place.found(EnvironmentNames(place.account, (place.region,), found), ENVIRONMENTS, found)


def _bucket(place: Place, name: str) -> Collected:
    state = "own"
    try:
        place.one(BUCKET, Bucket=name)
    except NotRead as error:
        code = error.refused.code
        if code != "NoSuchBucket" and code not in _CLOSED:
            raise
        state = "free" if code == "NoSuchBucket" else "closed"
    record = BucketTarget(name, state)
    return place.found(BucketTargets(place.account, (record,)), BUCKET, (record,), where=name)


def _id(zone: Raw) -> str:
    return text(zone, "Id").rpartition("/")[2]


def _name(zone: Raw) -> str:
    return text(zone, "Name")


def _arn(place: Place, zone: Raw) -> str:
    return f"arn:{place.identity.partition}:route53:::hostedzone/{_id(zone)}"


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("route53 zones", False, _ASKED, zones)
