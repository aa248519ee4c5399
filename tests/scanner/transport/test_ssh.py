"""The SSH transport against real servers, and against servers that misbehave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import socket
import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.ssh import ScriptResult, SshAccess, resolved, run_script
from tests.lab.parts import LOOPBACK, free_port
from tests.lab.ssh import (  # noqa: F401 - sshd is a fixture
    LabServer,
    fingerprint_of,
    new_key,
    raw_server,
    running_dropbear,
    running_sshd,
    sshd,
)

pytestmark = pytest.mark.real
LIMIT = 1_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


def run(access: SshAccess, script: str = "echo fine", limit: int = LIMIT) -> ScriptResult:
    return run_script(access, script, limit_bytes=limit, context=Context())


def refused(access: SshAccess, script: str = "echo fine", limit: int = LIMIT) -> CollectError:
    with pytest.raises(CollectError) as caught:
        run(access, script, limit)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_script_gives_both_outputs_its_status_and_the_host_key(server: LabServer) -> None:
    result = run(server.access(), "echo out; echo err >&2; exit 7")
    assert (result.stdout, result.stderr, result.exit_status) == (b"out\n", b"err\n", 7)
    assert result.host_key_fingerprint == server.fingerprint
    assert result.remote_address == LOOPBACK


def test_one_connection_and_one_exec(tmp_path: Path) -> None:
    with running_sshd(tmp_path) as fresh:
        # The lab's own look at the greeting is a connection, too.
        before = fresh.logged("Connection from")
        run(fresh.access(), "for i in 1 2 3 4 5; do echo $i; done")
        assert fresh.logged("Connection from") - before == 1
        assert fresh.logged("Starting session: command") == 1
        assert fresh.logged("pty-req") == 0
        assert fresh.logged("auth-agent") == 0


def test_a_large_script_and_a_large_answer_pass_whole(server: LabServer) -> None:
    script = "#" + "x" * 300_000 + "\nhead -c 900000 /dev/zero | tr '\\000' z"
    assert len(run(server.access(), script).stdout) == 900_000


def test_much_error_output_does_not_stall(server: LabServer) -> None:
    result = run(server.access(), "head -c 5000000 /dev/zero >&2; echo done")
    assert result.stdout == b"done\n"
    assert len(result.stderr) == 65_536


def test_no_terminal_is_given(server: LabServer) -> None:
    assert run(server.access(), "tty <&1; true").stdout.strip() == b"not a tty"


def test_an_unknown_host_key_is_refused_before_any_login(tmp_path: Path) -> None:
    with running_sshd(tmp_path) as fresh:
        error = refused(fresh.access(known_hosts=(tmp_path / "empty",)))
        assert error.failure is Failure.HOST_KEY
        assert fresh.fingerprint in str(error)
        assert f"bartizan hosts enrol ssh://root@{LOOPBACK}:{fresh.port}" in str(error)
        assert "unknown" in str(error)
        assert fresh.logged("userauth-request") == 0


def test_a_changed_host_key_is_another_message_and_no_login(tmp_path: Path) -> None:
    with running_sshd(tmp_path) as fresh:
        other = new_key(tmp_path / "other")
        public = " ".join(other.with_suffix(".pub").read_text().split()[:2])
        known = tmp_path / "changed"
        known.write_text(f"[{LOOPBACK}]:{fresh.port} {public}\n")
        error = refused(fresh.access(known_hosts=(known,)))
        assert error.failure is Failure.HOST_KEY
        assert "CHANGED" in str(error)
        assert fresh.fingerprint in str(error)
        assert fingerprint_of(other) in str(error)
        assert fresh.logged("userauth-request") == 0


def test_a_revoked_host_key_is_refused_even_if_it_is_known(server: LabServer, tmp_path: Path) -> None:
    line = server.known_hosts.read_text()
    known = tmp_path / "revoked"
    known.write_text(f"{line}@revoked * {' '.join(line.split()[1:])}\n")
    error = refused(server.access(known_hosts=(known,)))
    assert error.failure is Failure.HOST_KEY
    assert "revoked" in str(error)


def test_a_hashed_known_hosts_entry_is_understood(server: LabServer, tmp_path: Path) -> None:
    name, kind, key = server.known_hosts.read_text().split()
    salt = os.urandom(20)
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    field = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
    known = tmp_path / "hashed"
    known.write_text(f"{field} {kind} {key}\n")
    assert run(server.access(known_hosts=(known,))).stdout == b"fine\n"


def test_the_address_is_connected_to_and_the_name_is_known(server: LabServer, tmp_path: Path) -> None:
    _, kind, key = server.known_hosts.read_text().split()
    known = tmp_path / "named"
    known.write_text(f"[web-1.example]:{server.port} {kind} {key}\n")
    access = server.access(host="web-1.example", address=LOOPBACK, known_hosts=(known,))
    assert run(access).remote_address == LOOPBACK


def test_the_address_is_never_resolved(server: LabServer) -> None:
    error = refused(server.access(address="localhost"))
    assert error.failure is Failure.UNREACHABLE
    assert "no IP address" in str(error)


def test_a_refused_key_is_an_authentication_failure_without_a_second_try(tmp_path: Path) -> None:
    with running_sshd(tmp_path) as fresh:
        before = fresh.logged("Connection from")
        error = refused(fresh.access(key_files=(new_key(tmp_path / "stranger"),)))
        assert error.failure is Failure.AUTHENTICATION
        assert "root" in str(error)
        assert "authorized_keys" in error.needs
        assert fresh.logged("Connection from") - before == 1
        assert fresh.logged("Failed publickey") <= 1


def test_the_second_key_is_tried_on_the_same_connection(tmp_path: Path) -> None:
    with running_sshd(tmp_path) as fresh:
        before = fresh.logged("Connection from")
        run(fresh.access(key_files=(new_key(tmp_path / "stranger"), fresh.key)))
        assert fresh.logged("Connection from") - before == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_may_read_is_refused_before_connecting(
    server: LabServer, tmp_path: Path, mode: int
) -> None:
    copy = Path(shutil.copy(server.key, tmp_path / "open"))
    copy.chmod(mode)
    error = refused(server.access(key_files=(copy,)))
    assert error.failure is Failure.CREDENTIALS
    assert "chmod 600" in str(error)


def test_no_key_is_looked_for_that_was_not_given(server: LabServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nonexistent")
    error = refused(server.access(key_files=()))
    assert error.failure is Failure.CREDENTIALS
    assert "no key file and no agent" in str(error)


@pytest.mark.parametrize("text", ["", "not a key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_said_to_be_none(server: LabServer, tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    file.chmod(0o600)
    error = refused(server.access(key_files=(file,)))
    assert error.failure is Failure.CREDENTIALS
    assert "not a private key" in str(error)


def test_a_key_with_a_passphrase_says_what_to_do(server: LabServer, tmp_path: Path) -> None:
    os.system(f"ssh-keygen -q -t ed25519 -N secret -f {tmp_path / 'locked'}")
    error = refused(server.access(key_files=(tmp_path / "locked",)))
    assert error.failure is Failure.CREDENTIALS
    assert "passphrase" in str(error)


def test_a_closed_port_is_unreachable(server: LabServer) -> None:
    error = refused(
        SshAccess(LOOPBACK, free_port(), "root", (server.key,), (Path("/nonexistent"),), connect_seconds=2)
    )
    assert error.failure is Failure.UNREACHABLE
    assert "refused" in str(error)


def test_a_name_without_an_address_is_unreachable(server: LabServer) -> None:
    error = refused(SshAccess("host.invalid", 22, "root", (server.key,), (Path("/nonexistent"),)))
    assert error.failure is Failure.UNREACHABLE
    assert "no address" in str(error)


def _silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def _chatty(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n")
    _silent(connection)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _closing(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def _drip_greeting(connection: socket.socket) -> None:
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)


def _drip_exchange(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-drip\r\n")
    connection.recv(4096)
    connection.sendall(struct.pack(">I", 29_996))
    for _ in range(200):
        connection.sendall(b"\0")
        time.sleep(0.05)


def _garbage(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-noise\r\n" + bytes(range(256)) * 200)
    _silent(connection)


def _endless(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"A" * 65_536)


def _mute_after_greeting(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-mute\r\n")
    _silent(connection)


@pytest.mark.parametrize(
    ("behave", "failure", "words"),
    [
        (_silent, Failure.SILENT, "no SSH greeting"),
        (_chatty, Failure.PROTOCOL, "not SSH: '220 mail.example ESMTP'"),
        (_reset, Failure.RESET, "before a greeting"),
        (_closing, Failure.RESET, "closed before a greeting"),
        (_drip_greeting, Failure.PROTOCOL, "not SSH"),
        (_drip_exchange, Failure.TIMEOUT, "key exchange"),
        (_garbage, Failure.PROTOCOL, "key exchange"),
        (_endless, Failure.PROTOCOL, "not SSH"),
        (_mute_after_greeting, Failure.TIMEOUT, "key exchange"),
    ],
    ids=lambda value: getattr(value, "__name__", "")[1:] or None,
)
def test_a_server_that_misbehaves_has_a_name_and_an_end(
    server: LabServer, behave: object, failure: Failure, words: str
) -> None:
    with raw_server(behave) as port:  # type: ignore[arg-type]
        started = time.monotonic()
        access = SshAccess(
            LOOPBACK,
            port,
            "root",
            (server.key,),
            (server.known_hosts,),
            connect_seconds=0.6,
            total_seconds=1.2,
            retry_seconds=0.1,
        )
        error = refused(access)
        assert error.failure is failure, error
        assert words in str(error)
        assert time.monotonic() - started < 5


def test_a_script_that_drips_ends_at_the_deadline(server: LabServer) -> None:
    started = time.monotonic()
    error = refused(server.access(total_seconds=1.2), "while :; do echo x; sleep 0.05; done")
    assert error.failure is Failure.TIMEOUT
    assert 1 < time.monotonic() - started < 4


def test_a_script_that_hangs_ends_at_the_deadline(server: LabServer) -> None:
    error = refused(server.access(total_seconds=1), "echo begun; sleep 60")
    assert error.failure is Failure.TIMEOUT
    assert "the script" in str(error)


def test_endless_output_is_cut_and_is_an_error(server: LabServer) -> None:
    error = refused(server.access(), "yes", limit=50_000)
    assert error.failure is Failure.TOO_LARGE


def test_a_lost_connection_gives_no_part_of_the_answer(server: LabServer) -> None:
    error = refused(server.access(), "echo plausible; sleep 0.3; kill -9 $PPID; sleep 5")
    assert error.failure is Failure.TRUNCATED
    assert "plausible" not in str(error)


def test_a_shell_ended_by_a_signal_is_truncated(server: LabServer) -> None:
    assert refused(server.access(), "echo half; kill -9 $$").failure is Failure.TRUNCATED


def test_stopping_on_request_ends_the_connection(server: LabServer) -> None:
    context = Context(clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    threading.Timer(0.5, context.cancelled.set).start()
    started = time.monotonic()
    with pytest.raises(CollectError) as caught:
        run_script(server.access(), "sleep 60", limit_bytes=LIMIT, context=context)
    assert caught.value.failure is Failure.INTERRUPTED
    assert time.monotonic() - started < 5


def test_no_thread_is_left_behind(server: LabServer) -> None:
    before = threading.active_count()
    run(server.access())
    refused(server.access(total_seconds=1), "sleep 30")
    until = time.monotonic() + 3
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert threading.active_count() <= before


@pytest.mark.parametrize("sshd", ["PubkeyAuthentication no\nPasswordAuthentication yes"], indirect=True)
def test_a_server_that_takes_no_keys_says_what_it_takes(sshd: LabServer) -> None:  # noqa: F811
    error = refused(sshd.access())
    assert error.failure is Failure.AUTHENTICATION
    assert "password" in str(error)


@pytest.mark.parametrize(
    "sshd", ["Ciphers aes128-cbc\nKexAlgorithms sntrup761x25519-sha512@openssh.com"], indirect=True
)
def test_no_algorithm_in_common_is_not_called_unreachable(sshd: LabServer) -> None:  # noqa: F811
    error = refused(sshd.access())
    assert error.failure is Failure.ALGORITHMS
    assert "no algorithm in common" in str(error)
    assert "sntrup761x25519-sha512@openssh.com" in str(error)
    assert "curve25519-sha256" in str(error)
    assert "no matching cipher found" in str(error)


def test_a_dropbear_server_answers_the_same_script(tmp_path: Path) -> None:
    with running_dropbear(tmp_path) as dropbear:
        result = run(dropbear.access(), "#" + "x" * 100_000 + "\nhead -c 200000 /dev/zero")
        assert len(result.stdout) == 200_000
        assert result.host_key_fingerprint == dropbear.fingerprint


def test_an_ssh_config_leads_to_host_port_user_and_key(server: LabServer, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        f"Host web\n  HostName {LOOPBACK}\n  Port {server.port}\n  User root\n  IdentityFile {server.key}\n"
    )
    access = SshAccess("web", config=config, known_hosts=(server.known_hosts,))
    led = resolved(access)
    assert (led.host, led.port, led.user, led.key_files) == (LOOPBACK, server.port, "root", (server.key,))
    assert run(access).stdout == b"fine\n"


def test_what_the_access_says_wins_over_the_ssh_config(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n  User other\n  Port 2200\n  HostName 192.0.2.7\n  HostKeyAlias alias\n")
    led = resolved(SshAccess("web", port=2222, user="me", config=config))
    assert (led.host, led.alias, led.port, led.user) == ("192.0.2.7", "alias", 2222, "me")


def test_a_missing_ssh_config_is_one_clear_line(tmp_path: Path) -> None:
    error = refused(SshAccess("web", config=tmp_path / "none"))
    assert error.failure is Failure.CREDENTIALS
