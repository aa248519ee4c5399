"""Finds the checks and facts of Bartizan and of other installed packages."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, distributions, entry_points
from types import MappingProxyType, ModuleType
from typing import Any

import checks
import checks.facts
from checks.check import Check
from checks.facts.snapshot import Fact

CHECKS_GROUP = "bartizan.checks"
FACTS_GROUP = "bartizan.facts"
_TOPICS = ("network", "host", "cloud")


class CatalogueError(ValueError):
    """Two checks or facts claim one name, or a plug-in does not hold what it says."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A package that adds checks or facts: shown in every report that used it."""

    name: str
    distribution: str
    version: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All checks by id (aliases too), all facts by class name, and the plug-ins they came from."""

    checks: Mapping[str, Check[Any]]
    aliases: Mapping[str, str]
    facts: Mapping[str, type[Fact]]
    plugins: tuple[Plugin, ...] = ()

    def find(self, identifier: str) -> Check[Any] | None:
        """The check of that id or former id."""
        return self.checks.get(self.aliases.get(identifier, identifier))

    def nearest(self, identifier: str) -> str:
        """The id that looks most like it, or an empty text."""
        close = get_close_matches(identifier, [*self.checks, *self.aliases], n=1, cutoff=0.5)
        return close[0] if close else ""


def load(allowed_plugins: Iterable[str] = ()) -> Catalogue:
    """Our own checks and facts, and those of the named distributions, and of no others.

    Raises:
        CatalogueError: a duplicate id, an allowed plug-in that is not installed, or one whose entry point
            cannot be loaded or is not what its group says.

    """
    allowed = {_canonical(name): name for name in allowed_plugins}
    installed = {_canonical(d.name) for d in distributions() if d.name}
    for name in allowed.keys() - installed:
        raise CatalogueError(f"the plug-in {allowed[name]} is allowed but not installed")
    found: list[Check[Any]] = []
    for topic in _TOPICS:
        for module in _modules(importlib.import_module(f"checks.{topic}")):
            found.extend(_checks_of(module))
    facts = [fact for module in _modules(checks.facts) for fact in _facts_of(module)]
    plugins: list[Plugin] = []
    for point in _points(CHECKS_GROUP, allowed):
        plugins.append(_plugin(point))
        found.extend(_from_plugin(point, _load(point)))
    for point in _points(FACTS_GROUP, allowed):
        plugins.append(_plugin(point))
        facts.extend(_facts_from_plugin(point, _load(point)))
    return build(found, facts, plugins)


def build(
    found: Iterable[Check[Any]], facts: Iterable[type[Fact]], plugins: Iterable[Plugin] = ()
) -> Catalogue:
    """A catalogue of exactly these; a duplicate id, alias or fact name is an error."""
    by_id: dict[str, Check[Any]] = {}
    aliases: dict[str, str] = {}
    for one in found:
        # One check under two names of a module, or in a table as well, is still one check.
        if by_id.setdefault(one.id, one) is not one:
            raise CatalogueError(f"two checks have the id {one.id}")
    for one in by_id.values():
        for alias in one.aliases:
            if alias in by_id or alias in aliases:
                raise CatalogueError(f"{one.id}: its former id {alias} is taken")
            aliases[alias] = one.id
    by_name: dict[str, type[Fact]] = {}
    for fact in facts:
        if by_name.setdefault(fact.__name__, fact) is not fact:
            raise CatalogueError(f"two facts have the name {fact.__name__}")
    return Catalogue(
        checks=MappingProxyType(dict(sorted(by_id.items()))),
        aliases=MappingProxyType(aliases),
        facts=MappingProxyType(dict(sorted(by_name.items()))),
        plugins=tuple(dict.fromkeys(plugins)),
    )


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


def _checks_of(module: ModuleType) -> Iterator[Check[Any]]:
    for value in vars(module).values():
        if isinstance(value, Check) and value.run.__module__ == module.__name__:
            yield value
        elif isinstance(value, tuple):
            # A table in a topic's module generates a family of checks as one tuple.
            yield from (v for v in value if isinstance(v, Check) and v.run.__module__ == module.__name__)


def _facts_of(module: ModuleType) -> Iterator[type[Fact]]:
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, Fact)
            and value is not Fact
            and value.__module__ == module.__name__
        ):
            yield value


def _points(group: str, allowed: Container[str]) -> Iterator[EntryPoint]:
    for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)):
        if point.dist is not None and _canonical(point.dist.name) in allowed:
            yield point


def _plugin(point: EntryPoint) -> Plugin:
    assert point.dist is not None
    return Plugin(point.name, point.dist.name, point.dist.version)


def _canonical(name: str) -> str:
    """A distribution's name as package indexes compare them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise CatalogueError(
            f"entry point {point.name} of {point.group} cannot be loaded: {error}"
        ) from error


def _facts_from_plugin(point: EntryPoint, loaded: object) -> Iterator[type[Fact]]:
    if isinstance(loaded, ModuleType):
        yield from _facts_of(loaded)
    elif isinstance(loaded, type) and issubclass(loaded, Fact):
        yield loaded
    else:
        raise CatalogueError(f"entry point {point.name} of {point.group} is neither a fact nor a module")


def _from_plugin(point: EntryPoint, loaded: object) -> Iterator[Check[Any]]:
    if isinstance(loaded, Check):
        yield loaded
    elif isinstance(loaded, ModuleType):
        yield from _checks_of(loaded)
    else:
        raise CatalogueError(f"entry point {point.name} of {point.group} is neither a check nor a module")
