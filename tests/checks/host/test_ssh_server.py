"""Which keys an SSH server has, and whether it runs with what its files say, judged."""

from __future__ import annotations

import msgspec
import pytest

from checks.facts.host.ssh_keys import HostKey, HostKeys
from checks.facts.host.sshd import Sshd, SshdStart, SshdStarts
from checks.host import ssh_server
from checks.model import Outcome, Severity
from tests.checks.host.judging import failing, judged, outcomes, says_unknown
from tests.checks.host.test_ssh import SAFE, server

ED = HostKey("/etc/ssh/ssh_host_ed25519_key", "SHA256:ed", "ed25519", 256)
RSA = HostKey("/etc/ssh/ssh_host_rsa_key", "SHA256:rsa", "rsa", 3072)
DSA = HostKey("/etc/ssh/ssh_host_dsa_key", "SHA256:dsa", "dsa", 1024)


def using(*keys: HostKey) -> Sshd:
    options = {"hostkey": " ".join(key.path for key in keys)} if keys else {}
    return Sshd((server(msgspec.structs.replace(SAFE, options=options)),))


def start(loaded: str, changed: str, *, seen: bool = True) -> SshdStarts:
    config = "/etc/ssh/sshd_config"
    day = "2026-11-23T{}:00Z".format
    return SshdStarts((SshdStart(config, day("08:00"), day(loaded), day(changed), config, seen),))


@pytest.mark.parametrize("check", [ssh_server.host_keys, ssh_server.running_configuration])
def test_what_could_not_be_read_is_unknown(check: object) -> None:
    says_unknown(check)  # type: ignore[arg-type]


def test_strong_host_keys_pass() -> None:
    assert failing(ssh_server.host_keys, using(ED, RSA), HostKeys((ED, RSA))) == []


@pytest.mark.parametrize(
    ("key", "severity"),
    [
        (DSA, Severity.HIGH),
        (msgspec.structs.replace(RSA, bits=1024), Severity.HIGH),
        (msgspec.structs.replace(RSA, bits=2048), Severity.LOW),
    ],
)
def test_a_weak_host_key_that_is_in_use_fails(key: HostKey, severity: Severity) -> None:
    found = judged(ssh_server.host_keys, using(ED, key), HostKeys((ED, key)))
    bad = [(one.on, one.severity) for one in found if one.outcome is Outcome.FAIL]
    assert bad == [(key.path, severity)]


def test_a_weak_key_that_no_server_uses_proves_nothing_to_anybody() -> None:
    assert failing(ssh_server.host_keys, using(ED), HostKeys((ED, DSA))) == []


def test_a_key_without_a_public_half_and_a_server_that_does_not_tell_are_unknown() -> None:
    assert outcomes(judged(ssh_server.host_keys, using(RSA), HostKeys((ED,)))) == {RSA.path: Outcome.UNKNOWN}
    [finding] = judged(ssh_server.host_keys, using(), HostKeys((ED,)))
    assert finding.outcome is Outcome.UNKNOWN


def test_a_server_that_was_loaded_after_the_last_change_passes() -> None:
    assert failing(ssh_server.running_configuration, start("10:00", "09:00")) == []
    assert failing(ssh_server.running_configuration, start("10:00", "10:00", seen=False)) == []


def test_a_change_that_was_never_loaded_fails() -> None:
    assert failing(ssh_server.running_configuration, start("10:00", "11:00")) == ["/etc/ssh/sshd_config"]


def test_without_a_pid_file_a_later_change_leaves_the_question_open() -> None:
    [finding] = judged(ssh_server.running_configuration, start("08:00", "11:00", seen=False))
    assert finding.outcome is Outcome.UNKNOWN


def test_no_running_server_runs_with_nothing_old() -> None:
    [finding] = judged(ssh_server.running_configuration, SshdStarts(()))
    assert finding.outcome is Outcome.NOT_APPLICABLE
