"""Files of settings as the fragment tells them: which there are, and which of them take in others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

Files = Mapping[str, Mapping[str, "list[str]"]]
"""The lines of every file, by its kind and its path."""


def taken_in(pattern: str, folder: str, files: Mapping[str, list[str]]) -> list[str]:
    """The files that an include line means, in order; a relative path begins in `folder`."""
    whole = pattern if pattern.startswith("/") else f"{folder}/{pattern}"
    if whole.endswith("/"):
        whole += "*"
    return [file for file in sorted(files) if _matches(file, whole)]


def _matches(file: str, pattern: str) -> bool:
    # A star does not reach into folders below.
    return fnmatchcase(file, pattern) and file.count("/") == pattern.count("/")


def pairs(lines: list[str], separators: str = "=") -> Iterator[tuple[str, str]]:
    """Key and value of each line, the key in lower case, the value without its quotes."""
    for line in lines:
        at = min((line.find(one) for one in separators if one in line), default=-1)
        key, value = (line, "") if at < 0 else (line[:at], line[at + 1 :])
        yield " ".join(key.lower().split()), value.strip().strip("\"'")
