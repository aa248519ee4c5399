"""What runs on the host for others: listening sockets and their programs, and the keeping of time."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Listener(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One listening socket. `address` is `*` for all; `program` is empty where it could not be seen.

    `pids` are the processes that hold it and `uids` the user ids that they run under, both empty where
    they could not be seen.
    """

    protocol: str
    address: str
    port: int
    program: str
    pids: tuple[int, ...] = ()
    uids: tuple[int, ...] = ()

    @property
    def loopback(self) -> bool:
        """Whether only the machine itself reaches it."""
        return self.address.startswith("127.") or self.address in ("::1", "::ffff:127.0.0.1")

    @property
    def name(self) -> str:
        """`tcp/22`."""
        return f"{self.protocol}/{self.port}"


class ListeningServices(Fact, frozen=True, forbid_unknown_fields=True):
    """Every socket that waits for others, sorted by protocol, port and address."""

    listeners: tuple[Listener, ...]


class ListeningProgram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file that a process with a listening socket was started from.

    `deleted` says that this very file is no longer there (removed, or replaced by an update). `package`
    owns the path now, empty where none does. `contained` says that the process lives in a container,
    whose files are not those of the host.
    """

    pid: int
    path: str
    deleted: bool
    package: str
    contained: bool


class ListeningPrograms(Fact, frozen=True, forbid_unknown_fields=True):
    """The programs behind the listening sockets, and whose package database was asked (`manager`)."""

    programs: tuple[ListeningProgram, ...]
    manager: str


class TimeKeeping(Fact, frozen=True, forbid_unknown_fields=True):
    """Which daemons keep the time, and what they or the kernel say of it.

    `answer` is synchronised, unsynchronised, or silent where nothing on the host can say.
    `container` is the kind of container, empty for a machine.
    """

    daemons: tuple[str, ...]
    answer: str
    container: str
