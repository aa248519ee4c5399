"""The ways to log in, through every cipher that is spoken, and the groups that servers choose."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko.kex_group14 import KexGroup14SHA256
from paramiko.kex_group16 import KexGroup16SHA512

from checks.facts.network import OpenPort
from checks.facts.network.ssh import SshGroups, SshHostKeys, SshLogins, SshOffers
from checks.model import Outcome
from scanner.collect.collector import Collected
from scanner.collect.network.ask import ssh, ssh_cipher, ssh_kex, ssh_wire
from tests.checks.network.judging import CATALOGUE, judge
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import daemon
from tests.lab.parts import program
from tests.lab.services import Handler, saying, serving, sshd

FACTS = (SshOffers, SshHostKeys, SshLogins, SshGroups)
BANNER = b"SSH-2.0-test\r\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def probe(number: int, seconds: float = 4.0) -> Collected:
    return ask(ssh.ask, OpenPort(number, "tcp", "ssh"), *FACTS, seconds=seconds)


@pytest.mark.real
@pytest.mark.parametrize(
    ("options", "methods"),
    [
        (("PasswordAuthentication yes", "KbdInteractiveAuthentication no"), ("publickey", "password")),
        (("PasswordAuthentication no", "KbdInteractiveAuthentication no"), ("publickey",)),
        (("AuthenticationMethods publickey,password",), ("publickey",)),
    ],
)
def test_the_methods_of_a_real_server_are_those_of_its_settings(
    keys: Path, options: tuple[str, ...], methods: tuple[str, ...]
) -> None:
    with sshd(keys, *options) as number:
        found = probe(number)
    [one] = only(found, SshLogins).servers
    assert (one.methods, one.opened) == (methods, False)
    assert found.gaps == ()


PAIRS = [
    *((cipher, "hmac-sha2-256") for cipher in ssh_cipher.CIPHERS),
    *(("aes128-ctr", mac) for mac in ssh_cipher.MACS),
    ("aes256-cbc", "hmac-sha2-512-etm@openssh.com"),
]


@pytest.mark.real
@pytest.mark.parametrize(("cipher", "mac"), PAIRS)
def test_every_cipher_and_mac_leads_to_the_answer(keys: Path, cipher: str, mac: str) -> None:
    with sshd(keys, f"Ciphers {cipher}", f"MACs {mac}", "KexAlgorithms curve25519-sha256") as number:
        found = ask(ssh.ask, OpenPort(number, "tcp", "ssh"), SshLogins)
    assert "publickey" in only(found, SshLogins).servers[0].methods


@pytest.mark.real
def test_a_cipher_that_is_not_spoken_hides_only_the_logins(keys: Path) -> None:
    with sshd(keys, "Ciphers 3des-cbc") as number:
        found = probe(number)
    assert only(found, SshHostKeys).keys
    assert reason(found, SshLogins) == "it offers no cipher or MAC that the prober speaks"


@pytest.mark.real
def test_dropbear_tells_its_methods_too() -> None:
    with daemon("dropbear") as running:
        found = probe(running.tcp[0])
    assert {"publickey", "password"} <= set(only(found, SshLogins).servers[0].methods)
    assert only(found, SshOffers).servers[0].banner.startswith("SSH-2.0-dropbear")
    # This one names an RSA key that it does not have: the proven key stays, and the other is open.
    assert [key.algorithm for key in only(found, SshHostKeys).keys] == ["ssh-ed25519"]
    [gap] = found.gaps
    assert gap.reason.startswith("the RSA key beside it: ")
    snapshot = judge("network.ssh.host-key-size", *found.facts, gaps=found.gaps)
    assert {finding.outcome for finding in snapshot} == {Outcome.UNKNOWN}


@pytest.mark.real
def test_the_lists_are_those_that_the_client_of_openssh_sees(keys: Path) -> None:
    with sshd(keys, "Ciphers +3des-cbc", "KexAlgorithms +diffie-hellman-group1-sha1") as number:
        [offer] = only(probe(number), SshOffers).servers
        client = subprocess.run(
            [program("ssh"), "-vv", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes", "-p", str(number), "127.0.0.1",
             "true"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    theirs = client.stderr.partition("peer server KEXINIT proposal")[2]

    def listed(what: str) -> tuple[str, ...]:
        line = next(line for line in theirs.splitlines() if f"debug2: {what}: " in line)
        return tuple(line.rpartition(": ")[2].strip().split(","))

    assert offer.kex == listed("KEX algorithms")
    assert offer.host_keys == listed("host key algorithms")
    assert offer.ciphers == listed("ciphers ctos")
    assert offer.macs == listed("MACs ctos")
    assert "Permission denied (publickey,password,keyboard-interactive)" in client.stderr


@pytest.mark.real
def test_the_line_of_the_fix_closes_the_finding_on_a_real_server(keys: Path) -> None:
    """What is told to be left over is what that server takes, and judged again it is sound."""
    weak = {
        "network.ssh.key-exchange": "KexAlgorithms +diffie-hellman-group1-sha1,diffie-hellman-group14-sha1",
        "network.ssh.ciphers": "Ciphers +3des-cbc,aes128-cbc",
        "network.ssh.macs": "MACs +hmac-md5,hmac-sha1-96",
        "network.ssh.host-key-algorithms": "HostKeyAlgorithms +ssh-rsa",
    }
    with sshd(keys, *weak.values()) as number:
        before = only(probe(number), SshOffers)
    lines = []
    for check in weak:
        [finding] = judge(check, before)
        assert finding.outcome is Outcome.FAIL
        told = re.search(r"printf '(\w+) %s\\n' (\S+) >", finding.fix.snippets[0].do)
        assert told
        lines.append(f"{told[1]} {told[2]}")
    with sshd(keys, *lines) as number:
        after = only(probe(number), SshOffers)
    assert {f.outcome for check in weak for f in judge(check, after)} == {Outcome.PASS}


@pytest.mark.real
def test_the_group_that_openssh_chooses_is_measured(keys: Path) -> None:
    with sshd(keys, "KexAlgorithms curve25519-sha256,diffie-hellman-group-exchange-sha256") as number:
        [one] = only(probe(number), SshGroups).servers
    assert one.bits >= 2048
    with sshd(keys, "KexAlgorithms curve25519-sha256") as number:
        found = probe(number)
    assert not [fact for fact in found.facts if isinstance(fact, SshGroups)]
    assert found.gaps == ()


def test_a_short_group_is_measured() -> None:
    lists = (b"diffie-hellman-group-exchange-sha1,curve25519-sha256", b"ssh-ed25519", *(b"aes128-ctr",) * 2,
             *(b"hmac-sha1",) * 2, b"none", b"none", b"", b"")  # fmt: skip
    body = bytes([20]) + b"c" * 16 + b"".join(map(ssh_wire.string, lists)) + b"\x00" * 5
    prime = ssh_wire.string(b"\x00" + b"\xff" * 128)

    def handle(connection: socket.socket) -> None:
        connection.sendall(BANNER + ssh_wire.packet(body))
        heard = b""
        while b"group-exchange" not in heard:
            if not (more := connection.recv(4096)):
                return
            heard += more
        connection.sendall(ssh_wire.packet(bytes([31]) + prime + ssh_wire.string(b"\x02")))
        connection.recv(4096)

    with serving(handle) as number:
        asked = ask(ssh.ask, OpenPort(number, "tcp", "ssh"), SshOffers, SshGroups, seconds=0.7)
    assert [one.bits for one in only(asked, SshGroups).servers] == [1024]


def test_a_server_of_version_1_is_told_by_its_banner() -> None:
    with serving(saying(b"SSH-1.5-Cisco-1.25\r\n")) as number:
        found = probe(number, seconds=1.0)
    [offer] = only(found, SshOffers).servers
    assert (offer.banner, offer.kex) == ("SSH-1.5-Cisco-1.25", ())
    assert reason(found, SshLogins) == reason(found, SshHostKeys) == "it speaks version 1 of SSH only"


@dataclass
class Door(paramiko.ServerInterface):
    """A server of another make; it lets people in without asking if it is `open`."""

    open: bool
    tried: list[str] = field(default_factory=list)
    named: str = "publickey,x"

    def serve(self, key: paramiko.PKey) -> Handler:
        def handle(connection: socket.socket) -> None:
            transport = paramiko.Transport(connection)
            transport.add_server_key(key)
            transport.start_server(server=self)
            transport.join(3)
            transport.close()

        return handle

    def check_auth_none(self, username: str) -> int:
        self.tried.append(username)
        return paramiko.common.AUTH_SUCCESSFUL if self.open else paramiko.common.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return self.named


@pytest.fixture(scope="module")
def host_key() -> paramiko.PKey:
    return paramiko.RSAKey.generate(2048)


@pytest.mark.parametrize("opened", [False, True])
def test_a_server_that_lets_everybody_in_is_told(host_key: paramiko.PKey, opened: bool) -> None:
    door = Door(opened)

    with serving(door.serve(host_key)) as number:
        found = ask(ssh.ask, OpenPort(number, "tcp", "ssh"), SshLogins)
    [one] = only(found, SshLogins).servers
    assert one.opened is opened
    assert one.methods == (() if opened else ("publickey", "x"))
    assert door.tried == ["bartizan"]


def test_a_hostile_name_of_a_way_in_leaves_the_logins_open(host_key: paramiko.PKey) -> None:
    door = Door(open=False, named="publickey,x\x1b[31m")
    with serving(door.serve(host_key)) as number:
        found = ask(ssh.ask, OpenPort(number, "tcp", "ssh"), SshLogins)
    assert reason(found, SshLogins) == "a list with names that no algorithm has"


def test_the_primes_are_those_of_the_standards() -> None:
    primes = ssh_kex._primes()
    assert (primes["group14"], primes["group16"]) == (KexGroup14SHA256.P, KexGroup16SHA512.P)


def test_a_public_value_outside_of_the_group_is_refused() -> None:
    exchange = ssh_kex.start_exchange("diffie-hellman-group14-sha256")
    for value in (b"\x00", b"\x01", ssh_kex._plain(ssh_kex._primes()["group14"] - 1), b"\xff" * 300):
        with pytest.raises(ValueError, match="outside"):
            exchange.shared(value)


SECRETS = ssh_kex.Secrets("sha256", ssh_wire.mpint(b"\x42" * 32), b"d" * 32)


def pair(cipher: str, mac: str) -> tuple[ssh_cipher.Direction, ssh_cipher.Direction]:
    out, back = (ssh_cipher.direction(cipher, mac, SECRETS, b"ACE", 3) for _ in range(2))
    return out, back


@pytest.mark.parametrize(("cipher", "mac"), PAIRS)
@given(contents=st.lists(st.binary(min_size=1, max_size=500), min_size=1, max_size=4), flip=st.integers(0))
def test_a_sealed_packet_opens_and_one_changed_bit_does_not(
    cipher: str, mac: str, contents: list[bytes], flip: int
) -> None:
    out, back = pair(cipher, mac)
    for content in contents:
        packet = out.seal(content)
        rest = back.rest(packet[: back.head])
        assert len(packet) == back.head + rest
        assert back.open(packet[back.head :]) == content
    broken = bytearray(out.seal(contents[0]))
    broken[flip % len(broken)] ^= 1
    with pytest.raises(ssh_wire.SshWireError):  # noqa: PT012 - either of the two steps may notice it
        rest = back.rest(bytes(broken[: back.head]))
        back.open(bytes(broken[back.head :])[:rest] + b"\x00" * max(0, back.head + rest - len(broken)))


@given(st.binary(max_size=400))
def test_any_bytes_after_encryption_began_are_refused_in_order(data: bytes) -> None:
    for cipher, mac in PAIRS:
        _, back = pair(cipher, mac)
        with pytest.raises(ssh_wire.SshWireError):  # noqa: PT012
            rest = back.rest(data[: back.head].ljust(back.head, b"\xff"))
            back.open(data[back.head :].ljust(rest, b"\x00")[:rest])


@pytest.mark.real
def test_garbage_in_the_place_of_the_first_sealed_packet_is_a_gap(keys: Path) -> None:
    """A proxy lets the key exchange through and then answers with random bytes."""
    with sshd(keys, "KexAlgorithms curve25519-sha256") as behind:

        def swap(connection: socket.socket) -> None:
            with socket.create_connection(("127.0.0.1", behind)) as server:
                server.settimeout(0.3)
                _relay(connection, server)

        with serving(swap) as number:
            found = probe(number, seconds=2.0)
    assert only(found, SshHostKeys).keys
    assert reason(found, SshLogins)


def _relay(connection: socket.socket, server: socket.socket) -> None:
    connection.settimeout(0.3)
    new_keys = ssh_wire.packet(bytes([ssh_wire.NEWKEYS]))
    while True:
        try:
            said = server.recv(65_536)
        except TimeoutError:
            said = b""
        if said:
            connection.sendall(said)
        try:
            heard = connection.recv(65_536)
        except TimeoutError:
            continue
        if not heard:
            return
        if heard.startswith(new_keys):
            connection.sendall(struct.pack("!I", 0xFFFF) * 64)
            return
        server.sendall(heard)


@pytest.mark.real
def test_a_usual_server_with_passwords_off_has_nothing_to_repair(keys: Path) -> None:
    """Of a good server no check of SSH fails or stays open."""
    with sshd(keys, "PasswordAuthentication no", "KbdInteractiveAuthentication no") as number:
        found = ask(ssh.ask, OpenPort(number, "tcp", "ssh"), *ssh.QUESTION.facts)
    checks = [name for name in CATALOGUE.checks if name.startswith("network.ssh.")]
    findings = [one for name in checks for one in judge(name, *found.facts, gaps=found.gaps)]
    assert len(findings) == len(checks) == 11
    assert {one.outcome for one in findings} == {Outcome.PASS}
