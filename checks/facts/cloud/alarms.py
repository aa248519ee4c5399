"""Alarms of CloudWatch."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Alarm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alarm on a metric (`namespace/name`): whether it acts, and what it tells or starts.

    What composite alarms start when it is raised counts as its own. One that needs more than this alarm
    is among `actions` by its own ARN.
    `rises` says that it is raised by values above its threshold. `parts` are the metrics of which an
    alarm on an expression is made. Dimensions follow the name of a metric: `namespace/name by key`.
    `events` is how many ones of one period raise it (0: what it takes is not known), `periods` how many
    periods in a row have to be like that.
    """

    arn: str
    name: str
    region: str
    metric: str
    acts: bool
    actions: tuple[str, ...]
    rises: bool = True
    parts: tuple[str, ...] = ()
    events: int = 1
    periods: int = 1


class Alarms(Fact, frozen=True, forbid_unknown_fields=True):
    """All alarms on one metric; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    alarms: tuple[Alarm, ...]
