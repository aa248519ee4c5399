"""The single steps by which a user or role gets more rights, and who can take them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from checks.cloud.narrowing import passes, shuts_out, trusts
from checks.cloud.rights import ANY_SERVICE, EVERYTHING, Document, Grant, Principal, administrator, grants
from checks.cloud.services import SERVICES, Service
from checks.facts.cloud.iam import IamRole
from checks.facts.cloud.policy import Statement, matches

_ASSUME = "sts:AssumeRole"
_TRUST = "iam:UpdateAssumeRolePolicy"
_PASS = "iam:PassRole"
_JOIN = "iam:AddUserToGroup"
_VERSION = "iam:CreatePolicyVersion"
_WRITE = {
    "user": (("iam:AttachUserPolicy", "attaches a policy to"), ("iam:PutUserPolicy", "writes a policy for")),
    "role": (("iam:AttachRolePolicy", "attaches a policy to"), ("iam:PutRolePolicy", "writes a policy for")),
    "group": (
        ("iam:AttachGroupPolicy", "attaches a policy to"),
        ("iam:PutGroupPolicy", "writes a policy for"),
    ),
}
"""Calls that give a user, role or group every right."""
_WILD = re.compile(r"[*?]")
_OF_USERS = (
    ("iam:CreateAccessKey", "makes an access key of"),
    ("iam:CreateLoginProfile", "gives a console password to"),
    ("iam:UpdateLoginProfile", "sets the console password of"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is done with which resource by which call, and the policy that lets it."""

    words: str
    action: str
    policy: str
    on: str = EVERYTHING


class Holders:
    """Those who may do one action, found by what they may do it to.

    A pattern is looked up by what it begins with, so that as many as there are cost next to nothing.
    """

    def __init__(self, action: str, some: Iterable[Principal]) -> None:
        self.action = action
        self._starts: dict[str, dict[str, list[tuple[Principal, Grant]]]] = {}
        for who in some:
            for grant in grants(who, action):
                for pattern in dict.fromkeys(grant.patterns):
                    start = _WILD.split(pattern, maxsplit=1)[0]
                    self._starts.setdefault(start, {}).setdefault(pattern, []).append((who, grant))
        self._lengths = sorted({len(start) for start in self._starts})

    def on(
        self, arn: str, service: str = ANY_SERVICE, done: Collection[str] = ()
    ) -> Iterator[tuple[Principal, Grant]]:
        """Who may do it to this resource; those who are `done` are left out, and never asked about again."""
        for length in self._lengths:
            known = self._starts.get(arn[:length], {}) if length <= len(arn) else {}
            for pattern in [one for one in known if matches(one, arn)]:
                known[pattern] = [pair for pair in known[pattern] if pair[0].arn not in done]
                yield from ((who, grant) for who, grant in known[pattern] if grant.on(arn, service))


@dataclass(slots=True)
class World:
    """The account, looked up by name."""

    account: str
    all: dict[str, Principal]
    roles: dict[str, IamRole]
    admins: frozenset[str]
    groups: dict[str, str]
    admin_groups: tuple[str, ...]
    holders: dict[str, Holders] = field(default_factory=dict)
    trusted: dict[str, tuple[Statement, ...]] = field(default_factory=dict)

    def who_may(self, action: str) -> Holders:
        """Those who may do it, but for administrators."""
        if action not in self.holders:
            some = [one for arn, one in self.all.items() if arn not in self.admins]
            self.holders[action] = Holders(action, some)
        return self.holders[action]

    def trust(self, role: IamRole) -> tuple[Statement, ...]:
        """The statements of its trust that are about taking it on."""
        if role.arn not in self.trusted:
            self.trusted[role.arn] = Document("", role.trust).about(_ASSUME.lower())
        return self.trusted[role.arn]


def _bounded(target: Principal, who: Principal) -> bool:
    """Whether a boundary that `who` cannot move keeps the target from having every right."""
    if target.bounds is None or administrator(
        Principal(target.arn, target.name, (("", target.bounds),), None)
    ):
        return False
    kind = target.name.partition("/")[0].title()
    moves = (
        (f"iam:Delete{kind}PermissionsBoundary", target.arn),
        (f"iam:Put{kind}PermissionsBoundary", target.arn),
        (_VERSION, target.boundary),
    )
    return not any(grant.on(arn) for action, arn in moves for grant in grants(who, action))


