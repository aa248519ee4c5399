"""Repositories of container images."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Repository(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A repository: `scans` what is pushed, `fixed` tags, `key` its KMS key (empty: AWS's own)."""

    arn: str
    name: str
    region: str
    scans: bool
    fixed: bool
    key: str


class Repositories(Fact, frozen=True, forbid_unknown_fields=True):
    """All private repositories."""

    account: str
    regions: tuple[str, ...]
    repositories: tuple[Repository, ...]


class Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the registry of a region scans by itself: name patterns, and whether all the time."""

    region: str
    enhanced: bool
    filters: tuple[str, ...]


class Registries(Fact, frozen=True, forbid_unknown_fields=True):
    """The registry of each region."""

    account: str
    registries: tuple[Registry, ...]
