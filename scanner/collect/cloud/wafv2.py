"""Collects web ACLs: their rules, their logs, and the load balancers that they stand before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from checks.facts.cloud.wafv2 import AclLog, AclLogs, GuardedBalancers, WebAcl, WebAcls
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, group, items, some, text
from scanner.collect.collector import Collected

LIST = Call("wafv2", "ListWebACLs", (WebAcls, AclLogs, GuardedBalancers), key="WebACLs")
ACL = Call("wafv2", "GetWebACL", (WebAcls,))
LOGS = Call("wafv2", "ListLoggingConfigurations", (AclLogs,), key="LoggingConfigurations")
GUARDED = Call("wafv2", "ListResourcesForWebACL", (GuardedBalancers,))
_CALLS = (LIST, ACL, LOGS, GUARDED)
_MOST = 100
"""Items of one page, and pages that are read at most."""
_GLOBAL = "us-east-1"
_STOPS = ("Block", "Captcha", "Challenge")


def regional(place: Place) -> Collected:
    """The web ACLs of a region."""
    acls = _all(place, LIST, "REGIONAL")
    whole = _details(place, acls, "REGIONAL")
    return whole + _guarded(place, acls) if place.wants(GUARDED) else whole


def everywhere(place: Place) -> Collected:
    """The web ACLs of CloudFront, which one region keeps."""
    if place.identity.partition != "aws":
        return Collected()
    there = replace(place, region=_GLOBAL)
    return _details(there, _all(there, LIST, "CLOUDFRONT"), "CLOUDFRONT")


def _all(place: Place, call: Call, scope: str) -> list[Raw]:
    """The whole list: botocore does not know how these go on."""
    found: list[Raw] = []
    more: dict[str, object] = {"Scope": scope, "Limit": _MOST}
    for _ in range(_MOST):
        answer = place.one(call, "", **more)
        page = items(answer, call.key)
        found += page
        marker = text(answer, "NextMarker", "")
        if not marker or not page:
            return found
        more["NextMarker"] = marker
    raise UnreadableError(f"the list goes on after {_MOST} pages")


def _details(place: Place, acls: list[Raw], scope: str) -> Collected:
    whole = _logs(place, acls, scope) if acls and place.wants(LOGS) else Collected()
    if not place.wants(ACL):
        return whole
    jobs = [(place.where(text(one, "ARN")), ACL, partial(_acl, place, one, scope)) for one in acls]
    return whole + Collected(facts=(WebAcls(place.account, ()),)) + place.each(jobs)


def _logs(place: Place, acls: list[Raw], scope: str) -> Collected:
    try:
        logged = {text(one, "ResourceArn") for one in _all(place, LOGS, scope)}
    except NotRead as error:
        return place.lost(LOGS, error.refused, place.region)
    found = tuple(
        AclLog(arn, text(one, "Id"), text(one, "Name"), place.region, scope, arn in logged)
        for arn, one in sorted((text(one, "ARN"), one) for one in acls)
    )
    fact = AclLogs(place.account, found)
    return place.found(fact, LOGS, found, names=[one.arn for one in found])


def _acl(place: Place, listed: Raw, scope: str) -> Collected:
    name, identifier = text(listed, "Name"), text(listed, "Id")
    raw = group(place.one(ACL, Name=name, Id=identifier, Scope=scope), "WebACL")
    rules = some(raw, "Rules")
    managed = [
        *some(raw, "PreProcessFirewallManagerRuleGroups"),
        *some(raw, "PostProcessFirewallManagerRuleGroups"),
    ]
    record = WebAcl(
        arn=text(raw, "ARN"),
        id=identifier,
        name=name,
        region=place.region,
        scope=scope,
        rules=len(rules) + len(managed),
        stopping=sum(_stops(one) for one in (*rules, *managed)),
        closed="Block" in group(raw, "DefaultAction"),
    )
    return place.found(WebAcls(place.account, (record,)), ACL, (record,), where=record.arn)


def _stops(rule: Raw) -> bool:
    """Whether a rule ever turns a request away; one of a group does unless all of it only counts."""
    action = group(rule, "Action")
    if action:
        return any(one in action for one in _STOPS)
    return "Count" not in group(rule, "OverrideAction")


def _guarded(place: Place, acls: list[Raw]) -> Collected:
    arns = sorted(text(one, "ARN") for one in acls)
    read = place.each([(place.where(one), GUARDED, partial(_balancers, place, one)) for one in arns])
    # Only where each ACL has said what it stands before, a load balancer without one is one without.
    regions = () if read.gaps else (place.region,)
    return read + Collected(facts=(GuardedBalancers(place.account, regions, ()),))


def _balancers(place: Place, acl: str) -> Collected:
    answer = place.one(GUARDED, WebACLArn=acl, ResourceType="APPLICATION_LOAD_BALANCER")
    arns = tuple(sorted(str(one) for one in some(answer, "ResourceArns")))
    return place.found(GuardedBalancers(place.account, (), arns), GUARDED, where=acl)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("web acls", True, _CALLS, regional)
    yield Collector("web acls of cloudfront", False, (LIST, ACL, LOGS), everywhere)
