"""Owners and modes, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.files import FileMode, FileModes, OpenPath, OpenPaths
from checks.facts.snapshot import Gap
from checks.host import files
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

FAMILIES = {check.id: check for check in files.MODES}
CASES = [
    ("host.files.accounts", "/etc/passwd", "0644", "0664"),
    ("host.files.password-hashes", "/etc/shadow", "0640", "0644"),
    ("host.files.ssh-configuration", "/etc/ssh/sshd_config.d/10-own.conf", "0600", "0644"),
    ("host.files.ssh-host-keys", "/etc/ssh/ssh_host_ed25519_key", "0600", "0604"),
    ("host.files.scheduled-jobs", "/etc/cron.d/backup", "0600", "0622"),
    ("host.files.sudo-rules", "/etc/sudoers.d/deploy", "0440", "0640"),
    ("host.files.boot-menu", "/boot/grub/grub.cfg", "0400", "0444"),
]


def one(path: str, mode: str, owner: str = "root", group: str = "root") -> FileModes:
    return FileModes((FileMode(path, mode, owner, group, "regular file"),), ())


@pytest.mark.parametrize("check", checks_of(files))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(("check", "path", "good", "bad"), CASES)
def test_modes(check: str, path: str, good: str, bad: str) -> None:
    assert failing(FAMILIES[check], one(path, good)) == []
    assert failing(FAMILIES[check], one(path, bad)) == [path]
    assert failing(FAMILIES[check], one(path, good, owner="bob")) == [path]
    assert failing(FAMILIES[check], one(path, good, group="users")) == [path]


def test_every_family_has_a_case() -> None:
    assert set(FAMILIES) == {check for check, _, _, _ in CASES}


def test_tighter_modes_and_the_distributions_groups_pass() -> None:
    assert failing(FAMILIES["host.files.password-hashes"], one("/etc/shadow", "0000")) == []
    assert failing(FAMILIES["host.files.password-hashes"], one("/etc/shadow", "0640", group="shadow")) == []
    key = one("/etc/ssh/ssh_host_rsa_key", "0640", group="ssh_keys")
    assert failing(FAMILIES["host.files.ssh-host-keys"], key) == []


def test_a_special_bit_is_more_than_the_limit() -> None:
    assert failing(FAMILIES["host.files.accounts"], one("/etc/passwd", "4644")) == ["/etc/passwd"]


def test_a_pattern_does_not_reach_into_folders() -> None:
    [finding] = judged(FAMILIES["host.files.sudo-rules"], one("/etc/sudoers.d/old/deploy", "0666"))
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_the_fix_takes_away_and_never_gives() -> None:
    [finding] = judged(FAMILIES["host.files.accounts"], one("/etc/passwd", "0466"))
    assert "chmod 0444" in finding.fix.snippets[0].do
    assert "chmod 0466" in finding.fix.snippets[0].undo


def test_a_file_that_may_not_be_looked_at_is_unknown_for_its_own_check_only() -> None:
    found = FileModes(one("/etc/passwd", "0644").files, (), ("/etc/sudoers.d/*",))
    assert outcomes(judged(FAMILIES["host.files.sudo-rules"], found)) == {"/etc/sudoers.d/*": Outcome.UNKNOWN}
    assert failing(FAMILIES["host.files.accounts"], found) == []


@pytest.mark.parametrize(("check", "folder"), [(files.world_writable, False), (files.shared_folders, True)])
def test_what_everybody_may_write_to(check: Check[Any], folder: bool) -> None:
    assert failing(check, OpenPaths((OpenPath("/srv/x", folder),), more=False)) == ["/srv/x"]
    assert failing(check, OpenPaths((OpenPath("/srv/x", not folder),), more=False)) == []


@pytest.mark.parametrize("check", [files.world_writable, files.shared_folders])
def test_a_search_that_was_cut_never_passes_alone(check: Check[Any]) -> None:
    found = judged(check, OpenPaths((), more=False), gaps=[Gap("OpenPaths", "stopped after 15 s")])
    assert Outcome.UNKNOWN in {finding.outcome for finding in found}
