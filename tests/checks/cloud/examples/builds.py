"""Stacks, build projects and state machines: facts that fail and facts that pass."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.cloud.cloudformation import Stack, Stacks
from checks.facts.cloud.codebuild import BuildProject, BuildProjects
from checks.facts.cloud.stepfunctions import (
    StateMachine,
    StateMachines,
    StateMachineText,
    StateMachineTexts,
)
from checks.facts.snapshot import Fact
from tests.checks.cloud.examples.compute import R, fact

Facts = tuple[Fact, ...]

BUILD = BuildProject(
    "arn:b", "b", R, (), (), (), False, False, False, True, (), "nobody", "ALL_PULL_REQUESTS"
)
STACK = Stack("arn:s", "s", R, "CREATE_COMPLETE", True, False, (), ())
GROUND = Stack("arn:cdk", "CDKToolkit", R, "CREATE_COMPLETE", True, False, (), (), 27)
MACHINE = StateMachine("arn:m", "m", R, False, "ERROR", False, True)
TEXT = StateMachineText("arn:m", "m", R, ())


def pair(of: type[Fact], good: msgspec.Struct, **bad: object) -> tuple[Facts, Facts]:
    """Facts with one record: once with these fields bad, and once as it should be."""
    return (fact(of, msgspec.structs.replace(good, **bad)),), (fact(of, good),)


def stack(**bad: object) -> tuple[Facts, Facts]:
    return pair(Stacks, STACK, **bad)


def project(**bad: object) -> tuple[Facts, Facts]:
    return pair(BuildProjects, BUILD, **bad)


def machine(**bad: object) -> tuple[Facts, Facts]:
    return pair(StateMachines, MACHINE, **bad)


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.cloudformation.cdk-bootstrap": pair(Stacks, GROUND, bootstrap=14),
    "cloud.cloudformation.output-secrets": stack(outputs=("AdminPassword",)),
    "cloud.cloudformation.parameter-secrets": stack(parameters=("DbPassword",)),
    "cloud.cloudformation.state": stack(status="UPDATE_ROLLBACK_FAILED"),
    "cloud.cloudformation.termination-protection": stack(protected=False),
    "cloud.codebuild.badge": project(badge=True),
    "cloud.codebuild.encryption": project(plain=("artifacts",)),
    "cloud.codebuild.environment-secrets": project(secrets=("NPM_TOKEN",)),
    "cloud.codebuild.logs": project(logs=False),
    "cloud.codebuild.privileged": project(privileged=True),
    "cloud.codebuild.public": project(public=True),
    "cloud.codebuild.pull-requests": project(strangers="everybody", approval="DISABLED"),
    "cloud.codebuild.source-secrets": project(source_secrets=("the main source",)),
    "cloud.codebuild.source-tls": project(insecure=("the main source",)),
    "cloud.stepfunctions.definition-secrets": pair(StateMachineTexts, TEXT, secrets=("line 3",)),
    "cloud.stepfunctions.execution-data": machine(data=True),
    "cloud.stepfunctions.logs": machine(level="OFF"),
    "cloud.stepfunctions.own-key": machine(key=False),
}
