"""Collects nothing yet."""

from __future__ import annotations

from collections.abc import Iterable

from scanner.collect.cloud.calls import Collector


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    return ()
