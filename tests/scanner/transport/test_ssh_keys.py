"""Keys, passphrases, certificates and authorities: against a real server that judges them."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.known_hosts import lookup
from scanner.transport.secrets import Secret, SecretReader, secret_reference, shown_reference
from scanner.transport.ssh import ScriptResult, SshAccess, run_script
from scanner.transport.ssh_keys import Logins
from tests.lab.parts import LOOPBACK, program
from tests.lab.ssh import (
    LabServer,
    fingerprint_of,
    locked_key,
    new_key,
    running_sshd,
    running_sshd_with,
    sign,
)

pytestmark = pytest.mark.real
CANARY = "canary-7f3a-passphrase"


def run(access: SshAccess, script: str = "echo fine") -> ScriptResult:
    return run_script(access, script, limit_bytes=1_000_000, context=Context())


def refused(access: SshAccess) -> CollectError:
    with pytest.raises(CollectError) as caught:
        run(access)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("authority") / "users")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Path) -> Iterator[LabServer]:
    folder = tmp_path_factory.mktemp("sshd")
    with running_sshd(folder, f"TrustedUserCAKeys {authority}.pub") as running:
        yield running


def admitted(server: LabServer, key: Path) -> Path:
    """That key may log in, beside the server's own."""
    file = server.config.parent / "authorized_keys"
    file.write_text(server.key.with_suffix(".pub").read_text() + Path(f"{key}.pub").read_text())
    return key


# --- passphrases ---


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_with_a_passphrase_logs_in(server: LabServer, tmp_path: Path, kind: str) -> None:
    key = admitted(server, locked_key(tmp_path / "locked", CANARY, kind))
    assert run(server.access(key_files=(key,), passphrase=Secret(CANARY))).stdout == b"fine\n"


def test_an_old_pem_key_with_a_passphrase_logs_in(server: LabServer, tmp_path: Path) -> None:
    key = tmp_path / "pem"
    command = [program("ssh-keygen"), "-q", "-t", "rsa", "-m", "PEM", "-N", CANARY, "-f", str(key)]
    subprocess.run(command, check=True)
    admitted(server, key)
    assert run(server.access(key_files=(key,), passphrase=Secret(CANARY))).stdout == b"fine\n"
    assert "does not open" in str(refused(server.access(key_files=(key,), passphrase=Secret("wrong"))))


def test_a_passphrase_that_a_key_does_not_need_does_no_harm(server: LabServer) -> None:
    assert run(server.access(passphrase=Secret(CANARY))).stdout == b"fine\n"


def test_a_wrong_passphrase_is_said_before_connecting(server: LabServer, tmp_path: Path) -> None:
    key = locked_key(tmp_path / "locked", CANARY)
    before = server.logged("Connection from")
    error = refused(server.access(key_files=(key,), passphrase=Secret("wrong-one")))
    assert error.failure is Failure.CREDENTIALS
    assert "does not open" in str(error)
    assert "wrong-one" not in str(error)
    assert server.logged("Connection from") == before


def test_a_key_is_opened_once_a_scan(server: LabServer, tmp_path: Path) -> None:
    key = tmp_path / "slow"
    command = [program("ssh-keygen"), "-q", "-t", "ed25519", "-a", "48", "-N", CANARY, "-f", str(key)]
    subprocess.run(command, check=True)
    admitted(server, key)
    access = server.access(key_files=(key,), passphrase=Secret(CANARY), logins=Logins())
    began = time.process_time()
    run(access)
    first = time.process_time() - began
    began = time.process_time()
    run(access)
    assert time.process_time() - began < first / 2


# --- where a passphrase is kept ---


