"""The umask, the time-out and root's search path, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.files import FileMode
from checks.facts.host.login_rules import LoginDefs, PathEntry, RootPath, ShellSetting, ShellStart
from checks.host import login_rules
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

PROFILE, DEFS = "/etc/profile", "/etc/login.defs"
PAM = ShellSetting("/etc/pam.d/common-session", "")


def defs(umask: str = "") -> LoginDefs:
    return LoginDefs(True, {"UMASK": umask} if umask else {}, {})


def shells(*umasks: str, pam: tuple[ShellSetting, ...] = (), **fields: Any) -> ShellStart:
    set_here = tuple(ShellSetting(PROFILE, one) for one in umasks)
    return ShellStart(set_here, fields.pop("timeouts", ()), fields.pop("fixed", False), pam, **fields)


@pytest.mark.parametrize("check", checks_of(login_rules))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("given", "bad"),
    [
        (("027",), False),
        (("0077",), False),
        (("022",), True),
        (("027", "002"), True),
        (("u=rwx,g=rx,o=",), False),
        (("u=rwx,g=rwx,o=rx",), True),
    ],
)
def test_umask_of_the_start_files(given: tuple[str, ...], bad: bool) -> None:
    assert failing(login_rules.umask, defs(), shells(*given)) == ([PROFILE] if bad else [])


def test_login_defs_counts_only_where_pam_reads_it() -> None:
    assert failing(login_rules.umask, defs("022"), shells(pam=(PAM,))) == [DEFS]
    assert failing(login_rules.umask, defs("027"), shells(pam=(PAM,))) == []
    assert failing(login_rules.umask, defs("027"), shells()) == ["umask"]
    assert failing(login_rules.umask, defs("022"), shells("027")) == []
    own = ShellSetting("/etc/pam.d/common-session", "022")
    assert failing(login_rules.umask, defs("027"), shells(pam=(own,))) == [own.file]


def test_a_umask_that_is_not_understood_is_unknown() -> None:
    [finding] = judged(login_rules.umask, defs(), shells("$MASK"))
    assert finding.outcome is Outcome.UNKNOWN


def test_a_start_file_that_may_not_be_read_leaves_it_open() -> None:
    unread = shells(unread=("/etc/profile.d/a.sh",))
    for check, facts in ((login_rules.umask, (defs(), unread)), (login_rules.timeout, (unread,))):
        assert outcomes(judged(check, *facts)) == {"/etc/profile.d/a.sh": Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("values", "fixed", "bad"),
    [
        (("900",), True, []),
        (("900",), False, ["TMOUT"]),
        (("0",), True, [PROFILE]),
        (("3600",), True, [PROFILE]),
        ((), False, ["TMOUT"]),
        (("$X",), True, [PROFILE]),
    ],
)
def test_timeout(values: tuple[str, ...], fixed: bool, bad: list[str]) -> None:
    found = shells(timeouts=tuple(ShellSetting(PROFILE, one) for one in values), fixed=fixed)
    assert failing(login_rules.timeout, found) == bad


def folder(path: str, mode: str = "0755", owner: str = "root", group: str = "root") -> FileMode:
    return FileMode(path, mode, owner, group, "directory")


ABOVE = (folder("/"), folder("/opt"), folder("/tmp", "1777"))


@pytest.mark.parametrize(
    ("entry", "folders"),
    [
        (".", ()),
        ("", ()),
        ("bin", ()),
        ("/opt/x", (folder("/opt/x", "0777"),)),
        ("/opt/x", (folder("/opt/x", "0775", group="staff"),)),
        ("/opt/x", (folder("/opt/x", owner="ann"),)),
        ("/tmp", ()),
        ("/tmp/x", (folder("/tmp/x", "0777"),)),
        ("/opt/ann/bin/", (folder("/opt/ann/bin"), folder("/opt/ann", owner="ann"))),
    ],
)
def test_a_folder_that_others_write_fails(entry: str, folders: tuple[FileMode, ...]) -> None:
    found = RootPath((PathEntry(PROFILE, entry),), (*ABOVE, *folders))
    [finding] = judged(login_rules.root_path, found)
    assert (finding.outcome, finding.on) == (Outcome.FAIL, f"{entry or 'an empty entry'} in {PROFILE}")


def test_folders_of_root_alone_pass() -> None:
    entries = (PathEntry(PROFILE, "/opt"), PathEntry(PROFILE, "/tmp/x"), PathEntry(PROFILE, "/opt/gone"))
    found = RootPath(entries, (*ABOVE, folder("/tmp/x")), absent=("/opt/gone",))
    assert failing(login_rules.root_path, found) == []


def test_a_missing_folder_that_anybody_can_make_fails() -> None:
    found = RootPath((PathEntry(PROFILE, "/tmp/gone"),), ABOVE, absent=("/tmp/gone",))
    assert failing(login_rules.root_path, found) == [f"/tmp/gone in {PROFILE}"]


@pytest.mark.parametrize(
    "found",
    [
        RootPath((PathEntry(PROFILE, "$JAVA_HOME/bin"),), ABOVE),
        RootPath((PathEntry(PROFILE, "/root/bin"),), ABOVE, unseen=("/root/bin",)),
        RootPath((), ABOVE, unread=("/root/.profile",)),
    ],
    ids=["a variable", "unseen", "unread"],
)
def test_what_was_not_seen_is_unknown(found: RootPath) -> None:
    [finding] = judged(login_rules.root_path, found)
    assert finding.outcome is Outcome.UNKNOWN
