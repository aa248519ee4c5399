"""How buckets keep what is in them."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class BucketVersions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a bucket keeps older versions, and whether deleting them takes a second factor."""

    arn: str
    name: str
    region: str
    kept: bool
    mfa: bool


class BucketVersioning(Fact, frozen=True, forbid_unknown_fields=True):
    """The versioning of the buckets."""

    account: str
    versions: tuple[BucketVersions, ...]


class BucketLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where requests to a bucket are recorded; empty for nowhere."""

    arn: str
    name: str
    region: str
    target: str


class BucketLogs(Fact, frozen=True, forbid_unknown_fields=True):
    """The access logs of the buckets."""

    account: str
    logs: tuple[BucketLog, ...]
