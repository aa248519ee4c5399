"""Containers in ECS: what their definitions ask for."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest active definition of a family of tasks, or an older one of which a task runs.

    The lists are names of containers; of `unnamed` ones the image says who they run as. `secrets` are
    `container/VARIABLE`, `container/option-of-its-log` or `container command`; `host` says
    that they share the network of the machine, `shared` what else of it they share (`processes`, `memory`).
    `mounts` are paths of the machine that let whoever holds them take it over.
    """

    arn: str
    name: str
    region: str
    host: bool
    privileged: tuple[str, ...]
    root: tuple[str, ...]
    writable: tuple[str, ...]
    unlogged: tuple[str, ...]
    secrets: tuple[str, ...]
    shared: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()


class Tasks(Fact, frozen=True, forbid_unknown_fields=True):
    """The newest active definitions of all families, and those of all tasks that run."""

    account: str
    regions: tuple[str, ...]
    tasks: tuple[Task, ...]