def test_the_forms_of_a_reference(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{CANARY}\n")
    file.chmod(0o600)
    command = tmp_path / "a vault"
    command.write_text(f"#!/bin/sh\necho noise >&2\necho {CANARY}$1\necho second line\n")
    command.chmod(0o700)
    reader = SecretReader({"PASS": CANARY})
    for reference in ("env:PASS", f"file:{file}", f'exec:"{command}" ""'):
        assert reader.read(secret_reference(reference)).reveal() == CANARY
    # A shell would have run this.
    assert reader.read(f"exec:echo {CANARY};id").reveal() == f"{CANARY};id"


@pytest.mark.parametrize(
    "value", [CANARY, "", "env:", "env:1X", "exec:", "exec: x", "keyring:only", "agent:", "vault:x", 7, None]
)
def test_what_is_no_reference_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(ValueError, match="never the passphrase") as caught:
        secret_reference(value)
    assert CANARY not in str(caught.value)


def failing(reader: SecretReader, reference: str) -> str:
    with pytest.raises(CollectError) as caught:
        reader.read(reference)
    assert caught.value.failure is Failure.CREDENTIALS
    assert CANARY not in str(caught.value)
    return str(caught.value)


def test_a_secret_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    reader = SecretReader({}, exec_seconds=0.3)
    file = tmp_path / "open"
    file.write_text(CANARY)
    file.chmod(0o640)
    assert "there is nothing" in failing(reader, "env:NOT_SET")
    assert "chmod 600" in failing(reader, f"file:{file}")
    assert "No such file" in failing(reader, f"file:{tmp_path}/none")
    assert "status 3" in failing(reader, "exec:sh -c 'echo canary; exit 3'")
    assert "no answer" in failing(reader, "exec:sleep 20")
    assert "quotes" in failing(reader, 'exec:echo "x')
    assert "No such file" in failing(reader, "exec:/nonexistent/vault")
    assert "no passphrase" in failing(reader, "exec:head -c 9000 /dev/zero")
    assert "keyring" in failing(reader, "keyring:bartizan/somebody")


def test_a_vault_is_asked_once_also_when_it_said_no(tmp_path: Path) -> None:
    count = tmp_path / "count"
    reader = SecretReader({})
    reference = f"exec:sh -c 'echo x >>{count}; exit 1'"
    for _ in range(5):
        failing(reader, reference)
    assert count.read_text() == "x\n"


def test_a_keyring_is_asked_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType("keyring")
    module.get_password = lambda service, name: CANARY if (service, name) == ("bartizan", "a/b") else None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    assert SecretReader({}).read("keyring:bartizan/a/b").reveal() == CANARY
    assert "there is nothing" in failing(SecretReader({}), "keyring:bartizan/other")


def test_a_secret_is_shown_in_no_form(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    access = SshAccess("web", passphrase=secret)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").info("%s %r %s", secret, access, {"a": [secret]})
    error = CollectError(Failure.INTERNAL, f"{secret}")
    shown = f"{secret} {secret!r} {secret!s:>20} {access} {[secret]} {error!r} {error}"
    assert CANARY not in shown + caplog.text
    assert "***" in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        json.dumps({"a": secret})
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    assert not hasattr(secret, "__dict__")


def test_a_command_is_shown_by_its_name_alone() -> None:
    assert shown_reference(f"exec:/usr/bin/vault read {CANARY}") == "exec:/usr/bin/vault …"
    assert shown_reference("exec:vault") == "exec:vault"
    assert shown_reference("env:PASS") == "env:PASS"


# --- certificates of users ---


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_certificate_beside_the_key_logs_in(
    server: LabServer, tmp_path: Path, authority: Path, kind: str
) -> None:
    key = new_key(tmp_path / "user", kind)
    sign(authority, tmp_path / "user.pub", principals="root")
    assert run(server.access(key_files=(key,))).stdout == b"fine\n"
    assert server.logged("Accepted publickey") >= 1
    assert server.logged("CA ED25519") >= 1


def test_a_certificate_by_name_logs_in_and_one_of_another_key_is_passed_over(
    server: LabServer, tmp_path: Path, authority: Path
) -> None:
    key, other = new_key(tmp_path / "user"), new_key(tmp_path / "other")
    sign(authority, tmp_path / "user.pub", principals="root")
    sign(authority, tmp_path / "other.pub", principals="root")
    moved = (tmp_path / "user-cert.pub").rename(tmp_path / "elsewhere")
    access = server.access(key_files=(key,), certificates=(tmp_path / "other-cert.pub", moved))
    assert run(access).stdout == b"fine\n"
    assert refused(server.access(key_files=(key,))).failure is Failure.AUTHENTICATION
    assert other.exists()


def test_the_key_alone_is_tried_where_its_certificate_is_refused(server: LabServer, tmp_path: Path) -> None:
    stranger = new_key(tmp_path / "stranger_ca")
    key = admitted(server, new_key(tmp_path / "user"))
    sign(stranger, tmp_path / "user.pub", principals="root")
    assert run(server.access(key_files=(key,))).stdout == b"fine\n"


def test_a_certificate_that_ended_is_named(server: LabServer, tmp_path: Path, authority: Path) -> None:
    key = new_key(tmp_path / "user")
    sign(authority, tmp_path / "user.pub", "-V", "20200101:20200201", principals="root")
    error = refused(server.access(key_files=(key,)))
    assert error.failure is Failure.AUTHENTICATION
    assert "user-cert.pub ended on 2020-0" in str(error)


@pytest.mark.parametrize("text", ["", "not a certificate", "ssh-ed25519-cert-v01@openssh.com AAAA"])
def test_what_is_no_certificate_is_said_before_connecting(
    server: LabServer, tmp_path: Path, text: str
) -> None:
    key = new_key(tmp_path / "user")
    (tmp_path / "user-cert.pub").write_text(text)
    error = refused(server.access(key_files=(key,)))
    assert error.failure is Failure.CREDENTIALS
    assert "not a certificate" in str(error)


# --- certificates of hosts ---


class Certified:
    """A server whose host key has a certificate, and known_hosts that name only authorities."""

    def __init__(self, folder: Path, kind: str = "ed25519", host_key: str = "ed25519") -> None:
        self.folder = folder
        self.authority = new_key(folder / "hosts_ca", kind)
        certificate = folder / "host_key-cert.pub"
        with running_sshd(folder, f"HostCertificate {certificate}", host_key=host_key) as first:
            self.access = first.access(known_hosts=(folder / "known_ca",))
        self.known("*", self.authority)

    def known(self, names: str, authority: Path, more: str = "") -> None:
        key = " ".join(authority.with_suffix(".pub").read_text().split()[:2])
        (self.folder / "known_ca").write_text(f"@cert-authority {names} {key}\n{more}")

    def sign(self, *options: str, principals: str = LOOPBACK, authority: Path | None = None) -> None:
        sign(authority or self.authority, self.folder / "host_key.pub", *options, principals=principals)

    def run(self) -> ScriptResult:
        with running_sshd_with(self.folder / "sshd_config"):
            return run(self.access)

    def refused(self) -> str:
        with running_sshd_with(self.folder / "sshd_config") as running:
            error = refused(self.access)
            assert running.logged("userauth-request") == 0
        assert error.failure is Failure.HOST_KEY
        return str(error)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("host_key", ["ed25519", "ecdsa", "rsa"])
def test_an_authority_vouches_for_a_host(tmp_path: Path, kind: str, host_key: str) -> None:
    lab = Certified(tmp_path, kind, host_key)
    lab.sign("-h")
    assert lab.run().host_key_fingerprint == fingerprint_of(tmp_path / "host_key.pub")


def test_a_certificate_counts_only_from_an_authority_for_that_host(tmp_path: Path) -> None:
    lab = Certified(tmp_path)
    lab.sign("-h")
    lab.known("other.example", lab.authority)
    assert "unknown host key" in lab.refused()
    stranger = new_key(tmp_path / "stranger")
    lab.known("*", stranger)
    assert "no authority for this host" in lab.refused()


@pytest.mark.parametrize(
    ("options", "principals", "says"),
    [
        (("-h", "-V", "20200101:20200201"), LOOPBACK, "is valid from 2020-"),
        (("-h", "-V", "20400101:20400201"), LOOPBACK, "not now"),
        (("-h",), "other.example", "it is for 'other.example', not for 127.0.0.1"),
        ((), LOOPBACK, "no certificate of a host"),
    ],
)
def test_a_certificate_that_proves_nothing(
    tmp_path: Path, options: tuple[str, ...], principals: str, says: str
) -> None:
    lab = Certified(tmp_path)
    lab.sign(*options, principals=principals)
    if not options:
        # A server does not show a user's certificate as its own; the judge is asked directly.
        from scanner.transport.ssh_trust import _DoubtError, _vouched

        blob = __import__("base64").b64decode((tmp_path / "host_key-cert.pub").read_text().split()[1])
        with pytest.raises(_DoubtError, match=says):
            _vouched(blob, LOOPBACK, lookup([tmp_path / "known_ca"], LOOPBACK))
        return
    assert says in lab.refused()


def test_an_rsa_authority_that_signs_with_sha1_is_not_believed(tmp_path: Path) -> None:
    lab = Certified(tmp_path, "rsa")
    lab.sign("-h", "-t", "ssh-rsa")
    assert "ssh-rsa, which is broken" in lab.refused()


def test_a_changed_certificate_is_not_believed(tmp_path: Path) -> None:
    import base64

    from scanner.transport.ssh_trust import _DoubtError, _vouched

    lab = Certified(tmp_path)
    lab.sign("-h")
    known = lookup([tmp_path / "known_ca"], LOOPBACK)
    blob = base64.b64decode((tmp_path / "host_key-cert.pub").read_text().split()[1])
    _vouched(blob, LOOPBACK, known)
    for place in range(0, len(blob), 7):
        changed = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        with pytest.raises(_DoubtError):
            _vouched(changed, LOOPBACK, known)
        with pytest.raises(_DoubtError):
            _vouched(blob[:place], LOOPBACK, known)


def test_a_revoked_authority_and_a_revoked_key_are_refused(tmp_path: Path) -> None:
    lab = Certified(tmp_path)
    lab.sign("-h")
    authority = " ".join((tmp_path / "hosts_ca.pub").read_text().split()[:2])
    lab.known("*", lab.authority, f"@revoked * {authority}\n")
    assert "authority is revoked" in lab.refused()
    own = " ".join((tmp_path / "host_key.pub").read_text().split()[:2])
    lab.known("*", lab.authority, f"@revoked * {own}\n")
    assert "is revoked" in lab.refused()


def test_a_known_key_counts_also_beside_a_certificate_that_does_not(tmp_path: Path) -> None:
    lab = Certified(tmp_path)
    lab.sign("-h", principals="other.example")
    lab.known("*", lab.authority, (tmp_path / "known_hosts").read_text())
    assert lab.run().stdout == b"fine\n"


# --- the agent ---


def test_the_agent_logs_in_and_identities_only_narrows_it(
    server: LabServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = subprocess.Popen(
        [program("ssh-agent"), "-D", "-a", str(tmp_path / "socket")], stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 5
        while not (tmp_path / "socket").exists() and time.monotonic() < until:
            time.sleep(0.02)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "socket"))
        key = admitted(server, new_key(tmp_path / "held"))
        subprocess.run([program("ssh-add"), "-q", str(key)], check=True)
        assert run(server.access(key_files=(), use_agent=True)).stdout == b"fine\n"
        other = new_key(tmp_path / "other")
        narrow = server.access(key_files=(other,), use_agent=True, identities_only=True)
        assert refused(narrow).failure is Failure.AUTHENTICATION
    finally:
        agent.terminate()
        agent.wait(5)
