from __future__ import annotations

from checks.facts.network.directory import Directories, Directory
from checks.model import Outcome
from tests.checks.network.judging import hold_by, judge, outcomes


def directory(*, entries: bool = False, tls: bool = False, starttls: bool = True) -> Directories:
    return Directories((Directory("tcp/389", True, entries, "dc=lab", tls, starttls, "the search ended"),))


def test_a_directory_that_shows_entries_fails() -> None:
    hold_by("network.directory.anonymous-search", directory(entries=True), directory(), "tcp/389")
    [finding] = judge("network.directory.anonymous-search", directory(entries=True))
    assert "an anonymous bind is granted" in finding.saw


def test_a_directory_without_tls_fails() -> None:
    hold_by("network.directory.tls", directory(starttls=False), directory(), "tcp/389")
    inside = directory(tls=True, starttls=False)
    assert outcomes(judge("network.directory.tls", inside)) == {"tcp/389": Outcome.PASS}
