"""Checks, baselines and collectors are complete for one another."""

from __future__ import annotations

import pytest

from baselines.load import library
from baselines.resolve import default_profile, merge, resolve
from checks.catalogue import load
from checks.facts.network import NetworkCoverage, OpenPorts, PortAnswers
from checks.facts.network.datagrams import UdpAnswers
from checks.facts.snapshot import Fact
from checks.model import Kind

CATALOGUE = load()
LIBRARY = library()
PROFILES = [(name, profile) for name, one in LIBRARY.items() for profile in ("", *one.baseline.profiles)]


def test_there_is_a_baseline_for_every_kind() -> None:
    demanded = {rule.check.partition(".")[0] for one in LIBRARY.values() for rule in one.baseline.rules}
    assert demanded == {"network", "host", "cloud"}


@pytest.mark.parametrize(("name", "profile"), PROFILES)
def test_every_baseline_resolves_at_every_profile(name: str, profile: str) -> None:
    demands = resolve(LIBRARY[name], profile, CATALOGUE, LIBRARY)
    assert demands
    assert all(demand.baseline == name for demand in demands)


@pytest.mark.parametrize("name", list(LIBRARY))
def test_a_stricter_profile_demands_all_that_the_one_below_it_does(name: str) -> None:
    one = LIBRARY[name]
    for stricter, profile in one.baseline.profiles.items():
        if profile.extends:
            below = {d.check.id for d in resolve(one, profile.extends, CATALOGUE, LIBRARY)}
            above = {d.check.id for d in resolve(one, stricter, CATALOGUE, LIBRARY)}
            assert below < above, f"{stricter} adds nothing to {profile.extends}"


def test_all_baselines_together_can_be_demanded() -> None:
    assert merge(resolve(one, default_profile(one, LIBRARY), CATALOGUE, LIBRARY) for one in LIBRARY.values())


def test_every_check_of_ours_is_in_a_baseline() -> None:
    demanded = {rule.check for one in LIBRARY.values() for rule in one.baseline.rules}
    assert sorted(set(CATALOGUE.checks) - demanded) == []


@pytest.mark.parametrize("name", list(LIBRARY))
def test_controls_are_numbers_of_sections_and_never_texts(name: str) -> None:
    for rule in LIBRARY[name].baseline.rules:
        assert rule.controls, f"{rule.check} points at no control"
        for framework, numbers in rule.controls.items():
            assert framework == framework.lower()
            assert numbers
            assert all(len(number) <= 24 and number.isascii() for number in numbers), framework


def _filled(kind: Kind) -> set[type[Fact]]:
    """The facts that the collectors of a kind can fill, as their own tables say.

    This is the one place here that knows the collectors: a new table of them belongs into it.
    """
    match kind:
        case Kind.HOST:
            from scanner.collect.host.collect import PROBES
            from scanner.derive import fleet, vulnerabilities

            derived = (*fleet.derivations(fleet.Fleet()), *vulnerabilities.derivations(None))
            made = {fact for one in derived for fact in one.facts}
            return {fact for probe in PROBES for fact in probe.facts} | made
        case Kind.NETWORK:
            from scanner.collect.network.ask.every import QUESTIONS

            # The sweeps themselves fill these four; every other fact has its question, or is derived.
            asked = {f for one in QUESTIONS for f in one.facts}
            return {NetworkCoverage, OpenPorts, PortAnswers, UdpAnswers, *asked, *_derived_of_networks()}
        case Kind.AWS:
            from scanner.collect.cloud.registry import facts

            return set(facts())


def _derived_of_networks() -> set[type[Fact]]:
    from scanner.derive.network import nothing_known

    return {fact for one in nothing_known() for fact in one.facts}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_fact_that_a_check_needs_has_a_collector(kind: Kind) -> None:
    wanted = {fact for one in CATALOGUE.checks.values() if one.kind is kind for fact in one.needs}
    assert wanted
    missing = sorted(fact.__name__ for fact in wanted - _filled(kind))
    assert missing == [], "their checks could only ever answer unknown"


def test_every_derived_fact_is_made_of_facts_that_are_collected() -> None:
    from scanner.collect.host.collect import PROBES
    from scanner.collect.network.ask.every import SERVICE_FACTS

    collected = {fact for probe in PROBES for fact in probe.facts}
    collected |= SERVICE_FACTS | {NetworkCoverage, OpenPorts, PortAnswers}
    derived = [fact for fact in CATALOGUE.facts.values() if fact.derived_from]
    assert derived
    for fact in derived:
        assert set(fact.derived_from) <= collected, fact.__name__


def test_every_fact_is_asked_for_by_a_check_or_by_the_reports() -> None:
    asked = {fact.__name__ for one in CATALOGUE.checks.values() for fact in one.needs}
    derived = [fact for fact in CATALOGUE.facts.values() if fact.derived_from]
    asked |= {part.__name__ for fact in derived for part in (*fact.derived_from, *fact.aided_by)}
    of_reports = {"NetworkCoverage", "OpenPorts", "OperatingSystem"}
    assert set(CATALOGUE.facts) - asked - of_reports == set(), "a fact that nobody reads is dead"
