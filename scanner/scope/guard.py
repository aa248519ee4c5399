"""The last question before anything is sent: may this address be touched, and now?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import islice

from baselines.text import TextError
from scanner.addresses import Address, AddressSet, faces, literal, never_address, unwrap
from scanner.names import shown
from scanner.scope.windows import Times, in_words

MOST_ANSWERS = 64

Resolver = Callable[[str], Iterable[str]]
"""Gives the addresses of a host name as text; raises OSError where it cannot."""


class ScopeError(TextError):
    """Something is outside of the scope, or the scope is wrong. One line each, `refused` the single lines."""

    def __init__(self, message: str, refused: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be touched and when. An exclusion wins over everything.

    `until` is the last day (in UTC) of the authorisation. `open_names` are host names that a person
    named together with the authorisation for them: such a name may lead anywhere that is not barred.
    `zone` is that of the targets it is asked for, whose windows count. `passages` are addresses that are only
    passed through, to log in at a jump host.
    """

    allowed: AddressSet = field(default_factory=AddressSet)
    passages: AddressSet = field(default_factory=AddressSet)
    excluded: AddressSet = field(default_factory=AddressSet)
    excluded_names: frozenset[str] = frozenset()
    open_names: frozenset[str] = frozenset()
    times: Times = field(default_factory=Times)
    until: date | None = None
    zone: str = ""

    def allows_address(self, address: Address, name: str = "") -> bool:
        """Whether a packet may go there; `name` is the host name that led to the address."""
        return not self.why_not(address, name)

    def why_not(self, address: Address, name: str = "") -> str:
        """Why no packet may go there, or an empty text."""
        if self.bars(address, name):
            return "it is excluded"
        for face in faces(address):
            if reason := never_address(face):
                return f"it is never a target: {reason}"
        if unwrap(address) in self.allowed or name.lower() in self.open_names:
            return ""
        return "it is not in the scope"

    def of_jumps(self) -> Guard:
        """The guard for the hosts on the way: what may be scanned, and what may only be passed through."""
        return replace(self, allowed=self.allowed | self.passages)

    def bars(self, address: Address, name: str = "") -> bool:
        """Whether the address, or an address inside it, or the name is excluded."""
        return name.lower() in self.excluded_names or any(face in self.excluded for face in faces(address))

    def allows_now(self, moment: datetime) -> bool:
        """Whether scanning is allowed at this moment, which has a time zone."""
        return not self.expired(moment) and self.times.of(self.zone).open(moment)

    def of_zone(self, zone: str) -> Guard:
        """The guard for targets in a zone, which may have windows and blackouts of its own."""
        return replace(self, zone=zone)

    def expired(self, moment: datetime) -> bool:
        """Whether the authorisation has ended."""
        return self.until is not None and moment.astimezone(UTC).date() > self.until

    def next_opening(self, moment: datetime) -> str:
        """When scanning is allowed again, in words; empty where it is allowed now."""
        if self.allows_now(moment):
            return ""
        times = self.times.of(self.zone)
        opening = times.next_opening(moment)
        if self.until is not None and (self.expired(moment) or (opening and self.expired(opening))):
            return f"never: the authorisation ends on {self.until}; renew it in the scope file"
        if opening is None:
            return "not within the next eight days"
        zone = next((w.time_zone for w in times.windows if w.covers(opening)), "UTC")
        return in_words(opening, zone)


def resolve_host(name: str, resolver: Resolver, guard: Guard) -> tuple[Address, ...]:
    """The addresses of a host to which a connection may go, in the order of the resolver.

    The name is resolved once and every answer is checked; connect to an address from here, never to the
    name again. An answer that is excluded refuses the whole host; others outside the scope are left out.

    Raises:
        ScopeError: no address is left, with the mend.
        OSError: the resolver's own failure.

    """
    written = literal(name.removeprefix("[").removesuffix("]"))
    answers = [written] if written else _answers(resolver(name))
    if any(guard.bars(address, name) for address in answers):
        raise ScopeError(f"{shown(name)}: it is excluded, by its name or by an address that it leads to")
    good = tuple(address for address in answers if guard.allows_address(address, name))
    if good:
        return good
    if not answers:
        raise ScopeError(f"{shown(name)}: the name leads to no address")
    first = answers[0]
    mend = (
        f'; if it is yours, add leads_to: ["{first}"] to this host in the scope file' if not written else ""
    )
    raise ScopeError(f"{shown(name)}: {first}: {guard.why_not(first, name)}{mend}")


def _answers(texts: Iterable[str]) -> list[Address]:
    found = (literal(text) for text in islice(texts, MOST_ANSWERS))
    return list(dict.fromkeys(address for address in found if address is not None))
