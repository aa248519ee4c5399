"""Domains that are registered through Route 53."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Domain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A domain: until when it is paid for, whether that goes on by itself, and whether it can be moved."""

    name: str
    ends: str
    renews: bool
    locked: bool


class RegisteredDomains(Fact, frozen=True, forbid_unknown_fields=True):
    """All domains that the account has registered."""

    account: str
    domains: tuple[Domain, ...]


class DomainContact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A domain and which of its contacts everybody can look up, never who they are."""

    name: str
    shown: tuple[str, ...]


class DomainContacts(Fact, frozen=True, forbid_unknown_fields=True):
    """What the public register tells of the people behind each domain."""

    account: str
    domains: tuple[DomainContact, ...]
