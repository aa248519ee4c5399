"""What every form of feed has: how it is told from the others, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from scanner.intel.draft import Draft
from scanner.intel.unpack import Source


@dataclass(frozen=True, slots=True)
class Form:
    """One form. `looks` tells from the first bytes of a file; `read` puts its rows into the draft."""

    title: str
    looks: Callable[[bytes], bool]
    read: Callable[[Source, Draft], None]


def begins(pattern: bytes) -> Callable[[bytes], bool]:
    """Whether a file begins like that, after white space and a byte order mark."""
    compiled = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*" + pattern, re.DOTALL)
    return lambda head: compiled.match(head) is not None


def holds(*patterns: bytes) -> Callable[[bytes], bool]:
    """Whether the first bytes of a file hold all of these."""
    compiled = [re.compile(pattern) for pattern in patterns]
    return lambda head: all(pattern.search(head) for pattern in compiled)
