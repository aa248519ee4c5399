"""DynamoDB tables and their backups."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table; `key` is its KMS key (empty: AWS's own), `protected` that it is not deleted by mistake."""

    arn: str
    name: str
    region: str
    key: str
    protected: bool


class Tables(Fact, frozen=True, forbid_unknown_fields=True):
    """All tables."""

    account: str
    regions: tuple[str, ...]
    tables: tuple[Table, ...]


class TableBackup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a table can be restored as it was at any second of the last weeks."""

    arn: str
    name: str
    region: str
    continuous: bool


class TableBackups(Fact, frozen=True, forbid_unknown_fields=True):
    """The continuous backups of the tables."""

    account: str
    backups: tuple[TableBackup, ...]
