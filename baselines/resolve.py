"""A baseline and a profile, resolved against the catalogue: exactly what will be judged."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import msgspec

from baselines.load import Loaded
from baselines.model import Profile
from baselines.text import Path, TextError
from checks.catalogue import Catalogue
from checks.check import Check
from checks.facts.host.system import OperatingSystem
from checks.facts.snapshot import Fact
from checks.model import Kind, Severity


@dataclass(frozen=True, slots=True)
class Demand:
    """One check with its thresholds, as one baseline and profile demand it; `fits` as in `Baseline`.

    With `zones` it is demanded of the targets in these zones only.
    """

    check: Check[Any]
    options: Mapping[str, object]
    severity: Severity
    controls: Mapping[str, tuple[str, ...]]
    baseline: str
    profile: str
    fits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()


def resolve(
    loaded: Loaded, profile: str, catalogue: Catalogue, known: Mapping[str, Loaded]
) -> tuple[Demand, ...]:
    """What this baseline demands at this profile, sorted by check id; `known` are those it may extend.

    An empty profile means the one for everybody, see `default_profile`.

    Raises:
        TextError: an unknown check, profile, baseline or threshold, a threshold of the wrong type, or a
            baseline or profile that extends itself.

    """
    _refuse_cycle(loaded, known)
    fits = _fits(loaded, known)
    shown = frozenset(loaded.baseline.frameworks)
    demands = _resolve(loaded, profile, catalogue, known)
    return tuple(
        replace(
            demand,
            fits=fits,
            controls=MappingProxyType({k: v for k, v in demand.controls.items() if k in shown or not shown}),
        )
        for _, demand in sorted(demands.items())
    )


def merge(groups: Iterable[tuple[Demand, ...]]) -> tuple[Demand, ...]:
    """Several baselines at once: equal demands for the same systems and zones are joined, controls and all.

    Raises:
        TextError: two baselines demand one check with different thresholds of the same systems.

    """
    merged: dict[tuple[str, str, frozenset[str]], Demand] = {}
    for demand in (d for group in groups for d in group):
        key = demand.check.id, str(dict(demand.fits)), demand.zones
        first = merged.setdefault(key, demand)
        if first is demand:
            continue
        if dict(first.options) != dict(demand.options):
            raise TextError(
                f"{demand.check.id}: {first.baseline} and {demand.baseline} demand different thresholds; "
                "leave it out of one of them with a tailoring"
            )
        controls = {
            name: tuple(dict.fromkeys((*first.controls.get(name, ()), *demand.controls.get(name, ()))))
            for name in (*first.controls, *demand.controls)
        }
        severity = max(first.severity, demand.severity, key=lambda s: s.rank)
        merged[key] = replace(first, controls=MappingProxyType(controls), severity=severity)
    return tuple(sorted(merged.values(), key=lambda d: d.check.id))


def needs(demands: Iterable[Demand], kind: Kind) -> frozenset[type[Fact]]:
    """The facts that judging targets of this kind asks for; only their collectors run.

    In the place of a derived fact stand those that it is made of. Baselines for certain systems also want
    to know which system a host runs.
    """
    demands = tuple(demands)
    picky = kind is Kind.HOST and any(d.fits for d in demands)
    system: frozenset[type[Fact]] = frozenset({OperatingSystem}) if picky else frozenset()
    return system | frozenset(
        s for d in demands if d.check.kind is kind for fact in d.check.needs for s in _sources(fact)
    )


def _sources(fact: type[Fact]) -> Iterable[type[Fact]]:
    if not fact.derived_from:
        return (fact,)
    return (source for part in (*fact.derived_from, *fact.aided_by) for source in _sources(part))


def default_profile(loaded: Loaded, known: Mapping[str, Loaded]) -> str:
    """The level meant for everybody: what the baseline says, or the first profile that extends no other."""
    baseline = loaded.baseline
    profiles = baseline.profiles
    if baseline.default:
        return baseline.default
    if not profiles and baseline.extends and baseline.extends in known:
        return default_profile(known[baseline.extends], known)
    for name, one in profiles.items():
        if one.extends is None:
            return name
    return next(iter(profiles), "")


def _resolve(
    loaded: Loaded, profile: str, catalogue: Catalogue, known: Mapping[str, Loaded]
) -> dict[str, Demand]:
    baseline, document = loaded.baseline, loaded.document
    profiles = profiles_of(loaded, known)
    if baseline.default and baseline.default not in profiles:
        raise document.error(("default",), _unknown("profile", baseline.default, profiles))
    wanted = profile or default_profile(loaded, known)
    if wanted not in profiles:
        raise document.error(("profiles",), _unknown("profile", wanted, profiles))
    chain = _chain(loaded, wanted, profiles)
    demands = _inherited(loaded, chain, catalogue, known)
    for number, rule in enumerate(baseline.rules):
        where: Path = ("rules", number)
        if rule.profile not in profiles:
            raise document.error((*where, "profile"), _unknown("profile", rule.profile, profiles))
        check = _find(loaded, (*where, "check"), rule.check, catalogue)
        if check.id in demands and rule.profile in chain:
            raise document.error((*where, "check"), f"{check.id} is demanded twice")
        defaults = {name: option.default for name, option in check.options.items()}
        options = _options(loaded, (*where, "with"), check, rule.with_, defaults)
        if rule.profile in chain:
            demands[check.id] = Demand(
                check=check,
                options=options,
                severity=rule.severity or check.severity,
                controls=MappingProxyType({k: tuple(v) for k, v in rule.controls.items()}),
                baseline=baseline.id,
                profile=rule.profile,
            )
    for number, change in enumerate(baseline.tailor):
        where = ("tailor", number)
        check = _find(loaded, (*where, "check"), change.check, catalogue)
        if check.id not in demands:
            # A change of what only a stricter profile demands says nothing here, and is no mistake.
            if check.id in _demanded_above(loaded, catalogue, known):
                continue
            raise document.error((*where, "check"), f"{baseline.extends} does not demand {check.id}")
        if change.leave_out:
            del demands[check.id]
            continue
        old = demands[check.id]
        options = _options(loaded, (*where, "with"), check, change.with_, old.options)
        demands[check.id] = replace(old, options=options, severity=change.severity or old.severity)
    return demands


def _inherited(
    loaded: Loaded, chain: tuple[str, ...], catalogue: Catalogue, known: Mapping[str, Loaded]
) -> dict[str, Demand]:
    """What the baseline that this one extends demands, at the nearest profile that it has."""
    baseline = loaded.baseline
    if not baseline.extends:
        return {}
    parent = known[baseline.extends]
    theirs = profiles_of(parent, known)
    profile = next((name for name in chain if name in theirs), default_profile(parent, known))
    below = _resolve(parent, profile, catalogue, known)
    return {identifier: replace(demand, baseline=baseline.id) for identifier, demand in below.items()}


def _refuse_cycle(loaded: Loaded, known: Mapping[str, Loaded]) -> None:
    seen = [loaded.baseline.id]
    one = loaded
    while one.baseline.extends:
        parent = one.baseline.extends
        if parent not in known:
            raise one.document.error(("extends",), _unknown("baseline", parent, known))
        if parent in seen:
            raise loaded.document.error(
                ("extends",), f"extends itself by way of {' → '.join((*seen, parent))}"
            )
        seen.append(parent)
        one = known[parent]


def _demanded_above(loaded: Loaded, catalogue: Catalogue, known: Mapping[str, Loaded]) -> frozenset[str]:
    """The checks that any profile of the baselines above demands."""
    found: set[str] = set()
    while loaded.baseline.extends:
        loaded = known[loaded.baseline.extends]
        rules = (catalogue.find(rule.check) for rule in loaded.baseline.rules)
        found.update(check.id for check in rules if check is not None)
    return frozenset(found)


def _fits(loaded: Loaded, known: Mapping[str, Loaded]) -> Mapping[str, tuple[str, ...]]:
    """The systems of the baseline itself, or else of the one that it extends."""
    baseline = loaded.baseline
    if not baseline.fits and baseline.extends:
        return _fits(known[baseline.extends], known)
    return MappingProxyType({system: tuple(versions) for system, versions in baseline.fits.items()})


def profiles_of(loaded: Loaded, known: Mapping[str, Loaded]) -> dict[str, Profile]:
    """The profiles of a baseline, with those of the baselines that it extends."""
    parent = known.get(loaded.baseline.extends or "")
    return {**(profiles_of(parent, known) if parent else {}), **loaded.baseline.profiles}


def _chain(loaded: Loaded, profile: str, profiles: Mapping[str, Profile]) -> tuple[str, ...]:
    chain: list[str] = []
    name: str | None = profile
    while name is not None:
        if name in chain:
            raise loaded.document.error(("profiles", name), f"extends itself by way of {' → '.join(chain)}")
        if name not in profiles:
            raise loaded.document.error(
                ("profiles", chain[-1], "extends"), _unknown("profile", name, profiles)
            )
        chain.append(name)
        name = profiles[name].extends
    return tuple(chain)


def _find(loaded: Loaded, where: Path, identifier: str, catalogue: Catalogue) -> Check[Any]:
    found = catalogue.find(identifier)
    if found is None:
        nearest = catalogue.nearest(identifier)
        hint = f"; did you mean {nearest}?" if nearest else "; `bartizan checks list` shows them all"
        raise loaded.document.error(where, f"there is no check {identifier}{hint}")
    return found


def _options(
    loaded: Loaded,
    where: Path,
    check: Check[Any],
    given: Mapping[str, object],
    before: Mapping[str, object],
) -> Mapping[str, object]:
    options = dict(before)
    for name, value in given.items():
        option = check.options.get(name)
        if option is None:
            raise loaded.document.error((*where, name), _unknown("threshold", name, check.options))
        try:
            options[name] = msgspec.convert(value, option.type)
        except msgspec.ValidationError as error:
            wanted = inspect.formatannotation(option.type)
            message = f"{check.id} takes {wanted} here: {str(error).lower()}"
            raise loaded.document.error((*where, name), message) from None
    return MappingProxyType(options)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"there is no {what} {name}; did you mean {close[0]}?"
    return f"there is no {what} {name}; there is {', '.join(names) or 'none'}"
