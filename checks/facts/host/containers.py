"""The container engine of a host, and what its containers may do."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class EngineSocket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The socket of an engine: who may speak to it is as good as root."""

    path: str
    mode: str
    owner: str
    group: str


class DockerDaemon(Fact, frozen=True, forbid_unknown_fields=True):
    """The settings of Docker's daemon, from its file and from its command line, and its socket.

    `hosts` are where it listens (`unix:///...`, `tcp://...`, `fd://`); `verifies` says that it demands
    certificates of those who come over TCP.
    """

    hosts: tuple[str, ...]
    verifies: bool
    insecure_registries: tuple[str, ...]
    sockets: tuple[EngineSocket, ...]


class DockerContainer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One container that Docker keeps, running or stopped, by the beginning of its id."""

    id: str
    privileged: bool


class DockerContainers(Fact, frozen=True, forbid_unknown_fields=True):
    """All containers that Docker keeps."""

    containers: tuple[DockerContainer, ...]
