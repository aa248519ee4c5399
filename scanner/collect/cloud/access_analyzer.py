"""Collects which kinds of IAM Access Analyzer work in a region, and what they say that nobody uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from checks.facts.cloud.detection import Analyzer, Analyzers
from checks.facts.cloud.unused import UnusedRight, UnusedRights
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, text
from scanner.collect.collector import Collected

LIST = Call(
    "accessanalyzer", "ListAnalyzers", (Analyzers, UnusedRights), "access-analyzer:ListAnalyzers", "analyzers"
)
# The second version of the call is allowed by the action of the first.
FINDINGS = Call(
    "accessanalyzer",
    "ListFindingsV2",
    (UnusedRights,),
    "access-analyzer:ListFindings",
    "findings",
    page=100,
)
_OUTSIDERS = frozenset({"ACCOUNT", "ORGANIZATION"})
_UNUSED = ("ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS")


def analyzers(place: Place) -> Collected:
    """The analyzers of the region, and their findings about unused rights."""
    active = [one for one in place.all_of(LIST) if text(one, "status") == "ACTIVE"]
    kinds = {text(one, "type") for one in active}
    record = Analyzer(place.region, external=bool(kinds & _OUTSIDERS))
    found = place.found(Analyzers(place.account, (record,)), LIST, (record,))
    return found + _unused(place, active) if place.wants(FINDINGS) else found


def _unused(place: Place, active: Sequence[Raw]) -> Collected:
    looking = sorted(text(one, "arn") for one in active if text(one, "type") in _UNUSED)
    if not looking:
        return place.absent(UnusedRights, "no analyzer of unused access looks at the account")
    return place.each([(place.where(arn), FINDINGS, partial(_findings, place, arn)) for arn in looking])


def _findings(place: Place, analyzer: str) -> Collected:
    wanted = {
        "status": {"eq": ["ACTIVE"]},
        "findingType": {"eq": ["UnusedPermission"]},
        "resourceOwnerAccount": {"eq": [place.account]},
    }
    told = place.all_of(FINDINGS, analyzerArn=analyzer, filter=wanted)
    # Held against the answer once more: what is archived or somebody else's is no finding here.
    arns = {
        text(one, "resource")
        for one in told
        if text(one, "status") == "ACTIVE"
        and text(one, "findingType") == "UnusedPermission"
        and text(one, "resourceOwnerAccount") == place.account
    }
    fact = UnusedRights(place.account, (analyzer,), tuple(UnusedRight(arn) for arn in sorted(arns)))
    return place.found(fact, FINDINGS, where=analyzer)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("access analyzers", True, (LIST, FINDINGS), analyzers)
