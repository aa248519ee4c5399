"""Certificates in Certificate Manager."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class IssuedCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate: until when it is valid, its key, whether something uses it, whether AWS renews it."""

    arn: str
    name: str
    region: str
    status: str
    ends: str
    key: str
    used: bool
    renews: bool


class IssuedCertificates(Fact, frozen=True, forbid_unknown_fields=True):
    """All certificates."""

    account: str
    regions: tuple[str, ...]
    certificates: tuple[IssuedCertificate, ...]
