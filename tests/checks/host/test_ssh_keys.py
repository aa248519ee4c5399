"""Keys that open accounts, judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.accounts import Account, Accounts
from checks.facts.host.ssh_keys import AuthorizedKey, AuthorizedKeys, KeyFile
from checks.facts.host.sshd import Sshd
from checks.facts.snapshot import Gap
from checks.host import ssh_keys
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown
from tests.checks.host.test_ssh import SAFE, server

FILE = "/home/ann/.ssh/authorized_keys"
GOOD = AuthorizedKey("ann", FILE, 1, "SHA256:a", "ed25519", 256, "ann@laptop")
ROOT = AuthorizedKey("root", "/root/.ssh/authorized_keys", 3, "SHA256:r", "ed25519", 256, "backup")
OWN = KeyFile(FILE, ("ann",), "0600", "ann", "2026-11-01T00:00:00Z")
PEOPLE = Accounts(
    (Account("root", 0, 0, "/root", "/bin/sh"), Account("ann", 1000, 1000, "/home/ann", "")), 1000
)


def keys(*found: AuthorizedKey, files: tuple[KeyFile, ...] = (OWN,)) -> AuthorizedKeys:
    return AuthorizedKeys(found, files, (".ssh/authorized_keys", "/etc/ssh/keys/%u"))


def key(**changes: Any) -> AuthorizedKey:
    return msgspec.structs.replace(GOOD, **changes)


@pytest.mark.parametrize("check", checks_of(ssh_keys))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    "change", [{"kind": "dsa", "bits": 1024}, {"kind": "dsa", "bits": 3072}, {"kind": "rsa", "bits": 2047}]
)
def test_a_weak_key_fails(change: dict[str, object]) -> None:
    assert failing(ssh_keys.weak, keys(GOOD, key(**change))) == ["SHA256:a (ann@laptop) for ann"]


def test_strong_keys_and_none_pass() -> None:
    strong = [key(kind="rsa", bits=2048), key(kind="ecdsa", bits=256), key(kind="ed25519-sk")]
    assert failing(ssh_keys.weak, keys(GOOD, *strong)) == []
    assert failing(ssh_keys.weak, keys()) == []
    assert failing(ssh_keys.weak, keys(strong[0]), rsa_bits=3072) != []


def test_a_hidden_home_leaves_the_question_open_beside_what_was_seen() -> None:
    found = judged(ssh_keys.weak, keys(GOOD), gaps=[Gap("AuthorizedKeys", "closed", where="/home/bob")])
    assert outcomes(found) == {"login keys": Outcome.PASS, "/home/bob": Outcome.UNKNOWN}


def test_the_fix_of_a_key_is_one_action_over_all_hosts() -> None:
    [bad] = judged(ssh_keys.weak, keys(key(kind="dsa", bits=1024)))
    assert bad.fix_key == "ssh-key:SHA256:a"
    assert f"file={FILE}\nline=1\n" in bad.fix.snippets[0].do


def test_keys_of_root_fail_until_somebody_names_them() -> None:
    assert failing(ssh_keys.root, PEOPLE, keys(GOOD, ROOT)) == ["SHA256:r (backup) for root"]
    for name in ("SHA256:r", "backup"):
        assert failing(ssh_keys.root, PEOPLE, keys(ROOT), known=frozenset({name})) == []
    assert failing(ssh_keys.root, PEOPLE, keys(GOOD)) == []


def test_a_second_root_is_root() -> None:
    twin = Accounts((*PEOPLE.accounts, Account("toor", 0, 0, "/root", "/bin/sh")), 1000)
    assert failing(ssh_keys.root, twin, keys(key(account="toor"))) == ["SHA256:a (ann@laptop) for toor"]


@pytest.mark.parametrize(
    ("options", "bad"),
    [
        (("command=",), True),
        (("from=", "command=", "no-pty"), True),
        (("restrict", "command="), False),
        (("command=", "no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-pty"), False),
        (("from=",), False),
        ((), False),
    ],
)
def test_a_key_for_one_command(options: tuple[str, ...], bad: bool) -> None:
    assert bool(failing(ssh_keys.forced_commands, keys(key(options=options)))) is bad


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ({}, False),
        ({"mode": "0644"}, False),
        ({"mode": "0664"}, True),
        ({"mode": "0602"}, True),
        ({"owner": "root"}, False),
        ({"owner": "bob"}, True),
        ({"owner": "ann", "accounts": ("ann", "bob")}, True),
    ],
)
def test_who_may_change_a_file_of_keys(change: dict[str, Any], bad: bool) -> None:
    found = keys(files=(msgspec.structs.replace(OWN, **change),))
    assert failing(ssh_keys.files, found) == ([FILE] if bad else [])


def test_a_file_that_only_sudo_read_is_unknown_and_no_file_passes() -> None:
    assert outcomes(judged(ssh_keys.files, keys(files=(KeyFile(FILE, ("ann",)),)))) == {FILE: Outcome.UNKNOWN}
    assert failing(ssh_keys.files, keys(files=())) == []


def using(patterns: str, command: str = "none") -> Sshd:
    options = {"authorizedkeyscommand": command, "authorizedkeysfile": patterns}
    told = {name: value for name, value in options.items() if value}
    return Sshd((server(msgspec.structs.replace(SAFE, options=told)),))


@pytest.mark.parametrize(
    ("patterns", "outcome"),
    [
        (".ssh/authorized_keys", Outcome.PASS),
        ("/etc/ssh/keys/%u", Outcome.PASS),
        ("none", Outcome.NOT_APPLICABLE),
        ("/etc/ssh/keys/%u.pub", Outcome.UNKNOWN),
        ("/etc/ssh/all_keys", Outcome.FAIL),
        ("/tmp/%u", Outcome.FAIL),
        ("", Outcome.UNKNOWN),
    ],
)
def test_where_keys_come_from(patterns: str, outcome: Outcome) -> None:
    [finding] = judged(ssh_keys.sources, using(patterns), keys())
    assert finding.outcome is outcome


def test_a_program_that_gives_keys_is_unknown() -> None:
    found = judged(ssh_keys.sources, using(".ssh/authorized_keys", "/usr/bin/sss_ssh_authorizedkeys"), keys())
    assert sorted(finding.outcome for finding in found) == [Outcome.PASS, Outcome.UNKNOWN]


def test_who_has_a_certificate_is_unknown() -> None:
    told = {"authorizedkeysfile": ".ssh/authorized_keys", "trustedusercakeys": "/etc/ssh/ca.pub"}
    trusting = Sshd((server(msgspec.structs.replace(SAFE, options=told)),))
    found = outcomes(judged(ssh_keys.sources, trusting, keys()))
    assert found["/etc/ssh/sshd_config: TrustedUserCAKeys"] is Outcome.UNKNOWN
