"""Private keys in homes, and files that let hosts in, judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.ssh_keys import PrivateKey, PrivateKeys, TrustFile, TrustFiles
from checks.host import ssh_homes
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

PATH = "/home/ann/.ssh/id_ed25519"
GOOD = PrivateKey("ann", PATH, "ed25519", encrypted=True, mode="0600", owner="ann")


def one(**changes: Any) -> PrivateKeys:
    return PrivateKeys((msgspec.structs.replace(GOOD, **changes),))


@pytest.mark.parametrize("check", checks_of(ssh_homes))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


def test_a_key_without_a_passphrase_fails() -> None:
    assert failing(ssh_homes.passphrases, one(encrypted=False)) == [PATH]


def test_a_guarded_key_a_token_and_a_key_of_a_known_job_pass() -> None:
    assert failing(ssh_homes.passphrases, one()) == []
    assert failing(ssh_homes.passphrases, one(encrypted=False, kind="sk")) == []
    assert failing(ssh_homes.passphrases, one(encrypted=False), allowed=frozenset({PATH})) == []


def test_what_was_looked_for_by_name_only_is_said() -> None:
    [finding] = judged(ssh_homes.passphrases, PrivateKeys((), by_name=True))
    assert (finding.outcome, finding.saw) == (
        Outcome.PASS,
        "none in the .ssh folders (in closed homes only those with default names)",
    )


@pytest.mark.parametrize(("mode", "bad"), [("0600", False), ("0400", False), ("0640", True), ("0604", True)])
def test_who_reads_a_private_key(mode: str, bad: bool) -> None:
    assert failing(ssh_homes.private_modes, one(mode=mode)) == ([PATH] if bad else [])


def test_a_mode_that_was_not_seen_is_unknown_and_passes_nothing() -> None:
    assert outcomes(judged(ssh_homes.private_modes, one(mode="", owner=""))) == {PATH: Outcome.UNKNOWN}


def test_no_private_key_passes() -> None:
    assert failing(ssh_homes.private_modes, PrivateKeys(())) == []


def test_rhosts_fail_and_none_pass() -> None:
    bad = TrustFiles((TrustFile("", "/etc/hosts.equiv"), TrustFile("bob", "/home/bob/.rhosts")))
    assert sorted(failing(ssh_homes.trust_files, bad)) == ["/etc/hosts.equiv", "/home/bob/.rhosts"]
    assert failing(ssh_homes.trust_files, TrustFiles(())) == []
