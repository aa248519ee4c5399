"""What a collector declares (its calls), and what it works with (a place in the account)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from checks.facts.snapshot import EXCERPT_LIMIT, Absence, Fact, Gap, Source, source
from scanner.collect.cloud.fields import Raw, UnreadableError, items
from scanner.collect.cloud.parallel import run_all
from scanner.collect.collector import Collected, CollectError, Context, Permission
from scanner.transport.aws import Aws, ForbiddenCall, Identity
from scanner.transport.aws_errors import Because, Refused

DETAIL_WORKERS = 8
"""Calls about single resources that one collector has under way at once."""

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Call:
    """One API operation: the facts that it decides, and the IAM action where its name differs.

    `key` is where the answer keeps its list, `page` how many items are asked for at a time.
    """

    service: str
    operation: str
    facts: tuple[type[Fact], ...]
    action: str = ""
    key: str = ""
    page: int = 0

    @property
    def iam(self) -> str:
        """The IAM action that allows it."""
        return self.action or f"{self.service}:{self.operation}"

    @property
    def label(self) -> str:
        """`ec2 DescribeVpcs`."""
        return f"{self.service} {self.operation}"


class NotRead(Exception):  # noqa: N818 - an answer to live with, not a mistake
    """A call of a collector gave nothing."""

    def __init__(self, call: Call, refused: Refused) -> None:
        super().__init__(refused.reason)
        self.call = call
        self.refused = refused


@dataclass(frozen=True)
class Place:
    """One region of one account, as a collector works with it: it asks, and says what it found."""

    aws: Aws
    identity: Identity
    region: str
    regions: tuple[str, ...]
    limited: bool
    """Whether somebody chose the regions, so that others are none of our business."""
    wanted: frozenset[type[Fact]]
    context: Context = field(default_factory=Context)

    @property
    def account(self) -> str:
        """The id of the account."""
        return self.identity.account

    def wants(self, call: Call) -> bool:
        """Whether the call decides a fact that is wanted."""
        return not self.wanted.isdisjoint(call.facts)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:{self.identity.partition}:{service}:{self.region}:{self.account}:{resource}"

    def one(self, call: Call, region: str = "", **parameters: object) -> Raw:
        """The answer to one call.

        Raises:
            NotRead: it gave nothing.

        """
        try:
            return self.aws.call(call.service, region or self.region, call.operation, **parameters)
        except Refused as refused:
            raise NotRead(call, refused) from None

    def pages(self, call: Call, **parameters: object) -> Sequence[Raw]:
        """All pages of one call.

        Raises:
            NotRead: one of them gave nothing, and so the others count for nothing.

        """
        if call.page:
            parameters["PaginationConfig"] = {"PageSize": call.page}
        try:
            return self.aws.pages(call.service, self.region, call.operation, **parameters)
        except Refused as refused:
            raise NotRead(call, refused) from None

    def all_of(self, call: Call, **parameters: object) -> Sequence[Raw]:
        """The items of all pages of one call.

        Raises:
            NotRead: as `pages`, and for a page without the list.

        """
        try:
            return [item for page in self.pages(call, **parameters) for item in items(page, call.key)]
        except UnreadableError as error:
            raise NotRead(call, Refused(Because.UNREADABLE, str(error))) from None

    def read(
        self, raw: Iterable[Raw], call: Call, name: str, make: Callable[[Raw], T]
    ) -> tuple[tuple[T, ...], Collected]:
        """A record of each item, sorted; an item that cannot be understood is a gap of its own.

        `name` is the field that names the item.
        """
        found: list[tuple[str, T]] = []
        lost = Collected()
        for item in raw:
            known = str(item.get(name, "?"))
            try:
                found.append((known, make(item)))
            except UnreadableError as error:
                lost += self.lost(call, Refused(Because.UNREADABLE, str(error)), self.where(known))
        return tuple(record for _, record in sorted(found, key=lambda pair: pair[0])), lost

    def where(self, resource: str) -> str:
        """How gaps name a resource of this region."""
        return f"{self.region}/{resource}"

    def each(self, things: Sequence[tuple[str, Call, Callable[[], Collected]]]) -> Collected:
        """All of these read side by side: where the thing is, its call, and how to read it."""
        outcomes = run_all(
            [read for _, _, read in things],
            workers=DETAIL_WORKERS,
            until=time.monotonic() + max(0.0, self.aws.seconds_left),
            stop=self.context.cancelled.is_set,
        )
        self.context.check()
        whole = Collected()
        for (where, call, _), outcome in zip(things, outcomes, strict=True):
            whole += outcome.value or Collected()
            if isinstance(outcome.error, CollectError | ForbiddenCall):
                raise outcome.error
            if isinstance(outcome.error, NotRead):
                whole += self.lost(outcome.error.call, outcome.error.refused, where)
            elif isinstance(outcome.error, UnreadableError):
                whole += self.lost(call, Refused(Because.UNREADABLE, str(outcome.error)), where)
            elif outcome.error is not None:
                raise outcome.error
            elif not outcome.ended:
                whole += self.lost(call, Refused(Because.TIME, "no answer within the time budget"), where)
        return whole

    def lost(self, call: Call, refused: Refused, where: str) -> Collected:
        """What a call that gave nothing hides: a gap on each fact that it decides."""
        names = [fact.__name__ for fact in call.facts if fact in self.wanted]
        reason = f"{call.label}: {refused.reason}"
        if refused.because is Because.NOT_SUBSCRIBED:
            return Collected(absences=tuple(Absence(name, reason, where) for name in names))
        needs = call.iam if refused.because is Because.DENIED else ""
        return Collected(gaps=tuple(Gap(name, reason, where, needs) for name in names))

    def absent(self, fact: type[Fact], reason: str) -> Collected:
        """That the account has nothing of the kind, with the reason."""
        return (
            Collected(absences=(Absence(fact.__name__, reason, ""),)) if fact in self.wanted else Collected()
        )

    def found(
        self,
        fact: Fact,
        call: Call,
        records: Sequence[msgspec.Struct] = (),
        *,
        where: str | None = None,
        names: Sequence[str] = (),
    ) -> Collected:
        """A fact with its source: the call, and one line of JSON per record.

        Where the lines are too many for one source, and `names` names the records, each is its own.
        """
        if type(fact) not in self.wanted:
            return Collected()
        place = self.region if where is None else where
        how = f"{call.label} ({place or self.region})"
        at = self.context.now()
        lines = [msgspec.json.encode(one).decode() for one in records or (fact,)]
        answer = "\n".join(lines)
        sources: tuple[Source, ...] = (source(type(fact), how, at, answer, place),)
        if len(answer) > EXCERPT_LIMIT and len(names) == len(lines):
            pairs = zip(names, lines, strict=True)
            sources = tuple(source(type(fact), how, at, line, name) for name, line in pairs)
        return Collected(facts=(fact,), sources=sources)


@dataclass(frozen=True, slots=True)
class Collector:
    """Fills facts from one service; `regional` ones run once per region, others once per account."""

    name: str
    regional: bool
    calls: tuple[Call, ...]
    run: Callable[[Place], Collected]

    @property
    def facts(self) -> frozenset[type[Fact]]:
        """The facts that it fills."""
        return frozenset(fact for call in self.calls for fact in call.facts)


def permissions_of(calls: Iterable[Call], wanted: frozenset[type[Fact]]) -> tuple[Permission, ...]:
    """The IAM actions behind the wanted facts, sorted by name."""
    serves: dict[str, set[str]] = {}
    for call in calls:
        names = {fact.__name__ for fact in call.facts if fact in wanted}
        if names:
            serves.setdefault(call.iam, set()).update(names)
    return tuple(Permission("iam", name, tuple(sorted(serves[name]))) for name in sorted(serves))
