"""Real SSH servers on loopback, each with keys of its own, and servers that misbehave on purpose.

`sshd` is a fixture; import it where it is used. Extra lines of its configuration are its parameter:
`@pytest.mark.parametrize("sshd", ["PermitRootLogin yes"], indirect=True)`.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from scanner.transport.ssh import SshAccess
from tests.lab.parts import LOOPBACK, free_port, program

_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LabServer:
    """A running SSH server: where it listens, who may log in with which key, and what it wrote."""

    host: str
    port: int
    user: str
    key: Path
    known_hosts: Path
    fingerprint: str
    config: Path
    log: Path
    pid: int

    def access(self, **changes: object) -> SshAccess:
        """How to log in to it."""
        access = SshAccess(
            host=self.host,
            port=self.port,
            user=self.user,
            key_files=(self.key,),
            known_hosts=(self.known_hosts,),
            connect_seconds=5,
            total_seconds=60,
        )
        return replace(access, **changes)  # type: ignore[arg-type]

    def logged(self, words: str) -> int:
        """How many lines of the server's log hold these words."""
        return sum(words in line for line in self.log.read_text("utf-8", "replace").splitlines())


def new_key(path: Path, kind: str = "ed25519") -> Path:
    """A new key pair without a passphrase; gives the path of the private key."""
    subprocess.run([program("ssh-keygen"), "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
    return path


def locked_key(path: Path, passphrase: str, kind: str = "ed25519") -> Path:
    """A new key pair whose private key has a passphrase."""
    subprocess.run(
        [program("ssh-keygen"), "-q", "-t", kind, "-a", "1", "-N", passphrase, "-f", str(path)], check=True
    )
    return path


def sign(authority: Path, public: Path, *options: str, principals: str) -> Path:
    """A certificate for that public key, for `-h` hosts or for users; gives its path."""
    subprocess.run(
        [
            program("ssh-keygen"),
            "-q",
            "-s",
            str(authority),
            "-I",
            "lab",
            "-n",
            principals,
            *options,
            str(public),
        ],
        check=True,
    )
    return public.with_name(public.name.replace(".pub", "-cert.pub"))


def fingerprint_of(key: Path) -> str:
    """`SHA256:…` of a key, by ssh-keygen."""
    answer = subprocess.run(
        [program("ssh-keygen"), "-lf", str(key)], check=True, capture_output=True, text=True
    )
    return answer.stdout.split()[1]


@contextmanager
def running_sshd(folder: Path, extra: str = "", host_key: str = "ed25519") -> Iterator[LabServer]:
    """An OpenSSH server with its own keys; `extra` are lines of its configuration that overrule the rest."""
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    key_file, key = new_key(folder / "host_key", host_key), new_key(folder / "login_key")
    port, config = free_port(), folder / "sshd_config"
    authorized = folder / "authorized_keys"
    authorized.write_text(key.with_suffix(".pub").read_text())
    lines = [
        f"ListenAddress {LOOPBACK}",
        f"Port {port}",
        f"HostKey {key_file}",
        f"PidFile {folder / 'pid'}",
        f"AuthorizedKeysFile {authorized}",
        "PermitRootLogin prohibit-password",
        "StrictModes no",
        "UsePAM no",
        "LogLevel DEBUG1",
    ]
    # The first value wins, so what a test plants goes first; a Match block reaches to the end of the file.
    general, match, block = extra.partition("Match ")
    config.write_text("\n".join([general, *lines, match + block, ""]))
    known = folder / "known_hosts"
    known.write_text(f"[{LOOPBACK}]:{port} {_public(key_file)}\n")
    with running_sshd_with(config) as server:
        yield server


@contextmanager
def running_sshd_with(config: Path) -> Iterator[LabServer]:
    """The server of a configuration that `running_sshd` wrote, started (again)."""
    folder = config.parent
    [port] = [int(line.split()[1]) for line in config.read_text().splitlines() if line.startswith("Port ")]
    log, host_key = folder / "sshd.log", folder / "host_key"
    command = [program("sshd"), "-D", "-f", str(config), "-E", str(log)]
    with _running(command, port):
        pid = int((folder / "pid").read_text())
        yield LabServer(
            LOOPBACK,
            port,
            "root",
            folder / "login_key",
            folder / "known_hosts",
            fingerprint_of(host_key),
            config,
            log,
            pid,
        )


@contextmanager
def running_dropbear(folder: Path) -> Iterator[LabServer]:
    """A Dropbear server that sees a home folder of its own in the place of root's."""
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    host_key, key, log = folder / "host_key", new_key(folder / "login_key"), folder / "dropbear.log"
    subprocess.run(
        [program("dropbearkey"), "-t", "ed25519", "-f", str(host_key)], check=True, capture_output=True
    )
    shown = subprocess.run(
        [program("dropbearkey"), "-y", "-f", str(host_key)], check=True, capture_output=True, text=True
    )
    public = next(line for line in shown.stdout.splitlines() if line.startswith("ssh-"))
    authorized = home / ".ssh" / "authorized_keys"
    authorized.write_text(key.with_suffix(".pub").read_text())
    authorized.chmod(0o600)
    port = free_port()
    dropbear = f"{program('dropbear')} -F -E -p {LOOPBACK}:{port} -r {host_key} -P {folder / 'pid'}"
    inside = f"mount --bind {home} /root && exec {dropbear} 2>{log}"
    with _running([program("unshare"), "--mount", "sh", "-c", inside], port) as process:
        public_file, known = folder / "host_key.pub", folder / "known_hosts"
        public_file.write_text(public + "\n")
        known.write_text(f"[{LOOPBACK}]:{port} {public}\n")
        print_ = fingerprint_of(public_file)
        yield LabServer(LOOPBACK, port, "root", key, known, print_, host_key, log, process.pid)


@contextmanager
def running_small(folder: Path, sudoers: str = "") -> Iterator[LabServer]:
    """A small system: Dropbear, BusyBox as shell, and the ordinary login `audit` with these `sudoers`."""
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True)
    key, host_key, log = new_key(folder / "login_key"), folder / "host_key", folder / "dropbear.log"
    subprocess.run(
        [program("dropbearkey"), "-t", "ecdsa", "-f", str(host_key)], check=True, capture_output=True
    )
    shown = subprocess.run(
        [program("dropbearkey"), "-y", "-f", str(host_key)], check=True, capture_output=True, text=True
    )
    public = next(line for line in shown.stdout.splitlines() if line.startswith("ecdsa-"))
    (home / ".ssh" / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    for path in (home, home / ".ssh", home / ".ssh" / "authorized_keys"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        shutil.chown(path, 1500, 1500)
    for name, line in (
        ("passwd", "audit:x:1500:1500::/mnt:/bin/sh"),
        ("group", "audit:x:1500:"),
        ("shadow", "audit:*:20000:0:99999:7:::"),
    ):
        file = folder / name
        file.write_text(f"{Path('/etc', name).read_text().rstrip()}\n{line}\n")
        file.chmod(0o640 if name == "shadow" else 0o644)
    rules = folder / "sudoers"
    rules.write_text(sudoers)
    rules.chmod(0o440)
    port = free_port()
    binds = [(folder / name, f"/etc/{name}") for name in ("passwd", "group", "shadow", "sudoers")]
    binds += [(home, "/mnt"), (Path(program("busybox")), str(Path("/bin/sh").resolve()))]
    inside = "mount -t tmpfs none /etc/sudoers.d && " + "".join(
        f"mount --bind {source} {place} && " for source, place in binds
    )
    inside += f"exec {program('dropbear')} -F -E -w -p {LOOPBACK}:{port} -r {host_key} 2>{log}"
    with _running([program("unshare"), "--mount", "bash", "-c", inside], port) as process:
        public_file, known = folder / "host_key.pub", folder / "known_hosts"
        public_file.write_text(public + "\n")
        known.write_text(f"[{LOOPBACK}]:{port} {public}\n")
        print_ = fingerprint_of(public_file)
        yield LabServer(LOOPBACK, port, "audit", key, known, print_, host_key, log, process.pid)


@contextmanager
def raw_server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does with every connection what `behave` says; gives its port."""
    with socket.create_server((LOOPBACK, 0)) as server:
        server.settimeout(0.2)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection, suppress(OSError):
                    connection.settimeout(5)
                    behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            thread.join(10)


@pytest.fixture
def sshd(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LabServer]:
    """A running OpenSSH server for one test."""
    folder = tmp_path / "sshd"
    folder.mkdir()
    with running_sshd(folder, getattr(request, "param", "")) as server:
        yield server


@contextmanager
def _running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _await_greeting(port, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _await_greeting(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"the server ended at once with status {process.returncode}"
        with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            if connection.recv(4) == b"SSH-":
                return
        time.sleep(0.05)
    raise AssertionError(f"no SSH server on port {port} after {_START_SECONDS:.0f} s")


def _public(key: Path) -> str:
    kind, data, *_ = key.with_suffix(".pub").read_text().split()
    return f"{kind} {data}"
