"""All collectors of cloud accounts, and what they need to be allowed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from checks.facts.cloud.account import AccountRegions
from checks.facts.snapshot import Fact
from scanner.collect.cloud.calls import Call, Collector, permissions_of
from scanner.collect.cloud.topics import TOPICS
from scanner.collect.collector import Permission

COLLECTORS: tuple[Collector, ...] = tuple(chain.from_iterable(topic.collectors() for topic in TOPICS))

_REGIONAL = frozenset(fact for one in COLLECTORS if one.regional for fact in one.facts)
REGIONS = Call(
    "ec2",
    "DescribeRegions",
    (AccountRegions, *sorted(_REGIONAL, key=lambda fact: fact.__name__)),
    key="Regions",
)
IDENTITY = Call("sts", "GetCallerIdentity", ())
"""Allowed to everybody who has credentials, so it is no permission to ask for."""


def facts() -> frozenset[type[Fact]]:
    """All facts that these collectors fill."""
    return frozenset(fact for one in COLLECTORS for fact in one.facts) | {AccountRegions}


def chosen(wanted: frozenset[type[Fact]]) -> tuple[Collector, ...]:
    """The collectors that fill a wanted fact."""
    return tuple(one for one in COLLECTORS if not wanted.isdisjoint(one.facts))


def calls(wanted: frozenset[type[Fact]]) -> tuple[Call, ...]:
    """The calls that decide a wanted fact, and the one that says which regions there are."""
    asked = [call for one in chosen(wanted) for call in one.calls]
    return tuple(call for call in (REGIONS, *asked) if not wanted.isdisjoint(call.facts))


def allowed(wanted: frozenset[type[Fact]]) -> frozenset[tuple[str, str]]:
    """The (service, operation) pairs that may be sent; everything else is stopped before it leaves."""
    return frozenset((call.service, call.operation) for call in (IDENTITY, *calls(wanted)))


def permissions(wanted: Iterable[type[Fact]]) -> tuple[Permission, ...]:
    """The IAM actions that collecting these facts needs, sorted by name, each with the facts it serves."""
    facts_wanted = frozenset(wanted)
    return permissions_of(calls(facts_wanted), facts_wanted)


def iam_policy(wanted: Iterable[type[Fact]]) -> dict[str, object]:
    """The IAM policy document that allows exactly what collecting these facts needs."""
    actions = [permission.name for permission in permissions(wanted)]
    statement = {"Sid": "BartizanReadsSettings", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement] if actions else []}
