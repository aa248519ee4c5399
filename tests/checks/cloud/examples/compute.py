"""Containers, clusters, builds, stacks and models: facts that fail and facts that pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from checks.facts.cloud.cognito import IdentityPool, IdentityPools, UserPool, UserPools
from checks.facts.cloud.ecs import Task, Tasks
from checks.facts.cloud.eks import Cluster, Clusters
from checks.facts.snapshot import Fact

A = "111122223333"
R = "eu-west-1"
HERE = (R,)
Facts = tuple[Fact, ...]

GOOD: Mapping[type, Any] = {
    Cluster: Cluster("arn:c", "c", R, "1.35", False, (), ("api", "audit", "authenticator"), True, True),
    IdentityPool: IdentityPool("arn:i", f"{R}:i", "i", R, False, "", False),
    Task: Task("arn:task", "task", R, False, (), (), (), (), ()),
    UserPool: UserPool("arn:p", "p", "p", R, "ON", 12, False, True, True),
}
"""A record of each kind in which everything is as it should be."""


def good(kind: type, /, **changes: Any) -> Any:
    """The good record of that kind, but for these fields."""
    return msgspec.structs.replace(GOOD[kind], **changes)


def fact(of: type[Fact], *records: Any) -> Fact:
    """A fact with these records, read in the region of the examples."""
    [listed] = [name for name in of.__struct_fields__ if name not in ("account", "regions")]
    made: Fact = of(**{"account": A, "regions": HERE, listed: records})
    return made


def pair(of: type[Fact], kind: type, /, **bad: Any) -> tuple[Facts, Facts]:
    """Facts with one record: once with these fields bad, and once as it should be."""
    return (fact(of, good(kind, **bad)),), (fact(of, good(kind)),)


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.cognito.classic-flow": pair(IdentityPools, IdentityPool, classic=True),
    "cloud.cognito.guests": pair(IdentityPools, IdentityPool, guests=True, role="arn:r"),
    "cloud.cognito.self-sign-up": pair(UserPools, UserPool, sign_up=True),
    "cloud.ecs.host-files": pair(Tasks, Task, mounts=("/",)),
    "cloud.ecs.host-namespaces": pair(Tasks, Task, shared=("processes",)),
    "cloud.eks.deletion-protection": pair(Clusters, Cluster, protected=False),
}
