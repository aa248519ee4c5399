"""Documents and parameters of Systems Manager."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document of the account, and with whom it is shared (`all`, or accounts)."""

    arn: str
    name: str
    region: str
    shared: tuple[str, ...]


class Documents(Fact, frozen=True, forbid_unknown_fields=True):
    """The documents that the account owns."""

    account: str
    documents: tuple[Document, ...]


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter: `secure` if its value is encrypted, `suspect` if its name is that of a secret."""

    arn: str
    name: str
    region: str
    secure: bool
    suspect: bool


class Parameters(Fact, frozen=True, forbid_unknown_fields=True):
    """All parameters; never a value."""

    account: str
    regions: tuple[str, ...]
    parameters: tuple[Parameter, ...]


class ManagedInstance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A machine that Systems Manager manages; `online` if its agent has answered of late.

    `kind` is `EC2Instance`, or `ManagedInstance` for machines elsewhere.
    """

    id: str
    region: str
    kind: str
    online: bool
    seen: str


class ManagedInstances(Fact, frozen=True, forbid_unknown_fields=True):
    """All machines that Systems Manager manages; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    instances: tuple[ManagedInstance, ...]


class PatchState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the last look for patches on a machine found; `looked` is when that was.

    `critical` and `security` count patches of those kinds that it lacks, `missing` all that it lacks,
    `failed` those that could not be installed, and `waiting` those that wait for a restart.
    """

    id: str
    region: str
    looked: str
    critical: int
    security: int
    missing: int
    failed: int
    waiting: int


class PatchStates(Fact, frozen=True, forbid_unknown_fields=True):
    """What is known of the patches of managed machines; `regions` as for the machines."""

    account: str
    regions: tuple[str, ...]
    states: tuple[PatchState, ...]


class SessionLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a region records the sessions that people open on machines; empty texts for nowhere.

    `key` is the KMS key that sessions are encrypted under, beside TLS.
    """

    region: str
    bucket: str
    log_group: str
    key: str


class SessionLogs(Fact, frozen=True, forbid_unknown_fields=True):
    """The preferences of Session Manager in each region."""

    account: str
    settings: tuple[SessionLog, ...]


class DocumentShareBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a region refuses to share documents with everybody."""

    region: str
    blocked: bool


class DocumentShareBlocks(Fact, frozen=True, forbid_unknown_fields=True):
    """The block of public documents in each region."""

    account: str
    settings: tuple[DocumentShareBlock, ...]
