"""Modules of the kernel, judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.modules import KernelModule, KernelModules
from checks.facts.host.platform import Platform
from checks.host import kernel_modules
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

MACHINE = Platform("", "", virtual=False, container="", cloud="", instance="", region="")
DOCKER = msgspec.structs.replace(MACHINE, container="docker")
FAMILIES = {check.id: check for check in kernel_modules.FAMILIES}
OPEN = KernelModule("cramfs", "file", loaded=False, rule="", file="")


def found(*modules: KernelModule, **more: Any) -> KernelModules:
    rest = {"loads": True, "locked": False, "signed_only": False, "lockdown": "none", **more}
    return KernelModules(modules, **rest)


def module(**changes: Any) -> KernelModule:
    return msgspec.structs.replace(OPEN, **changes)


@pytest.mark.parametrize("check", checks_of(kernel_modules), ids=lambda check: check.id)
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("one", "outcome", "saw"),
    [
        (module(), Outcome.FAIL, "can be loaded"),
        (module(loaded=True), Outcome.FAIL, "loaded"),
        (module(loaded=True, rule="blocked", file="/a"), Outcome.FAIL, "loaded"),
        (module(presence="builtin"), Outcome.FAIL, "built into the kernel"),
        (module(presence="builtin", rule="blocked", file="/a"), Outcome.FAIL, "built into the kernel"),
        (module(rule="blacklisted", file="/a"), Outcome.FAIL, "only blacklisted by /a"),
        (module(rule="blocked", file="/a"), Outcome.PASS, "blocked by /a"),
        (module(presence="unread", rule="blocked", file="/a"), Outcome.PASS, "blocked by /a"),
        (module(presence="absent"), Outcome.PASS, "no module of that name"),
        (module(presence="absent", rule="unread", file="/a"), Outcome.PASS, "no module of that name"),
        (module(presence="unread"), Outcome.UNKNOWN, ""),
        (module(rule="unread", file="/a"), Outcome.UNKNOWN, ""),
    ],
)
def test_a_module(one: KernelModule, outcome: Outcome, saw: str) -> None:
    [finding] = judged(FAMILIES["host.kernel-modules.filesystems"], found(one), MACHINE)
    assert finding.outcome is outcome
    assert saw in finding.saw
    assert bool(finding.needs) is (outcome is Outcome.UNKNOWN)


def test_where_no_module_can_be_loaded_none_is_a_danger() -> None:
    check = FAMILIES["host.kernel-modules.filesystems"]
    assert failing(check, found(module(), locked=True), MACHINE) == []
    assert failing(check, found(module(loaded=True), locked=True), MACHINE) == ["cramfs"]
    assert failing(check, found(module(presence="absent"), loads=False), MACHINE) == []


def test_the_modules_of_a_container_are_those_of_its_machine() -> None:
    [finding] = judged(FAMILIES["host.kernel-modules.filesystems"], found(module(loaded=True)), DOCKER)
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_every_module_belongs_to_one_check() -> None:
    everything = found(*(module(name=name) for name in kernel_modules.MODULES))
    judged_names = [on for check in FAMILIES.values() for on in failing(check, everything, MACHINE)]
    assert sorted(judged_names) == sorted(kernel_modules.MODULES)
    assert set(failing(FAMILIES["host.kernel-modules.protocols"], everything, MACHINE)) == {
        "dccp",
        "sctp",
        "rds",
        "tipc",
    }


@pytest.mark.parametrize(
    ("more", "ok"),
    [
        ({}, False),
        ({"lockdown": ""}, False),
        ({"lockdown": "integrity"}, True),
        ({"lockdown": "confidentiality"}, True),
        ({"signed_only": True}, True),
        ({"locked": True}, True),
        ({"loads": False}, True),
    ],
)
def test_signed_modules(more: dict[str, Any], ok: bool) -> None:
    [finding] = judged(kernel_modules.signed, found(**more), MACHINE)
    assert (finding.outcome is Outcome.PASS) is ok
    assert outcomes(judged(kernel_modules.signed, found(**more), DOCKER)) == {
        "modules": Outcome.NOT_APPLICABLE
    }
