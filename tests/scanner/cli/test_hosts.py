"""`bartizan hosts`: against real servers, from the command line."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.cli.start import run
from tests.lab.parts import LOOPBACK, free_port
from tests.lab.ssh import LabServer, fingerprint_of, new_key, running_dropbear, running_sshd, sign

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    folder = tmp_path_factory.mktemp("sshd")
    more = [new_key(folder / f"more_{kind}", kind) for kind in ("rsa", "ecdsa")]
    with running_sshd(folder, "\n".join(f"HostKey {key}" for key in more)) as running:
        yield running


def prints(server: LabServer) -> set[str]:
    folder = server.config.parent
    return {server.fingerprint, *(fingerprint_of(folder / f"more_{kind}") for kind in ("rsa", "ecdsa"))}


def enrol(server: LabServer, known: Path, *more: str) -> int:
    return run(["hosts", "enrol", f"root@{LOOPBACK}:{server.port}", "--known-hosts", str(known), *more])


def test_without_a_terminal_every_key_is_shown_and_nothing_written(
    server: LabServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known_hosts"
    before = server.logged("userauth-request")
    assert enrol(server, known) == 2
    out, err = capsys.readouterr()
    assert all(one in out for one in prints(server))
    assert "--fingerprint" in err
    assert not known.exists()
    assert server.logged("userauth-request") == before


def test_yes_writes_all_keys_for_the_owner_only_and_the_host_is_then_known(
    server: LabServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "folder" / "known_hosts"
    assert enrol(server, known, "--yes", "--format", "json") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert {key["fingerprint"] for key in row["keys"]} == prints(server)
    assert {key["state"] for key in row["keys"]} == {"new"}
    assert stat.S_IMODE(known.stat().st_mode) == 0o600
    assert all(line.startswith(f"[{LOOPBACK}]:{server.port} ") for line in known.read_text().splitlines())
    before = known.read_text()
    assert enrol(server, known, "--yes") == 0
    assert "known" in capsys.readouterr().out
    assert known.read_text() == before
    from tests.scanner.transport.test_ssh import run as run_script

    assert run_script(server.access(known_hosts=(known,))).stdout == b"fine\n"


def test_lines_that_are_there_stay_as_they_are(server: LabServer, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text("# mine\nother ssh-ed25519 AAAA")
    assert enrol(server, known, "--yes") == 0
    assert known.read_text().startswith("# mine\nother ssh-ed25519 AAAA\n[")


def test_a_fingerprint_chooses_its_key_and_no_other(
    server: LabServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known_hosts"
    assert enrol(server, known, "--fingerprint", "SHA256:AAAA") == 2
    assert not known.exists()
    assert "none of its keys" in capsys.readouterr().err
    assert enrol(server, known, "--fingerprint", server.fingerprint) == 0
    assert len(known.read_text().splitlines()) == 1


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("\n", 2)])
def test_a_person_is_asked_for_each_host(
    server: LabServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    known = tmp_path / "known_hosts"
    assert enrol(server, known) == code
    assert known.exists() is (code == 0)


def test_a_changed_key_is_never_replaced(
    server: LabServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = " ".join(new_key(tmp_path / "other").with_suffix(".pub").read_text().split()[:2])
    known = tmp_path / "known_hosts"
    known.write_text(f"[{LOOPBACK}]:{server.port} {other}\n")
    before = known.read_bytes()
    assert enrol(server, known, "--yes") == 2
    assert "CHANGED" in capsys.readouterr().err
    assert known.read_bytes() == before


def test_a_revoked_key_is_not_enrolled(
    server: LabServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"@revoked * {' '.join(server.known_hosts.read_text().split()[1:])}\n")
    assert enrol(server, known, "--yes") == 2
    assert "revoked" in capsys.readouterr().err


def test_a_host_that_is_not_there_is_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    word = f"root@{LOOPBACK}:{free_port()}"
    assert run(["hosts", "enrol", word, "--yes", "--known-hosts", str(tmp_path / "k")]) == 3
    assert "refused" in capsys.readouterr().err


def test_dropbear_is_enrolled_too(tmp_path: Path) -> None:
    with running_dropbear(tmp_path) as dropbear:
        known = tmp_path / "new_known_hosts"
        assert enrol(dropbear, known, "--yes") == 0
        assert known.read_text().split() == dropbear.known_hosts.read_text().split()[:3]


def test_a_host_that_only_the_system_speaks_to_is_enrolled_by_the_system(tmp_path: Path) -> None:
    with running_sshd(tmp_path, "KexAlgorithms sntrup761x25519-sha512@openssh.com") as foreign:
        known = tmp_path / "new_known_hosts"
        assert enrol(foreign, known, "--fingerprint", foreign.fingerprint) == 0
        assert known.read_text() == foreign.known_hosts.read_text()


def test_the_hosts_of_a_scope_are_enrolled_through_their_jumps(server: LabServer, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with running_sshd(tmp_path / "inner") as inner:
        scope, known = tmp_path / "scope.yaml", tmp_path / "known"
        known.write_text(server.known_hosts.read_text())
        text = SCOPE.format(port=server.port, key=server.key, known=known).replace("10.77.0.5", LOOPBACK)
        text = text.replace("user: audit", f"user: audit\n    port: {inner.port}").replace(
            "exec:pass", "exec:echo"
        )
        scope.write_text(text.replace("    passphrase", f"    known_hosts: file:{known}\n    passphrase"))
        assert run(["hosts", "enrol", "--scope", str(scope), "--yes"]) == 0
        assert set(inner.known_hosts.read_text().splitlines()) < set(known.read_text().splitlines())
        assert inner.logged("userauth-request") == 0


def test_an_authority_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = new_key(tmp_path / "ca")
    with running_sshd(tmp_path, f"HostCertificate {tmp_path / 'host_key-cert.pub'}") as running:
        sign(authority, tmp_path / "host_key.pub", "-h", principals=LOOPBACK)
    with running_sshd_again(tmp_path) as running:
        known = tmp_path / "ca_known"
        key = " ".join(authority.with_suffix(".pub").read_text().split()[:2])
        known.write_text(f"@cert-authority * {key}\n")
        assert enrol(running, known) == 0
        assert "authority" in capsys.readouterr().out


def running_sshd_again(folder: Path) -> Any:
    from tests.lab.ssh import running_sshd_with

    return running_sshd_with(folder / "sshd_config")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["hosts", "enrol", "root@10.99.99.99"], "--i-am-authorized"),
        (["hosts", "enrol", "local"], "no host is named"),
        (["hosts", "enrol"], "name a target"),
        (["hosts", "list", "a;id"], "a;id"),
        (["hosts", "enrol", "root@127.0.0.1", "--ssh-passphrase", "hunter2"], "never the passphrase"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "hunter2" not in error


SCOPE = """\
version: 1
organisation: Lab
authorisation: {{by: Somebody, reference: "1", until: 2099-12-31}}
hosts:
  - name: bastion
    address: 127.0.0.1
    port: {port}
    user: root
    key: "file:{key}"
    known_hosts: "file:{known}"
  - name: inner
    address: 10.77.0.5
    user: audit
    key: "file:{key}"
    passphrase: exec:pass show canary-argument
    jump: [bastion:{port}]
