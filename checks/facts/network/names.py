"""What name servers do for a stranger."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class DnsServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One DNS server: whether it asks others on behalf of whoever asked, and what it says of itself.

    `answer` is the deciding part of its reply to a recursive question; `version` and `identity` are the
    texts of version.bind and id.server, empty where it keeps them to itself.
    """

    port: str
    recursion: bool
    answer: str
    version: str = ""
    identity: str = ""


class DnsServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The DNS servers of the address."""

    servers: tuple[DnsServer, ...]


class DnsTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One zone that a server is the authority for, and whether it gave a copy of it to a stranger.

    `records` is how many were counted before the transfer was stopped; none of them is kept.
    """

    port: str
    zone: str
    given: bool
    records: int
    answer: str


class DnsTransfers(Fact, frozen=True, forbid_unknown_fields=True):
    """The zones of which a copy was asked for, at all DNS servers of the address."""

    transfers: tuple[DnsTransfer, ...]


class MailDomain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the authority for one of the owner's domains tells the world about mail in its name.

    `spf` are the records that begin `v=spf1` at the domain, `dmarc` those that begin `v=DMARC1` at `_dmarc`.
    """

    port: str
    domain: str
    spf: tuple[str, ...]
    dmarc: tuple[str, ...]


class MailDomains(Fact, frozen=True, forbid_unknown_fields=True):
    """The owner's domains for which the DNS servers of the address are the authority."""

    domains: tuple[MailDomain, ...]
