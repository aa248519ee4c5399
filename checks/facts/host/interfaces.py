"""The network interfaces of a host, and whom it asks for names."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Interface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network interface.

    `kind` is ethernet, wireless, loopback, bridge, tunnel or other. `promiscuous` is what the kernel does,
    whoever asked for it. `port` says that it belongs to a bridge or a switch, or to a bond that listens to
    all: these switch the mode on in all of their ports.
    """

    name: str
    kind: str
    up: bool
    promiscuous: bool
    port: bool


class Interfaces(Fact, frozen=True, forbid_unknown_fields=True):
    """All interfaces of the host's own network namespace."""

    interfaces: tuple[Interface, ...]


class Resolvers(Fact, frozen=True, forbid_unknown_fields=True):
    """The name servers of /etc/resolv.conf; behind the local stub of systemd-resolved those that it asks."""

    addresses: tuple[str, ...]
    file: str
