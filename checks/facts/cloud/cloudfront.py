"""Distributions of CloudFront."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Distribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution: how visitors and origins are spoken to, and what stands in front.

    `plain` are paths that answer plain HTTP, `open_buckets` origins in S3 that are read without a signature.
    """

    arn: str
    id: str
    name: str
    plain: tuple[str, ...]
    tls: str
    own_name: bool
    firewall: str
    origins: tuple[str, ...]
    plain_origins: tuple[str, ...]
    open_buckets: tuple[str, ...]


class Distributions(Fact, frozen=True, forbid_unknown_fields=True):
    """All distributions that are switched on."""

    account: str
    distributions: tuple[Distribution, ...]
