"""Directories of users in Cognito, and pools that hand out credentials."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class UserPool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user pool: its second factor (`OFF`, `OPTIONAL`, `ON`), passwords, and who may sign up."""

    arn: str
    id: str
    name: str
    region: str
    mfa: str
    password_length: int
    sign_up: bool
    protected: bool
    threats: bool


class UserPools(Fact, frozen=True, forbid_unknown_fields=True):
    """All user pools."""

    account: str
    regions: tuple[str, ...]
    pools: tuple[UserPool, ...]


class IdentityPool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pool that hands out credentials: whether guests ask for them, and the role that they get.

    The role is empty where guests get none. `classic` allows the older way, in which guests get all that
    the role has.
    """

    arn: str
    id: str
    name: str
    region: str
    guests: bool
    role: str
    classic: bool


class IdentityPools(Fact, frozen=True, forbid_unknown_fields=True):
    """All identity pools."""

    account: str
    regions: tuple[str, ...]
    pools: tuple[IdentityPool, ...]
