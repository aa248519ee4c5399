"""Collects streams, their policies, and delivery streams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from checks.facts.cloud.kinesis import Deliveries, Delivery, Stream, StreamPolicies, Streams
from checks.facts.cloud.policy import Policy
from checks.facts.cloud.resource_policies import ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import UnreadableError, flag, group, number, some, text
from scanner.collect.cloud.lists import details
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

LIST = Call("kinesis", "ListStreams", (Streams, StreamPolicies), key="StreamNames")
STREAM = Call("kinesis", "DescribeStreamSummary", (Streams,))
POLICY = Call("kinesis", "GetResourcePolicy", (StreamPolicies,))
DELIVERIES = Call("firehose", "ListDeliveryStreams", (Deliveries,))
DELIVERY = Call("firehose", "DescribeDeliveryStream", (Deliveries,))
MAX_LISTS = 100
"""Lists of delivery streams that are asked for in one region; an account has 5,000 at most."""


@dataclass(frozen=True, slots=True)
class Named:
    """A stream by its name and ARN."""

    arn: str
    name: str


def streams(place: Place) -> Collected:
    """The data streams, and the wanted of their settings."""
    names = sorted({str(name) for page in place.pages(LIST) for name in some(page, "StreamNames")})
    named = [Named(place.arn("kinesis", f"stream/{name}"), name) for name in names]
    return details(place, STREAM, named, _stream) + details(place, POLICY, named, _policy)


def _stream(place: Place, one: Named) -> Stream:
    raw = group(place.one(STREAM, StreamName=one.name), "StreamDescriptionSummary")
    return Stream(
        arn=text(raw, "StreamARN"),
        name=one.name,
        region=place.region,
        encrypted=text(raw, "EncryptionType", "NONE") == "KMS",
        hours=number(raw, "RetentionPeriodHours"),
    )


def _policy(place: Place, one: Named) -> ResourcePolicy:
    try:
        written = text(place.one(POLICY, ResourceARN=one.arn), "Policy", "")
    except NotRead as error:
        if error.refused.code != "ResourceNotFoundException":
            raise
        written = ""
    # A stream without a policy answers with nothing, or with an empty document.
    policy = parse(written) if written.strip() not in ("", "{}") else Policy()
    return ResourcePolicy(one.arn, one.name, place.region, policy)


def deliveries(place: Place) -> Collected:
    """The delivery streams."""
    named = [Named(place.arn("firehose", f"deliverystream/{name}"), name) for name in _names(place)]
    return details(place, DELIVERY, named, _delivery)


def _names(place: Place) -> list[str]:
    """All names: this list has no pages that an SDK knows, and says only that there are more."""
    found: list[str] = []
    for _ in range(MAX_LISTS):
        after = {"ExclusiveStartDeliveryStreamName": found[-1]} if found else {}
        page = place.one(DELIVERIES, Limit=100, **after)
        names = [str(name) for name in some(page, "DeliveryStreamNames")]
        found += names
        if not flag(page, "HasMoreDeliveryStreams"):
            return sorted(set(found))
        if not names:
            break
    raise NotRead(DELIVERIES, Refused(Because.UNREADABLE, "the list goes on and on"))


def _delivery(place: Place, one: Named) -> Delivery:
    raw = group(place.one(DELIVERY, DeliveryStreamName=one.name), "DeliveryStreamDescription")
    if not raw:
        raise UnreadableError("the answer does not hold DeliveryStreamDescription")
    state = text(group(raw, "DeliveryStreamEncryptionConfiguration"), "Status", "DISABLED")
    return Delivery(
        arn=text(raw, "DeliveryStreamARN"),
        name=one.name,
        region=place.region,
        source=text(raw, "DeliveryStreamType"),
        encrypted=state in ("ENABLED", "ENABLING"),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("kinesis streams", True, (LIST, STREAM, POLICY), streams)
    yield Collector("firehose streams", True, (DELIVERIES, DELIVERY), deliveries)
