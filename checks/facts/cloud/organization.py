"""The organization that an account belongs to, as far as the account itself can tell."""

from __future__ import annotations

from checks.facts.snapshot import Fact


class KnownAccounts(Fact, frozen=True, forbid_unknown_fields=True):
    """The accounts that belong together: all of the organization where they can be listed (`whole`).

    Always holds the account itself. `organization` is the id (`o-…`), empty where there is none or where
    it could not be read.
    """

    account: str
    accounts: tuple[str, ...]
    organization: str
    whole: bool
