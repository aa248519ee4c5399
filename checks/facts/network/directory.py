"""What directories (LDAP) show and offer to somebody without a name."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Directory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One LDAP server, asked without a name and a password.

    `bind` is whether it granted an anonymous bind, `entries` whether a search below `context` gave an entry;
    where none of the naming contexts that it tells did, `context` is the first of them. `tls` is whether it
    speaks TLS first, `starttls` whether it offers to start it. `answer` is what ended the search.
    """

    port: str
    bind: bool
    entries: bool
    context: str
    tls: bool
    starttls: bool
    answer: str


class Directories(Fact, frozen=True, forbid_unknown_fields=True):
    """The LDAP servers of the address."""

    servers: tuple[Directory, ...]
