"""Software that a server does without, software that nobody updates, and backups."""

from __future__ import annotations

import pytest

from checks.check import Check
from checks.facts.host.packages import Package, Packages
from checks.facts.host.units import Unit, Units
from checks.facts.host.upkeep import Backups, BackupTrace, Unpackaged
from checks.host import software
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown


def packages(*names: str) -> Packages:
    return Packages("dpkg", tuple(Package(name, "1", "amd64", name, "1") for name in names))


@pytest.mark.parametrize("check", checks_of(software), ids=lambda c: c.id)
def test_without_its_facts_nothing_is_known(check: Check[[Packages]]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("identifier", "package"),
    [
        ("prelink", "prelink"),
        ("compilers", "gcc"),
        ("desktop", "gdm3"),
        ("selinux-tools", "mcstrans"),
    ],
)
def test_what_a_server_does_without_fails_by_name_and_can_be_allowed(identifier: str, package: str) -> None:
    [check] = [one for one in software.UNWANTED if one.id == f"host.software.{identifier}"]
    assert failing(check, packages("bash", package)) == [package]
    assert failing(check, packages("bash", f"lib{package}")) == []
    assert failing(check, packages("bash", package), allowed=frozenset({package})) == []
    [bad] = judged(check, packages(package))
    assert bad.fix.snippets[0].do.startswith(f"package={package}\n")


@pytest.mark.parametrize(
    "name", ["gcc-12", "g++-12", "clang-14", "clang16", "gcc13", "gcc13-c++", "gcc-toolset-13-gcc", "go1.21"]
)
def test_a_compiler_with_its_version_in_its_name_is_one(name: str) -> None:
    [check] = [one for one in software.UNWANTED if one.id == "host.software.compilers"]
    assert failing(check, packages("bash", name)) == [name]
    # Libraries of it are on every host.
    assert failing(check, packages("bash", "gcc-12-base", "libgcc-s1", "libgo21", "gcc13-locale")) == []


def test_a_login_screen_that_starts_fails() -> None:
    def units(enabled: str) -> Units:
        return Units("systemd", False, (Unit("gdm.service", enabled, ""),))

    assert failing(software.graphical_start, units("enabled")) == ["gdm.service"]
    assert failing(software.graphical_start, units("disabled")) == []


def test_programs_past_the_package_manager_are_one_finding_until_they_are_known() -> None:
    found = Unpackaged(("/opt: app", "pip: requests 2.0"), more=False)
    assert failing(software.unpackaged, found) == ["programs outside of the packages"]
    assert failing(software.unpackaged, found, known=frozenset(found.programs)) == []
    assert failing(software.unpackaged, Unpackaged((), more=False)) == []


@pytest.mark.parametrize(
    ("traces", "outcome"),
    [
        ((BackupTrace("restic", "unit", "2026-11-22"),), Outcome.PASS),
        ((BackupTrace("restic", "unit", "2026-10-01"),), Outcome.FAIL),
        ((BackupTrace("bacula-fd", "running", ""),), Outcome.UNKNOWN),
        ((), Outcome.UNKNOWN),
    ],
)
def test_a_backup_counts_only_with_a_trace_of_its_run(
    traces: tuple[BackupTrace, ...], outcome: Outcome
) -> None:
    found = judged(software.backups, Backups(traces))
    assert outcomes(found) == {"backups": outcome}
