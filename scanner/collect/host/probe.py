"""A probe: the questions about one topic as a shell fragment, and the reading of their answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected

NEEDS_ROOT = 126
"""The exit status of a fragment that may not read what it must."""


class ParseError(ValueError):
    """An answer is not of the form that its command gives; the whole topic becomes a gap."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One topic of a host.

    `script` is POSIX sh for bash, dash and BusyBox ash; it only reads, ends with `exit 0` on success and
    with `exit 126` where root is needed. It may call what `scanner.collect.host.script.TOOLS` defines.
    `parse` makes facts of its output, and raises `ParseError` on output it does not understand.
    `how` is what people would call the question. `privileges` are the commands that it runs through sudo,
    as sudoers writes them (`as_sudoers`): whole paths, `""` for a command that must not get arguments, and
    a star only where no argument can do harm.
    """

    topic: str
    facts: tuple[type[Fact], ...]
    script: str
    parse: Callable[[str], Collected]
    how: str
    privileges: tuple[str, ...] = ()
    seconds: int = 10
    limit: int = 65_536

    @property
    def needs(self) -> str:
        """What closes a gap of this probe, in words."""
        return "sudo: " + "; ".join(self.privileges) if self.privileges else ""


def as_sudoers(*words: str) -> str:
    """The command as sudoers writes it: every character that has a meaning there stands for itself."""
    return " ".join(re.sub(r"([\\,:=*?!#\[\]])", r"\\\1", one) for one in words)


def rows(text: str) -> list[list[str]]:
    """The lines of an answer, split at tabs; empty lines are left out."""
    return [line.split("\t") for line in text.splitlines() if line.strip()]


def number(text: str, what: str) -> int:
    """The decimal number in that text; `what` names it in the error.

    Raises:
        ParseError: anything but decimal digits.

    """
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ParseError(f"{what} is no number: {text[:40]!r}")
    return int(text)
