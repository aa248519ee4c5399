"""Mail services and how they let people in."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class MailServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One mail service: `smtp`, `pop3` or `imap`.

    `tls` is whether the whole conversation is inside TLS, `starttls` whether it offers to start it,
    `plain_login` whether it takes a password before that.
    """

    port: str
    protocol: str
    tls: bool
    starttls: bool
    plain_login: bool


class MailServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The mail services of the address."""

    servers: tuple[MailServer, ...]
