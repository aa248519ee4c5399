"""Containers, clusters, builds, stacks and models, as a scan finds them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from checks.catalogue import load
from checks.facts.cloud.codebuild import BuildProjects
from checks.facts.cloud.ecs import Tasks
from checks.facts.cloud.stepfunctions import StateMachines, StateMachineTexts
from checks.facts.snapshot import decode, encode
from checks.model import Outcome
from scanner.collect.cloud import registry
from scanner.collect.cloud.calls import Call
from tests.lab.account_compute import CANARY
from tests.lab.aws import Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_account import MAIN
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

PLANTED = ("compute", "compute_builds")
TOPICS = ("ecs", "eks", "cognito", "cloudformation", "codebuild", "stepfunctions")
SERVICES = (
    "ecs",
    "eks",
    "cognito-idp",
    "cognito-identity",
    "cloudformation",
    "codebuild",
    "stepfunctions",
)
LOGS = "cloud.stepfunctions.logs"
OURS = [call for call in registry.calls(registry.facts()) if call.service in SERVICES]


CHECKS = [n for n in load().checks if n.startswith("cloud.") and n.split(".")[1] in TOPICS]


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED, CHECKS) as world:
        yield world


def test_every_problem_is_found_and_no_clean_thing_is_flagged(world: World) -> None:
    assert not (wrong := world.misjudged()), "\n".join(wrong)


def test_each_check_has_a_problem_and_a_clean_counterpart(world: World) -> None:
    for bad in (True, False):
        assert {d.check.id for d in world.demands} == {p.check for p in world.lab.planted if p.bad is bad}
    assert sum(one.fools for one in world.lab.planted) > 8


def test_nothing_is_missing_and_no_secret_is_kept(world: World) -> None:
    assert not world.snapshot.gaps
    assert [(f.check, f.reason) for f in world.findings if f.outcome is Outcome.ERROR] == []
    types = {fact.__name__: fact for fact in registry.facts()}
    assert decode(encode(world.snapshot), types) == world.snapshot
    assert CANARY.encode() not in encode(world.snapshot)
    assert not [f for f in world.findings if CANARY in f"{f.saw}{f.reason}{f.fix}{f.evidence}"]


def test_all_that_is_declared_is_asked_and_nothing_else(world: World) -> None:
    world.collect()
    wanted = frozenset(n for d in world.demands for n in d.check.needs)
    asked = {(one.service, one.operation) for one in world.endpoint.asked if one.service in SERVICES}
    assert asked == {one for one in registry.allowed(wanted) if one[0] in SERVICES}
    assert asked == {(call.service, call.operation) for call in OURS}


def test_a_definition_that_is_inactive_is_nobodys_problem(world: World) -> None:
    tasks = world.snapshot.get(Tasks)
    assert isinstance(tasks, Tasks)
    assert "compute-gone" not in {one.name for one in tasks.tasks}
    # One of which a task runs is, and each is told once.
    assert "compute-still" in {one.name for one in tasks.tasks}
    assert len({one.arn for one in tasks.tasks}) == len(tasks.tasks)


def test_whom_an_unclear_pattern_lets_in_is_unknown(world: World) -> None:
    projects = world.snapshot.get(BuildProjects)
    assert isinstance(projects, BuildProjects)
    asked = next(one for one in projects.projects if one.name == "builds-anyone")
    for changes in ({"strangers": "unclear"}, {"approval": ""}):
        changed = msgspec.structs.replace(asked, **changes)
        found = msgspec.structs.replace(projects, projects=(changed,))
        facts = {**world.snapshot.facts, "BuildProjects": found}
        judged = world.judge(
            msgspec.structs.replace(world.snapshot, facts=facts), "cloud.codebuild.pull-requests"
        )
        assert [one.outcome for one in judged] == [Outcome.UNKNOWN]


@pytest.mark.parametrize("call", OURS, ids=lambda call: call.label)
def test_a_refused_read_turns_nothing_green(world: World, call: Call) -> None:
    hit = {d.check.id for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)}
    assert hit
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    needed = {n for d in world.demands if d.check.id in hit for n in d.check.needs}
    snapshot = world.collect(*needed, regions=(MAIN,))
    assert {gap.needs for gap in snapshot.gaps} == {call.iam}
    after = {f.id: f for f in world.judge(snapshot) if f.check in hit}
    assert {f.check for f in after.values() if f.outcome is Outcome.UNKNOWN} >= hit
    for old in world.findings:
        if old.check in hit and old.outcome is Outcome.FAIL and old.id in after:
            assert after[old.id].outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)


def test_a_definition_under_a_key_of_others_hides_its_text_alone(world: World) -> None:
    [machine] = [one for one in world.lab.planted if one.on.endswith(":builds-errors") and one.check == LOGS]
    world.lab.answer(
        "stepfunctions",
        "DescribeStateMachine",
        about=machine.on,
        error=(400, "KmsAccessDeniedException", "no"),
    )
    told = {
        "stateMachineArn": machine.on,
        "name": "builds-errors",
        "type": "STANDARD",
        "roleArn": "arn:aws:iam::123456789012:role/builds",
        "creationDate": {"$time": "2026-01-01T00:00:00Z"},
        "definition": "",
        "loggingConfiguration": {"level": "ERROR", "includeExecutionData": False},
    }
    world.lab.answer("stepfunctions", "DescribeStateMachine", told, about="METADATA_ONLY")
    snapshot = world.collect(StateMachines, StateMachineTexts, regions=(MAIN,))
    assert {(gap.fact, gap.where, gap.needs) for gap in snapshot.gaps} == {
        ("StateMachineTexts", machine.on, "kms:Decrypt")
    }
    machines = snapshot.get(StateMachines)
    assert isinstance(machines, StateMachines)
    assert machine.on in {one.arn for one in machines.machines}
