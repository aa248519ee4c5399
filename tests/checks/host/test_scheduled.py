"""What runs as root at set times, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.files import FileMode
from checks.facts.host.scheduled import Allowed, ScheduleAccess, ScheduledJobs, ScheduledProgram
from checks.host import scheduled
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

TABLE = "/etc/cron.d/jobs"
ABOVE = [("/", "0755"), ("/opt", "0755"), ("/tmp", "1777"), ("/root", "0700"), ("/data", "0777")]


def step(
    path: str, mode: str, owner: str = "root", group: str = "root", kind: str = "regular file"
) -> FileMode:
    return FileMode(path, mode, owner, group, kind)


FOLDERS = tuple(step(path, mode, kind="directory") for path, mode in ABOVE)


def jobs(
    path: str, *steps: FileMode, target: str = "", first: bool = True, called: str = ""
) -> ScheduledJobs:
    program = ScheduledProgram(TABLE, path, target or path, first, called)
    return ScheduledJobs(1, (program,), (*FOLDERS, *steps))


@pytest.mark.parametrize("check", checks_of(scheduled))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("file", "severity"),
    [
        (step("/opt/x", "0757"), Severity.CRITICAL),
        (step("/opt/x", "0775", group="staff"), Severity.HIGH),
        (step("/opt/x", "0755", owner="ann"), Severity.HIGH),
        (step("/tmp/x", "0755", owner="ann"), Severity.HIGH),
    ],
)
def test_a_program_that_others_write_fails(file: FileMode, severity: Severity) -> None:
    [finding] = judged(scheduled.root_programs, jobs(file.path, file))
    assert (finding.outcome, finding.severity) == (Outcome.FAIL, severity)
    assert finding.fix_key == f"scheduled:{file.path}"


def test_a_script_needs_no_execute_bit_behind_its_interpreter() -> None:
    file = step("/opt/x", "0646")
    assert failing(scheduled.root_programs, jobs("/opt/x", file, first=False, called="bash")) == [
        f"/opt/x in {TABLE}"
    ]
    # A log that a job writes to is no program.
    assert failing(scheduled.root_programs, jobs("/opt/x", file, first=False)) == []


@pytest.mark.parametrize(
    "found",
    [
        jobs("/opt/x", step("/opt/x", "0755")),
        jobs("/tmp/x", step("/tmp/x", "0755")),
        jobs("/root/x", step("/root/x", "0777")),
        jobs("/tmp", first=False),
        jobs("/opt/x"),
        ScheduledJobs(0, (), ()),
    ],
    ids=["of root", "in a sticky folder", "out of reach", "a folder", "missing where root writes", "no job"],
)
@pytest.mark.parametrize("check", [scheduled.root_programs, scheduled.root_folders])
def test_what_root_alone_writes_passes(check: Check[Any], found: ScheduledJobs) -> None:
    assert failing(check, found) == []


def test_a_link_leads_to_what_is_judged() -> None:
    real = (step("/home", "0755", kind="directory"), step("/home/ann", "0755", "ann", kind="directory"))
    file = step("/home/ann/x", "0755", owner="ann")
    found = jobs("/opt/x", *real, file, step("/opt/x", "0755", owner="ann"), target="/home/ann/x")
    [program] = judged(scheduled.root_programs, found)
    assert program.saw.startswith("/home/ann/x: ")
    [folder] = judged(scheduled.root_folders, found)
    assert folder.saw.startswith("/home/ann: ")


@pytest.mark.parametrize(
    "found", [jobs("/data/x", step("/data/x", "0755")), jobs("/tmp/gone"), jobs("/data/gone")]
)
def test_a_folder_in_which_others_put_programs_fails(found: ScheduledJobs) -> None:
    [finding] = judged(scheduled.root_folders, found)
    assert finding.outcome is Outcome.FAIL
    assert not finding.fix.snippets


@pytest.mark.parametrize("check", [scheduled.root_programs, scheduled.root_folders])
def test_a_table_that_may_not_be_read_is_unknown(check: Check[Any]) -> None:
    found = ScheduledJobs(0, (), (), unread=("/var/spool/cron",))
    assert outcomes(judged(check, found)) == {"/var/spool/cron": Outcome.UNKNOWN}


def access(**fields: Any) -> ScheduleAccess:
    given = {"installed": True, "allow": None, "deny": None, **fields}
    return ScheduleAccess(tuple(Allowed(name, **given) for name in ("cron", "at")))


@pytest.mark.parametrize("check", [scheduled.cron_allow, scheduled.at_allow])
def test_who_may_schedule(check: Check[Any]) -> None:
    for outcome, found in (
        (Outcome.PASS, access(allow=("root",))),
        (Outcome.PASS, access(allow=())),
        (Outcome.FAIL, access(deny=("bob",))),
        (Outcome.UNKNOWN, access(unread=True)),
        (Outcome.NOT_APPLICABLE, access(installed=False)),
        (Outcome.NOT_APPLICABLE, access(asks=False)),
    ):
        [finding] = judged(check, found)
        assert finding.outcome is outcome, found


def test_without_both_files_only_root_uses_at_and_cron_is_open() -> None:
    assert failing(scheduled.at_allow, access()) == []
    assert failing(scheduled.cron_allow, access()) == ["/etc/cron.allow"]


@pytest.mark.parametrize(
    ("mode", "owner", "bad"),
    [("0777", "root", True), ("1777", "root", True), ("0755", "ann", True), ("0755", "root", False)],
)
def test_a_folder_whose_files_are_all_run(mode: str, owner: str, bad: bool) -> None:
    folder = step("/opt/hooks", mode, owner=owner, kind="directory")
    found = jobs("/opt/hooks", folder, first=False, called="run-parts")
    assert failing(scheduled.root_folders, found) == ([f"/opt/hooks in {TABLE}"] if bad else [])
