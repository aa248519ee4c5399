"""What a host runs on, and what runs in containers on it."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Platform(Fact, frozen=True, forbid_unknown_fields=True):
    """The machine below the system, as its firmware and cloud-init have it; no metadata service is asked.

    `container` is the kind of container, empty for a machine. `virtual` says that a hypervisor is below.
    `cloud` is the provider's short name (aws, azure, gcp, ...), empty where none was recognised;
    `instance` and `region` are the provider's names for this machine and its place, where they are known.
    """

    vendor: str
    product: str
    virtual: bool
    container: str
    cloud: str
    instance: str
    region: str


class RunningContainer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One container with processes: its engine, and its name or the first twelve digits of its id."""

    engine: str
    name: str


class ContainerEngines(Fact, frozen=True, forbid_unknown_fields=True):
    """Engines whose sockets are there (docker, containerd, podman, cri-o, lxd, incus), and what runs."""

    engines: tuple[str, ...]
    running: tuple[RunningContainer, ...]
