"""Collects image repositories, their policies, and what the registry scans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from checks.facts.cloud.ecr import Registries, Registry, Repositories, Repository
from checks.facts.cloud.resource_policies import RepositoryPolicies, ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, some, text
from scanner.collect.cloud.lists import details, listing, policy_of
from scanner.collect.collector import Collected

LIST = Call("ecr", "DescribeRepositories", (Repositories, RepositoryPolicies), key="repositories", page=1000)
POLICY = Call("ecr", "GetRepositoryPolicy", (RepositoryPolicies,))
SCANNING = Call("ecr", "GetRegistryScanningConfiguration", (Registries,))


def _repository(place: Place, raw: Raw) -> Repository:
    # With an exclusion of every name nothing is fixed.
    excluded = {
        text(one, "filter").replace("**", "*") for one in some(raw, "imageTagMutabilityExclusionFilters")
    }
    return Repository(
        arn=text(raw, "repositoryArn"),
        name=text(raw, "repositoryName"),
        region=place.region,
        scans=flag(group(raw, "imageScanningConfiguration"), "scanOnPush", False),
        fixed=text(raw, "imageTagMutability", "MUTABLE").startswith("IMMUTABLE") and "*" not in excluded,
        key=text(group(raw, "encryptionConfiguration"), "kmsKey", ""),
    )


def _more(place: Place, found: Sequence[Any]) -> Collected:
    return details(place, POLICY, found, _policy)


def _policy(place: Place, one: Repository) -> ResourcePolicy:
    none = ("RepositoryPolicyNotFoundException",)
    return policy_of(place, POLICY, one, none, "policyText", repositoryName=one.name)


def registry(place: Place) -> Collected:
    """What the registry of the region scans."""
    told = group(place.one(SCANNING), "scanningConfiguration")
    filters = {
        text(one, "filter")
        for rule in some(told, "rules")
        if text(rule, "scanFrequency") != "MANUAL"
        for one in some(rule, "repositoryFilters")
    }
    record = Registry(place.region, text(told, "scanType", "BASIC") == "ENHANCED", tuple(sorted(filters)))
    return place.found(Registries(place.account, (record,)), SCANNING, (record,))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("ecr repositories", LIST, _repository, named="repositoryArn", also=_more, calls=(POLICY,))
    yield Collector("ecr registry", True, (SCANNING,), registry)
