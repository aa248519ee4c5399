"""Hosts that speak nothing our library speaks: the system's client looks, under the same rules."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.secrets import Secret
from scanner.transport.ssh import ScriptResult, SshAccess, run_script
from tests.lab.parts import LOOPBACK
from tests.lab.ssh import LabServer, locked_key, new_key, running_sshd, sshd  # noqa: F401

pytestmark = pytest.mark.real
FOREIGN = "KexAlgorithms sntrup761x25519-sha512@openssh.com"
CHACHA = "Ciphers chacha20-poly1305@openssh.com"
foreign = pytest.mark.parametrize("sshd", [FOREIGN], indirect=True)


def run(access: SshAccess, script: str = "echo fine", limit: int = 1_000_000) -> ScriptResult:
    return run_script(access, script, limit_bytes=limit, context=Context())


def refused(access: SshAccess, script: str = "echo fine", limit: int = 1_000_000) -> CollectError:
    with pytest.raises(CollectError) as caught:
        run(access, script, limit)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("sshd", [FOREIGN, CHACHA], indirect=True)
def test_the_system_runs_the_same_script_under_the_same_host_key(sshd: LabServer) -> None:  # noqa: F811
    script = "#" + "x" * 100_000 + "\necho out; echo err >&2; tty <&1; exit 7"
    result = run(sshd.access(address=LOOPBACK), script)
    assert (result.stdout, result.exit_status) == (b"out\nnot a tty\n", 7)
    assert result.stderr == b"err\n"
    assert result.host_key_fingerprint == sshd.fingerprint
    assert result.remote_address == LOOPBACK
    assert sshd.logged("pty-req") == 0
    assert sshd.logged("auth-agent") == 0
    assert sshd.logged("Starting session: command") == 1


@foreign
def test_an_unknown_host_key_is_refused_before_any_login(sshd: LabServer, tmp_path: Path) -> None:  # noqa: F811
    error = refused(sshd.access(known_hosts=(tmp_path / "none",)))
    assert error.failure is Failure.HOST_KEY
    assert "not known" in str(error)
    assert sshd.logged("userauth-request") == 0


@foreign
def test_a_changed_host_key_is_refused_before_any_login(sshd: LabServer, tmp_path: Path) -> None:  # noqa: F811
    other = " ".join(new_key(tmp_path / "other").with_suffix(".pub").read_text().split()[:2])
    known = tmp_path / "changed"
    known.write_text(f"[{LOOPBACK}]:{sshd.port} {other}\n")
    error = refused(sshd.access(known_hosts=(known,)))
    assert error.failure is Failure.HOST_KEY
    assert "CHANGED" in str(error)
    assert sshd.fingerprint in str(error)
    assert sshd.logged("userauth-request") == 0


@foreign
def test_a_revoked_host_key_is_refused(sshd: LabServer, tmp_path: Path) -> None:  # noqa: F811
    line = sshd.known_hosts.read_text()
    known = tmp_path / "revoked"
    known.write_text(f"{line}@revoked * {' '.join(line.split()[1:])}\n")
    assert refused(sshd.access(known_hosts=(known,))).failure is Failure.HOST_KEY
    assert sshd.logged("userauth-request") == 0


@foreign
def test_a_refused_key_is_an_authentication_failure(sshd: LabServer, tmp_path: Path) -> None:  # noqa: F811
    error = refused(sshd.access(key_files=(new_key(tmp_path / "stranger"),)))
    assert error.failure is Failure.AUTHENTICATION


@foreign
def test_a_key_with_a_passphrase_opens_and_no_argument_holds_it(sshd: LabServer, tmp_path: Path) -> None:  # noqa: F811
    key = locked_key(tmp_path / "locked", "canary-5d1c")
    (sshd.config.parent / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    seen: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    seen.append((process / "cmdline").read_text() + (process / "environ").read_text())
                except (OSError, UnicodeDecodeError):
                    continue
            time.sleep(0.02)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        assert run(sshd.access(key_files=(key,), passphrase=Secret("canary-5d1c"))).stdout == b"fine\n"
    finally:
        over.set()
        watcher.join()
    assert any("BARTIZAN_ASKPASS" in text for text in seen)
    assert not any("canary-5d1c" in text for text in seen)


@foreign
def test_limits_and_deadlines_hold(sshd: LabServer) -> None:  # noqa: F811
    assert refused(sshd.access(), "yes", limit=50_000).failure is Failure.TOO_LARGE
    started = time.monotonic()
    assert (
        refused(sshd.access(total_seconds=1.5), "while :; do echo x; sleep 0.05; done").failure
        is Failure.TIMEOUT
    )
    assert time.monotonic() - started < 5
    error = refused(sshd.access(), "echo plausible; sleep 0.3; kill -9 $PPID; sleep 5")
    assert error.failure is Failure.TRUNCATED
    assert "plausible" not in str(error)


@foreign
def test_nothing_is_left_on_this_machine(
    sshd: LabServer,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    run(sshd.access())
    assert list((tmp_path / "temporary").iterdir()) == []


@foreign
def test_the_own_configuration_is_not_read(
    sshd: LabServer,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "config").write_text(f"Host *\n  ProxyCommand touch {tmp_path / 'ran'}\n")
    monkeypatch.setenv("HOME", str(home))
    assert run(sshd.access()).stdout == b"fine\n"
    assert not (tmp_path / "ran").exists()


@foreign
def test_without_the_program_it_is_said(sshd: LabServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("PATH", "/nonexistent")
    error = refused(sshd.access())
    assert error.failure is Failure.ALGORITHMS
    assert "no ssh program" in str(error)
    assert "OpenSSH client" in error.needs


@pytest.mark.parametrize(
    ("extra", "offered"),
    [
        ("HostKeyAlgorithms ssh-rsa", "ssh-rsa"),
        ("KexAlgorithms diffie-hellman-group1-sha1", "diffie-hellman-group1-sha1"),
        ("KexAlgorithms diffie-hellman-group14-sha1", "diffie-hellman-group14-sha1"),
        ("Ciphers 3des-cbc", "3des-cbc"),
    ],
)
def test_a_device_of_yesterday_has_an_outcome_of_its_own(tmp_path: Path, extra: str, offered: str) -> None:
    with running_sshd(tmp_path, extra, host_key="rsa") as old:
        error = refused(old.access())
        assert error.failure is Failure.ALGORITHMS
        assert f" {offered};" in str(error)
        assert "This side speaks" in str(error)
        assert old.logged("userauth-request") == 0


def test_through_a_jump_the_system_goes_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with running_sshd(tmp_path / "a") as bastion, running_sshd(tmp_path / "b", FOREIGN) as inner:
        jump = bastion.access(address=LOOPBACK)
        result = run(inner.access(jumps=(jump,)))
        assert result.stdout == b"fine\n"
        assert result.host_key_fingerprint == inner.fingerprint
        assert bastion.logged("Starting session") == 0
        stranger = bastion.access(known_hosts=(tmp_path / "none",))
        assert refused(inner.access(jumps=(stranger,))).failure is Failure.HOST_KEY


def test_ssh_is_told_of_no_key_that_was_not_given(tmp_path: Path) -> None:
    from scanner.transport.ssh_system import _block

    for access, says in (
        (SshAccess("web", user="u", use_agent=True), ("IdentityFile none", "IdentitiesOnly no")),
        (SshAccess("web", user="u"), ("IdentityFile none", "IdentityAgent none")),
        (SshAccess("web", user="u", key_files=(Path('/a "b" %c'),)), ('IdentityFile "/a \\"b\\" %%c"',)),
    ):
        text = _block(access, 0, True, tmp_path / "known")
        assert all(one in text for one in says), text
