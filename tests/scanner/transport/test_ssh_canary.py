"""A passphrase goes through a whole scan and is afterwards nowhere: not in store, report, log or message."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from scanner.cli.start import run
from tests.lab.parts import LOOPBACK
from tests.lab.ssh import locked_key, running_sshd

pytestmark = pytest.mark.real
CANARY = "canary-93b1-passphrase"
BASELINE = """\
id: small
title: Small
version: "1.0"
profiles:
  every: {title: Every}
rules:
  - {check: host.ssh.root-login, profile: every}
"""


def everything(folder: Path) -> bytes:
    """All that a scan has written, with what is compressed in the store laid open."""
    found = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    database = sqlite3.connect(folder / "b.db")
    for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
        for row in database.execute(f"select * from {table}"):
            for value in row:
                if isinstance(value, bytes):
                    with suppress(zlib.error):
                        found += zlib.decompress(value)
                found += str(value).encode()
    database.close()
    return found


@pytest.mark.parametrize(
    ("source", "extra", "opens"),
    [
        ("env", "", True),
        ("file", "", True),
        ("exec", "", True),
        ("env", "KexAlgorithms sntrup761x25519-sha512@openssh.com", True),
        ("env", "", False),
        ("exec", "", False),
    ],
)
def test_a_passphrase_is_nowhere_afterwards(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    source: str,
    extra: str,
    opens: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    vault, out = tmp_path / "vault", tmp_path / "out"
    out.mkdir()
    key = locked_key(tmp_path / "locked", CANARY if opens else "another")
    monkeypatch.setenv("CANARY_OF_TEST", CANARY)
    vault.write_text(f"#!/bin/sh\necho {CANARY}\n" if source == "exec" else CANARY)
    vault.chmod(0o700 if source == "exec" else 0o600)
    (tmp_path / "small.yaml").write_text(BASELINE)
    reference = {"env": "env:CANARY_OF_TEST", "file": f"file:{vault}", "exec": f"exec:{vault}"}[source]
    (tmp_path / "sshd").mkdir()
    with running_sshd(tmp_path / "sshd", extra) as server:
        (tmp_path / "sshd" / "authorized_keys").write_text(Path(f"{key}.pub").read_text())
        words = ["-vv", "scan", f"root@{LOOPBACK}:{server.port}", "--ssh-key", str(key)]
        words += ["--known-hosts", str(server.known_hosts), "--ssh-passphrase", reference]
        words += ["--baseline", str(tmp_path / "small.yaml"), "--store", str(out / "b.db")]
        code = run([*words, "--out", str(out / "report")])
    said = capfd.readouterr()
    assert code == (0 if opens else 3), said.err
    shown = said.out + said.err + caplog.text
    assert ("1 of 1 targets seen" in shown) is opens
    assert ("does not open" in shown) is not opens
    assert CANARY not in shown
    kept = everything(out)
    assert reference.encode() in kept
    assert CANARY.encode() not in kept


def test_what_is_no_reference_is_neither_shown_nor_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["scan", f"root@{LOOPBACK}", "--ssh-passphrase", CANARY, "--store", str(tmp_path / "b.db")]
    assert run(words) == 2
    assert CANARY not in "".join(capfd.readouterr())
    assert not (tmp_path / "b.db").exists()


@pytest.mark.parametrize(
    "line", ["passphrase: {}", "passphrase: 'env:X Y'", "password: {}", "passphrase: [{}]"]
)
def test_a_passphrase_in_a_scope_file_is_refused_and_not_repeated(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str
) -> None:
    scope = tmp_path / "scope.yaml"
    scope.write_text(
        "version: 1\norganisation: Lab\nauthorisation: {by: Me, reference: '1', until: 2099-12-31}\n"
        "hosts:\n  - name: web\n    address: 127.0.0.1\n    " + line.format(CANARY) + "\n"
    )
    assert run(["hosts", "list", "--scope", str(scope)]) == 2
    said = "".join(capfd.readouterr())
    assert "scope.yaml:7" in said
    assert CANARY not in said


@pytest.mark.parametrize("reference", ["env:X", "file:secret", "exec:pass show ssh", "keyring:bartizan/ssh"])
def test_a_reference_in_a_scope_file_is_taken(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], reference: str
) -> None:
    (tmp_path / "secret").write_text(CANARY)
    (tmp_path / "secret").chmod(0o600)
    scope = tmp_path / "scope.yaml"
    scope.write_text(
        "version: 1\norganisation: Lab\nauthorisation: {by: Me, reference: '1', until: 2099-12-31}\n"
        f"hosts:\n  - name: web\n    address: 127.0.0.1\n    passphrase: {reference}\n"
    )
    assert run(["hosts", "list", "--scope", str(scope)]) == 0
    assert reference.partition(":")[0] in capfd.readouterr().out
    (tmp_path / "secret").chmod(0o644)
    assert run(["hosts", "list", "--scope", str(scope)]) == (2 if reference.startswith("file:") else 0)
