"""Changed files and who notices them, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.integrity import ChangedProgram, IntegrityTools, PackagedPrograms
from checks.facts.host.packages import Package, Packages
from checks.facts.host.units import Process, Processes
from checks.facts.snapshot import Gap
from checks.host import integrity
from checks.model import Confidence, Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

IDLE = Processes((Process("sshd", 0),))


def packages(*names: str, manager: str = "dpkg") -> Packages:
    return Packages(manager, tuple(Package(name, "1", "amd64", name, "1") for name in ("bash", *names)))


@pytest.mark.parametrize("check", checks_of(integrity))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (IntegrityTools(("aide",), ("/var/lib/aide/aide.db",), ("/etc/cron.daily/aide",)), ""),
        (IntegrityTools(("aide",), (), ("/etc/cron.daily/aide",)), "no database"),
        (IntegrityTools(("aide",), ("/var/lib/aide/aide.db",), ()), "nothing that starts it"),
        (IntegrityTools((), ("/var/lib/aide/aide.db",), ("/etc/cron.daily/aide",)), "no tool"),
    ],
)
def test_a_tool_needs_a_database_and_a_start(found: IntegrityTools, missing: str) -> None:
    [finding] = judged(integrity.tool, found, IDLE)
    assert (finding.outcome is Outcome.FAIL) is bool(missing)
    assert missing in finding.saw


def test_an_agent_that_watches_files_is_likely_enough() -> None:
    agent = Processes((Process("wazuh-agentd", 0),))
    [finding] = judged(integrity.tool, IntegrityTools((), (), ()), agent)
    assert (finding.outcome, finding.confidence) == (Outcome.PASS, Confidence.LIKELY)


def test_a_changed_program_is_serious_and_no_machine_mends_it() -> None:
    changed = (ChangedProgram("/usr/sbin/sshd", gone=False), ChangedProgram("/usr/bin/ps", gone=True))
    found = judged(integrity.programs, PackagedPrograms("dpkg", 90, changed))
    assert {one.on: one.saw for one in found} == {
        "/usr/sbin/sshd": "not the file of its package",
        "/usr/bin/ps": "gone",
    }
    assert {one.on: one.severity for one in found} == {
        "/usr/sbin/sshd": Severity.HIGH,
        "/usr/bin/ps": Severity.LOW,
    }
    assert all(not one.fix.snippets for one in found)


def test_what_was_not_compared_does_not_pass() -> None:
    clean = PackagedPrograms("dpkg", 90, ())
    assert failing(integrity.programs, clean) == []
    gap = Gap("PackagedPrograms", "/usr/bin/sudo may not be read", "/usr/bin/sudo")
    found = outcomes(judged(integrity.programs, clean, gaps=[gap]))
    assert found["/usr/bin/sudo"] is Outcome.UNKNOWN


def test_a_malware_scanner() -> None:
    check = integrity.malware_scanner
    assert failing(check, packages("clamav-daemon"), IDLE) == []
    assert failing(check, packages(), Processes((Process("falcon-sensor", 0),))) == []
    assert failing(check, packages(), IDLE) == ["malware scanner"]
    [finding] = judged(check, packages(manager="rpm"), IDLE)
    assert finding.severity is Severity.INFO
    assert "package=clamav\n" in finding.fix.snippets[0].do


def test_a_tool_whose_start_may_stand_in_a_closed_table_is_not_called_idle() -> None:
    found = IntegrityTools(("aide",), ("/var/lib/aide/aide.db",), (), ("/etc/cron.d/*",))
    [finding] = judged(integrity.tool, found, Processes(()))
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "sudo: cat /etc/cron.d/*")
