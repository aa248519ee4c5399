"""Log groups of CloudWatch Logs, and the filters that count in them."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class LogGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log group; `days` that lines are kept (0: for ever), `key` its KMS key (empty: AWS's own)."""

    arn: str
    name: str
    region: str
    days: int
    key: str


class LogGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """All log groups."""

    account: str
    regions: tuple[str, ...]
    groups: tuple[LogGroup, ...]


class MetricFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A filter that counts the lines of a log group into metrics.

    A metric reads `namespace/name`, followed by the keys of its dimensions: `namespace/name by key`.
    """

    name: str
    region: str
    group: str
    pattern: str
    metrics: tuple[str, ...]


class MetricFilters(Fact, frozen=True, forbid_unknown_fields=True):
    """All metric filters; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    filters: tuple[MetricFilter, ...]
