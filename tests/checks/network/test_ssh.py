from __future__ import annotations

import msgspec
import pytest

from checks.facts.network.ssh import SshHostKey, SshHostKeys, SshOffer, SshOffers
from checks.model import Outcome
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
        ("network.ssh.strict-key-exchange", {"strict": False}),
        (
            "network.ssh.strict-key-exchange",
            {"strict": False, "ciphers": ("aes128-cbc",), "macs": ("hmac-sha2-256-etm@openssh.com",)},
        ),
    ],
)
def test_what_is_weak_fails(check: str, changes: dict[str, object]) -> None:
    hold_by(check, offered(**changes), offered(), PORT)


def test_the_fix_names_these_algorithms() -> None:
    [finding] = judge("network.ssh.ciphers", offered(ciphers=("aes128-cbc", "aes256-ctr", "3des-cbc")))
    assert finding.saw == "aes128-cbc, 3des-cbc"
    assert "aes128-cbc,3des-cbc" in finding.fix.snippets[0].do
    assert "sshd -t" in finding.fix.snippets[0].do


def test_a_hostile_name_cannot_leave_the_quotes_of_the_fix() -> None:
    [finding] = judge("network.ssh.key-exchange", offered(kex=("gss-group1-sha1-$(reboot);'x",)))
    assert (
        "printf 'KexAlgorithms -%s\\n' 'gss-group1-sha1-$(reboot);'\"'\"'x' >" in finding.fix.snippets[0].do
    )


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
