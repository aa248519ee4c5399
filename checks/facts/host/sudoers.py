"""Who may become root, or somebody else, through sudo."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class SudoCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command that a rule allows, aliases resolved: `ALL`, `/usr/bin/less /var/log/*`, `!/bin/su`.

    `runas` is what stands in the brackets (`ALL:ALL`, `root`), empty for root. `tags` are those in force for
    it (NOPASSWD, SETENV, NOEXEC, ...).
    """

    command: str
    runas: str = ""
    tags: tuple[str, ...] = ()

    @property
    def no_password(self) -> bool:
        """Whether it goes without a password."""
        return "NOPASSWD" in self.tags

    @property
    def as_root(self) -> bool:
        """Whether it may run as root."""
        users = [one.strip() for one in self.runas.partition(":")[0].split(",")]
        return users == [""] or bool({"ALL", "root", "#0"} & set(users))


class SudoRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of sudoers: for whom (`deploy`, `%wheel`, `ann,bob`, an alias), and what follows the `=`.

    `users` are the same people with aliases resolved.
    """

    file: str
    who: str
    grants: str
    no_password: bool
    users: tuple[str, ...] = ()
    commands: tuple[SudoCommand, ...] = ()


class SudoDefault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One setting of a Defaults line: `authenticate`, `!authenticate`, `timestamp_timeout=5`."""

    file: str
    scope: str
    setting: str


class Sudoers(Fact, frozen=True, forbid_unknown_fields=True):
    """Who may become root through sudo, and how. `version` is that of sudo, empty where it does not tell."""

    rules: tuple[SudoRule, ...]
    defaults: tuple[SudoDefault, ...]
    version: str = ""

    def values(self, *names: str) -> tuple[SudoDefault, ...]:
        """The settings of these names, switched on or off, in the order in which sudo reads them."""
        return tuple(one for one in self.defaults if setting_name(one.setting) in names)


def setting_name(setting: str) -> str:
    """`timestamp_timeout` of `timestamp_timeout=5`, `env_keep` of `env_keep+=LANG`, `x` of `!x`."""
    return setting.lstrip("!").partition("=")[0].rstrip("+-").strip()
