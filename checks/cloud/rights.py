"""What identity policies allow a user or role: allows, denials, boundaries, and the groups behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from checks.cloud.narrowing import Asker, open_to, others, services, shuts_out
from checks.facts.cloud.iam import IamPolicies, IamRoles, IamUsers
from checks.facts.cloud.policy import Policy, Statement, matches

EVERYTHING = "*"
ANY_SERVICE = "any-service.amazonaws.com"
"""A service that no policy names: who may pass a role to it may pass it to every one."""
_USERNAME = "${aws:username}"


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A policy with its name; remembers which statements are about which action."""

    name: str
    policy: Policy
    _known: dict[str, tuple[Statement, ...]] = field(default_factory=dict)
    _patterns: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for at, one in enumerate(self.policy.statements):
            for written in one.actions:
                pattern = written.lower()
                service = pattern.partition(":")[0]
                loose = "*" in service or "?" in service
                self._patterns.setdefault("" if loose else service, []).append((at, pattern))

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements about an action, which is written small."""
        if action not in self._known:
            self._known[action] = self._find(action)
        return self._known[action]

    def _find(self, action: str) -> tuple[Statement, ...]:
        named = (*self._patterns.get("", ()), *self._patterns.get(action.partition(":")[0], ()))
        hit: set[int] = set()
        for at, pattern in named:
            if at not in hit and matches(pattern, action):
                hit.add(at)
        for at, one in enumerate(self.policy.statements):
            if one.not_actions and not any(matches(name.lower(), action) for name in one.not_actions):
                hit.add(at)
        return tuple(self.policy.statements[at] for at in sorted(hit))


@dataclass(frozen=True, slots=True, eq=False)
class Principal:
    """A user or role (`user/alice`) with the policies that it holds, itself or by its groups.

    `bounds` is its permissions boundary: None for none; `boundary` its ARN. `managed` are the
    ARNs of the policies of the account among those that it holds. `whole` is False where one of its
    policies could not be read.
    """

    arn: str
    name: str
    policies: tuple[tuple[str, Policy], ...]
    bounds: Policy | None
    managed: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()
    whole: bool = True
    boundary: str = ""
    documents: tuple[Document, ...] = ()
    limit: Document | None = None
    _granted: dict[str, tuple[Grant, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.documents) != len(self.policies):
            own = tuple(Document(name, policy) for name, policy in self.policies)
            object.__setattr__(self, "documents", own)
        if self.bounds is not None and self.limit is None:
            object.__setattr__(self, "limit", Document("", self.bounds))

    @property
    def asker(self) -> Asker:
        """Who asks when it asks."""
        parts = self.arn.split(":")
        kind, _, short = self.name.partition("/")
        return Asker(self.arn, parts[4] if len(parts) > 4 else "", short if kind == "user" else "")

    def may(self, action: str) -> tuple[Grant, ...]:
        """What allows it the action, remembered."""
        if action not in self._granted:
            self._granted[action] = _grants(self, action.lower())
        return self._granted[action]

    def denied(self, action: str, arn: str) -> bool:
        """Whether the action on this resource is denied to it for certain, whoever else allows it."""
        held = (*self.documents, *([self.limit] if self.limit else ()))
        if any(_hit(one, arn, "") for one in _denials(held, action.lower(), self.asker)):
            return True
        # A boundary limits what others give to a role, but not what they give to a user.
        return (
            self.limit is not None
            and self.name.startswith("role/")
            and not any(_hit(one, arn, "") for one in _allowances(self.limit, action.lower(), self.asker))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """What allows an action: the policy's name, its statement, and what is taken away from it again."""

    policy: str
    statement: Statement
    denials: tuple[Statement, ...] = ()
    limits: tuple[Statement, ...] | None = None
    user: str = ""

    def on(self, arn: str, service: str = ANY_SERVICE) -> bool:
        """Whether it covers this resource; a role is passed to this service.

        A pattern is covered where all that it stands for is, so that `*` asks for every resource.
        """
        if not _hit(self.statement, arn, self.user) or not services(self.statement.conditions, service):
            return False
        if self.limits is not None and not any(
            _hit(one, arn, self.user) and services(one.conditions, service) for one in self.limits
        ):
            return False
        return not any(
            _hit(one, arn, self.user) and services(one.conditions, service) for one in self.denials
        )

    @property
    def patterns(self) -> tuple[str, ...]:
        """Texts of which one matches each resource that it covers; what matches need not be covered."""
        if not self.statement.resources or any("${" in one for one in self.statement.resources):
            return (EVERYTHING,)
        return self.statement.resources


