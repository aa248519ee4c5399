from __future__ import annotations

import msgspec
import pytest

from checks.facts.network.ssh import (
    SshGroup,
    SshGroups,
    SshHostKey,
    SshHostKeys,
    SshLogin,
    SshLogins,
    SshOffer,
    SshOffers,
)
from checks.model import Outcome, Severity
from tests.checks.network.judging import hold_by, judge, outcomes

PORT = "tcp/22"
GOOD = SshOffer(
    port=PORT,
    banner="SSH-2.0-OpenSSH_9.9",
    kex=("sntrup761x25519-sha512", "curve25519-sha256"),
    host_keys=("ssh-ed25519", "rsa-sha2-512"),
    ciphers=("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"),
    macs=("hmac-sha2-512-etm@openssh.com",),
    strict=True,
)


def offered(**changes: object) -> SshOffers:
    return SshOffers((msgspec.structs.replace(GOOD, **changes),))


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("network.ssh.key-exchange", {"kex": ("curve25519-sha256", "diffie-hellman-group14-sha1")}),
        ("network.ssh.key-exchange", {"kex": ("gss-group1-sha1-toWM5Slw5Ew8Mqkay+al2g==",)}),
        ("network.ssh.ciphers", {"ciphers": ("aes256-ctr", "3des-cbc")}),
        ("network.ssh.macs", {"macs": ("hmac-sha2-256", "hmac-md5")}),
        ("network.ssh.host-key-algorithms", {"host_keys": ("ssh-ed25519", "ssh-rsa")}),
        ("network.ssh.protocol", {"banner": "SSH-1.99-OpenSSH_3.4"}),
        ("network.ssh.protocol", {"banner": "SSH-1.5-Cisco-1.25"}),
        ("network.ssh.quantum-safe-kex", {"kex": ("curve25519-sha256", "ecdh-sha2-nistp256")}),
        ("network.ssh.strict-key-exchange", {"strict": False}),
        (
            "network.ssh.strict-key-exchange",
            {"strict": False, "ciphers": ("aes128-cbc",), "macs": ("hmac-sha2-256-etm@openssh.com",)},
        ),
    ],
)
def test_what_is_weak_fails(check: str, changes: dict[str, object]) -> None:
    hold_by(check, offered(**changes), offered(), PORT)


@pytest.mark.parametrize(
    ("check", "field", "aged", "broken"),
    [
        ("key-exchange", "kex", "diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"),
        ("ciphers", "ciphers", "aes256-cbc", "3des-cbc"),
        ("host-key-algorithms", "host_keys", "ssh-rsa", "ssh-dss"),
    ],
)
def test_what_is_only_aged_weighs_less_than_what_is_broken(
    check: str, field: str, aged: str, broken: str
) -> None:
    def severity(*names: str) -> Severity:
        [finding] = judge(f"network.ssh.{check}", offered(**{field: ("good", *names)}))
        assert finding.outcome is Outcome.FAIL
        return finding.severity

    assert severity(aged) is Severity.MEDIUM
    assert severity(broken) is severity(aged, broken) is Severity.HIGH


def test_the_fix_names_these_algorithms() -> None:
    [finding] = judge("network.ssh.ciphers", offered(ciphers=("aes128-cbc", "aes256-ctr", "3des-cbc")))
    assert finding.saw == "aes128-cbc, 3des-cbc"
    assert "printf 'Ciphers %s\\n' aes256-ctr >" in finding.fix.snippets[0].do
    assert "`Ciphers aes256-ctr`" in finding.fix.do
    assert "Ciphers=aes128-cbc,3des-cbc" in finding.fix.verify
    assert "sshd -t" in finding.fix.snippets[0].do


def test_the_line_of_the_fix_is_one_that_sshd_takes() -> None:
    offer = offered(
        kex=(
            "gss-group14-sha1-toWM5Slw5Ew8Mqkay+al2g==",
            "ext-info-s",
            "diffie-hellman-group1-sha1",
            "kex-strict-s-v00@openssh.com",
        )
    )
    [finding] = judge("network.ssh.key-exchange", offer)
    sound = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256"
    assert f"printf 'KexAlgorithms %s\\n' {sound} >" in finding.fix.snippets[0].do
    assert "GSSAPIKeyExchange no" in finding.fix.do


def test_a_server_that_cannot_be_set_is_told_by_its_make() -> None:
    [finding] = judge("network.ssh.macs", offered(banner="SSH-2.0-dropbear_2019.78", macs=("hmac-md5",)))
    assert "localoptions.h" in finding.fix.do
    [other] = judge("network.ssh.macs", offered(banner="SSH-2.0-Cisco-1.25", macs=("hmac-md5",)))
    assert "another server than OpenSSH" in other.fix.do


