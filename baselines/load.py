"""Finds baselines: those in our library, and those that people write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from baselines.model import Baseline
from baselines.text import Document, TextError, parse, read


@dataclass(frozen=True, slots=True)
class Loaded:
    """A baseline and the text it stands in, for messages with file and line."""

    baseline: Baseline
    document: Document


def load(data: bytes, name: str) -> Loaded:
    """The baseline in these bytes; `name` is how messages call the file.

    Raises:
        TextError: a mistake, with file and line.

    """
    document = read(data, name)
    return Loaded(parse(document, Baseline), document)


@cache
def library() -> Mapping[str, Loaded]:
    """Our own baselines by id."""
    found: dict[str, Loaded] = {}
    for entry in _yaml(files("baselines") / "library"):
        one = load(entry.read_bytes(), f"library/{entry.name}")
        if one.baseline.id in found:
            raise TextError(f"library/{entry.name}:1: id: {one.baseline.id} is taken")
        found[one.baseline.id] = one
    return MappingProxyType(dict(sorted(found.items())))


def _yaml(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _yaml(entry)
        elif entry.name.endswith(".yaml"):
            yield entry
