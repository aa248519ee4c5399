"""For each check of cloud accounts, facts on which it fails and facts on which it passes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path

from checks.facts.snapshot import Fact

Facts = tuple[Fact, ...]


def _gathered() -> Mapping[str, tuple[Facts, Facts]]:
    """The examples of all topics of `tests/checks/cloud/examples`; no check has two."""
    found: dict[str, tuple[Facts, Facts]] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).with_name("examples"))]):
        if module.name == "records":
            continue
        topic: Mapping[str, tuple[Facts, Facts]] = importlib.import_module(
            f"tests.checks.cloud.examples.{module.name}"
        ).EXAMPLES
        assert not set(found) & set(topic), set(found) & set(topic)
        found.update(topic)
    return found


EXAMPLES = _gathered()
"""By check: (facts on which it fails, facts on which it passes)."""