def test_a_list_that_was_not_told_is_no_pass() -> None:
    silent = offered(banner="SSH-1.5-Cisco-1.25", kex=(), host_keys=(), ciphers=(), macs=(), strict=False)
    for name in (
        "key-exchange",
        "ciphers",
        "macs",
        "host-key-algorithms",
        "strict-key-exchange",
        "quantum-safe-kex",
    ):
        [finding] = judge(f"network.ssh.{name}", silent)
        assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, PORT)
    assert outcomes(judge("network.ssh.protocol", silent)) == {PORT: Outcome.FAIL}


def login(*methods: str, opened: bool = False) -> SshLogins:
    return SshLogins((SshLogin(PORT, methods, opened),))


@pytest.mark.parametrize("methods", [("publickey", "password"), ("keyboard-interactive",)])
def test_logins_by_password_fail(methods: tuple[str, ...]) -> None:
    hold_by("network.ssh.password-auth", login(*methods), login("publickey"), PORT)


def test_a_server_that_names_no_way_in_has_not_refused_passwords() -> None:
    [finding] = judge("network.ssh.password-auth", login())
    assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, PORT)
    [proof] = judge("network.ssh.login-required", login())
    assert proof.outcome is Outcome.PASS
    assert proof.saw == "asks for what it does not tell"


def test_every_cbc_cipher_needs_the_strict_exchange() -> None:
    listed = offered(
        strict=False,
        ciphers=("aes256-ctr", "rijndael-cbc@lysator.liu.se"),
        macs=("hmac-sha2-256-etm@openssh.com",),
    )
    assert outcomes(judge("network.ssh.strict-key-exchange", listed)) == {PORT: Outcome.FAIL}


def test_a_name_that_only_begins_like_a_weak_one_is_none() -> None:
    """And one that a weak name begins with is judged by itself."""
    for check, field, name in (
        ("key-exchange", "kex", "diffie-hellman-group14-sha1024"),
        ("ciphers", "ciphers", "none-of-these"),
        ("macs", "macs", "hmac-md5x"),
        ("host-key-algorithms", "host_keys", "ssh-rsa-new"),
    ):
        assert outcomes(judge(f"network.ssh.{check}", offered(**{field: (name,)}))) == {PORT: Outcome.PASS}


def test_a_server_without_any_login_fails() -> None:
    hold_by("network.ssh.login-required", login(opened=True), login("publickey"), PORT)
    assert outcomes(judge("network.ssh.password-auth", login(opened=True))) == {PORT: Outcome.FAIL}


def test_a_baseline_may_allow_a_second_factor_after_a_key() -> None:
    findings = judge(
        "network.ssh.password-auth", login("keyboard-interactive"), forbidden=frozenset({"password"})
    )
    assert outcomes(findings) == {PORT: Outcome.PASS}


def test_short_groups_fail() -> None:
    def group(bits: int) -> SshGroups:
        return SshGroups((SshGroup(PORT, bits),))

    hold_by("network.ssh.group-size", group(1536), group(2048), PORT)


def test_a_hostile_name_cannot_leave_the_quotes_of_the_fix() -> None:
    hostile = "gss-group1-sha1-$(reboot);'x"
    [finding] = judge("network.ssh.key-exchange", offered(kex=(hostile, "a b", "-oProxyCommand", "good")))
    assert finding.fix.verify.startswith(
        "ssh -o BatchMode=yes -o KexAlgorithms='gss-group1-sha1-$(reboot);'\"'\"'x' -p"
    )
    assert "printf 'KexAlgorithms %s\\n' good >" in finding.fix.snippets[0].do


def test_lists_of_one_server_are_closed_by_one_change() -> None:
    weak = offered(kex=("diffie-hellman-group1-sha1",), ciphers=("3des-cbc",), macs=("hmac-md5",))
    checks = ("network.ssh.key-exchange", "network.ssh.ciphers", "network.ssh.macs")
    assert {f.fix_key for check in checks for f in judge(check, weak)} == {"sshd-algorithms:10.0.0.5:tcp/22"}


def test_without_the_ciphers_in_question_a_strict_exchange_is_not_needed() -> None:
    findings = judge("network.ssh.strict-key-exchange", offered(strict=False, ciphers=("aes256-ctr",)))
    assert outcomes(findings) == {PORT: Outcome.PASS}


def test_short_host_keys_fail() -> None:
    def key(algorithm: str, bits: int) -> SshHostKeys:
        return SshHostKeys((SshHostKey(PORT, algorithm, bits, "SHA256:x"),))

    hold_by("network.ssh.host-key-size", key("ssh-rsa", 1024), key("ssh-rsa", 2048), PORT)
    assert outcomes(judge("network.ssh.host-key-size", key("ssh-ed25519", 256))) == {PORT: Outcome.PASS}
    both = SshHostKeys(key("ssh-ed25519", 256).keys + key("ssh-rsa", 1024).keys)
    [finding] = judge("network.ssh.host-key-size", both)
    assert (finding.on, finding.outcome, finding.saw) == (PORT, Outcome.FAIL, "ssh-ed25519 256, ssh-rsa 1024")
