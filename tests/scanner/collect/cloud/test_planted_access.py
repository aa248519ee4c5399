"""Users, roles, rights and the organization, as a scan finds them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.facts.cloud.guardrails import CentralRoot, Guardrails
from checks.facts.cloud.iam import IamPolicies, IamRoles, IamUsers
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.unused import UnusedRights
from checks.facts.snapshot import decode, encode
from checks.model import Outcome
from scanner.collect.cloud import access_analyzer, accounts, federation, iam, organization, registry
from scanner.collect.cloud.calls import Call
from tests.lab.account.access import ORGANIZATION
from tests.lab.aws import ACCOUNT, MAIN, OTHER, Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

PLANTED = ("access", "access_rights", "access_roles", "access_last")
SERVICES = ("accessanalyzer", "account", "iam", "organizations", "sso-admin")
TOPICS = (access_analyzer, accounts, federation, iam, organization)
OURS = sorted({call for topic in TOPICS for one in topic.collectors() for call in one.calls}, key=str)


ORGANIZED = (KnownAccounts,)
"""What is never missing: it says how much it knows."""
UNANSWERED = {Outcome.UNKNOWN}


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED) as world:
        yield world


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)
    assert sum(one.bad for one in world.lab.planted) >= 50
    assert sum(not one.bad for one in world.lab.planted) >= 35
    assert sum(one.fools for one in world.lab.planted) >= 40


def test_nothing_is_missing_and_nothing_crashes(world: World) -> None:
    assert not world.snapshot.gaps
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []
    types = {fact.__name__: fact for fact in registry.facts()}
    assert decode(encode(world.snapshot), types) == world.snapshot


def test_all_that_is_declared_is_asked_and_nothing_else(world: World) -> None:
    world.collect()
    wanted = frozenset(n for d in world.demands for n in d.check.needs)
    asked = {(one.service, one.operation) for one in world.endpoint.asked if one.service in SERVICES}
    assert asked == {one for one in registry.allowed(wanted) if one[0] in SERVICES}


@pytest.mark.parametrize("call", OURS, ids=lambda call: call.label)
def test_a_refused_read_turns_nothing_green(world: World, call: Call) -> None:
    hit = {d.check.id for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)}
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    needed = {n for d in world.demands if d.check.id in hit for n in d.check.needs}
    after = {f.id: f for f in world.judge(world.collect(*needed, regions=(MAIN,)), *hit)}
    assert call.facts == ORGANIZED or {f.outcome for f in after.values()} & UNANSWERED
    for old in world.findings:
        if old.check in hit and old.outcome is Outcome.FAIL and old.id in after:
            assert after[old.id].outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)


def test_whose_policy_cannot_be_read_is_not_known_whole(world: World) -> None:
    """A policy that cannot be read leaves its holders unknown, not harmless."""
    world.endpoint.rewrite["iam", "GetAccountAuthorizationDetails"] = _garbled
    snapshot = world.collect(IamPolicies, IamUsers, IamRoles)
    policies = snapshot.get(IamPolicies)
    assert isinstance(policies, IamPolicies)
    assert policies.unread == ("user/access-alone",)
    assert [gap.fact for gap in snapshot.gaps] == ["IamPolicies"]
    found = [
        f for f in world.judge(snapshot) if f.on.endswith("user/access-alone") and "escalation" in f.check
    ]
    assert {f.outcome for f in found} == {Outcome.UNKNOWN}


def _garbled(body: bytes) -> bytes:
    start = body.index(b"<UserName>access-alone</UserName>")
    policy = body.index(b"<PolicyDocument>", body.rindex(b"<member>", 0, start))
    end = body.index(b"</PolicyDocument>", policy)
    return body[:policy] + b"<PolicyDocument>%7B" + body[end:]


def test_without_an_organization_only_its_own_account_is_known(world: World) -> None:
    world.endpoint.faults["organizations", "DescribeOrganization"] = Fault.DENIED
    snapshot = world.collect(KnownAccounts, Guardrails, CentralRoot)
    known = snapshot.get(KnownAccounts)
    assert known == KnownAccounts(ACCOUNT, (ACCOUNT,), "", whole=False)
    assert [(gap.fact, gap.needs) for gap in snapshot.gaps] == [
        ("CentralRoot", "organizations:DescribeOrganization"),
        ("Guardrails", "organizations:DescribeOrganization"),
    ]


def test_the_accounts_that_cannot_be_listed_leave_the_organization_known(world: World) -> None:
    world.endpoint.faults["organizations", "ListAccounts"] = Fault.DENIED
    known = world.collect(KnownAccounts).get(KnownAccounts)
    assert known == KnownAccounts(ACCOUNT, (ACCOUNT,), ORGANIZATION, whole=False)


def test_a_refused_read_hides_what_it_decides_and_no_more(world: World) -> None:
    world.endpoint.faults["iam", "ListOrganizationsFeatures"] = Fault.DENIED
    snapshot = world.collect(Guardrails, CentralRoot)
    assert [gap.fact for gap in snapshot.gaps] == ["CentralRoot"]
    assert isinstance(snapshot.get(Guardrails), Guardrails)
    world.endpoint.clear()
    world.endpoint.faults["organizations", "ListTargetsForPolicy"] = Fault.DENIED
    snapshot = world.collect(Guardrails, CentralRoot)
    assert [(gap.fact, gap.needs) for gap in snapshot.gaps] == [
        ("Guardrails", "organizations:ListTargetsForPolicy")
    ]


def test_iam_that_may_not_act_for_the_organization_manages_no_root_users(world: World) -> None:
    code = "OrganizationNotInAllFeaturesModeException"
    world.lab.answer("iam", "ListOrganizationsFeatures", error=(409, code, "not in all features mode"))
    try:
        snapshot = world.collect(CentralRoot)
    finally:
        told = {"OrganizationId": ORGANIZATION, "EnabledFeatures": ["RootSessions"]}
        world.lab.answer("iam", "ListOrganizationsFeatures", told)
    assert snapshot.get(CentralRoot) == CentralRoot(ACCOUNT, ORGANIZATION, managed=False)
    assert not snapshot.gaps


def test_the_organization_is_described_once(world: World) -> None:
    world.collect()
    assert world.endpoint.count("DescribeOrganization") == 1
    assert world.endpoint.count("GetAccountAuthorizationDetails") == 1
    assert world.endpoint.count("ListFindingsV2") == 1


def test_unused_rights_do_not_apply_without_an_analyzer_and_are_unknown_when_refused(world: World) -> None:
    check = "cloud.access-analyzer.unused-rights"
    needed = (UnusedRights, IamUsers, IamRoles)
    found = [f for f in world.judge(world.collect(*needed, regions=(OTHER,))) if f.check == check]
    assert [f.outcome for f in found] == [Outcome.NOT_APPLICABLE]
    world.endpoint.faults["accessanalyzer", "ListFindingsV2"] = Fault.DENIED
    found = [f for f in world.judge(world.collect(*needed)) if f.check == check]
    assert [(f.outcome, f.needs) for f in found] == [(Outcome.UNKNOWN, "access-analyzer:ListFindings")]
