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


class SmtpRelay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether one SMTP server would take mail of a stranger for a foreign domain; none was handed over."""

    port: str
    accepted: bool
    answer: str


class SmtpRelays(Fact, frozen=True, forbid_unknown_fields=True):
    """The SMTP servers of the address, each asked to pass mail on from the vantage of `OpenPorts`."""

    servers: tuple[SmtpRelay, ...]


class SmtpUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether one SMTP server tells who has a mailbox.

    `answer` is what it said to VRFY and EXPN about a name that every server has and one that none has.
    """

    port: str
    tells: bool
    answer: str


class SmtpUsers(Fact, frozen=True, forbid_unknown_fields=True):
    """The SMTP servers of the address, each asked about two names."""

    servers: tuple[SmtpUser, ...]
