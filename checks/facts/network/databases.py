"""What database servers say before anybody logs in."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from checks.facts.snapshot import Fact


class Encryption(StrEnum):
    """Whether a server encrypts its connections."""

    FIRST = "first"
    """TLS from the first byte."""
    REQUIRED = "required"
    OFFERED = "offered"
    MISSING = "missing"
    UNTOLD = "untold"
    """The first words do not tell."""


class DatabaseServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One database server: its product, and its version where it tells that to everybody."""

    port: str
    product: str
    version: str
    encryption: Encryption


class DatabaseServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The database servers of the address whose first words say how they encrypt."""

    servers: tuple[DatabaseServer, ...]
