"""Collects functions in one list, and of each its policy and its web addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from checks.facts.cloud.functions import Function, Functions, FunctionUrl, FunctionUrls
from checks.facts.cloud.resource_policies import FunctionPolicies, ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, group, some, text
from scanner.collect.cloud.lists import details, listing, policy_of
from scanner.collect.cloud.variables import secret_names
from scanner.collect.collector import Collected

LIST = Call("lambda", "ListFunctions", (Functions, FunctionPolicies, FunctionUrls), key="Functions")
POLICY = Call("lambda", "GetPolicy", (FunctionPolicies,))
# An alias has a policy of its own, which an address of it leads to.
URLS = Call("lambda", "ListFunctionUrlConfigs", (FunctionUrls, FunctionPolicies), key="FunctionUrlConfigs")


def _function(place: Place, raw: Raw) -> Function:
    variables = group(group(raw, "Environment"), "Variables")
    return Function(
        arn=text(raw, "FunctionArn"),
        name=text(raw, "FunctionName"),
        region=place.region,
        runtime=text(raw, "Runtime", ""),
        role=text(raw, "Role"),
        vpc=text(group(raw, "VpcConfig"), "VpcId", ""),
        key=text(raw, "KMSKeyArn", ""),
        layers=tuple(sorted(text(one, "Arn") for one in some(raw, "Layers"))),
        secrets=secret_names({str(k): str(v) for k, v in variables.items()}),
        settings=bool(variables),
    )


def _more(place: Place, found: Sequence[Any]) -> Collected:
    return details(place, POLICY, found, _policy) + _urls(place, found)


def _policy(place: Place, one: Function) -> ResourcePolicy:
    gone = ("ResourceNotFoundException",)
    return policy_of(place, POLICY, one, gone, "Policy", FunctionName=one.name)


def _alias_policy(place: Place, one: FunctionUrl) -> ResourcePolicy:
    gone = ("ResourceNotFoundException",)
    alias = one.arn.rpartition(":")[2]
    return policy_of(place, POLICY, one, gone, "Policy", FunctionName=one.name, Qualifier=alias)


def _urls(place: Place, found: Sequence[Function]) -> Collected:
    if not place.wants(URLS):
        return Collected()
    urls: list[FunctionUrl] = []
    whole = place.each([(place.where(one.arn), URLS, partial(_of, place, one, urls)) for one in found])
    # The policy of an alias is asked for where an address makes it matter.
    functions = {one.arn for one in found}
    aliases = sorted(
        (one for one in urls if not one.signed and one.arn not in functions), key=lambda one: one.arn
    )
    return whole + details(place, POLICY, aliases, _alias_policy)


def _of(place: Place, one: Function, told: list[FunctionUrl]) -> Collected:
    urls = tuple(
        FunctionUrl(
            arn=text(raw, "FunctionArn"),
            name=one.name,
            region=place.region,
            signed=text(raw, "AuthType") == "AWS_IAM",
            origins=tuple(sorted(map(str, some(group(raw, "Cors"), "AllowOrigins")))),
        )
        for raw in place.all_of(URLS, FunctionName=one.name)
    )
    told.extend(urls)
    return place.found(FunctionUrls(place.account, urls), URLS, urls, where=one.arn) if urls else Collected()


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("lambda functions", LIST, _function, named="FunctionArn", also=_more, calls=(POLICY, URLS))
