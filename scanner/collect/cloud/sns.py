"""Collects topics with their policies, and the subscriptions of a region in one list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.resource_policies import TopicPolicies
from checks.facts.cloud.sns import Subscription, Subscriptions, Topic, Topics
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, group, text
from scanner.collect.cloud.lists import listing, stated
from scanner.collect.collector import Collected

LIST = Call("sns", "ListTopics", (Topics, TopicPolicies), key="Topics")
ATTRIBUTES = Call("sns", "GetTopicAttributes", (Topics, TopicPolicies))
SUBSCRIPTIONS = Call("sns", "ListSubscriptions", (Subscriptions,), key="Subscriptions")


def topics(place: Place) -> Collected:
    """The topics, and whom their policies let in."""
    arns = sorted(text(one, "TopicArn") for one in place.all_of(LIST))
    things = [(place.where(arn), ATTRIBUTES, partial(_topic, place, arn)) for arn in arns]
    empty = (Topics(place.account, (place.region,), ()), TopicPolicies(place.account, ()))
    return Collected(facts=tuple(f for f in empty if type(f) in place.wanted)) + place.each(things)


def _topic(place: Place, arn: str) -> Collected:
    told = group(place.one(ATTRIBUTES, TopicArn=arn), "Attributes")
    name = arn.rpartition(":")[2]
    topic = Topic(arn, name, place.region, text(told, "KmsMasterKeyId", ""))
    fact = Topics(place.account, (place.region,), (topic,))
    return place.found(fact, ATTRIBUTES, (topic,), where=arn) + stated(
        place, ATTRIBUTES, TopicPolicies, topic, text(told, "Policy", "")
    )


def _subscription(place: Place, raw: Raw) -> Subscription:
    arn = text(raw, "SubscriptionArn")
    endpoint = text(raw, "Endpoint", "")
    told_apart = hashlib.sha256(endpoint.encode()).hexdigest()[:8]
    parts = endpoint.split(":") if endpoint.startswith("arn:") else []
    confirmed = arn.startswith("arn:")
    return Subscription(
        # What waits for its confirmation has no ARN yet; its endpoint, which may be somebody's address of
        # mail, is told apart without being named.
        arn=arn if confirmed else f"{text(raw, 'TopicArn')} {text(raw, 'Protocol')} {arn} {told_apart}",
        region=place.region,
        topic=text(raw, "TopicArn"),
        protocol=text(raw, "Protocol"),
        account=parts[4] if len(parts) > 5 else "",
        owner=text(raw, "Owner", ""),
        confirmed=confirmed,
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("sns topics", True, (LIST, ATTRIBUTES), topics)
    yield listing("sns subscriptions", SUBSCRIPTIONS, _subscription, named="SubscriptionArn")
