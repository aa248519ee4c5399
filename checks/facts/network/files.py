"""Services that hand out files."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class FtpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One FTP server: whether it starts TLS when asked, and whether it lets anybody in."""

    port: str
    tls: bool
    anonymous: bool


class FtpServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The FTP servers of the address."""

    servers: tuple[FtpServer, ...]
