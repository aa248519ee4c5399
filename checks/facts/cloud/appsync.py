"""GraphQL APIs of AppSync."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class GraphApi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A GraphQL API: how callers show who they are, and what is recorded and told.

    `level` is what is logged of fields (`NONE`, `ERROR`, `ALL`, …), `NONE` also where nothing is. `verbose`
    says that headers and contents are logged too; `tells` that everybody may ask for its whole schema.
    """

    arn: str
    id: str
    name: str
    region: str
    sign_in: str
    private: bool
    level: str
    verbose: bool
    tells: bool
    firewall: bool


class GraphApis(Fact, frozen=True, forbid_unknown_fields=True):
    """All GraphQL APIs of the account."""

    account: str
    regions: tuple[str, ...]
    apis: tuple[GraphApi, ...]
