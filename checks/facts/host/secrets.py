"""Passwords and keys that lie about on a host. The secrets themselves never leave it."""

from __future__ import annotations

import msgspec

from checks.facts.host.files import FileMode
from checks.facts.snapshot import Fact


class HistoryLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a command history that holds a password or a token, by its number; `kind` says which."""

    file: str
    line: int
    kind: str


class Histories(Fact, frozen=True, forbid_unknown_fields=True):
    """The command histories in the homes, and their lines with secrets, up to a limit (`more`).

    `unsearched` are homes that may not be looked into.
    """

    files: tuple[str, ...]
    lines: tuple[HistoryLine, ...]
    more: bool = False
    unsearched: tuple[str, ...] = ()


class CredentialFiles(Fact, frozen=True, forbid_unknown_fields=True):
    """Files in the homes where programs keep passwords and tokens in clear, those with such a thing inside.

    `unopened` exist, but what is inside could not be read; `unsearched` are homes not looked into.
    """

    files: tuple[FileMode, ...]
    unopened: tuple[FileMode, ...] = ()
    unsearched: tuple[str, ...] = ()


class ApplicationSecrets(Fact, frozen=True, forbid_unknown_fields=True):
    """Configuration of applications that every account of the host can read and that holds a secret.

    `folders` are those that were searched, to a limited depth; `more` says that the limit was hit.
    """

    folders: tuple[str, ...]
    files: tuple[FileMode, ...]
    more: bool = False
