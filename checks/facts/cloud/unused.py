"""What IAM Access Analyzer says that nobody uses."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class UnusedRight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user or role that holds rights it does not use, as an active finding of an analyzer says."""

    arn: str


class UnusedRights(Fact, frozen=True, forbid_unknown_fields=True):
    """The findings about unused rights of users and roles of this account.

    `analyzers` are the active analyzers that look for them; without one nothing is known of what is used.
    """

    account: str
    analyzers: tuple[str, ...]
    findings: tuple[UnusedRight, ...]
