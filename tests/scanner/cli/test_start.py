"""The console script: quick, quiet at import, and one clear line for every mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scanner.cli.start import COMMANDS, run
from scanner.store.store import Store

HEAVY = (
    "sqlalchemy",
    "boto3",
    "botocore",
    "paramiko",
    "pydantic",
    "jinja2",
    "nmap",
    "scapy",
    "rich",
    "cryptography",
)

_NO_NETWORK = """
import importlib, pkgutil, sys
touched = []
sys.addaudithook(
    lambda event, args: touched.append((event, args))
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen")
    else None
)
names = []
for root in ("checks", "baselines", "reports", "scanner"):
    package = importlib.import_module(root)
    for info in pkgutil.walk_packages(package.__path__, root + "."):
        # Alembic runs its own two kinds of file, and the child of the packet process is a program.
        if ".migrations." not in info.name or info.name.endswith(".run"):
            importlib.import_module(info.name)
            names.append(info.name)
assert len(names) > 80, names
assert not touched, touched
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from scanner.cli.start import run; assert run(['--help']) == 0; "
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]; assert not heavy, heavy"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


def test_no_module_touches_the_network_when_it_is_imported() -> None:
    done = python("-c", _NO_NETWORK)
    assert done.returncode == 0, done.stderr


def test_every_command_that_is_listed_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        assert f"bartizan {name}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("bartizan 0.")


def test_a_command_that_is_not_there_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scna"]) == 2
    assert "Did you mean scan?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["scan"], "nothing to scan"),
        (["scan", "10.0.0.300"], "10.0.0.300"),
        (["scan", "0.0.0.0/0"], "0.0.0.0/0"),
        (["scan", "10.0.0.5"], "--i-am-authorized"),
        (["scan", "-oN x"], "No such option"),
        (["scan", "a;id"], "a;id"),
        (["scan", "local", "--fail-on", "sometimes"], "--fail-on"),
        (["scan", "local", "--baseline", "linux-sever"], "did you mean linux-server?"),
        (["scan", "local", "--baseline", "linux-server:level-9"], "level-9"),
        (["scan", "local", "--scope", "no-such-file.yaml"], "no-such-file.yaml"),
        (["scan", "127.0.0.1", "--ports", "0"], "--ports"),
        (["scan", "127.0.0.1", "--ports", "80-22"], "runs backwards"),
        (["checks", "show", "host.ssh.root-logins"], "did you mean host.ssh.root-login?"),
        (["baselines", "show", "linux"], "linux"),
        (["explain", "ffff"], "there is no scan"),
        (["assess", "--date", "yesterday"], "there is no scan"),
        (["scan", "local", "--out", "/proc/nowhere"], "--out"),
        (["scan", "local", "--probe-log", "no-such-folder/log"], "--probe-log"),
        (["init", "/proc/nowhere", "--yes"], "/proc/nowhere"),
        (["needs", "--format", "sudoers", "--user", "root,ALL"], "--user"),
        (["needs", "--format", "sudoers", "--baseline", "network-exposure"], "no sudoers file is needed"),
        (["needs", "--format", "iam", "--baseline", "network-exposure"], "no iam file is needed"),
        (["needs", "--format", "iam", "--assume", "no/name!"], "--assume"),
        (["needs", "--assume", "Bartizan"], "--assume"),
        (["scan", "aws://11122233344", "--i-am-authorized"], "12 digits, not 11"),
        (["scan", "aws://audti", "--i-am-authorized"], "no AWS profile audti; did you mean audit?"),
        (["scan", "aws://audit/eu-wets-1", "--i-am-authorized"], "eu-wets-1; did you mean eu-west-1?"),
        (["findings", "--store", "mysql://h/x"], "MySQLdb is not installed"),
        (["findings", "--store", "postgresql://u:pw@h/x"], "no password in the URL"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    words: list[str],
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BARTIZAN_STORE", str(tmp_path / "b.db"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (tmp_path / "config").write_text("[profile audit]\nregion = eu-west-1\n")
    monkeypatch.chdir(tmp_path)
    code = run(words)
    error = capsys.readouterr().err
    assert code == 2, error
    assert says in error
    assert "Traceback" not in error
    last = error.strip().splitlines()
    assert len([line for line in last if not line.startswith(("Usage:", "Try ")) and line]) == 1, error


@pytest.mark.parametrize("option", ["--out", "--probe-log"])
def test_a_place_that_cannot_be_written_makes_no_scan(option: str, tmp_path: Path) -> None:
    where = str(tmp_path / "b.db")
    out = () if option == "--out" else ("--out", str(tmp_path / "report"))
    assert run(["scan", "127.0.0.1", "--ports", "1", "--store", where, *out, option, "/proc/nowhere/x"]) == 2
    assert Store.open(where).scans() == []


def test_a_mistake_makes_no_scan(tmp_path: Path) -> None:
    store = tmp_path / "b.db"
    assert run(["scan", "local", "10.0.0.5", "--store", str(store)]) == 2
    assert not store.exists()


def test_a_foreign_owner_of_our_package_names_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "RECORD").write_text("checks/__init__.py,,\n")
    (info / "top_level.txt").write_text("checks\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run(["checks", "list"]) != 0
    assert "'checks' belongs to stranger" in capsys.readouterr().err
