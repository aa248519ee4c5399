from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.network import OpenPort
from checks.facts.network.ssh import SshHostKeys, SshOffers
from checks.model import Outcome
from checks.network.ssh import host_key_size
from scanner.collect.collector import Collected
from scanner.collect.network.ask import ssh, ssh_wire
from tests.checks.network.judging import judge
from tests.lab.asking import ask, only, reason
from tests.lab.parts import free_port, program
from tests.lab.services import (
    dripping,
    endless,
    endless_lines,
    mute,
    resetting,
    running,
    saying,
    serving,
    sshd,
)

BANNER = b"SSH-2.0-test\r\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose host keys are made once."""
    return tmp_path_factory.mktemp("keys")


@contextlib.contextmanager
def logged_sshd(keys: Path, log: Path) -> Iterator[int]:
    """A server with the keys of that folder that writes down who came."""
    port = free_port()
    with sshd(keys):
        pass
    lines = (keys / "sshd_config").read_text().splitlines()
    config = keys / "logged"
    config.write_text("\n".join((f"Port {port}", "LogLevel VERBOSE", *lines[1:])) + "\n")
    with running("sshd", "-D", "-E", str(log), "-f", str(config), port=port):
        yield port


def probe(number: int, seconds: float = 4.0) -> Collected:
    return ask(ssh.ask, OpenPort(number, "tcp", "ssh"), SshOffers, SshHostKeys, seconds=seconds)