exclude: [10.0.0.9]
"""


def test_the_list_says_how_each_host_is_reached(
    server: LabServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    scope = tmp_path / "scope.yaml"
    scope.write_text(SCOPE.format(port=server.port, key=server.key, known=server.known_hosts))
    before = server.logged("Connection from")
    assert run(["hosts", "list", "--scope", str(scope), "--json"]) == 0
    bastion, inner = json.loads(capsys.readouterr().out)
    assert bastion["known"] == f"ssh-ed25519 {server.fingerprint}"
    assert (inner["user"], inner["known"]) == ("audit", "not enrolled")
    assert inner["jump"] == f"root@127.0.0.1:{server.port}"
    assert inner["key"] == f"file:{server.key} (exec:pass …)"
    assert run(["hosts", "list", "--scope", str(scope)]) == 0
    assert "canary-argument" not in capsys.readouterr().out
    assert server.logged("Connection from") == before


def test_what_the_scope_does_not_hold_is_not_asked(
    server: LabServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scope = tmp_path / "scope.yaml"
    scope.write_text(SCOPE.format(port=server.port, key=server.key, known=server.known_hosts))
    assert run(["hosts", "enrol", "root@10.0.0.8", "--yes", "--scope", str(scope)]) == 2
    assert "not in the scope" in capsys.readouterr().err
