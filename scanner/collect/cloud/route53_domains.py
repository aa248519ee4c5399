"""Collects domains that are registered through Route 53, which answers in one region only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from checks.facts.cloud.route53_domains import Domain, DomainContact, DomainContacts, RegisteredDomains
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, text, time_or_never
from scanner.collect.collector import Collected

LIST = Call("route53domains", "ListDomains", (RegisteredDomains, DomainContacts), key="Domains", page=100)
DETAIL = Call("route53domains", "GetDomainDetail", (DomainContacts,))
_ONLY = "us-east-1"
_CONTACTS = (
    ("the holder", "RegistrantPrivacy"),
    ("administration", "AdminPrivacy"),
    ("technology", "TechPrivacy"),
)


def domains(place: Place) -> Collected:
    """The domains, and where it is wanted what everybody can look up about their contacts."""
    if place.identity.partition != "aws":
        reason = f"Route 53 registers no domains in {place.identity.partition}"
        return place.absent(RegisteredDomains, reason) + place.absent(DomainContacts, reason)
    there = replace(place, region=_ONLY)
    listed = there.all_of(LIST)
    found, lost = there.read(listed, LIST, "DomainName", _domain)
    fact = RegisteredDomains(place.account, found)
    whole = lost + there.found(fact, LIST, found, where="", names=[one.name for one in found])
    if not place.wants(DETAIL):
        return whole
    jobs = [(one.name, DETAIL, partial(_contact, there, one.name)) for one in found]
    return whole + there.each(jobs)


def _domain(raw: Raw) -> Domain:
    return Domain(
        name=text(raw, "DomainName"),
        ends=time_or_never(raw, "Expiry"),
        renews=flag(raw, "AutoRenew", False),
        locked=flag(raw, "TransferLock", False),
    )


def _contact(place: Place, name: str) -> Collected:
    answer = place.one(DETAIL, DomainName=name)
    shown = tuple(word for word, key in _CONTACTS if not flag(answer, key))
    record = DomainContact(name, shown)
    return place.found(DomainContacts(place.account, (record,)), DETAIL, (record,), where=name)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("route53 domains", False, (LIST, DETAIL), domains)
