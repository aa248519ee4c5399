"""SSH servers of a host, each with the settings that are in force for it."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class SshSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The effective settings of one server for one kind of connection, as `sshd -T` prints them.

    `condition` is the Match line that was applied (`Match address 10.0.0.0/8`), empty for a login of
    root from an address that no such line names; `user` is whose login was asked about, `part` its number
    in the evidence. Lists keep the server's order.
    """

    permit_root_login: str
    password_authentication: bool
    keyboard_interactive: bool
    permit_empty_passwords: bool
    max_auth_tries: int
    max_sessions: int
    login_grace_seconds: int
    client_alive_interval: int
    client_alive_count_max: int
    x11_forwarding: bool
    ignore_rhosts: bool
    hostbased_authentication: bool
    permit_user_environment: bool
    use_pam: bool
    log_level: str
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    kex_algorithms: tuple[str, ...]
    condition: str = ""
    user: str = "root"
    part: int = 0


class SshServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One OpenSSH server: its number in the evidence, its configuration file and its ports.

    `system` says that it runs with the configuration that the machine starts sshd with; `running` that
    a process of it was seen. `settings` starts with those for everybody; one more per Match line.
    """

    number: int
    config: str
    ports: tuple[int, ...]
    system: bool
    running: bool
    settings: tuple[SshSettings, ...]


class Sshd(Fact, frozen=True, forbid_unknown_fields=True):
    """Every OpenSSH server that runs, or the configured one where none runs."""

    servers: tuple[SshServer, ...]
