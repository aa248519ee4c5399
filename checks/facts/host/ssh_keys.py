"""Keys around SSH: those that open accounts, those that people keep here, and those of the host itself."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class AuthorizedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One public key that opens an account.

    `fingerprint` is `SHA256:…` as ssh-keygen prints it; `kind` is ed25519, ecdsa, rsa, dsa, or one of a
    hardware token (ed25519-sk, ecdsa-sk), else the type as written; `bits` is 0 for a type we do not know.
    `options` are the names of the options in front of the key, with an `=` where there is a value (which
    stays on the host); `origin` is the value of `from=`.
    """

    account: str
    file: str
    line: int
    fingerprint: str
    kind: str
    bits: int
    comment: str = ""
    options: tuple[str, ...] = ()
    origin: str = ""

    @property
    def label(self) -> str:
        """How people know the key: its fingerprint, with the comment where there is one."""
        return f"{self.fingerprint} ({self.comment})" if self.comment else self.fingerprint


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of login keys: whose accounts it opens, its owner and mode, and when it changed last (UTC).

    Where only sudo could read the file, `mode`, `owner` and `changed_at` are empty.
    """

    path: str
    accounts: tuple[str, ...]
    mode: str = ""
    owner: str = ""
    changed_at: str = ""


class AuthorizedKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """Every login key of the local accounts, from the files that `patterns` (of AuthorizedKeysFile) name."""

    keys: tuple[AuthorizedKey, ...]
    files: tuple[KeyFile, ...]
    patterns: tuple[str, ...]


class TrustFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that lets other hosts in without a key of the user; `account` is empty for a system-wide one."""

    account: str
    path: str


class TrustFiles(Fact, frozen=True, forbid_unknown_fields=True):
    """The .rhosts and .shosts of the local accounts, and hosts.equiv."""

    files: tuple[TrustFile, ...]


class PrivateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One private key in somebody's home; nothing of the key itself, only what its head tells.

    `kind` is rsa, ed25519, ecdsa, dsa or sk (the handle of a hardware token), empty where the head does not
    tell it.
    `mode` and `owner` are empty where only sudo could read the file.
    """

    account: str
    path: str
    kind: str
    encrypted: bool
    mode: str = ""
    owner: str = ""


class PrivateKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The private SSH keys in the .ssh folders of the local accounts.

    `by_name` says that in homes that are closed to the login, only keys with default names were looked for.
    """

    keys: tuple[PrivateKey, ...]
    by_name: bool = False


class HostKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key of the host itself, by its public half; `path` is that of the private one."""

    path: str
    fingerprint: str
    kind: str
    bits: int


class HostKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The host's keys in /etc/ssh, whether or not a server uses them."""

    keys: tuple[HostKey, ...]
