"""The lines of an OpenSSH client configuration and of what it includes, as blocks under their conditions."""

from __future__ import annotations

import glob
import os
import re
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_BYTES = 1_048_576
_DEPTH = 16
_FILES = 64
_SETTING = re.compile(r"(\w+)(?:\s*=\s*|\s+)(.*)")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SshConfigError(ValueError):
    """The file cannot be read, is no such configuration, or says what is not done. One line."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One `Host` line, or one criterion of a `Match` line."""

    kind: str
    patterns: tuple[str, ...]
    negated: bool
    place: str


@dataclass(frozen=True, slots=True)
class Block:
    """Settings (key, words, place) and all the conditions under which they count."""

    conditions: tuple[Condition, ...]
    settings: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)


def read_blocks(path: Path) -> tuple[Block, ...]:
    """The blocks of the configuration in that file.

    Raises:
        SshConfigError: it cannot be read, others may change it, or a line is not understood.

    """
    reader = _Reader()
    reader.read(path, (), 0)
    return tuple(reader.blocks)


class _Reader:
    """Reads a file and those it includes into one list of blocks, in the order of the lines."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.files = 0

    def read(self, path: Path, outer: tuple[Condition, ...], depth: int) -> None:
        self.files += 1
        if depth > _DEPTH or self.files > _FILES:
            raise SshConfigError(f"{path}: the Include lines go too deep")
        inner: tuple[Condition, ...] = ()
        self.blocks.append(Block(outer))
        for number, line in enumerate(_text(path).splitlines(), 1):
            place = f"{path}:{number}"
            key, words = _split(line, place)
            match key:
                case "":
                    continue
                case "host":
                    inner = (Condition("host-line", words, False, place),)
                    self.blocks.append(Block(outer + inner))
                case "match":
                    inner = tuple(_criteria(words, place))
                    self.blocks.append(Block(outer + inner))
                case "include":
                    for word in words:
                        for file in _included(word):
                            self.read(file, outer + inner, depth + 1)
                    self.blocks.append(Block(outer + inner))
                case _:
                    self.blocks[-1].settings.append((key, words, place))


def _text(path: Path) -> str:
    try:
        path = path.expanduser()
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        raise SshConfigError(f"{path}: {error.strerror}") from None
    except RuntimeError:
        raise SshConfigError(f"{path}: there is no such home directory") from None
    if not stat.S_ISREG(status.st_mode):
        raise SshConfigError(f"{path}: this is no file")
    if status.st_mode & 0o022 or status.st_uid not in (0, os.getuid()):
        raise SshConfigError(f"{path}: somebody else may change it; chmod go-w it first")
    if len(data) > _BYTES:
        raise SshConfigError(f"{path}: more than {_BYTES:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SshConfigError(f"{path}: not UTF-8 text") from None


def _split(line: str, place: str) -> tuple[str, tuple[str, ...]]:
    line = line.strip()
    if not line or line.startswith("#"):
        return "", ()
    found = _SETTING.fullmatch(line)
    try:
        words = shlex.split(found[2]) if found else []
    except ValueError:
        raise SshConfigError(f"{place}: the quotes do not match") from None
    end = next((n for n, word in enumerate(words) if word.startswith("#")), len(words))
    if found is None or not words[:end]:
        raise SshConfigError(f"{place}: a keyword and its value are expected")
    return found[1].lower(), tuple(words[:end])


def _criteria(words: tuple[str, ...], place: str) -> Iterator[Condition]:
    left = list(words)
    while left:
        word = left.pop(0)
        negated, kind = word.startswith("!"), word.removeprefix("!").lower()
        if kind in ("all", "canonical", "final"):
            yield Condition(kind, (), negated, place)
            continue
        kind, equals, _ = kind.partition("=")
        if not equals and not left:
            raise SshConfigError(f"{place}: Match {kind} names nothing")
        # What exec would run is neither kept nor shown.
        patterns = (word.partition("=")[2] if equals else left.pop(0)).split(",")
        yield Condition(kind, tuple(patterns) if kind != "exec" else (), negated, place)


def _included(word: str) -> list[Path]:
    """The files of one Include word; a relative one counts from ~/.ssh, and none at all is fine."""
    whole = Path("~/.ssh").expanduser() / Path(with_environment(word, word)).expanduser()
    return [Path(name) for name in sorted(glob.glob(str(whole)))]


def with_environment(text: str, shown: str) -> str:
    """The text with `${NAME}` replaced by the environment; `shown` is how a message calls it."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise SshConfigError(f"{shown}: the environment variable {found[1]} is not set")
        return os.environ[found[1]]

    return _VARIABLE.sub(value, text)