def on_itself(world: World, who: Principal) -> Iterator[Step]:
    """Steps to every right at once: the user or role changes what it may do."""
    if _bounded(who, who):
        return
    kind = who.name.partition("/")[0]
    for grant in grants(who, _VERSION):
        for arn in sorted(who.managed):
            if grant.on(arn):
                name = arn.rpartition("/")[2]
                words = f"writes a new version of a policy that it holds ({name})"
                yield Step(words, _VERSION, grant.policy, arn)
    yield from _writes(who, _WRITE[kind], who.arn, "itself")
    for group in who.groups:
        # A group that holds no policy is in no list: it is taken to have no path.
        arn = world.groups.get(group, f"{who.arn.partition(':user/')[0]}:group/{group}")
        yield from _writes(who, _WRITE["group"], arn, f"its group {group}")
    for grant in grants(who, _JOIN) if kind == "user" else ():
        for arn in world.admin_groups:
            if grant.on(arn):
                yield Step(f"joins group/{arn.rpartition('/')[2]}", _JOIN, grant.policy, arn)


def _writes(who: Principal, calls: Iterable[tuple[str, str]], arn: str, name: str) -> Iterator[Step]:
    for action, words in calls:
        for grant in grants(who, action):
            if grant.on(arn):
                yield Step(f"{words} {name}", action, grant.policy, arn)


def writers(world: World, target: Principal, done: Collection[str]) -> dict[str, Step]:
    """Who can give the target every right, by ARN."""
    known: dict[str, Step] = {}
    for action, words in _WRITE[target.name.partition("/")[0]]:
        for who, grant in world.who_may(action).on(target.arn, done=done):
            if who.arn != target.arn and not _bounded(target, who):
                step = Step(f"{words} {target.name}", action, grant.policy, target.arn)
                known.setdefault(who.arn, step)
    return known


def into(world: World, target: str, done: Collection[str]) -> Iterator[tuple[Principal, Step]]:
    """Who gets the rights of the target in one step, but for administrators and those who are `done`."""
    role = world.roles.get(target)
    if role is None:
        for action, words in _OF_USERS:
            for who, grant in world.who_may(action).on(target, done=done):
                if who.arn != target:
                    name = world.all[target].name
                    yield who, Step(f"{words} {name}", action, grant.policy, target)
        return
    name = f"role/{role.name}"
    for who, policy in (*_by_trust(world, role, done), *_by_names(world, role)):
        yield who, Step(f"assumes {name}", _ASSUME, policy, target)
    for who, grant in world.who_may(_TRUST).on(target, done=done):
        if who.arn != target:
            yield who, Step(f"lets itself into {name}", _TRUST, grant.policy, target)
    for service in SERVICES:
        if _works_for(world, role, service):
            for who, grant in world.who_may(_PASS).on(target, service.principal, done):
                if who.arn != target and _starts(who, service, role):
                    yield who, Step(f"passes {name} to {service.name}", _PASS, grant.policy, target)


def _by_trust(world: World, role: IamRole, done: Collection[str]) -> Iterator[tuple[Principal, str]]:
    """Who may take on a role that leaves it to the account who may."""
    statements = world.trust(role)
    names = {f"AWS:{world.account}", f"AWS:{role.arn.partition(':role/')[0]}:root"}
    open_ones = [one for one in statements if one.allow and not names.isdisjoint(one.principals)]
    if not open_ones:
        return
    for who, grant in world.who_may(_ASSUME).on(role.arn, done=done):
        trusted = any(all(trusts(c, who.asker) for c in one.conditions) for one in open_ones)
        if who.arn != role.arn and trusted and not _turned_away(who, statements, names):
            yield who, grant.policy


def _by_names(world: World, role: IamRole) -> Iterator[tuple[Principal, str]]:
    """Who may take on a role because its trust names them; no right of their own is needed."""
    statements = world.trust(role)
    names = {f"AWS:{world.account}", f"AWS:{role.arn.partition(':role/')[0]}:root"}
    for one in statements:
        if not one.allow:
            continue
        for name in one.principals:
            some = world.all.values() if name == "*" else [world.all.get(name.removeprefix("AWS:"))]
            for who in some:
                if (
                    who is None
                    or who.arn == role.arn
                    or not all(trusts(c, who.asker) for c in one.conditions)
                ):
                    continue
                if not who.denied(_ASSUME, role.arn) and not _turned_away(who, statements, names):
                    yield who, "the trust of the role"


def _turned_away(who: Principal, statements: Iterable[Statement], account: Collection[str]) -> bool:
    """Whether a denial in the trust is about them."""
    return any(
        not one.allow
        and (not {"*", f"AWS:{who.arn}", *account}.isdisjoint(one.principals))
        and all(shuts_out(c, who.asker) for c in one.conditions)
        for one in statements
    )


def _works_for(world: World, role: IamRole, service: Service) -> bool:
    name = f"Service:{service.principal}"
    return any(
        one.allow
        and any(p.removesuffix(".cn") == name for p in one.principals)
        and all(passes(c, world.account) for c in one.conditions)
        for one in world.trust(role)
    )


def _starts(who: Principal, service: Service, role: IamRole) -> bool:
    """Whether they can have the service work with the role."""
    if service.profile and not role.profiles and not grants(who, "iam:AddRoleToInstanceProfile"):
        return False
    return any(all(grants(who, action) for action in needed) for needed in service.starts)
