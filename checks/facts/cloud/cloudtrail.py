"""Trails: the record of who did what in the account."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Trail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trail; `region` is its home. `key` is empty where no customer key encrypts the log files."""

    arn: str
    name: str
    region: str
    every_region: bool
    organisation: bool
    validation: bool
    bucket: str
    key: str


class Trails(Fact, frozen=True, forbid_unknown_fields=True):
    """The trails that apply to the account; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    trails: tuple[Trail, ...]


class TrailState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a trail records now, and the error of its last delivery, if any."""

    arn: str
    region: str
    logging: bool
    delivery_error: str


class TrailStates(Fact, frozen=True, forbid_unknown_fields=True):
    """What GetTrailStatus says of each trail."""

    account: str
    states: tuple[TrailState, ...]


class TrailEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which management events a trail records: reads, writes, both or none."""

    arn: str
    region: str
    reads: bool
    writes: bool


class TrailSelectors(Fact, frozen=True, forbid_unknown_fields=True):
    """What the event selectors of each trail choose."""

    account: str
    events: tuple[TrailEvents, ...]
