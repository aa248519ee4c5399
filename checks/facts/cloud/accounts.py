"""Whom AWS writes to about the account."""

from __future__ import annotations

from checks.facts.snapshot import Fact


class AccountContacts(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether there is a contact for security matters; never the address itself."""

    account: str
    security: bool