def fingerprint(file: Path) -> str:
    blob = base64.b64decode(file.read_text().split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


@pytest.mark.real
def test_the_offer_of_a_real_server_is_read(keys: Path) -> None:
    options = ("KexAlgorithms curve25519-sha256,diffie-hellman-group14-sha1", "Ciphers aes256-ctr,3des-cbc")
    with sshd(keys, *options, "MACs hmac-sha2-256,hmac-md5") as number:
        found = probe(number)
    [offer] = only(found, SshOffers).servers
    assert offer.banner.startswith("SSH-2.0-OpenSSH")
    assert {"curve25519-sha256", "diffie-hellman-group14-sha1"} <= set(offer.kex)
    assert (offer.ciphers, offer.macs) == (("aes256-ctr", "3des-cbc"), ("hmac-sha2-256", "hmac-md5"))
    assert "ssh-ed25519" in offer.host_keys
    assert offer.strict == ("kex-strict-s-v00@openssh.com" in offer.kex)


@pytest.mark.real
@pytest.mark.parametrize(
    ("kind", "options", "algorithm", "bits"),
    [
        ("ed25519", (), "ssh-ed25519", 256),
        ("ecdsa", ("HostKeyAlgorithms ecdsa-sha2-nistp256",), "ecdsa-sha2-nistp256", 256),
        ("rsa", ("HostKeyAlgorithms rsa-sha2-512",), "ssh-rsa", 3072),
        ("rsa", ("HostKeyAlgorithms rsa-sha2-256", "KexAlgorithms ecdh-sha2-nistp384"), "ssh-rsa", 3072),
        ("ed25519", ("KexAlgorithms ecdh-sha2-nistp521",), "ssh-ed25519", 256),
        ("ed25519", ("KexAlgorithms diffie-hellman-group1-sha1",), "ssh-ed25519", 256),
        ("ed25519", ("KexAlgorithms diffie-hellman-group14-sha256",), "ssh-ed25519", 256),
        ("ed25519", ("KexAlgorithms diffie-hellman-group16-sha512",), "ssh-ed25519", 256),
    ],
)
def test_the_host_key_is_proved(
    keys: Path, kind: str, options: tuple[str, ...], algorithm: str, bits: int
) -> None:
    with sshd(keys, *options) as number:
        key, *more = only(probe(number), SshHostKeys).keys
    assert (key.algorithm, key.bits) == (algorithm, bits)
    assert [one.algorithm for one in more] == (["ssh-rsa"] if kind == "ed25519" else [])
    assert key.fingerprint == fingerprint(keys / f"host_{kind}.pub")


@pytest.mark.real
def test_a_short_rsa_key_does_not_hide_behind_a_modern_one(tmp_path: Path) -> None:
    short = tmp_path / "host_rsa"
    subprocess.run(
        [program("ssh-keygen"), "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", short], check=True
    )
    algorithms = "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512"
    with sshd(tmp_path, algorithms, "RequiredRSASize 1024") as number:
        fact = only(probe(number), SshHostKeys)
    assert [(key.algorithm, key.bits) for key in fact.keys] == [("ssh-ed25519", 256), ("ssh-rsa", 1024)]
    [verdict] = host_key_size.run(fact)
    assert verdict.outcome is Outcome.FAIL


@pytest.mark.real
def test_a_stolen_host_key_is_not_believed(keys: Path, tmp_path: Path) -> None:
    """A server that shows somebody else's public key, through a proxy that swaps the blob, has no proof."""
    other = tmp_path / "other"
    subprocess.run([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    stolen = base64.b64decode((tmp_path / "other.pub").read_text().split()[1])
    with sshd(keys) as number:
        mine = base64.b64decode((keys / "host_ed25519.pub").read_text().split()[1])

        def swap(connection: socket.socket) -> None:
            with socket.create_connection(("127.0.0.1", number)) as behind:
                behind.settimeout(0.3)
                while True:
                    try:
                        answer = behind.recv(65_536)
                    except TimeoutError:
                        answer = b""
                    if answer:
                        connection.sendall(answer.replace(mine, stolen))
                        continue
                    question = connection.recv(65_536)
                    if not question:
                        return
                    behind.sendall(question)

        with serving(swap) as proxy:
            found = probe(proxy)
    assert "does not bear out" in reason(found, SshHostKeys)
    assert only(found, SshOffers).servers


@pytest.mark.real
def test_a_server_without_a_key_exchange_of_ours_still_tells_its_lists(keys: Path) -> None:
    with sshd(keys, "KexAlgorithms sntrup761x25519-sha512@openssh.com") as number:
        found = probe(number)
    assert only(found, SshOffers).servers[0].kex[0] == "sntrup761x25519-sha512@openssh.com"
    assert reason(found, SshHostKeys) == "it offers no key exchange that the prober speaks"


def kexinit(*lists: bytes) -> bytes:
    body = bytes([ssh_wire.KEXINIT]) + b"c" * 16
    for names in (*lists, *(b"",) * (10 - len(lists))):
        body += struct.pack("!I", len(names)) + names
    return body + b"\x00" * 5


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (mute, "no complete answer"),
        (dripping, "no complete answer"),
        (endless, "no SSH banner line"),
        (endless_lines, "65,536 bytes"),
        (resetting(1), "reset"),
        (resetting(16), "reset|middle"),
        (saying(BANNER), "no complete answer"),
        (saying(BANNER + struct.pack("!I", 0xFFFFFFF0) + b"x" * 100), "says it has"),
        (saying(BANNER + struct.pack("!I", 1) + b"x" * 100), "says it has"),
        (saying(BANNER + struct.pack("!IB", 12, 255) + b"x" * 11), "more padding"),
        (saying(BANNER + ssh_wire.packet(b"\x01go away")), "not KEXINIT"),
        (saying(BANNER + ssh_wire.packet(b"\x14" + b"c" * 16 + b"\xff\xff\xff\xff")), "lies about a length"),
        (saying(BANNER + ssh_wire.packet(b"\x14")), "ends too early"),
    ],
)
def test_hostile_servers_are_gaps(server: Callable[[socket.socket], None], words: str) -> None:
    began = monotonic()
    with serving(server) as number:
        found = probe(number, seconds=0.7)
    assert monotonic() - began < 3
    assert re.search(words, reason(found, SshOffers))
    assert reason(found, SshHostKeys).isprintable()


def test_a_hostile_banner_is_made_printable() -> None:
    names = b",".join(b"k%d" % n for n in range(100))
    lists = ssh_wire.packet(kexinit(names, b"ssh-ed25519", b"c", b"c"))
    with serving(saying(b"hello\r\n" + b"SSH-2.0-\x1b[2J\xff\r\n" + lists)) as number:
        found = probe(number, seconds=1.0)
    [offer] = only(found, SshOffers).servers
    assert offer.banner == "SSH-2.0-\\u001b[2J\\xff"
    assert len(offer.kex) == 100


@pytest.mark.parametrize(
    "hostile", [b"\x1b[31m", b"\xe2\x80\xae", b"aes128 ctr", b"\x00", b"aes\xff", b"\x7f"], ids=repr
)
@pytest.mark.parametrize("place", range(6))
def test_a_list_with_names_that_no_algorithm_has_decides_nothing(hostile: bytes, place: int) -> None:
    """What negotiates nothing has no weak name in it either: that is no pass."""
    lists = [b"curve25519-sha256", b"ssh-ed25519", *(b"aes128-ctr",) * 2, *(b"hmac-sha2-256",) * 2]
    lists[place] += b"," + hostile
    server = ssh_wire.read_kexinit(kexinit(*lists))
    with pytest.raises(ssh_wire.SshWireError, match="names that no algorithm has"):
        ssh._offer("tcp/22", b"SSH-2.0-x", server)


@pytest.mark.parametrize("place", range(4))
def test_an_empty_list_decides_nothing(place: int) -> None:
    lists = [b"curve25519-sha256", b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr"]
    lists[place] = b","
    with serving(saying(BANNER + ssh_wire.packet(kexinit(*lists)))) as number:
        found = probe(number, seconds=1.0)
    assert reason(found, SshOffers) == "a list of algorithms without a name in it"


def test_a_list_that_is_too_long_hides_nothing_behind_its_end() -> None:
    """What is weak stands last, behind more names than are read: that is no list without it."""
    names = b",".join(b"good-%d" % n for n in range(200)) + b",diffie-hellman-group1-sha1"
    with serving(saying(BANNER + ssh_wire.packet(kexinit(names, b"ssh-ed25519", b"c", b"c")))) as number:
        found = probe(number, seconds=1.0)
    assert reason(found, SshOffers) == "a list of 201 names; not more than 128 are read"
    assert reason(found, SshHostKeys)


@pytest.mark.parametrize(
    ("words", "tries", "told"),
    [
        (b"", 2, "the server closed the connection before its banner"),
        (b"Exceeded MaxStartups\r\n", 2, "its banner (Exceeded MaxStartups)"),
        (b"Not allowed at this time\r\n", 1, "its banner (Not allowed at this time)"),
    ],
)
def test_a_server_that_drops_us_is_tried_once_more_unless_it_shuts_us_out(
    words: bytes, tries: int, told: str
) -> None:
    seen = []

    def handle(connection: socket.socket) -> None:
        seen.append(connection.recv(100))
        connection.sendall(words)

    with serving(handle) as number:
        found = probe(number)
    assert reason(found, SshOffers).endswith(told)
    assert reason(found, SshHostKeys).endswith(told)
    assert len(seen) == tries


def test_a_server_that_dropped_us_once_is_read_after_all() -> None:
    seen = []

    def handle(connection: socket.socket) -> None:
        seen.append(connection.recv(100))
        if len(seen) > 1:
            connection.sendall(
                BANNER + ssh_wire.packet(kexinit(b"curve25519-sha256", b"ssh-ed25519", b"c", b"c"))
            )
            connection.recv(4096)

    with serving(handle) as number:
        found = probe(number)
    assert only(found, SshOffers).servers[0].kex == ("curve25519-sha256",)


@pytest.mark.real
def test_one_scan_is_one_unknown_user_in_the_log_of_the_server(keys: Path, tmp_path: Path) -> None:
    """What counts failed logins must not shut the scanner out after a scan or two."""
    log = tmp_path / "log"
    with logged_sshd(keys, log) as number:
        found = ask(ssh.ask, OpenPort(number, "tcp", "ssh"), *ssh.QUESTION.facts)
    assert found.gaps == ()
    told = log.read_text()
    assert told.count("Invalid user") == 1
    assert "Failed " not in told
    assert told.count("Connection from") == 1 + 3


@pytest.mark.parametrize("first", [b"SSH-2.0 is not a banner\r\n", b"SSH-2.0\r\n", b"SSH-9.9-new\r\n"])
def test_a_banner_that_is_almost_one_does_not_pass(first: bytes) -> None:
    with serving(
        saying(first + ssh_wire.packet(kexinit(b"curve25519-sha256", b"ssh-ed25519", b"c", b"c")))
    ) as number:
        found = probe(number, seconds=0.5)
    [finding] = judge("network.ssh.protocol", only(found, SshOffers))
    assert finding.outcome is Outcome.FAIL


def test_a_reply_of_garbage_is_no_proof() -> None:
    lists = (
        b"curve25519-sha256",
        b"ssh-ed25519",
        b"aes256-ctr",
        b"aes256-ctr",
        b"hmac-sha2-256",
        b"hmac-sha2-256",
    )

    def reply(content: bytes) -> Callable[[socket.socket], None]:
        def handle(connection: socket.socket) -> None:
            connection.sendall(BANNER + ssh_wire.packet(kexinit(*lists)))
            connection.recv(4096)
            connection.sendall(ssh_wire.packet(bytes([ssh_wire.KEX_REPLY]) + content))
            connection.recv(4096)

        return handle

    def text(*parts: bytes) -> bytes:
        return b"".join(struct.pack("!I", len(p)) + p for p in parts)

    blob = text(b"ssh-ed25519", b"k" * 32)
    signed = text(b"ssh-ed25519", b"s" * 64)
    garbage = (
        b"",
        text(b"", b"", b""),
        text(blob, b"p" * 32, signed),
        text(blob, b"\x00" * 32, signed),
        text(b"x" * 50, b"p" * 32, b""),
    )
    for content in garbage:
        with serving(reply(content)) as number:
            found = probe(number, seconds=1.0)
        assert only(found, SshOffers).servers
        assert reason(found, SshHostKeys)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_order(data: bytes) -> None:
    for prefix in (b"", b"\x14" + b"c" * 16):
        try:
            ssh_wire.read_kexinit(prefix + data)
        except ssh_wire.SshWireError:
            continue


@given(st.binary(min_size=1, max_size=2000))
def test_a_packet_is_read_as_it_was_written(content: bytes) -> None:
    packet = ssh_wire.packet(content)
    assert len(packet) % 8 == 0
    assert packet[4] >= 4
    assert ssh_wire.packet_length(packet) == len(packet)
    assert ssh_wire.payload(packet) == content
