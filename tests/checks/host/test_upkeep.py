"""Upkeep: automatic updates, replaced libraries in use, uptime, paid support, live patches."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checks.facts.host.system import OperatingSystem
from checks.facts.host.units import Unit, Units
from checks.facts.host.updates import PendingUpdates, Update
from checks.facts.host.upkeep import (
    AutomaticUpdates,
    LivePatching,
    PaidSupport,
    StaleProgram,
    StalePrograms,
    Uptime,
)
from checks.host import upkeep
from checks.model import Outcome
from tests.checks.host.judging import NOW, checks_of, failing, judged, outcomes, says_unknown

TIMER = Units("systemd", True, (Unit("apt-daily-upgrade.timer", "enabled", "active"),))
TOOL = "unattended-upgrades"


def ran(days: int) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def system(version: str, identifier: str = "ubuntu") -> OperatingSystem:
    return OperatingSystem(identifier, version, f"Ubuntu {version}", (), "6.1", "x86_64", "web-1")


@pytest.mark.parametrize("check", checks_of(upkeep), ids=lambda c: c.id)
def test_without_its_facts_nothing_is_known(check: object) -> None:
    says_unknown(check)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fact", "units", "outcome"),
    [
        (AutomaticUpdates("", False, "", ""), TIMER, Outcome.FAIL),
        (AutomaticUpdates(TOOL, False, "APT::Periodic::Unattended-Upgrade 0", ran(1)), TIMER, Outcome.FAIL),
        (AutomaticUpdates(TOOL, True, "x 1", ran(30)), TIMER, Outcome.FAIL),
        (AutomaticUpdates(TOOL, True, "x 1", ran(1)), TIMER, Outcome.PASS),
        (AutomaticUpdates(TOOL, True, "x 1", ""), TIMER, Outcome.UNKNOWN),
        (
            AutomaticUpdates(TOOL, True, "x 1", ran(1)),
            Units("systemd", True, (Unit("apt-daily-upgrade.timer", "disabled", "inactive"),)),
            Outcome.FAIL,
        ),
        # Another init system has other timers; the run itself is the evidence.
        (AutomaticUpdates(TOOL, True, "x 1", ran(1)), Units("sysv", False, ()), Outcome.PASS),
    ],
)
def test_updates_are_automatic_when_they_are_on_and_ran(
    fact: AutomaticUpdates, units: Units, outcome: Outcome
) -> None:
    assert outcomes(judged(upkeep.automatic_updates, fact, units)) == {"automatic updates": outcome}


def test_a_program_with_replaced_libraries_is_named_once() -> None:
    stale = StalePrograms(
        (
            StaleProgram("nginx", "/usr/lib/libssl.so.3"),
            StaleProgram("nginx", "/usr/lib/libcrypto.so.3"),
            StaleProgram("sshd", "/usr/sbin/sshd"),
        )
    )
    assert failing(upkeep.stale_programs, stale) == ["nginx", "sshd"]
    assert failing(upkeep.stale_programs, StalePrograms(())) == []


@pytest.mark.parametrize(
    ("days", "container", "outcome"),
    [(3, "", Outcome.PASS), (400, "", Outcome.FAIL), (400, "lxc", Outcome.NOT_APPLICABLE)],
)
def test_a_host_is_started_now_and_then(days: int, container: str, outcome: Outcome) -> None:
    assert outcomes(judged(upkeep.uptime, Uptime(days, container))) == {"uptime": outcome}


@pytest.mark.parametrize(
    ("version", "support", "outcome"),
    [
        ("24.04", PaidSupport("Ubuntu Pro", False, ()), Outcome.NOT_APPLICABLE),
        ("20.04", PaidSupport("Ubuntu Pro", False, ()), Outcome.FAIL),
        ("20.04", PaidSupport("Ubuntu Pro", True, ("livepatch",)), Outcome.FAIL),
        ("20.04", PaidSupport("Ubuntu Pro", True, ("esm-infra",)), Outcome.PASS),
        ("1.01", PaidSupport("Ubuntu Pro", True, ("esm-infra",)), Outcome.UNKNOWN),
    ],
)
def test_a_release_past_its_end_needs_the_contract(
    version: str, support: PaidSupport, outcome: Outcome
) -> None:
    assert outcomes(judged(upkeep.paid_support, system(version), support)) == {"paid support": outcome}


@pytest.mark.parametrize(
    ("applied", "waiting", "outcome"),
    [
        (("livepatch_1",), True, Outcome.PASS),
        ((), True, Outcome.FAIL),
        ((), False, Outcome.NOT_APPLICABLE),
    ],
)
def test_live_patches_work_where_a_kernel_update_waits(
    applied: tuple[str, ...], waiting: bool, outcome: Outcome
) -> None:
    update = Update("linux-image-generic", "1", "2", "x", security=True)
    pending = PendingUpdates("apt", (update,) if waiting else (), 1, ran(1), True, True, ())
    found = judged(upkeep.live_patch, LivePatching("kpatch", applied), pending)
    assert outcomes(found) == {"live patches": outcome}
