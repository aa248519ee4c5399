"""An OpenSSH client configuration, as far as it says where a host is and how to log in to it.

Nothing in it is ever run: `Match exec` and `ProxyCommand` are refused where they would apply. Names are not
looked up either: `CanonicalizeHostname` is refused.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from scanner.transport.ssh_config_file import Block, Condition, SshConfigError, read_blocks, with_environment

_MANY = ("identityfile", "certificatefile")


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What a configuration says of one host; empty is what it does not say. `jumps` may be `none`."""

    host_name: str = ""
    alias: str = ""
    port: int = 0
    user: str = ""
    identity_files: tuple[Path, ...] = ()
    certificate_files: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    identities_only: bool = False
    jumps: str = ""


@dataclass(frozen=True, slots=True)
class SshConfig:
    """A configuration that was read, with all that it includes."""

    blocks: tuple[Block, ...]

    def lookup(self, host: str, user: str = "") -> HostSettings:
        """What it says of the host of that name; `user` is a login name that is already decided.

        Raises:
            SshConfigError: what applies to this host cannot be followed.

        """
        found: dict[str, tuple[tuple[str, ...], str]] = {}
        many: dict[str, dict[str, str]] = {key: {} for key in _MANY}
        if user:
            found["user"] = ((user,), "")
        # `Match final` asks for a second reading, in which what is decided stays.
        rounds = (
            (False, True) if any(c.kind == "final" for b in self.blocks for c in b.conditions) else (False,)
        )
        for final in rounds:
            for block in self.blocks:
                if all(_holds(one, host, found, final=final) for one in block.conditions):
                    for key, words, place in block.settings:
                        if key in many:
                            many[key].setdefault(words[0], place)
                        else:
                            found.setdefault(key, (words, place))
        return _settings(host, found, many)


def read_ssh_config(path: Path) -> SshConfig:
    """The configuration in that file.

    Raises:
        SshConfigError: it cannot be read, others may change it, or a line is not understood.

    """
    return SshConfig(read_blocks(path))


def _holds(
    one: Condition, host: str, found: Mapping[str, tuple[tuple[str, ...], str]], *, final: bool
) -> bool:
    local = _own_name()
    match one.kind:
        case "host-line":
            # Unlike everywhere else, capitals count here.
            return _matches(one.patterns, host, fold=False)
        case "all":
            held = True
        case "canonical":
            held = False
        case "final":
            held = final
        case "host":
            name = found["hostname"][0][0].replace("%h", host) if "hostname" in found else host
            held = _matches(one.patterns, name)
        case "originalhost":
            held = _matches(one.patterns, host)
        case "user":
            held = _matches(one.patterns, found["user"][0][0] if "user" in found else local, fold=False)
        case "localuser":
            held = _matches(one.patterns, local, fold=False)
        case "exec":
            raise SshConfigError(f"{one.place}: `Match exec` is not supported: no command is run")
        case _:
            raise SshConfigError(f"{one.place}: `Match {one.kind}` is not supported")
    return held is not one.negated


def _matches(patterns: tuple[str, ...], name: str, *, fold: bool = True) -> bool:
    """Whether one of the patterns fits and none that begins with `!` does."""
    found = False
    for word in patterns:
        for pattern in word.split(","):
            text = pattern.removeprefix("!")
            # Only * and ? mean something here; a bracket is itself.
            text = text.replace("[", "[[]")
            fits = fnmatchcase(name.lower(), text.lower()) if fold else fnmatchcase(name, text)
            if fits and pattern.startswith("!"):
                return False
            found = found or fits
    return found


def _settings(
    host: str, found: Mapping[str, tuple[tuple[str, ...], str]], many: Mapping[str, Mapping[str, str]]
) -> HostSettings:
    for key, words in (("canonicalizehostname", ("yes", "always")), ("proxycommand", ())):
        values, place = found.get(key, (("none",), ""))
        if values[0].lower() in words or (key == "proxycommand" and values[0].lower() != "none"):
            name = {"proxycommand": "ProxyCommand"}.get(key, "CanonicalizeHostname")
            hint = "; write ProxyJump" if key == "proxycommand" else "; write HostName"
            raise SshConfigError(f"{place}: `{name}` is not supported{hint}")

    def one(key: str) -> str:
        return found[key][0][0] if key in found else ""

    port, place = found.get("port", (("0",), ""))
    if not re.fullmatch(r"[0-9]{1,5}", port[0]) or int(port[0]) > 65_535 or (place and int(port[0]) == 0):
        raise SshConfigError(f"{place}: a port is a number from 1 to 65535")
    name = _with_tokens(one("hostname"), {"h": host}, host)
    tokens = _tokens(host, name or host, port[0] if int(port[0]) else "22", one("user"))
    known = found.get("userknownhostsfile", ((), ""))[0]
    return HostSettings(
        host_name=name,
        alias=_with_tokens(one("hostkeyalias"), {"h": name or host, "n": host}, host),
        port=int(port[0]),
        user=one("user"),
        identity_files=_paths(tuple(many["identityfile"]), tokens),
        certificate_files=_paths(tuple(many["certificatefile"]), tokens),
        known_hosts=_paths(known, tokens),
        identities_only=one("identitiesonly").lower() in ("yes", "true"),
        jumps=_with_tokens(one("proxyjump"), tokens, host),
    )


def _paths(words: tuple[str, ...], tokens: Mapping[str, str]) -> tuple[Path, ...]:
    try:
        return tuple(
            Path(with_environment(_with_tokens(word, tokens, word), word)).expanduser()
            for word in words
            if word.lower() != "none"
        )
    except RuntimeError:
        raise SshConfigError("a path names a home directory that is not there") from None


def _tokens(host: str, name: str, port: str, user: str) -> dict[str, str]:
    machine = socket.gethostname()
    own = _own_name()
    return {
        "d": str(Path("~").expanduser()),
        "h": name,
        "n": host,
        "p": port,
        "r": user or own,
        "u": own,
        "i": str(os.getuid()),
        "l": machine,
        "L": machine.partition(".")[0],
    }


def _with_tokens(text: str, tokens: Mapping[str, str], shown: str) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] == "%":
            return "%"
        if found[1] not in tokens:
            raise SshConfigError(f"{shown}: %{found[1]} is not supported here")
        return tokens[found[1]]

    return re.sub(r"%(.?)", value, text)


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
