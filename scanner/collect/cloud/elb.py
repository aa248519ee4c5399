"""Collects load balancers, and of each its listeners and settings; of public ones where they lead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from checks.facts.cloud.elb import (
    BalancedTarget,
    Balancer,
    Balancers,
    BalancerSetting,
    BalancerSettings,
    Listener,
    Listeners,
    TargetGroup,
    TargetGroups,
)
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, group, items, number, some, text
from scanner.collect.cloud.lists import details, listing
from scanner.collect.collector import Collected

_ACTION = "elasticloadbalancing"
LIST = Call(
    "elbv2",
    "DescribeLoadBalancers",
    (Balancers, Listeners, BalancerSettings, TargetGroups),
    f"{_ACTION}:DescribeLoadBalancers",
    "LoadBalancers",
    400,
)
LISTENERS = Call("elbv2", "DescribeListeners", (Listeners,), f"{_ACTION}:DescribeListeners")
SETTINGS = Call(
    "elbv2",
    "DescribeLoadBalancerAttributes",
    (BalancerSettings,),
    f"{_ACTION}:DescribeLoadBalancerAttributes",
)
GROUPS = Call(
    "elbv2",
    "DescribeTargetGroups",
    (TargetGroups,),
    f"{_ACTION}:DescribeTargetGroups",
    "TargetGroups",
    400,
)
HEALTH = Call("elbv2", "DescribeTargetHealth", (TargetGroups,), f"{_ACTION}:DescribeTargetHealth")


def _balancer(place: Place, raw: Raw) -> Balancer:
    return Balancer(
        arn=text(raw, "LoadBalancerArn"),
        name=text(raw, "LoadBalancerName"),
        region=place.region,
        kind=text(raw, "Type"),
        # Gateway balancers have no scheme: only endpoints lead to them.
        public=text(raw, "Scheme", "internal" if text(raw, "Type") == "gateway" else None)
        == "internet-facing",
        vpc=text(raw, "VpcId", ""),
        subnets=tuple(sorted(text(one, "SubnetId", "") for one in some(raw, "AvailabilityZones"))),
        groups=tuple(sorted(some(raw, "SecurityGroups"))),
    )


def _more(place: Place, found: Sequence[Any]) -> Collected:
    whole = details(place, SETTINGS, [one for one in found if one.kind != "gateway"], _setting)
    public = frozenset(one.arn for one in found if one.public)
    whole += place.each([(place.region, GROUPS, partial(_groups, place, public))])
    if not place.wants(LISTENERS):
        return whole
    jobs = [(place.where(one.arn), LISTENERS, partial(_listeners, place, one)) for one in found]
    return whole + Collected(facts=(Listeners(place.account, ()),)) + place.each(jobs)


def _groups(place: Place, public: frozenset[str]) -> Collected:
    """The target groups that public load balancers lead to; where there is none nobody is asked."""
    if not place.wants(GROUPS):
        return Collected()
    empty = Collected(facts=(TargetGroups(place.account, (place.region,), ()),))
    if not public:
        return empty
    listed = [
        one
        for one in place.all_of(GROUPS)
        if public.intersection(some(one, "LoadBalancerArns"))
        and text(one, "TargetType", "instance") in ("instance", "ip")
    ]
    jobs = [
        (place.where(str(one.get("TargetGroupArn", "?"))), HEALTH, partial(_group, place, one, public))
        for one in listed
    ]
    return empty + place.each(jobs)


def _group(place: Place, raw: Raw, public: frozenset[str]) -> Collected:
    arn = text(raw, "TargetGroupArn")
    told = items(place.one(HEALTH, TargetGroupArn=arn), "TargetHealthDescriptions")
    targets = [group(one, "Target") for one in told]
    record = TargetGroup(
        arn=arn,
        name=text(raw, "TargetGroupName"),
        region=place.region,
        balancers=tuple(sorted(public.intersection(some(raw, "LoadBalancerArns")))),
        kind=text(raw, "TargetType", "instance"),
        targets=tuple(
            BalancedTarget(text(one, "Id"), number(one, "Port", number(raw, "Port", 0)))
            for one in sorted(targets, key=lambda one: (text(one, "Id"), number(one, "Port", 0)))
        ),
    )
    return place.found(TargetGroups(place.account, (place.region,), (record,)), HEALTH, (record,), where=arn)


def _setting(place: Place, one: Balancer) -> BalancerSetting:
    told = items(place.one(SETTINGS, LoadBalancerArn=one.arn), "Attributes")
    values = {text(pair, "Key"): text(pair, "Value", "") for pair in told}

    def held(key: str) -> bool:
        if key not in values:
            raise UnreadableError(f"the answer does not hold {key}")
        return values[key] == "true"

    web = one.kind == "application"
    return BalancerSetting(
        arn=one.arn,
        name=one.name,
        region=one.region,
        logs=held("access_logs.s3.enabled"),
        protected=held("deletion_protection.enabled"),
        drops_invalid=held("routing.http.drop_invalid_header_fields.enabled") if web else None,
    )


def _listeners(place: Place, one: Balancer) -> Collected:
    raw = place.pages(LISTENERS, LoadBalancerArn=one.arn)
    found = tuple(_listener(one, item) for page in raw for item in items(page, "Listeners"))
    if not found:
        return Collected()
    return place.found(Listeners(place.account, found), LISTENERS, found, where=one.arn)


def _listener(one: Balancer, raw: Raw) -> Listener:
    actions = some(raw, "DefaultActions")
    sends = [action.get("RedirectConfig") or {} for action in actions if text(action, "Type") == "redirect"]
    return Listener(
        arn=text(raw, "ListenerArn"),
        name=one.name,
        region=one.region,
        kind=one.kind,
        public=one.public,
        port=number(raw, "Port", 0),
        protocol=text(raw, "Protocol", ""),
        policy=text(raw, "SslPolicy", ""),
        # `#{protocol}` sends to what was asked with, plain HTTP as before.
        redirects=bool(sends) and all(text(send, "Protocol", "") == "HTTPS" for send in sends),
        balancer=one.arn,
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing(
        "load balancers",
        LIST,
        _balancer,
        named="LoadBalancerArn",
        also=_more,
        calls=(LISTENERS, SETTINGS, GROUPS, HEALTH),
    )
