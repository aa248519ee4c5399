"""The account itself: where it can have resources, and where it was looked at."""

from __future__ import annotations

from checks.facts.snapshot import Fact


class AccountRegions(Fact, frozen=True, forbid_unknown_fields=True):
    """The regions of the account: `looked` are those that were asked, `not_enabled` need an opt-in."""

    account: str
    partition: str
    looked: tuple[str, ...]
    not_enabled: tuple[str, ...]
