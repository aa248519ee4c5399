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


class NfsExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One exported directory and the clients that may mount it; nobody named means everybody."""

    path: str
    clients: tuple[str, ...]


class NfsServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the mount service behind one port mapper exports. Its own port is `mountd`, as in `tcp/20048`."""

    port: str
    mountd: str
    exports: tuple[NfsExport, ...]


class NfsServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The NFS servers of the address whose exports are told by a mount service."""

    servers: tuple[NfsServer, ...]


class RsyncModule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One module of an rsync server: `open` where it took a client without a login.

    `answer` is what it said.
    """

    name: str
    open: bool
    answer: str


class RsyncServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rsync server and the modules that it lists; those that it keeps to itself are not known."""

    port: str
    modules: tuple[RsyncModule, ...]


class RsyncServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The rsync servers of the address."""

    servers: tuple[RsyncServer, ...]
