"""Ways from a user or role to an administrator: each step is a right that somebody has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from checks.cloud.rights import Principal, administrator, principals
from checks.cloud.steps import Step, World, into, on_itself, writers
from checks.facts.cloud.iam import IamPolicies, IamRoles, IamUsers
from checks.facts.cloud.policy import Policy


@dataclass(frozen=True, slots=True)
class Way:
    """The shortest way of one user or role to an administrator."""

    who: Principal
    steps: tuple[Step, ...]

    @property
    def words(self) -> str:
        """`user/alice → passes role/admin to lambda`."""
        return " → ".join((self.who.name, *(one.words for one in self.steps)))


def ways(policies: IamPolicies, users: IamUsers, roles: IamRoles) -> tuple[Way, ...]:
    """The shortest way of each user and role that is no administrator but can become one."""
    return ways_of(principals(policies, users, roles), policies, roles)


def ways_of(everybody: tuple[Principal, ...], policies: IamPolicies, roles: IamRoles) -> tuple[Way, ...]:
    """The same for users and roles that are known already."""
    world = _world(everybody, policies, roles)
    found: dict[str, tuple[Step, ...]] = {}
    for who in everybody:
        if who.arn not in world.admins and (step := next(on_itself(world, who), None)):
            found[who.arn] = (step,)
    # From the administrators backwards, one step further each time: the first way found is a shortest one.
    reached = [*found, *_further(world, world.admins, found)]
    reached = [*_further(world, reached, found), *_by_writing(world, found)]
    while reached:
        reached = _further(world, reached, found)
    return tuple(Way(one, found[one.arn]) for one in everybody if one.arn in found)


def _further(world: World, targets: Iterable[str], found: dict[str, tuple[Step, ...]]) -> list[str]:
    """Those who get into one of the targets and had no way before."""
    fresh = []
    for target in sorted(targets):
        for who, step in into(world, target, found):
            if who.arn not in found and who.arn not in world.admins:
                found[who.arn] = (step, *found.get(target, ()))
                fresh.append(who.arn)
    return fresh


def _by_writing(world: World, found: dict[str, tuple[Step, ...]]) -> list[str]:
    """Those who give every right to somebody whom they get into."""
    fresh = []
    for arn, target in world.all.items():
        if arn in world.admins or arn in found:
            continue
        known = writers(world, target, found)
        for who, step in into(world, arn, found) if known else ():
            if who.arn in known and who.arn not in found:
                found[who.arn] = (known[who.arn], step)
                fresh.append(who.arn)
    return fresh


def _world(everybody: tuple[Principal, ...], policies: IamPolicies, roles: IamRoles) -> World:
    groups: dict[str, list[tuple[str, Policy]]] = {}
    for one in policies.policies:
        for holder in one.holders:
            if holder.name.startswith("group/"):
                groups.setdefault(holder.arn, []).append((one.name, one.policy))
    return World(
        account=policies.account,
        all={one.arn: one for one in everybody},
        roles={one.arn: one for one in roles.roles if not one.linked},
        admins=frozenset(one.arn for one in everybody if administrator(one)),
        groups={arn.rpartition("/")[2]: arn for arn in groups},
        admin_groups=tuple(
            sorted(arn for arn, own in groups.items() if administrator(Principal(arn, "", tuple(own), None)))
        ),
    )
