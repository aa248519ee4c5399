"""What a host shares with others: files over FTP, NFS and SMB, and its state over SNMP."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.snapshot import Fact


class FtpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One configuration of an FTP server (vsftpd, proftpd or pure-ftpd).

    `anonymous` says that logins without a password are let in, `uploads` that they may write; `tls` that
    logins without encryption are refused. `line` is the setting that lets them in, empty for the default.
    """

    program: str
    file: str
    anonymous: bool
    uploads: bool
    tls: bool
    line: str


class FtpDaemons(Fact, frozen=True, forbid_unknown_fields=True):
    """The FTP servers that have a configuration."""

    servers: tuple[FtpServer, ...]


class NfsExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder that is exported to one client (a host, a network, `*` for all) with these options."""

    file: str
    path: str
    client: str
    options: tuple[str, ...]


class NfsExports(Fact, frozen=True, forbid_unknown_fields=True):
    """What is exported over NFS."""

    exports: tuple[NfsExport, ...]


class SambaShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One section of smb.conf: whether it lets guests in, and whether they could write."""

    name: str
    guest: bool
    writable: bool


class Samba(Fact, frozen=True, forbid_unknown_fields=True):
    """The settings of Samba: those of [global] by their names in lower case, and the shares."""

    file: str
    settings: Mapping[str, str]
    shares: tuple[SambaShare, ...]


class SnmpCommunity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One community of an SNMP agent, without its name.

    `guessable` says that the name is one of those that everybody tries first; `writes` that it may
    change things; `source` from where it is accepted, `anywhere` without a limit.
    """

    file: str
    guessable: bool
    writes: bool
    source: str


class SnmpAgent(Fact, frozen=True, forbid_unknown_fields=True):
    """The communities of the SNMP agent. An agent with version 3 users alone has none."""

    communities: tuple[SnmpCommunity, ...]
