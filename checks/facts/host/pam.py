"""How the host checks passwords: the stacks of PAM, and the settings of its modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from checks.facts.snapshot import Fact

INCLUDES = frozenset({"include", "substack", "@include"})
"""Controls that take in another file."""
_DEPTH = 8


class PamRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a stack, in the file that it stands in.

    `kind` is auth, account, password or session, empty for an `@include`. `module` has neither folder nor
    `.so`. The arguments of modules that are not known here are left out: some keep secrets in them.
    """

    file: str
    kind: str
    control: str
    module: str
    arguments: tuple[str, ...] = ()

    def argument(self, name: str) -> str | None:
        """The value of `name=value` among the arguments, empty for a bare `name`, None without it."""
        found = None
        for one in self.arguments:
            key, _, value = one.partition("=")
            if key == name:
                found = value
        return found


class PamFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of PAM as it stands. A rule that takes in another file names that in place of its module."""

    name: str
    rules: tuple[PamRule, ...]


class Pam(Fact, frozen=True, forbid_unknown_fields=True):
    """The files of PAM (`sshd`, `common-auth`, `system-auth`, ...).

    `settings` are the configuration files of modules by name (`pwquality`, `faillock`, `pwhistory`), each as
    the module itself merges its files; a bare word has an empty value. `unread` are files that the login
    may not read. `profiles` is what writes the files: `pam-auth-update`, `authselect`, or nothing.
    """

    files: tuple[PamFile, ...]
    settings: Mapping[str, Mapping[str, str]]
    unread: tuple[str, ...] = ()
    profiles: str = ""

    def has(self, name: str) -> bool:
        """Whether the host has a file of that name."""
        return any(file.name == name for file in self.files)

    def stack(self, name: str, kind: str) -> tuple[PamRule, ...]:
        """The rules of one kind in that file, with those of the files that it takes in, in order."""
        return tuple(self._rules(name, kind, ()))

    def _rules(self, name: str, kind: str, above: tuple[str, ...]) -> Iterator[PamRule]:
        found = next((file for file in self.files if file.name == name), None)
        if found is None or name in above or len(above) > _DEPTH:
            return
        for rule in found.rules:
            if rule.kind not in (kind, ""):
                continue
            if rule.control in INCLUDES:
                yield from self._rules(rule.module.rpartition("/")[2], kind, (*above, name))
            else:
                yield rule
