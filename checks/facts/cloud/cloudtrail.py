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
    """Whether a trail records now, and the errors of its last deliveries, if any.

    `delivery_error` is that of log files into the bucket, `log_error` that of lines into the log group.
    """

    arn: str
    region: str
    logging: bool
    delivery_error: str
    log_error: str = ""


class TrailStates(Fact, frozen=True, forbid_unknown_fields=True):
    """What GetTrailStatus says of each trail."""

    account: str
    states: tuple[TrailState, ...]


class TrailEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which management events a trail records: reads, writes, both or none.

    `without` are the services (`kms.amazonaws.com`) whose management events it leaves out.
    """

    arn: str
    region: str
    reads: bool
    writes: bool
    without: tuple[str, ...] = ()


class TrailSelectors(Fact, frozen=True, forbid_unknown_fields=True):
    """What the event selectors of each trail choose."""

    account: str
    events: tuple[TrailEvents, ...]


class TrailLogGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The log group that a trail also writes into; the ARN is empty where there is none."""

    arn: str
    region: str
    log_group: str


class TrailLogGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """The log groups of the trails."""

    account: str
    groups: tuple[TrailLogGroup, ...]


class TrailObjectEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which data events a trail records for all resources of a kind.

    `reads` and `writes` are those of the objects of all buckets, `functions` whether it records the calls
    of all functions.
    """

    arn: str
    region: str
    reads: bool
    writes: bool
    functions: bool = False


class TrailDataSelectors(Fact, frozen=True, forbid_unknown_fields=True):
    """What the event selectors of each trail choose of the data events."""

    account: str
    events: tuple[TrailObjectEvents, ...]


class TrailBucketLock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether new objects of a bucket cannot be deleted for a time, and by which mode.

    `mode` is `COMPLIANCE` or `GOVERNANCE`, empty where nothing is locked by default.
    """

    bucket: str
    mode: str
    days: int


class TrailBucketLocks(Fact, frozen=True, forbid_unknown_fields=True):
    """The object lock of each bucket that a trail writes into."""

    account: str
    locks: tuple[TrailBucketLock, ...]
