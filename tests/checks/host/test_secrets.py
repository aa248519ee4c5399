"""Passwords that lie about, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.files import FileMode
from checks.facts.host.secrets import ApplicationSecrets, CredentialFiles, Histories, HistoryLine
from checks.host import secrets
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

HISTORY, OTHER = "/root/.bash_history", "/home/ann/.bash_history"
MODES = [secrets.credential_modes, secrets.credential_files]


def file(path: str, mode: str) -> FileMode:
    return FileMode(path, mode, "ann", "ann", "regular file")


@pytest.mark.parametrize("check", checks_of(secrets))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


def test_a_history_with_passwords_fails_once_and_names_the_lines() -> None:
    lines = (HistoryLine(HISTORY, 3, "token"), HistoryLine(HISTORY, 9, "password option"))
    findings = judged(secrets.history, Histories((HISTORY, OTHER), lines))
    assert outcomes(findings) == {HISTORY: Outcome.FAIL, OTHER: Outcome.PASS}
    [bad] = [one for one in findings if one.outcome is Outcome.FAIL]
    assert "lines 3, 9" in bad.fix.do
    assert "'3p;9p'" in bad.fix.verify
    assert bad.saw == "2 lines: password option, token"


def test_histories_without_passwords_pass() -> None:
    assert failing(secrets.history, Histories((HISTORY,), ())) == []
    assert failing(secrets.history, Histories((), ())) == []


def test_a_history_that_was_not_read_is_no_pass() -> None:
    [finding] = judged(secrets.history, Histories((), (), unsearched=("/root",)))
    assert (finding.on, finding.outcome) == ("/root", Outcome.UNKNOWN)


def test_behind_the_limit_nothing_passes() -> None:
    lines = (HistoryLine(HISTORY, 3, "token"),)
    answers = outcomes(judged(secrets.history, Histories((HISTORY, OTHER), lines, more=True)))
    assert answers == {HISTORY: Outcome.FAIL, "further histories": Outcome.UNKNOWN}


def test_modes_of_credential_files() -> None:
    found = CredentialFiles((file("/home/ann/.netrc", "0640"), file("/home/ann/.pgpass", "0600")))
    assert failing(secrets.credential_modes, found) == ["/home/ann/.netrc"]
    assert failing(secrets.credential_files, found) == ["/home/ann/.netrc", "/home/ann/.pgpass"]
    one = frozenset({"/home/ann/.netrc", "/home/ann/.pgpass"})
    assert failing(secrets.credential_files, found, allowed=one) == []


@pytest.mark.parametrize("check", MODES)
def test_without_such_files_it_passes_and_unread_ones_are_unknown(check: Check[Any]) -> None:
    assert failing(check, CredentialFiles(())) == []
    unread = CredentialFiles((), (file("/home/ann/.netrc", "0644"),), ("/root",))
    assert outcomes(judged(check, unread)) == {
        "/home/ann/.netrc": Outcome.UNKNOWN,
        "/root": Outcome.UNKNOWN,
    }


def test_application_files() -> None:
    found = ApplicationSecrets(("/srv",), (file("/srv/app/.env", "0644"),))
    assert failing(secrets.application_files, found) == ["/srv/app/.env"]
    assert failing(secrets.application_files, ApplicationSecrets(("/srv",), ())) == []
    assert failing(secrets.application_files, ApplicationSecrets((), ())) == []


def test_behind_the_limit_of_application_files_nothing_is_known() -> None:
    found = ApplicationSecrets(("/srv",), (file("/srv/app/.env", "0644"),), more=True)
    answers = outcomes(judged(secrets.application_files, found))
    assert answers == {"/srv/app/.env": Outcome.FAIL, "further files": Outcome.UNKNOWN}
