"""How a host lets people in over SSH, judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.sshd import Sshd, SshServer, SshSettings
from checks.facts.snapshot import Absence, Gap
from checks.host import ssh, ssh_crypto
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

SAFE = SshSettings(
    permit_root_login="no",
    password_authentication=False,
    keyboard_interactive=False,
    permit_empty_passwords=False,
    max_auth_tries=4,
    max_sessions=10,
    login_grace_seconds=60,
    client_alive_interval=0,
    client_alive_count_max=3,
    x11_forwarding=False,
    ignore_rhosts=True,
    hostbased_authentication=False,
    permit_user_environment=False,
    use_pam=True,
    log_level="VERBOSE",
    ciphers=("chacha20-poly1305@openssh.com", "aes256-ctr"),
    macs=("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512"),
    kex_algorithms=("curve25519-sha256", "diffie-hellman-group16-sha512"),
)
CHECKS = {check.id: check for check in checks_of(ssh, ssh_crypto)}


def server(*settings: SshSettings, system: bool = True, port: int = 22) -> SshServer:
    return SshServer(1, "/etc/ssh/sshd_config", (port,), system, running=True, settings=settings)


def sshd(**changes: object) -> Sshd:
    return Sshd((server(msgspec.structs.replace(SAFE, **changes)),))


BAD: list[tuple[str, str, dict[str, object]]] = [
    ("host.ssh.root-login", "PermitRootLogin", {"permit_root_login": "yes"}),
    ("host.ssh.root-login", "PermitRootLogin", {"permit_root_login": "prohibit-password"}),
    ("host.ssh.root-login", "PermitRootLogin", {"permit_root_login": "forced-commands-only"}),
    ("host.ssh.password-auth", "PasswordAuthentication", {"password_authentication": True}),
    ("host.ssh.keyboard-interactive", "KbdInteractiveAuthentication", {"keyboard_interactive": True}),
    ("host.ssh.empty-passwords", "PermitEmptyPasswords", {"permit_empty_passwords": True}),
    ("host.ssh.x11-forwarding", "X11Forwarding", {"x11_forwarding": True}),
    ("host.ssh.rhosts", "IgnoreRhosts", {"ignore_rhosts": False}),
    ("host.ssh.host-based", "HostbasedAuthentication", {"hostbased_authentication": True}),
    ("host.ssh.user-environment", "PermitUserEnvironment", {"permit_user_environment": True}),
    ("host.ssh.max-auth-tries", "MaxAuthTries", {"max_auth_tries": 6}),
    ("host.ssh.max-auth-tries", "MaxAuthTries", {"max_auth_tries": 0}),
    ("host.ssh.login-grace", "LoginGraceTime", {"login_grace_seconds": 120}),
    ("host.ssh.login-grace", "LoginGraceTime", {"login_grace_seconds": 0}),
    ("host.ssh.log-level", "LogLevel", {"log_level": "QUIET"}),
    ("host.ssh.log-level", "LogLevel", {"log_level": "DEBUG"}),
    ("host.ssh-crypto.ciphers", "Ciphers", {"ciphers": ("aes256-ctr", "3des-cbc")}),
    ("host.ssh-crypto.ciphers", "Ciphers", {"ciphers": ("rijndael-cbc@lysator.liu.se",)}),
    ("host.ssh-crypto.ciphers", "Ciphers", {"ciphers": ("arcfour256", "aes256-ctr")}),
    ("host.ssh-crypto.macs", "MACs", {"macs": ("hmac-sha1", "hmac-sha2-256")}),
    ("host.ssh-crypto.macs", "MACs", {"macs": ("umac-64-etm@openssh.com", "hmac-sha2-256")}),
    ("host.ssh-crypto.macs", "MACs", {"macs": ("hmac-md5-96", "hmac-sha2-256")}),
    ("host.ssh-crypto.key-exchange", "KexAlgorithms", {"kex_algorithms": ("diffie-hellman-group1-sha1",)}),
    (
        "host.ssh-crypto.key-exchange",
        "KexAlgorithms",
        {"kex_algorithms": ("diffie-hellman-group-exchange-sha1", "curve25519-sha256")},
    ),
]


@pytest.mark.parametrize(("check", "on", "change"), BAD)
def test_a_bad_value_fails(check: str, on: str, change: dict[str, object]) -> None:
    assert failing(CHECKS[check], sshd(**change)) == [on]


@pytest.mark.parametrize("check", CHECKS)
def test_a_safe_server_passes(check: str) -> None:
    assert failing(CHECKS[check], sshd()) == []


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_here_has_a_failing_case(check: str) -> None:
    assert check in {one for one, _, _ in BAD}


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_no_server_is_not_applicable(check: Check[Any]) -> None:
    [finding] = judged(check, absences=[Absence("Sshd", "no sshd is installed")])
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert finding.reason == "no sshd is installed"


def test_strong_names_that_look_like_weak_ones_pass() -> None:
    good = sshd(kex_algorithms=("diffie-hellman-group14-sha256", "diffie-hellman-group18-sha512"))
    assert failing(ssh_crypto.key_exchange, good) == []


def test_keys_only_for_root_is_less_bad_than_passwords() -> None:
    [with_password] = judged(ssh.root_login, sshd(permit_root_login="yes"))
    [with_key] = judged(ssh.root_login, sshd(permit_root_login="prohibit-password"))
    assert (with_password.severity, with_key.severity) == (Severity.HIGH, Severity.MEDIUM)
    assert (
        failing(
            ssh.root_login,
            sshd(permit_root_login="prohibit-password"),
            allowed=frozenset({"prohibit-password"}),
        )
        == []
    )


def test_every_server_is_judged_and_named_by_its_port() -> None:
    both = Sshd(
        (
            server(SAFE),
            server(msgspec.structs.replace(SAFE, permit_root_login="yes"), system=False, port=2222),
        )
    )
    found = judged(ssh.root_login, both)
    assert outcomes(found) == {
        "PermitRootLogin": Outcome.PASS,
        "PermitRootLogin (port 2222)": Outcome.FAIL,
    }
    assert [finding.port for finding in found] == ["tcp/22", "tcp/2222"]


def test_a_match_block_that_loosens_the_default_fails() -> None:
    loose = msgspec.structs.replace(
        SAFE,
        permit_root_login="yes",
        password_authentication=True,
        condition="Match Address 10.0.0.0/8",
        part=1,
    )
    found = Sshd((server(SAFE, loose),))
    assert failing(ssh.root_login, found) == ["PermitRootLogin in Match Address 10.0.0.0/8"]
    assert failing(CHECKS["host.ssh.password-auth"], found) == [
        "PasswordAuthentication in Match Address 10.0.0.0/8"
    ]
    assert failing(ssh.max_auth_tries, found) == []


def test_a_match_block_for_others_says_nothing_about_root() -> None:
    other = msgspec.structs.replace(
        SAFE, permit_root_login="yes", condition="Match User deploy", user="deploy", part=1
    )
    assert failing(ssh.root_login, Sshd((server(SAFE, other),))) == []


def test_an_unread_match_block_stays_unknown_beside_the_rest() -> None:
    found = judged(ssh.root_login, sshd(), gaps=[Gap("Sshd", "not evaluated", where="Match RDomain blue")])
    assert outcomes(found) == {"PermitRootLogin": Outcome.PASS, "Match RDomain blue": Outcome.UNKNOWN}


def test_the_fix_keeps_the_strong_algorithms_and_goes_to_the_right_file() -> None:
    [finding] = judged(ssh_crypto.ciphers, sshd(ciphers=("aes256-ctr", "3des-cbc", "aes128-ctr")))
    assert "aes256-ctr,aes128-ctr" in finding.fix.snippets[0].do
    assert "3des-cbc" not in finding.fix.snippets[0].do
    assert "/etc/ssh/sshd_config" in finding.fix.snippets[0].do
