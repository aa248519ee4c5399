"""Keeps the memory of a long scan small, where the C library lets us."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's mallopt(3)."""


def few_arenas() -> None:
    """Lets all threads share two heaps: one for each would keep the peak of every collection."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def give_back() -> None:
    """Returns to the system what is free: judging then begins without what collecting once needed."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
