"""Queues, topics, buses, functions, repositories, secrets and keys, as a scan finds them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import pytest

from checks.facts.cloud.functions import FunctionUrls
from checks.facts.cloud.resource_policies import FunctionPolicies, QueuePolicies
from checks.facts.cloud.sns import Subscriptions
from checks.facts.cloud.sqs import Queues
from checks.facts.snapshot import decode, encode
from checks.model import Outcome
from scanner.collect.cloud import ecr, events, functions, kms, registry, secretsmanager, ses, sns, sqs
from scanner.collect.cloud.calls import Call, NotRead, Place
from scanner.collect.cloud.events import BUSES
from scanner.collect.cloud.lists import by_token
from tests.lab.aws import Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_account import MAIN, OTHER
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PLANTED = ("policies_queues", "policies_functions", "policies_keys")
SERVICES = ("ecr", "events", "kms", "lambda", "secretsmanager", "sesv2", "sns", "sqs")
REFUSED = (
    "DescribeKey",
    "GetPolicy",
    "GetRegistryScanningConfiguration",
    "GetTopicAttributes",
    "ListAliases",
    "ListEventBuses",
    "ListFunctionUrlConfigs",
)
"""Calls whose refusal takes a way of its own here; all others are refused in the tests of all calls."""
TOPICS = (ecr, events, functions, kms, secretsmanager, ses, sns, sqs)
OURS = [call for topic in TOPICS for one in topic.collectors() for call in one.calls]


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED, now=NOW) as world:
        yield world


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)
    assert sum(one.bad for one in world.lab.planted) >= 30
    assert sum(not one.bad for one in world.lab.planted) >= 18
    assert sum(one.fools for one in world.lab.planted if not one.bad) >= 14


def test_nothing_is_missing_and_nothing_crashes(world: World) -> None:
    assert not world.snapshot.gaps
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []
    types = {fact.__name__: fact for fact in registry.facts()}
    assert decode(encode(world.snapshot), types) == world.snapshot
    assert b"Planted-Horse" not in encode(world.snapshot)
    assert b"9f8e7d6c" not in encode(world.snapshot)


def test_all_that_is_declared_is_asked_and_nothing_else(world: World) -> None:
    world.collect()
    wanted = frozenset(n for d in world.demands for n in d.check.needs)
    asked = {(one.service, one.operation) for one in world.endpoint.asked if one.service in SERVICES}
    ours = {one for one in registry.allowed(wanted) if one[0] in SERVICES}
    assert asked == ours
    assert ours == {(call.service, call.operation) for call in OURS}


@pytest.mark.parametrize(
    "call", [call for call in OURS if call.operation in REFUSED], ids=lambda call: call.label
)
def test_a_refused_read_turns_nothing_green(world: World, call: Call) -> None:
    hit = {d.check.id for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)}
    assert hit
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    needed = {n for d in world.demands if d.check.id in hit for n in d.check.needs}
    after = {f.id: f for f in world.judge(world.collect(*needed, regions=(MAIN,))) if f.check in hit}
    for old in world.findings:
        if old.check in hit and old.outcome is Outcome.FAIL and old.id in after:
            assert after[old.id].outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)
    assert Outcome.UNKNOWN in {f.outcome for f in after.values()}


def test_a_policy_that_cannot_be_read_hides_itself_alone(world: World) -> None:
    sqs = world.lab.client("sqs", OTHER)
    url = sqs.create_queue(QueueName="policies-garbled", Attributes={"Policy": '{"Statement": [7]}'})[
        "QueueUrl"
    ]
    try:
        snapshot = world.collect(Queues, QueuePolicies, regions=(OTHER,))
    finally:
        sqs.delete_queue(QueueUrl=url)
    [gap] = snapshot.gaps
    assert (gap.fact, gap.where.rpartition(":")[2]) == ("QueuePolicies", "policies-garbled")
    queues, policies = snapshot.get(Queues), snapshot.get(QueuePolicies)
    assert isinstance(queues, Queues)
    assert isinstance(policies, QueuePolicies)
    assert "policies-garbled" in {one.name for one in queues.queues}
    assert {one.name for one in policies.policies} == {one.name for one in queues.queues} - {
        "policies-garbled"
    }


def test_an_address_whose_policy_is_refused_is_not_known(world: World) -> None:
    world.endpoint.faults["lambda", "GetPolicy"] = Fault.DENIED
    judged = [f for f in world.judge(world.collect()) if f.check == "cloud.functions.url-without-signature"]
    after = {f.on.partition(":function:")[2]: f.outcome for f in judged}
    assert after["policies-url-bare"] is Outcome.UNKNOWN
    assert after["policies-url-shut"] is Outcome.UNKNOWN


def test_an_organization_that_may_be_ones_own_is_not_known(world: World) -> None:
    world.endpoint.faults["organizations", "DescribeOrganization"] = Fault.DENIED
    judged = [f for f in world.judge(world.collect()) if f.check == "cloud.sqs.outsiders"]
    after = {f.on.rpartition(":")[2]: f for f in judged}
    assert after["policies-other-org"].outcome is Outcome.UNKNOWN
    assert "o-zzzzzzzzzz" in after["policies-other-org"].reason
    # An account may be a member of the same organization.
    assert after["policies-stranger"].outcome is Outcome.UNKNOWN
    assert after["policies-stranger"].needs == "organizations:DescribeOrganization"


def test_subscriptions_that_wait_are_told_apart_without_their_address(world: World) -> None:
    found = world.snapshot.get(Subscriptions)
    assert isinstance(found, Subscriptions)
    waiting = [one.arn for one in found.subscriptions if not one.confirmed]
    assert len(set(waiting)) == 2
    assert not any("example.org" in arn for arn in waiting)


def test_copies_of_secrets_and_secrets_of_services_are_not_ours_to_turn(world: World) -> None:
    told = {
        (f.check.rpartition(".")[2], f.on.rpartition(":policies-")[2].removesuffix("-AbCdEf")): f.outcome
        for f in world.findings
        if f.check.startswith("cloud.secretsmanager.")
    }
    assert told["rotation", "copy"] is Outcome.NOT_APPLICABLE
    assert told["unused", "copy"] is Outcome.NOT_APPLICABLE
    assert told["unused", "database"] is Outcome.NOT_APPLICABLE


def test_the_policy_of_an_alias_is_asked_for_only_where_an_address_needs_it(world: World) -> None:
    world.collect(FunctionUrls, FunctionPolicies, regions=(MAIN,))
    policies = [one for one in world.endpoint.asked if one.operation == "GetPolicy"]
    functions = world.lab.client("lambda", MAIN).list_functions()["Functions"]
    assert len(policies) == len(functions) + 1


def test_a_list_of_buses_is_read_to_its_end() -> None:
    pages: dict[str, dict[str, object]] = {
        "": {"EventBuses": [_bus("a")], "NextToken": "one"},
        "one": {"EventBuses": [_bus("b")], "NextToken": "two"},
        "two": {"EventBuses": [_bus("c")]},
    }
    place = _Place(pages)
    found = by_token(cast(Place, place), BUSES, Limit=100)
    assert [one["Name"] for one in found] == ["a", "b", "c"]
    assert place.asked == [
        {"Limit": 100},
        {"Limit": 100, "NextToken": "one"},
        {"Limit": 100, "NextToken": "two"},
    ]
    with pytest.raises(NotRead):
        by_token(cast(Place, _Place({"": {"NextToken": "one"}})), BUSES)
    for_ever: dict[str, object] = {"EventBuses": [], "NextToken": "again"}
    with pytest.raises(NotRead):
        by_token(cast(Place, _Place({"": for_ever, "again": for_ever})), BUSES)


def _bus(name: str) -> dict[str, str]:
    return {"Name": name, "Arn": f"arn:aws:events:{MAIN}:1:event-bus/{name}"}


class _Place:
    """Answers one call by its token."""

    def __init__(self, pages: dict[str, dict[str, object]]) -> None:
        self.pages = pages
        self.asked: list[dict[str, object]] = []

    def one(self, call: Call, region: str = "", **parameters: object) -> dict[str, object]:
        self.asked.append(parameters)
        return self.pages[str(parameters.get("NextToken", ""))]
