"""How to log in to a host: where, as whom, with which keys, and through which other hosts."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field, replace
from pathlib import Path

from baselines.text import TextError
from scanner.collect.collector import CollectError, Failure
from scanner.targets import HostTarget, parse_target
from scanner.transport.known_hosts import KnownKeys, known_name, lookup
from scanner.transport.secrets import Secret
from scanner.transport.ssh_config import HostSettings, SshConfig, read_ssh_config
from scanner.transport.ssh_config_file import SshConfigError
from scanner.transport.ssh_keys import Logins

_MOST_JUMPS = 8
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SshAccess:
    """How to log in to one host.

    `host` is the name by which known_hosts knows it, unless there is an `alias`; `address`, where set, is
    the address that is connected to, so that a name is resolved once, by the scope, and never again. Only
    the given key files, and the agent only with `use_agent`, are offered; with `identities_only` the agent
    offers only the keys of those files. An empty `user` is this process's user, empty `known_hosts` is
    `~/.ssh/known_hosts`. `config` is an ssh_config file; see `resolved`. `jumps` are the hosts on the way,
    the first one first. `logins` is what one scan remembers of keys and refusals; give all hosts the same.
    """

    host: str
    port: int = 22
    user: str = ""
    key_files: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    use_agent: bool = False
    config: Path | None = None
    connect_seconds: float = 10
    total_seconds: float = 120
    address: str = ""
    alias: str = ""
    certificates: tuple[Path, ...] = ()
    passphrase: Secret | None = None
    identities_only: bool = False
    jumps: tuple[SshAccess, ...] = ()
    retry_seconds: float = _RETRY_SECONDS
    logins: Logins = field(default_factory=Logins, compare=False, repr=False)

    @property
    def name(self) -> str:
        """`host:port` for messages."""
        return f"{self.host}:{self.port}"

    @property
    def word(self) -> str:
        """The host as a target on the command line."""
        return HostTarget(self.host, self.port, self.user).spec

    @property
    def login(self) -> str:
        """The name to log in with.

        Raises:
            CollectError: none is given, and the user of this process has none.

        """
        if self.user:
            return self.user
        try:
            return getpass.getuser()
        except (OSError, KeyError):
            message = "the user of this process has no name; say as whom to log in"
            raise CollectError(Failure.CREDENTIALS, message) from None

    @property
    def credential(self) -> str:
        """The login name and the keys, as messages may show them: what a refusal is counted against."""
        keys = [str(file) for file in (*self.key_files, *self.certificates)]
        keys += ["the agent"] if self.use_agent else []
        return f"{self.login} with {', '.join(keys) or 'no key'}"

    def known(self) -> KnownKeys:
        """The keys by which the host is known.

        Raises:
            CollectError: a file of them is there and cannot be read.

        """
        files = self.known_hosts or (Path("~/.ssh/known_hosts").expanduser(),)
        try:
            return lookup(files, self.alias or known_name(self.host, self.port))
        except OSError as error:
            message = f"{error.filename}: known hosts cannot be read: {error.strerror}"
            raise CollectError(Failure.HOST_KEY, message) from None


def resolved(access: SshAccess) -> SshAccess:
    """The access with its ssh_config applied, so that a scope can judge where it really leads.

    What is set in the access itself wins over the file, except the port 22, which is the default. Jumps
    of the access itself are taken as they are; else `ProxyJump` says them, each with its own settings.

    Raises:
        CollectError: the file cannot be read, is not an ssh_config, or says what is not done.

    """
    if access.config is None:
        return access
    try:
        config = read_ssh_config(access.config)
        led = _applied(access, config, ())
        return replace(led, jumps=tuple(replace(hop, user=hop.user or access.user) for hop in led.jumps))
    except SshConfigError as error:
        raise CollectError(Failure.CREDENTIALS, str(error)) from None


def _applied(access: SshAccess, config: SshConfig, path: tuple[SshAccess, ...]) -> SshAccess:
    found = config.lookup(access.host, access.user)
    led = _with(access, found)
    if access.jumps:
        return replace(led, jumps=tuple(_applied_jump(one, config) for one in access.jumps))
    if found.jumps.lower() in ("", "none"):
        return led
    way: list[SshAccess] = []
    for position, word in enumerate(found.jumps.split(",")):
        target = _jump_target(word)
        if target.host in (access.host, led.host) and target.port in (22, led.port):
            # A ProxyJump under `Host *` names the jump host for itself, too; there it means nothing.
            return led
        hop = replace(access, host=target.host, port=target.port, user=target.user, address="", alias="")
        if any((one.host, one.port) == (hop.host, hop.port) for one in path) or len(path) >= _MOST_JUMPS:
            raise SshConfigError(f"{access.name}: the jump hosts go in a circle at {hop.name}")
        # Only the first of a chain is reached as its own settings say; the others are reached through it.
        on = _applied(hop, config, (*path, hop)) if position == 0 else hop
        on = replace(_applied_jump(hop, config), jumps=on.jumps)
        way += [*on.jumps, replace(on, jumps=())]
    return replace(led, jumps=tuple(way))


def _applied_jump(hop: SshAccess, config: SshConfig) -> SshAccess:
    """A jump as the file says it; where it says no keys or known hosts, those of the target serve."""
    bare = replace(hop, key_files=(), known_hosts=(), certificates=(), jumps=())
    led = _with(bare, config.lookup(hop.host, hop.user))
    return replace(
        led,
        key_files=led.key_files or hop.key_files,
        known_hosts=led.known_hosts or hop.known_hosts,
        certificates=led.certificates or hop.certificates,
    )


def _with(access: SshAccess, found: HostSettings) -> SshAccess:
    """The access with what the file says of its host alone."""
    target = found.host_name or access.host
    return replace(
        access,
        host=target,
        alias=access.alias or found.alias,
        port=found.port if access.port == 22 and found.port else access.port,
        user=access.user or found.user,
        key_files=access.key_files or tuple(one for one in found.identity_files if one.exists()),
        certificates=access.certificates or found.certificate_files,
        known_hosts=access.known_hosts or found.known_hosts,
        identities_only=access.identities_only or found.identities_only,
        config=None,
    )


def _jump_target(word: str) -> HostTarget:
    text = word.strip()
    try:
        target = parse_target(text if text.startswith("ssh://") else f"ssh://{text}")
    except TextError as error:
        raise SshConfigError(f"ProxyJump {error}") from None
    if not isinstance(target, HostTarget):
        raise SshConfigError(f"ProxyJump {text}: this is no host")
    return target
