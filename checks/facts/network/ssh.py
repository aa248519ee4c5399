"""What SSH servers offer before a login."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class SshOffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one SSH server offers before anybody logs in: its banner and the lists of its KEXINIT.

    Ciphers and MACs join both directions. `strict` is whether it announces the strict key exchange.
    """

    port: str
    banner: str
    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    strict: bool


class SshOffers(Fact, frozen=True, forbid_unknown_fields=True):
    """The algorithms of each SSH server of the address."""

    servers: tuple[SshOffer, ...]


class SshHostKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host key whose owner proved it by a signature; `fingerprint` as OpenSSH prints it (`SHA256:…`)."""

    port: str
    algorithm: str
    bits: int
    fingerprint: str


class SshHostKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The host keys of the SSH servers of the address; of one server its preferred key and its RSA key."""

    keys: tuple[SshHostKey, ...]


class SshLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ways in which one server lets people log in, as it names them to somebody who has none.

    `opened` is whether it let them in all the same.
    """

    port: str
    methods: tuple[str, ...]
    opened: bool


class SshLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """How people log in to the SSH servers of the address."""

    servers: tuple[SshLogin, ...]


class SshGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bits of the prime that one server chose for a client that asked for 1024 bits or more."""

    port: str
    bits: int


class SshGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """The groups of the servers that choose them (diffie-hellman-group-exchange)."""

    servers: tuple[SshGroup, ...]
