"""Secrets of Secrets Manager: never what they hold."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class StoredSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret. Times are RFC 3339, empty for never; `managed` if another service of AWS keeps it.

    `copy_of` is the region of the original where it is a copy, else empty.
    """

    arn: str
    name: str
    region: str
    rotates: bool
    managed: bool
    made: str
    changed: str
    used: str
    copy_of: str = ""


class StoredSecrets(Fact, frozen=True, forbid_unknown_fields=True):
    """All secrets that are not marked for deletion."""

    account: str
    regions: tuple[str, ...]
    secrets: tuple[StoredSecret, ...]
