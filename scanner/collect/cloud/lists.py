"""Collectors of lists: one record for each item, and what only a call of its own says about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from checks.facts.cloud.policy import Policy
from checks.facts.cloud.resource_policies import ResourcePolicy
from checks.facts.snapshot import Fact
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, items, text
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

MAX_LISTS = 1000


def listing(
    name: str,
    call: Call,
    make: Callable[[Place, Raw], msgspec.Struct],
    *,
    regional: bool = True,
    asked: Mapping[str, object] | None = None,
    also: Callable[[Place, Sequence[Any]], Collected] | None = None,
    tokens: bool = False,
    named: str = "",
    calls: tuple[Call, ...] = (),
) -> Collector:
    """A collector of one list: a record for each item, in the first fact of the call.

    `make` reads one item, `named` is the field that names it in a gap, `asked` what goes with the call.
    `also` reads more about the records, with these other `calls`; `tokens` is for a list whose pages the
    SDK does not turn.
    """
    fact = call.facts[0]

    def run(place: Place) -> Collected:
        raw = (by_token if tokens else Place.all_of)(place, call, **(asked or {}))
        own = Call(call.service, call.operation, (fact,), call.action)
        found, lost = place.read(raw, own, named or "?", partial(make, place))
        return lost + whole(place, call, fact, found) + (also(place, found) if also else Collected())

    return Collector(name, regional, (call, *calls), run)


def by_token(place: Place, call: Call, **asked: object) -> Sequence[Raw]:
    """All items of a list whose pages the SDK does not turn by itself.

    Raises:
        NotRead: one of the pages gave nothing, or they do not end.

    """
    found: list[Raw] = []
    more: Mapping[str, object] = {}
    for _ in range(MAX_LISTS):
        page = place.one(call, "", **asked, **more)
        try:
            found += items(page, call.key)
            token = text(page, "NextToken", "")
        except UnreadableError as error:
            raise NotRead(call, Refused(Because.UNREADABLE, str(error))) from None
        if not token:
            return found
        more = {"NextToken": token}
    raise NotRead(call, Refused(Because.UNREADABLE, "the list goes on and on"))


def whole(place: Place, call: Call, fact: type[Fact], found: Sequence[Any]) -> Collected:
    """The fact with these records, all that there are in the place, each with its source."""
    fields = fact.__struct_fields__
    regions = {"regions": (place.region,)} if "regions" in fields else {}
    listed = next(name for name in fields if name not in ("account", "regions"))
    made = fact(**{"account": place.account, **regions, listed: tuple(found)})
    return place.found(made, call, found, names=[_name(one) for one in found])


def details(
    place: Place,
    call: Call,
    things: Sequence[Any],
    make: Callable[[Place, Any], msgspec.Struct | None],
) -> Collected:
    """One record for each thing, each by a call of its own, side by side; nothing where nobody wants it."""
    if not place.wants(call):
        return Collected()
    fact = call.facts[0]
    listed = next(name for name in fact.__struct_fields__ if name not in ("account", "regions"))
    empty = _made(place, fact, listed, ())

    def read(thing: Any) -> Collected:
        record = make(place, thing)
        if record is None:
            return Collected()
        return place.found(_made(place, fact, listed, (record,)), call, (record,), where=_name(thing))

    jobs = [(place.where(_name(one)), call, partial(read, one)) for one in things]
    return Collected(facts=(empty,)) + place.each(jobs)


def _made(place: Place, fact: type[Fact], listed: str, records: tuple[Any, ...]) -> Fact:
    regions = {"regions": (place.region,)} if "regions" in fact.__struct_fields__ else {}
    return fact(**{"account": place.account, **regions, listed: records})


def _name(record: Any) -> str:
    return str(getattr(record, "arn", "") or getattr(record, "id", "") or getattr(record, "name", ""))


def stated(place: Place, call: Call, fact: type[Fact], thing: Any, written: str) -> Collected:
    """The policy of a thing that came with its other settings; one that cannot be read hides only itself."""
    try:
        policy = parse(written) if written else Policy()
    except UnreadableError as error:
        own = Call(call.service, call.operation, (fact,), call.action)
        return place.lost(own, Refused(Because.UNREADABLE, str(error)), place.where(thing.arn))
    record = ResourcePolicy(thing.arn, thing.name, place.region, policy)
    return place.found(
        _made(place, fact, "policies", (record,)), call, policy.statements or (record,), where=thing.arn
    )


def policy_of(
    place: Place, call: Call, thing: Any, absent: tuple[str, ...], field: str, **asked: str
) -> ResourcePolicy:
    """The policy that a call gives as text, empty where AWS answers that there is none."""
    try:
        written = place.one(call, "", **asked).get(field)
    except NotRead as error:
        if error.refused.code not in absent:
            raise
        written = None
    if written is not None and not isinstance(written, str | Mapping):
        raise UnreadableError("the policy is no text")
    policy = parse(written) if written else Policy()
    name = str(getattr(thing, "name", "") or thing.id)
    return ResourcePolicy(thing.arn, name, place.region, policy)
