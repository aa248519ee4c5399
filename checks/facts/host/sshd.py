"""SSH servers of a host, each with the settings that are in force for it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.snapshot import Fact


class SshSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The effective settings of one server for one kind of connection, as `sshd -T` prints them.

    `condition` is the Match line that was applied (`Match address 10.0.0.0/8`), empty for a login of
    root from an address that no such line names; `user` is whose login was asked about, `part` its number
    in the evidence. Lists keep the server's order. `options` are further options by their names in lower
    case: one that is not there is not set (AllowUsers), or this server does not have it (UsePAM).
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
    options: Mapping[str, str] = msgspec.field(default_factory=dict)


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


class SshdStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When one running server read its configuration, and when the newest of its files changed.

    Times are RFC 3339, UTC. `loaded_at` is its start, or the reload that wrote its pid file anew;
    `reloads_seen` is False where no pid file of this very process was found: a reload leaves no other trace.
    """

    config: str
    started_at: str
    loaded_at: str
    changed_at: str
    changed_file: str
    reloads_seen: bool


class SshdStarts(Fact, frozen=True, forbid_unknown_fields=True):
    """The running servers, with the age of what they run with."""

    servers: tuple[SshdStart, ...]
