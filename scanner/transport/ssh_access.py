"""How to log in to a host: where, as whom, with which keys."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm

from scanner.collect.collector import CollectError, Failure


@dataclass(frozen=True, slots=True)
class SshAccess:
    """How to log in to one host.

    `host` is the name by which known_hosts knows it; `address`, where set, is the address that is
    connected to, so that a name is resolved once, by the scope, and never again. Only the given key
    files, and the agent only with `use_agent`, are offered. An empty `user` is this process's user,
    empty `known_hosts` is `~/.ssh/known_hosts`. `config` is an ssh_config file for HostName,
    HostKeyAlias, Port, User and IdentityFile; see `resolved`.
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

    @property
    def name(self) -> str:
        """`host:port` for messages."""
        return f"{self.host}:{self.port}"


def resolved(access: SshAccess) -> SshAccess:
    """The access with its ssh_config applied, so that a scope can judge where it really leads.

    What is set in the access itself wins over the file, except the port 22, which is the default.

    Raises:
        CollectError: the file cannot be read or is not an ssh_config.

    """
    if access.config is None:
        return access
    try:
        found = paramiko.SSHConfig.from_path(str(access.config)).lookup(access.host)
        port = int(found.get("port", "22"))
    except (OSError, ValueError, paramiko.ConfigParseError) as error:
        raise CollectError(Failure.CREDENTIALS, f"{access.config}: {error}") from None
    except ImportError:
        message = f"{access.config}: `Match exec` is not supported"
        raise CollectError(Failure.CREDENTIALS, message) from None
    keys = tuple(Path(file).expanduser() for file in found.get("identityfile", []))
    target = found.get("hostname", access.host)
    return replace(
        access,
        host=found.get("hostkeyalias", target),
        address=access.address or (target if target != found.get("hostkeyalias", target) else ""),
        port=port if access.port == 22 else access.port,
        user=access.user or found.get("user", ""),
        key_files=access.key_files or keys,
        config=None,
    )


def offered_keys(access: SshAccess) -> list[paramiko.PKey]:
    """The keys to offer, read and judged before anybody is connected to.

    Raises:
        CollectError: no key, a key that others may read, that is no key, or that has a passphrase.

    """
    found: list[paramiko.PKey] = []
    for file in access.key_files:
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & 0o077:
                raise CollectError(
                    Failure.CREDENTIALS,
                    f"{file}: the key is open to other users (mode {mode:04o}); run `chmod 600` on it",
                )
            found.append(paramiko.PKey.from_path(file))
        except OSError as error:
            raise CollectError(Failure.CREDENTIALS, f"{file}: {error.strerror}") from None
        except (TypeError, paramiko.PasswordRequiredException):
            message = f"{file}: the key has a passphrase; load it into an agent and use the agent"
            raise CollectError(Failure.CREDENTIALS, message) from None
        except (ValueError, paramiko.SSHException, UnsupportedAlgorithm):
            raise CollectError(Failure.CREDENTIALS, f"{file}: not a private key of a known kind") from None
    if access.use_agent:
        try:
            found += paramiko.Agent().get_keys()
        except (OSError, paramiko.SSHException) as error:
            raise CollectError(Failure.CREDENTIALS, f"the SSH agent does not answer: {error}") from None
    if not found:
        which = (
            "the agent holds no key"
            if access.use_agent
            else "no key file and no agent is configured (--ssh-key FILE, --ssh-agent)"
        )
        raise CollectError(Failure.CREDENTIALS, f"{access.name}: {which}", "a key for the login")
    return found
