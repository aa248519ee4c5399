"""Secrets by reference: where one is kept is written down, what it is never is."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import stat
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from scanner.collect.collector import CollectError, Failure

FORMS = "env:NAME, file:PATH, exec:COMMAND or keyring:SERVICE/NAME"

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|(file|exec):\S.*|keyring:[^/\s][^/]*/\S.*")
_LIMIT = 4_096
_EXEC_SECONDS = 20.0


class Secret:
    """A value that is used and never shown: whoever prints, formats or writes it gets `***`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


def secret_reference(value: object, what: str = "passphrase") -> str:
    """The reference, if it is one. What stands there is never repeated: it may be the secret itself.

    `what` is how messages call the secret.

    Raises:
        ValueError: it is none, with the forms there are.

    """
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return value
    raise ValueError(f"name where the {what} is kept, never the {what}: {FORMS}")


def shown_reference(reference: str) -> str:
    """A reference for messages: of a command only its name, since its arguments may say too much."""
    kind, _, name = reference.partition(":")
    if kind != "exec":
        return reference
    words = name.split()
    return f"exec:{words[0]}{' …' if len(words) > 1 else ''}" if words else "exec:"


@dataclass(frozen=True, slots=True)
class SecretReader:
    """Reads secrets, each once: a vault is asked once a scan, also when it said no. Safe in threads."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    exec_seconds: float = _EXEC_SECONDS
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _known: dict[str, Secret | str] = field(default_factory=dict, repr=False)

    def read(self, reference: str, what: str = "passphrase of the key") -> Secret:
        """The secret behind `env:`, `file:`, `exec:` or `keyring:`; `what` it is for the message.

        Raises:
            CollectError: it is not there, empty, open to others, or its command failed.

        """
        with self._lock:
            if reference not in self._known:
                try:
                    self._known[reference] = self._found(reference)
                except CollectError as error:
                    self._known[reference] = str(error)
            found = self._known[reference]
        if isinstance(found, str):
            raise CollectError(Failure.CREDENTIALS, found, f"the {what}")
        return found

    def _found(self, reference: str) -> Secret:
        kind, _, name = reference.partition(":")
        where = shown_reference(reference)
        match kind:
            case "env":
                value = self.environ.get(name, "")
            case "file":
                value = _from_file(Path(name), where)
            case "exec":
                value = _from_command(name, where, self.exec_seconds)
            case "keyring":
                value = _from_keyring(name, where)
            case _:
                raise _refused(f"a secret is named as {FORMS}")
        if not value:
            raise _refused(f"{where}: there is nothing")
        return Secret(value)


def _from_file(path: Path, where: str) -> str:
    try:
        path = path.expanduser()
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            mode = stat.S_IMODE(status.st_mode)
            if not stat.S_ISREG(status.st_mode):
                raise _refused(f"{where}: this is no file")
            if mode & 0o077:
                raise _refused(f"{where}: open to other users (mode {mode:04o}); run `chmod 600` on it")
            return _text(file.read(_LIMIT + 1), where)
    except OSError as error:
        raise _refused(f"{where}: {error.strerror}") from None
    except RuntimeError:
        raise _refused(f"{where}: there is no such home directory") from None


def _from_command(command: str, where: str, seconds: float) -> str:
    """What a command of this machine prints. It runs without a shell; what it complains of is not read."""
    try:
        words = shlex.split(command)
    except ValueError:
        raise _refused(f"{where}: the quotes in the command do not match") from None
    try:
        with subprocess.Popen(  # noqa: S603 - the person who wrote the scope named this command
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                raise _refused(f"{where}: no answer in {seconds:.0f} s") from None
    except OSError as error:
        raise _refused(f"{where}: {error.strerror}") from None
    if process.returncode:
        raise _refused(f"{where}: ended with status {process.returncode}")
    return _text(output[: _LIMIT + 1], where)


def _from_keyring(name: str, where: str) -> str:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise _refused(f"{where}: the package keyring is not installed beside Bartizan") from None
    service, _, user = name.partition("/")
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - whatever a backend raises, its text may hold too much
        raise _refused(f"{where}: the keyring does not answer ({type(error).__name__})") from None
    return str(found or "")


def _text(data: bytes, where: str) -> str:
    """The first line: editors and commands end it, and no passphrase has a line break."""
    if len(data) > _LIMIT:
        raise _refused(f"{where}: more than {_LIMIT:,} bytes are no passphrase")
    try:
        return data.decode("utf-8").partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise _refused(f"{where}: not UTF-8 text") from None


def _refused(message: str) -> CollectError:
    return CollectError(Failure.CREDENTIALS, message)
