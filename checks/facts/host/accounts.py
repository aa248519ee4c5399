"""Who has an account on the host, what opens it, and who may become root."""

from __future__ import annotations

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
    """The local accounts (not those of a directory service), and where people's ids begin."""

    accounts: tuple[Account, ...]
    uid_min: int


class Password(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of one account's password.

    `scheme` is the crypt scheme (`yescrypt`, `sha512`, `md5`, `des`, ...), empty where no hash is there; a
    locked account may keep its hash.
    """

    name: str
    state: PasswordState
    scheme: str


class Passwords(Fact, frozen=True, forbid_unknown_fields=True):
    """The states of all local passwords. The hashes never leave the host."""

    passwords: tuple[Password, ...]


class SudoRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of sudoers: for whom (`deploy`, `%wheel`, `ann,bob`, an alias), and what follows the `=`."""

    file: str
    who: str
    grants: str
    no_password: bool


class SudoDefault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One setting of a Defaults line: `authenticate`, `!authenticate`, `timestamp_timeout=5`."""

    file: str
    scope: str
    setting: str


class Sudoers(Fact, frozen=True, forbid_unknown_fields=True):
    """Who may become root through sudo, and how."""

    rules: tuple[SudoRule, ...]
    defaults: tuple[SudoDefault, ...]
