"""Collects queues and their policies: all of a queue in one call."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.resource_policies import QueuePolicies
from checks.facts.cloud.sqs import Queue, Queues
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import group, some, text
from scanner.collect.cloud.lists import stated
from scanner.collect.collector import Collected

LIST = Call("sqs", "ListQueues", (Queues, QueuePolicies), page=1000)
ATTRIBUTES = Call("sqs", "GetQueueAttributes", (Queues, QueuePolicies))


def queues(place: Place) -> Collected:
    """The queues, and whom their policies let in."""
    urls = sorted(str(url) for page in place.pages(LIST) for url in some(page, "QueueUrls"))
    things = [(place.where(url.rpartition("/")[2]), ATTRIBUTES, partial(_queue, place, url)) for url in urls]
    empty = (Queues(place.account, (place.region,), ()), QueuePolicies(place.account, ()))
    return Collected(facts=tuple(f for f in empty if type(f) in place.wanted)) + place.each(things)


def _queue(place: Place, url: str) -> Collected:
    told = group(place.one(ATTRIBUTES, QueueUrl=url, AttributeNames=["All"]), "Attributes")
    arn = text(told, "QueueArn")
    name = arn.rpartition(":")[2]
    queue = Queue(
        arn=arn,
        name=name,
        region=place.region,
        encrypted=text(told, "SqsManagedSseEnabled", "false") == "true"
        or bool(text(told, "KmsMasterKeyId", "")),
        dead_letters=bool(text(told, "RedrivePolicy", "")),
    )
    fact = Queues(place.account, (place.region,), (queue,))
    return place.found(fact, ATTRIBUTES, (queue,), where=arn) + stated(
        place, ATTRIBUTES, QueuePolicies, queue, text(told, "Policy", "")
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("sqs queues", True, (LIST, ATTRIBUTES), queues)
