"""What the management account of an organization demands of all its accounts."""

from __future__ import annotations

from checks.facts.snapshot import Fact


class Guardrails(Fact, frozen=True, forbid_unknown_fields=True):
    """The organization as its management account sees it.

    `policies` are the names of its own service control policies that are attached to something, `loose` of
    those that are attached to nothing.
    """

    account: str
    organization: str
    all_features: bool
    policies: tuple[str, ...]
    loose: tuple[str, ...]


class CentralRoot(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether the credentials of root users of member accounts are managed centrally."""

    account: str
    organization: str
    managed: bool
