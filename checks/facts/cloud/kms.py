"""Encryption keys."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class KmsKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key. `manager` is AWS or CUSTOMER, `replica` True for the copy of a multi-region key."""

    arn: str
    id: str
    region: str
    manager: str
    spec: str
    origin: str
    state: str
    replica: bool

    @property
    def can_rotate(self) -> bool:
        """Whether AWS can rotate it by itself, and rotation is ours to switch on."""
        return (
            self.manager == "CUSTOMER"
            and self.spec == "SYMMETRIC_DEFAULT"
            and self.origin == "AWS_KMS"
            and self.state == "Enabled"
            and not self.replica
        )


class KmsKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """All keys that could be described."""

    account: str
    regions: tuple[str, ...]
    keys: tuple[KmsKey, ...]


class KeyRotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether AWS rotates a key by itself."""

    arn: str
    region: str
    on: bool


class KmsKeyRotation(Fact, frozen=True, forbid_unknown_fields=True):
    """The rotation of each customer key that can rotate."""

    account: str
    rotations: tuple[KeyRotation, ...]
