"""How a host boots, judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.boot import (
    BootMenu,
    BootParameters,
    Firmware,
    ProcessorFlaws,
    RescueShell,
    RescueShells,
)
from checks.facts.host.platform import Platform
from checks.facts.snapshot import Absence, Fact
from checks.host import boot
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

MACHINE = Platform("", "", virtual=False, container="", cloud="", instance="", region="")
VIRTUAL = msgspec.structs.replace(MACHINE, virtual=True)
DOCKER = msgspec.structs.replace(MACHINE, container="docker")


@pytest.mark.parametrize("check", checks_of(boot), ids=lambda check: check.id)
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("superusers", "password", "ok"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_the_boot_menu_has_a_password(superusers: bool, password: bool, ok: bool) -> None:
    menu = BootMenu("/boot/grub/grub.cfg", superusers, password)
    [real] = judged(boot.menu_password, menu, MACHINE)
    [virtual] = judged(boot.menu_password, menu, VIRTUAL)
    assert (real.outcome is Outcome.PASS) is ok
    assert (real.severity, virtual.severity) == (Severity.LOW, Severity.INFO)


def test_a_host_without_a_menu_needs_no_password() -> None:
    [finding] = judged(boot.menu_password, MACHINE, absences=[Absence("BootMenu", "no menu of GRUB")])
    assert (finding.outcome, finding.reason) == (Outcome.NOT_APPLICABLE, "no menu of GRUB")


@pytest.mark.parametrize(
    ("shell", "ok"),
    [
        (RescueShell("rescue", "sulogin", forced=False), True),
        (RescueShell("rescue", "", forced=False), True),
        (RescueShell("rescue", "sulogin", forced=True), False),
        (RescueShell("rescue", "bash", forced=False), False),
    ],
)
def test_rescue_modes_ask_for_a_password(shell: RescueShell, ok: bool) -> None:
    safe = RescueShell("emergency", "sulogin", forced=False)
    assert failing(boot.rescue_password, RescueShells((shell, safe))) == ([] if ok else ["rescue"])


@pytest.mark.parametrize(
    "word",
    [
        "mitigations=off",
        "mitigations=auto,off",
        "nopti",
        "pti=off",
        "nospectre_v2",
        "spectre_v2=off",
        "mds=off",
        "retbleed=off",
        "nosmap",
        "nokaslr",
        "noexec=off",
        "selinux=0",
        "enforcing=0",
        "apparmor=0",
        "systemd.debug-shell",
        "systemd.debug_shell=1",
        "rd.shell",
    ],
)
def test_a_word_that_weakens(word: str) -> None:
    assert failing(boot.parameters, BootParameters(("audit=1", word)), MACHINE) == [word]


def test_words_that_do_not_weaken() -> None:
    words = ("mitigations=auto,nosmt", "mds=full", "selinux=1", "apparmor=1", "lockdown=integrity", "audit=0")
    assert failing(boot.parameters, BootParameters(words), MACHINE) == []
    assert failing(boot.parameters, BootParameters(()), MACHINE) == []


def test_flaws_of_the_processor() -> None:
    states = {
        "meltdown": "Not affected",
        "mds": "Mitigation: Clear CPU buffers; SMT vulnerable",
        "retbleed": "Vulnerable",
        "tsa": "Vulnerable: No microcode",
        "srbds": "Unknown: Dependent on hypervisor status",
    }
    found = judged(boot.processor_flaws, ProcessorFlaws(states), MACHINE)
    assert outcomes(found) == {
        "meltdown": Outcome.PASS,
        "mds": Outcome.PASS,
        "retbleed": Outcome.FAIL,
        "tsa": Outcome.FAIL,
        "srbds": Outcome.UNKNOWN,
    }
    assert {one.fix_key for one in found} == {"processor:microcode"}


@pytest.mark.parametrize(
    ("firmware", "outcome"),
    [
        (Firmware("efi", "on"), Outcome.PASS),
        (Firmware("efi", "off"), Outcome.FAIL),
        (Firmware("bios", ""), Outcome.NOT_APPLICABLE),
    ],
)
def test_secure_boot(firmware: Firmware, outcome: Outcome) -> None:
    [finding] = judged(boot.secure_boot, firmware, MACHINE)
    assert finding.outcome is outcome


@pytest.mark.parametrize(
    ("check", "fact"),
    [
        (boot.menu_password, BootMenu("/boot/grub/grub.cfg", superusers=False, password=False)),
        (boot.parameters, BootParameters(("mitigations=off",))),
        (boot.processor_flaws, ProcessorFlaws({"mds": "Vulnerable"})),
        (boot.secure_boot, Firmware("efi", "off")),
    ],
)
def test_a_container_does_not_boot(check: Check[Any], fact: Fact) -> None:
    [finding] = judged(check, fact, DOCKER)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "docker" in finding.reason
