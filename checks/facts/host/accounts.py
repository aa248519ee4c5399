"""Who has an account on the host, what opens it, and who may become root."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from checks.facts.snapshot import Fact


class PasswordState(StrEnum):
    """What stands in the password field, without what stands in it."""

    EMPTY = "empty"
    LOCKED = "locked"
    SET = "set"


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of /etc/passwd.

    `password_here` is False where the password field points to shadow; `password_empty` says that the
    field is empty, which opens the account to everybody.
    """

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    password_here: bool = False
    password_empty: bool = False


class Accounts(Fact, frozen=True, forbid_unknown_fields=True):
    """The local accounts (not those of a directory service), and where people's ids begin.

    `directories` are the other sources that the host takes accounts from, as nsswitch.conf names them (`sss`,
    `ldap`, `nis`, ...). `included` are the names of lines that take accounts in from NIS (`+`, `-bob`).
    """

    accounts: tuple[Account, ...]
    uid_min: int
    directories: tuple[str, ...] = ()
    included: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of /etc/group. `members` does not name those whose primary group it is."""

    name: str
    gid: int
    members: tuple[str, ...] = ()


class Groups(Fact, frozen=True, forbid_unknown_fields=True):
    """The local groups. `included` are the names of lines that take groups in from NIS."""

    groups: tuple[Group, ...]
    included: tuple[str, ...] = ()


class Password(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of one account's password.

    `scheme` is the crypt scheme (`yescrypt`, `sha512`, `md5`, `des`, ...), empty where no hash is there; a
    locked account may keep its hash. Accounts with one and the same hash have one number in `twins`, which
    says nothing about the hash; 0 is a hash of its own. `changed` and `expires` are days since 1970, the
    others numbers of days; `None` is an empty field, which switches that rule off.
    """

    name: str
    state: PasswordState
    scheme: str
    twins: int = 0
    changed: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    warning: int | None = None
    inactive: int | None = None
    expires: int | None = None


class Passwords(Fact, frozen=True, forbid_unknown_fields=True):
    """The states of all local passwords. The hashes never leave the host.

    `included` are the names of lines that take passwords in from NIS.
    """

    passwords: tuple[Password, ...]
    included: tuple[str, ...] = ()


class Logins(Fact, frozen=True, forbid_unknown_fields=True):
    """When each local account last logged in at a terminal, as the host's own records say.

    `record` is what was read (`lastlog`, `lastlog2`, `wtmp`). `last` gives the time (RFC 3339, UTC) by name,
    empty for an account that the record knows and that never logged in. `since` is when the record begins,
    empty where it reaches back to the beginning. `asking` is the account that looked.
    """

    record: str
    last: Mapping[str, str]
    since: str = ""
    asking: str = ""
