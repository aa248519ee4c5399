"""Patches and the life of releases, judged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import PendingUpdates, RebootState, Update
from checks.host import patch
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

DEBIAN = OperatingSystem(
    "debian", "13", "Debian GNU/Linux 13 (trixie)", (), "6.12.0-1-amd64", "x86_64", "web-1"
)
FIX = Update("openssl", "3.0.13-1", "3.0.15-1", "Debian-Security:13/stable-security", security=True)
FEATURE = Update("nano", "7.2-1", "7.2-2", "Debian:13.1/stable", security=False)
FRESH = PendingUpdates(
    manager="apt",
    pending=(),
    lists=3,
    lists_at="2026-11-21T00:53:02Z",
    security_source=True,
    tells_security=True,
    held=(),
)
BOOTED = RebootState("6.1.0-44-amd64", ("6.1.0-44-amd64", "6.1.0-9-amd64"), "", "", False, (), "")


def system(identifier: str, version: str, name: str = "") -> OperatingSystem:
    return msgspec.structs.replace(
        DEBIAN, id=identifier, version=version, name=name or f"{identifier} {version}"
    )


def updates(**changes: object) -> PendingUpdates:
    return msgspec.structs.replace(FRESH, **changes)


def state(**changes: object) -> RebootState:
    return msgspec.structs.replace(BOOTED, **changes)


@pytest.mark.parametrize("check", checks_of(patch))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("identifier", "version", "outcome"),
    [
        ("debian", "13", Outcome.PASS),
        ("debian", "12", Outcome.PASS),
        ("debian", "11", Outcome.FAIL),
        ("debian", "10", Outcome.FAIL),
        ("ubuntu", "24.04", Outcome.PASS),
        ("ubuntu", "20.04", Outcome.FAIL),
        ("ubuntu", "23.10", Outcome.FAIL),
        ("rhel", "9.4", Outcome.PASS),
        ("rhel", "7.9", Outcome.FAIL),
        ("centos", "7", Outcome.FAIL),
        ("rocky", "8.10", Outcome.PASS),
        ("almalinux", "10.2", Outcome.PASS),
        ("alpine", "3.23.4", Outcome.PASS),
        ("alpine", "3.18.4", Outcome.FAIL),
        ("amzn", "2023", Outcome.PASS),
        ("amzn", "2", Outcome.FAIL),
        ("ol", "8.9", Outcome.PASS),
        ("ol", "10.1", Outcome.PASS),
        ("sles", "15.7", Outcome.PASS),
        ("opensuse-leap", "15.5", Outcome.FAIL),
        ("fedora", "44", Outcome.PASS),
        ("debian", "99", Outcome.UNKNOWN),
        ("debian", "", Outcome.UNKNOWN),
        ("arch", "", Outcome.UNKNOWN),
        ("plan9", "4", Outcome.UNKNOWN),
    ],
)
def test_releases(identifier: str, version: str, outcome: Outcome) -> None:
    [finding] = judged(patch.os_supported, system(identifier, version))
    assert finding.outcome is outcome
    assert "2026-08-22" in finding.saw + finding.reason


def test_centos_stream_is_not_centos() -> None:
    [stream] = judged(patch.os_supported, system("centos", "9", "CentOS Stream 9"))
    [linux] = judged(patch.os_supported, system("centos", "8", "CentOS Linux 8"))
    assert (stream.outcome, linux.outcome) == (Outcome.PASS, Outcome.FAIL)


def test_long_term_support_and_paid_support_are_said_apart() -> None:
    [free] = judged(patch.os_supported, system("debian", "12"))
    assert "long-term support until 2028-06-30" in free.saw
    [paid] = judged(patch.os_supported, system("ubuntu", "20.04"))
    assert paid.severity is Severity.HIGH
    assert "paid support until 2030-04-02" in paid.saw
    [bought] = judged(patch.os_supported, system("ubuntu", "20.04"), paid_support=True)
    assert bought.outcome is Outcome.PASS
    [ended] = judged(patch.os_supported, system("debian", "9"))
    assert ended.severity is Severity.CRITICAL


@pytest.mark.parametrize(("day", "outcome"), [(31, Outcome.PASS), (32, Outcome.FAIL)])
def test_the_last_day_of_support_still_counts(day: int, outcome: Outcome) -> None:
    now = datetime(2026, 8, 31, 23, tzinfo=UTC) if day == 31 else datetime(2026, 9, 1, tzinfo=UTC)
    [finding] = judged(patch.os_supported, system("debian", "11"), now=now)
    assert finding.outcome is outcome


def test_an_end_that_comes_soon_is_said() -> None:
    [finding] = judged(patch.os_supported, system("fedora", "43"))
    assert "not even 180 days more" in finding.saw


def test_a_pending_security_update_fails_even_with_old_lists() -> None:
    assert failing(patch.security_updates, updates(pending=(FIX, FEATURE))) == ["security updates"]
    old = updates(pending=(FIX,), lists_at="2026-01-01T00:00:00Z", security_source=False)
    [finding] = judged(patch.security_updates, old)
    assert finding.outcome is Outcome.FAIL
    assert finding.saw == "1 pending: openssl"


def test_nothing_pending_with_fresh_lists_passes() -> None:
    assert failing(patch.security_updates, updates(pending=(FEATURE,))) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lists": 0, "lists_at": ""}, "no package lists"),
        ({"security_source": False}, "no list of security updates"),
        ({"lists_at": "2026-11-09T11:00:00Z"}, "older than 14 days"),
        ({"lists_at": ""}, "age"),
        ({"manager": "apk", "tells_security": False}, "does not say which"),
    ],
)
def test_nothing_pending_is_unknown_without_evidence(change: dict[str, object], words: str) -> None:
    [finding] = judged(patch.security_updates, updates(**change))
    assert finding.outcome is Outcome.UNKNOWN
    assert words in finding.reason


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, Outcome.PASS),
        ({"lists_at": "2026-10-01T00:00:00Z"}, Outcome.FAIL),
        ({"lists": 0, "lists_at": ""}, Outcome.FAIL),
        ({"lists_at": ""}, Outcome.UNKNOWN),
    ],
)
def test_package_lists(change: dict[str, object], outcome: Outcome) -> None:
    [finding] = judged(patch.package_lists, updates(**change))
    assert finding.outcome is outcome


@pytest.mark.parametrize(
    ("who", "change", "outcome"),
    [
        (DEBIAN, {}, Outcome.PASS),
        (DEBIAN, {"security_source": False}, Outcome.FAIL),
        (DEBIAN, {"security_source": False, "lists": 0}, Outcome.UNKNOWN),
        (system("kali", "2026.3"), {"security_source": False}, Outcome.UNKNOWN),
        (system("alpine", "3.23"), {"security_source": False, "manager": "apk"}, Outcome.UNKNOWN),
    ],
)
def test_security_source(who: OperatingSystem, change: dict[str, object], outcome: Outcome) -> None:
    [finding] = judged(patch.security_source, who, updates(**change))
    assert finding.outcome is outcome


def test_a_package_held_back_from_its_fix_fails() -> None:
    held = updates(pending=(msgspec.structs.replace(FIX, held=True), FEATURE), held=("openssl",))
    assert failing(patch.held_packages, held) == ["openssl"]


def test_a_held_package_without_a_fix_passes() -> None:
    assert failing(patch.held_packages, updates(held=("nano",), pending=(FIX,))) == []
    assert failing(patch.held_packages, updates()) == []


def test_what_other_managers_hold_is_unknown() -> None:
    [finding] = judged(patch.held_packages, updates(manager="dnf"))
    assert finding.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("fact", "outcome"),
    [
        (state(), Outcome.PASS),
        (state(installed=("6.1.0-44-amd64", "6.1.0-101-amd64")), Outcome.FAIL),
        (state(installed=("6.1.0-44-amd64", "6.9.0-1-cloud-amd64")), Outcome.PASS),
        (state(running_build="6.1.1-1", installed_build="6.1.2-1"), Outcome.FAIL),
        (state(running_build="6.1.1-1", installed_build="6.1.1-1"), Outcome.PASS),
        (state(requested=True, requested_by=("libc6",)), Outcome.FAIL),
        (state(installed=()), Outcome.UNKNOWN),
        (state(installed=("5.10.0-1-amd64",)), Outcome.UNKNOWN),
        (state(container="docker", requested=True), Outcome.NOT_APPLICABLE),
        (
            state(running="5.14.0-427.9.1.el9_4.x86_64", installed=("5.14.0-427.13.1.el9_4.x86_64",)),
            Outcome.FAIL,
        ),
    ],
)
def test_reboot(fact: RebootState, outcome: Outcome) -> None:
    [finding] = judged(patch.reboot, fact)
    assert finding.outcome is outcome


def test_a_fresh_list_of_another_source_does_not_vouch_for_an_old_security_list() -> None:
    [found] = judged(patch.security_updates, updates(security_at="2026-09-01T00:00:00Z"))
    assert found.outcome is Outcome.UNKNOWN
    assert "list of security updates is of 2026-09-01" in found.reason


@pytest.mark.parametrize("change", [{"lists": 0}, {"security_source": False}])
def test_what_held_packages_lack_is_unknown_without_lists(change: dict[str, object]) -> None:
    [found] = judged(patch.held_packages, updates(held=("jq",), **change))
    assert found.outcome is Outcome.UNKNOWN
