"""Baseboard management controllers, as they present themselves before a login."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class IpmiController(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One controller that speaks IPMI over the network.

    `authentication` are the ways in for sessions of version 1.5 (`none`, `md2`, `md5`, `password`, `oem`),
    of users, operators and administrators together; `anonymous` is whether an empty name without a password
    may log in, `null_user` whether an empty name with a password may.
    """

    port: str
    versions: tuple[str, ...]
    authentication: tuple[str, ...]
    anonymous: bool
    null_user: bool


class IpmiControllers(Fact, frozen=True, forbid_unknown_fields=True):
    """The controllers of the address."""

    controllers: tuple[IpmiController, ...]


class IpmiSuites(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cipher suites that one controller lists for sessions of version 2.0."""

    port: str
    suites: tuple[int, ...]


class IpmiCipherSuites(Fact, frozen=True, forbid_unknown_fields=True):
    """The cipher suites of the controllers of the address."""

    controllers: tuple[IpmiSuites, ...]