def grants(who: Principal, action: str) -> tuple[Grant, ...]:
    """What allows the action for certain, also to whoever has stolen the credentials.

    An allowance counts when its conditions stop nobody (or only say which service a role is passed to), a
    denial when its conditions hold wherever the credentials are used.
    """
    return who.may(action)


def _grants(who: Principal, action: str) -> tuple[Grant, ...]:
    asker = who.asker
    limits = None
    if who.limit is not None:
        limits = _allowances(who.limit, action, asker)
        if not limits:
            return ()
    allowed = [(d.name, one) for d in who.documents for one in _allowances(d, action, asker)]
    if not allowed:
        return ()
    held = (*who.documents, *([who.limit] if who.limit else ()))
    denials = _denials(held, action, asker)
    return tuple(
        Grant(name, one, denials, limits, asker.user) for name, one in allowed if not _void(one, denials)
    )


def _allowances(document: Document, action: str, who: Asker) -> tuple[Statement, ...]:
    return tuple(
        one
        for one in document.about(action)
        if one.allow and all(open_to(c, who) for c in others(one.conditions))
    )


def _denials(documents: Iterable[Document], action: str, who: Asker) -> tuple[Statement, ...]:
    return tuple(
        one
        for document in documents
        for one in document.about(action)
        if not one.allow and all(shuts_out(c, who) for c in others(one.conditions))
    )


def _void(allowed: Statement, denials: Sequence[Statement]) -> bool:
    """Whether denials that hold for every service leave nothing of it."""
    wanted = allowed.resources or (EVERYTHING,)
    always = [one for one in denials if len(others(one.conditions)) == len(one.conditions)]
    return all(any(_takes(one, pattern) for one in always) for pattern in wanted)


def _takes(denial: Statement, pattern: str) -> bool:
    """Whether a denial leaves nothing of what the pattern stands for."""
    if denial.resources:
        return any(matches(one, pattern) for one in denial.resources)
    return bool(denial.not_resources) and not any(
        matches(one, pattern) or matches(pattern, one) for one in denial.not_resources
    )


def _hit(statement: Statement, arn: str, user: str) -> bool:
    if statement.resources:
        return any(matches(_filled(one, user), arn) for one in statement.resources)
    # All but a few is all, unless it is one of the few that is asked for.
    return bool(statement.not_resources) and not any(
        matches(_filled(one, user), arn) for one in statement.not_resources
    )


def _filled(pattern: str, user: str) -> str:
    return pattern.replace(_USERNAME, user) if user and "${" in pattern else pattern


def principals(policies: IamPolicies, users: IamUsers, roles: IamRoles) -> tuple[Principal, ...]:
    """All users and roles but those of AWS's own services, in the order of their ARNs."""
    documents = {one.arn: Document(one.name, one.policy) for one in policies.policies}
    held: dict[str, list[str]] = {}
    managed: dict[str, set[str]] = {}
    # By name, so that two policies with one right tell the same story in every scan.
    for one in sorted(policies.policies, key=lambda one: one.arn):
        for holder in one.holders:
            held.setdefault(holder.name, []).append(one.arn)
            if one.made_by == "account":
                managed.setdefault(holder.name, set()).add(one.arn)
    unread = frozenset(policies.unread)

    def made(arn: str, names: Sequence[str], boundary: str, groups: tuple[str, ...]) -> Principal:
        own = tuple(documents[one] for name in names for one in held.get(name, ()))
        limit = documents.get(boundary, Document("", Policy())) if boundary else None
        return Principal(
            arn,
            names[0],
            tuple((one.name, one.policy) for one in own),
            limit.policy if limit else None,
            frozenset(one for name in names for one in managed.get(name, ())),
            groups,
            unread.isdisjoint(names) and (not boundary or boundary in documents),
            boundary,
            own,
            limit,
        )

    people = [
        made(
            one.arn,
            [f"user/{one.name}", *(f"group/{group}" for group in sorted(one.groups))],
            one.boundary,
            tuple(sorted(one.groups)),
        )
        for one in users.users
    ]
    machines = [
        made(one.arn, [f"role/{one.name}"], one.boundary, ()) for one in roles.roles if not one.linked
    ]
    return tuple(sorted((*people, *machines), key=lambda one: one.arn))


def administrator(who: Principal) -> bool:
    """Whether it may do everything that decides: any action on any resource, and make users.

    What it may not do for certain (a denial, a boundary) makes it none.
    """
    return all(
        any(grant.on(EVERYTHING) for grant in grants(who, action))
        for action in ("any:thing", "iam:createuser", "iam:attachuserpolicy", "sts:assumerole")
    ) or any(grant.on(EVERYTHING) for grant in grants(who, "iam:anything-at-all"))
