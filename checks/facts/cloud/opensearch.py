"""Search domains."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Domain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A domain; `vpc` is empty for one with a public endpoint, `update` says that a patch waits.

    `version` is its engine and release, as in `OpenSearch_2.11`.
    """

    arn: str
    name: str
    region: str
    vpc: str
    https: bool
    tls: str
    at_rest: bool
    between: bool
    fine: bool
    audit: bool
    update: bool
    version: str = ""


class Domains(Fact, frozen=True, forbid_unknown_fields=True):
    """All search domains."""

    account: str
    regions: tuple[str, ...]
    domains: tuple[Domain, ...]
