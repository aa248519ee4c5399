"""For each check of cloud accounts, facts on which it fails and facts on which it passes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from checks.facts.snapshot import Fact

Facts = tuple[Fact, ...]


def _gathered() -> Mapping[str, tuple[Facts, Facts]]:
    """The examples of all topics here; no check has two."""
    found: dict[str, tuple[Facts, Facts]] = {}
    for module in pkgutil.iter_modules(__path__):
        topic: Mapping[str, tuple[Facts, Facts]] = importlib.import_module(
            f"{__name__}.{module.name}"
        ).EXAMPLES
        assert not set(found) & set(topic), set(found) & set(topic)
        found.update(topic)
    return found


EXAMPLES = _gathered()
"""By check: (facts on which it fails, facts on which it passes)."""
