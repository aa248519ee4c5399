"""Containers in ECS: what they may do, and what their definitions give away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checks.check import Check
from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.ecs import Tasks
from checks.facts.snapshot import Fact
from checks.model import Severity

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html"


def _made(  # noqa: PLR0917 - the columns of the table below
    name: str, of: Callable[[Any], tuple[str, ...]], title: str, why: str, severity: Severity, do: str
) -> Check[[Fact]]:
    return setting(
        f"cloud.ecs.{name}",
        Tasks,
        lambda one: not of(one),
        title=title,
        why=why,
        severity=severity,
        bad=lambda one: f"{joined(of(one))}",
        good="none",
        fix=repair(
            f"Mend the task definition @{{name}}: {title[0].lower()}{title[1:]}",
            do + " Register a new revision and let the services use it.",
            "aws ecs describe-task-definition --region @{region} --task-definition @{name} "
            "--query 'taskDefinition.containerDefinitions'",
            "aws ecs describe-task-definition --region @{region} --task-definition @{name} "
            "--query taskDefinition > task.before.json &&\n"
            "# Edit task.after.json as above; it holds only what a new revision takes.\n"
            "jq "
            "'{family,taskRoleArn,executionRoleArn,networkMode,containerDefinitions,volumes,placementConstraints,"
            "requiresCompatibilities,cpu,memory,pidMode,ipcMode,runtimePlatform,ephemeralStorage,"
            "proxyConfiguration} | with_entries(select(.value != null))' task.before.json "
            "> task.after.json &&\n${EDITOR:-vi} task.after.json &&\n"
            "aws ecs register-task-definition --region @{region} --cli-input-json file://task.after.json",
            "# The former revision is still there: let the services use it again.\n"
            'aws ecs update-service --region @{region} --cluster "$CLUSTER" --service "$SERVICE" '
            "--task-definition @{on}",
            hours=(0.5, 0.5),
            key="ecs:task @{on}",
        ),
        refs=(_GUIDE,),
    )


TASKS = (
    _made(
        "privileged",
        lambda one: one.privileged,
        "No container is privileged",
        "A privileged container has all rights of the machine below it, and of everything else that runs "
        "there.",
        Severity.HIGH,
        "Take privileged away from the containers, and give single capabilities where they are needed.",
    ),
    _made(
        "secrets",
        lambda one: one.secrets,
        "Task definitions hold no secrets",
        "Everybody who may read the definition reads its environment, for all revisions there ever were.",
        Severity.HIGH,
        "Move the value into Secrets Manager, name it under secrets, and change it: it was readable until "
        "now.",
    ),
    _made(
        "host-network",
        # Who is not named is root, unless the image says otherwise.
        lambda one: (*one.root, *one.unnamed) if one.host else (),
        "No container that is root or names no user shares the network of its machine",
        "It hears and speaks for everything else on the machine, its metadata service included.",
        Severity.MEDIUM,
        "Use the network mode awsvpc, or name an unprivileged user.",
    ),
    _made(
        "host-namespaces",
        lambda one: one.shared,
        "No container shares the processes or the memory of its machine",
        "It sees, and often stops or reads, what everybody else runs on the machine.",
        Severity.MEDIUM,
        "Take pidMode and ipcMode away, or use task.",
    ),
    _made(
        "host-files",
        lambda one: one.mounts,
        "No container mounts what hands it its machine",
        "Whoever holds the socket of the runtime or the root of the machine starts what they like there, as "
        "root.",
        Severity.HIGH,
        "Take the mount away; give the container a directory of its own where it needs files.",
    ),
    _made(
        "root-user",
        lambda one: one.root,
        "Containers do not run as root by their definition",
        "A flaw in the runtime lets root out of a container more easily than anybody else.",
        Severity.LOW,
        "Name an unprivileged user.",
    ),
    _made(
        "logs",
        lambda one: one.unlogged,
        "Containers send their logs away",
        "What a container printed is gone with it.",
        Severity.LOW,
        "Give each container a log driver.",
    ),
    _made(
        "read-only",
        lambda one: one.writable,
        "Containers cannot change their own files",
        "Whoever gets in cannot leave a program behind in a container whose files are read-only.",
        Severity.INFO,
        "Set readonlyRootFilesystem, with volumes for what has to be written.",
    ),
)
"""One check for each thing that a task definition should not ask for."""
