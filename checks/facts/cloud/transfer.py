"""File servers of Transfer Family."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class FileServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server: what it speaks, from where it is reached, how it encrypts, whether it records.

    `public` is `yes` where the internet reaches it and nothing can stand before it, `groups` where security
    groups stand before its fixed addresses, and `no` where only networks of one's own reach it.
    """

    arn: str
    id: str
    region: str
    protocols: tuple[str, ...]
    public: str
    groups: tuple[str, ...]
    policy: str
    logged: bool


class FileServers(Fact, frozen=True, forbid_unknown_fields=True):
    """All file servers."""

    account: str
    regions: tuple[str, ...]
    servers: tuple[FileServer, ...]
