"""Collects whether the account has a contact for security."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.accounts import AccountContacts
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import group, text
from scanner.collect.collector import Collected

CONTACT = Call("account", "GetAlternateContact", (AccountContacts,))


def contacts(place: Place) -> Collected:
    """The contact for security."""
    try:
        told = group(place.one(CONTACT, AlternateContactType="SECURITY"), "AlternateContact")
        there = bool(text(told, "EmailAddress", ""))
    except NotRead as error:
        if error.refused.code != "ResourceNotFoundException":
            raise
        there = False
    return place.found(AccountContacts(place.account, there), CONTACT, where="")


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("account contacts", False, (CONTACT,), contacts)
