"""What Windows file sharing (SMB) offers before anybody logs in."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class SmbServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One SMB server: the newest dialect that it speaks (`1.0`, `2.1`, `3.1.1`), and its signing.

    `signing_required` is true only where every version that answered requires it. `guid` is the name
    that it gives itself in SMB 2 and 3, empty where it speaks neither.
    """

    port: str
    dialect: str
    signing_enabled: bool
    signing_required: bool
    guid: str


class SmbServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The SMB servers of the address."""

    servers: tuple[SmbServer, ...]


class SmbOne(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether one server speaks SMB 1. `answer` is what it said when it was offered nothing else.

    `answered` is false where it left without a word while SMB 2 or 3 was answered.
    """

    port: str
    spoken: bool
    answered: bool
    answer: str


class SmbOneServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The SMB servers of the address, each offered SMB 1 and nothing else."""

    servers: tuple[SmbOne, ...]


class SmbSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one server let somebody without a name do.

    `kind` is `null` or `guest` where it gave such a session, else empty; `ipc` whether that session
    could connect to IPC$. `told` are the names and the version that the server told before a login.
    """

    port: str
    kind: str
    ipc: bool
    answer: str
    told: tuple[str, ...] = ()


class SmbSessions(Fact, frozen=True, forbid_unknown_fields=True):
    """The SMB servers of the address, each asked for a session without a name."""

    servers: tuple[SmbSession, ...]
