"""What the store keeps of a scan: plain values, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from checks.catalogue import Plugin
from checks.model import Kind


class ScanState(StrEnum):
    """Where a scan stands."""

    RUNNING = "running"
    COLLECTED = "collected"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"


class JobState(StrEnum):
    """The ledger: every planned target ends in exactly one of the last four."""

    PLANNED = "planned"
    DISPATCHED = "dispatched"
    DONE = "done"
    ERROR = "error"
    NOT_SCANNED = "not-scanned"
    CANCELLED = "cancelled"


class ViewRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What another scanner saw, added to a scan: from where, under whose authority, and its chain head."""

    vantage: str
    scan: int
    organisation: str
    authorisation: str
    started: str
    finished: str
    version: str
    head: str
    digest: str


class ScanRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a scan was asked to do, with whose authority, and by which version.

    `words` and `options` are the command line, so that an interrupted scan can go on and an old one
    can be replayed. `scope_text` is the scope file as it was, `inventory_text` the list of approved machines;
    `compared_with` is the number of the scan before, with which this one is compared where there is no list.
    `views` are what other scanners saw and what was added to this scan.
    """

    organisation: str
    authorisation: str
    words: tuple[str, ...]
    options: Mapping[str, str]
    scope_file: str
    scope_text: str
    baselines: tuple[str, ...]
    version: str
    plugins: tuple[Plugin, ...] = ()
    limits: tuple[str, ...] = ()
    budget_hours: float = 40.0
    inventory_text: str = ""
    compared_with: int = 0
    views: tuple[ViewRecord, ...] = ()


class ScanRow(msgspec.Struct, frozen=True):
    """One scan as it stands in the store."""

    number: int
    started: str
    finished: str
    state: ScanState
    head: str
    record: ScanRecord


class JobRow(msgspec.Struct, frozen=True):
    """One planned target and what became of it."""

    id: int
    kind: Kind
    name: str
    spec: str
    state: JobState
    attempt: int
    failure: str
    reason: str
