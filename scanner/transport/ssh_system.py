"""The system's OpenSSH client, for hosts with which our library has no algorithm in common.

Nothing of the user's own configuration is read: what ssh may know stands in a folder of its own that is gone
afterwards. Host keys, keys, jumps, limits and deadlines are the same as everywhere.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from checks.fix import printable
from scanner.collect.collector import CollectError, Failure
from scanner.transport.known_hosts import fingerprint, key_type, line_for
from scanner.transport.local import end, feed
from scanner.transport.lockout import Attempt
from scanner.transport.result import Errand, ScriptResult
from scanner.transport.ssh_access import SshAccess
from scanner.transport.ssh_line import NoAlgorithmError

_log = logging.getLogger(__name__)
_TARGET = "target"
_LOOK = 0.1
# What is broken stays refused, also where an old client would still speak it.
_BROKEN_KEX = "diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1"
_BROKEN_KEYS = "ssh-rsa,ssh-dss,ssh-rsa-cert-v01@openssh.com"
_SEEN_KEY = re.compile(r"^debug1: Server host key: (\S+) (SHA256:[A-Za-z0-9+/]+)", re.MULTILINE)
_LOGGED_IN = re.compile(r"^Authenticated to ", re.MULTILINE)
_ASKPASS = '#!/bin/sh\nexec cat "$BARTIZAN_ASKPASS"\n'
_ENVIRONMENT = ("HOME", "USER", "LOGNAME", "PATH", "LANG", "SSH_AUTH_SOCK")


@dataclass(frozen=True, slots=True)
class _Folder:
    """Where one run of ssh finds its files."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def askpass(self) -> Path:
        return self.path / "askpass"

    @property
    def pipe(self) -> Path:
        return self.path / "passphrase"


def run_by_system(access: SshAccess, errand: Errand, hindrance: NoAlgorithmError) -> ScriptResult:
    """Runs the script by the system's `ssh`, as `run_script` does.

    Raises:
        CollectError: `hindrance` where ssh is not there or speaks none of these algorithms either.

    """
    program = shutil.which("ssh")
    if program is None:
        needs = "the OpenSSH client (ssh) on this machine"
        raise CollectError(hindrance.failure, f"{hindrance}; there is no ssh program to try", needs) from None
    name = f"{access.name} (by {program})"
    lockout, login = access.logins.lockout, access.credential
    with (
        _folder(access) as folder,
        lockout.attempt(login, access.name, errand.context, lambda: True) as attempt,
    ):
        stdout, stderr, status = _spoken([program, *_words(folder)], folder, access, errand, attempt)
        log = _read(folder.log)
        if not _LOGGED_IN.search(log):
            raise _explained(log + stderr.decode("utf-8", "replace"), access, hindrance)
        attempt.settle(True)
    _log.info("%s: seen by the system's ssh, since %s", access.name, hindrance)
    if status in (-1, 255):
        message = f"{name}: the connection ended in the middle of the answer, which is not used"
        raise CollectError(Failure.TRUNCATED, message)
    seen = _SEEN_KEY.search(log)
    known = {fingerprint(blob) for _, blob in access.known().accepted}
    key = seen[2] if seen else (known.pop() if len(known) == 1 else "")
    return ScriptResult(stdout, stderr, status, key, "" if access.jumps else access.address)


def _words(folder: _Folder) -> list[str]:
    return ["-T", "-a", "-x", "-F", str(folder.config), "-E", str(folder.log), _TARGET, "sh -s"]


def _spoken(
    command: list[str], folder: _Folder, access: SshAccess, errand: Errand, attempt: Attempt
) -> tuple[bytes, bytes, int]:
    """Both outputs and the exit status of ssh; the attempt is settled as soon as its log tells of a login."""
    name = f"{access.name} (by {command[0]})"
    process = subprocess.Popen(  # noqa: S603 - fixed words, and a folder of our own
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(folder, access),
        cwd="/",
        start_new_session=True,
    )
    over = threading.Event()

    def settle() -> None:
        while not over.wait(_LOOK):
            if _LOGGED_IN.search(_read(folder.log)):
                attempt.settle(True)
                return

    watch = threading.Thread(target=settle, name="ssh-log", daemon=True)
    watch.start()
    try:
        with _passphrase(folder, access):
            stdout, stderr = feed(process, errand, name)
        return stdout, stderr, process.wait(max(0.1, errand.deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise CollectError(Failure.TIMEOUT, f"{name}: no end after {access.total_seconds:.0f} s") from None
    finally:
        over.set()
        watch.join()
        end(process)


def _explained(log: str, access: SshAccess, hindrance: NoAlgorithmError) -> CollectError:
    """What the log of ssh says of a login that did not come about."""
    said = next((line for line in reversed(log.splitlines()) if line and not line.startswith("debug")), "")
    shown = printable(" ".join(said.split()))[:200]
    name = access.name
    if "Unable to negotiate" in log:
        return CollectError(
            hindrance.failure, f"{hindrance}; the system's ssh says: {shown}", hindrance.needs
        )
    if "Host key verification failed" in log or "REVOKED" in log:
        what = "THE HOST KEY HAS CHANGED" if "HAS CHANGED" in log else "the host key is not known"
        found = _SEEN_KEY.search(log)
        message = f"{name}: {what}{': ' + found[2] if found else ''}; nothing was sent to the host. "
        message += f"`bartizan hosts enrol {access.word}` shows its keys"
        return CollectError(Failure.HOST_KEY, message, "the host's key in known_hosts")
    if "Permission denied" in log or "Too many authentication failures" in log:
        message = f"{name}: the key was refused for {access.login} ({shown})"
        return CollectError(
            Failure.AUTHENTICATION, message, f"the public key in authorized_keys of {access.login}"
        )
    return CollectError(Failure.PROTOCOL, f"{name}: the system's ssh failed: {shown or 'no word'}")


@contextmanager
def _folder(access: SshAccess) -> Iterator[_Folder]:
    """A folder with all that ssh may know; only this user can look into it, and it is removed."""
    with tempfile.TemporaryDirectory(prefix="bartizan-ssh-") as name:
        folder = _Folder(Path(name))
        blocks = [_GENERAL]
        route = [*access.jumps, access]
        for number, hop in enumerate(route):
            known = folder.path / f"known_hosts.{number}"
            known.write_text(_known_lines(hop), encoding="ascii")
            blocks.append(_block(hop, number, number == len(route) - 1, known))
        folder.config.write_text("\n".join(blocks), encoding="utf-8")
        folder.log.touch()
        folder.askpass.write_text(_ASKPASS, encoding="ascii")
        folder.askpass.chmod(stat.S_IRWXU)
        os.mkfifo(folder.pipe, 0o600)
        yield folder


_GENERAL = f"""\
Host *
  StrictHostKeyChecking yes
  GlobalKnownHostsFile none
  UpdateHostKeys no
  CheckHostIP no
  VerifyHostKeyDNS no
  IdentitiesOnly yes
  PreferredAuthentications publickey
  PasswordAuthentication no
  KbdInteractiveAuthentication no
  HostbasedAuthentication no
  GSSAPIAuthentication no
  NumberOfPasswordPrompts 1
  ConnectionAttempts 1
  ForwardAgent no
  ForwardX11 no
  ClearAllForwardings yes
  PermitLocalCommand no
  EscapeChar none
  RequestTTY no
  ControlMaster no
  ControlPath none
  Compression no
  KexAlgorithms -{_BROKEN_KEX}
  HostKeyAlgorithms -{_BROKEN_KEYS}
  PubkeyAcceptedAlgorithms -{_BROKEN_KEYS}
"""


def _block(hop: SshAccess, number: int, last: bool, known: Path) -> str:
    name = _TARGET if last else f"jump{number}"
    lines = [
        f"Host {name}",
        f"  HostName {hop.address or hop.host}",
        f"  Port {hop.port}",
        f"  User {hop.login}",
        f"  HostKeyAlias {hop.alias or hop.host}",
        f"  UserKnownHostsFile {_quoted(known)}",
        f"  ConnectTimeout {max(1, round(hop.connect_seconds))}",
        f"  BatchMode {'no' if hop.passphrase else 'yes'}",
        f"  LogLevel {'DEBUG1' if last else 'ERROR'}",
        f"  ProxyJump {f'jump{number - 1}' if number else 'none'}",
        # Without a word on it, ssh would offer whatever lies in ~/.ssh.
        *([f"  IdentityFile {_quoted(file)}" for file in hop.key_files] or ["  IdentityFile none"]),
        *(f"  CertificateFile {_quoted(file)}" for file in hop.certificates),
    ]
    if hop.use_agent and not hop.identities_only:
        lines.append("  IdentitiesOnly no")
    elif not hop.use_agent:
        lines.append("  IdentityAgent none")
    return "\n".join(lines) + "\n"


def _quoted(file: Path) -> str:
    """A path as ssh_config takes it; percent signs and quotes have a meaning there."""
    return '"' + str(file).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _known_lines(hop: SshAccess) -> str:
    """The same keys that our own look-up accepts, under the one name that ssh is told."""
    known, name = hop.known(), hop.alias or hop.host
    lines = [line_for(name, kind, key) for kind, key in known.accepted]
    lines += [f"@cert-authority {line_for(name, kind, key)}" for kind, key in known.authorities]
    for key in known.revoked:
        with suppress(ValueError):
            lines.append(f"@revoked {line_for('*', key_type(key), key)}")
    return "".join(f"{line}\n" for line in lines)


def _environment(folder: _Folder, access: SshAccess) -> dict[str, str]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    if any(hop.passphrase for hop in (*access.jumps, access)):
        environment["SSH_ASKPASS"] = str(folder.askpass)
        environment["SSH_ASKPASS_REQUIRE"] = "force"
        environment["BARTIZAN_ASKPASS"] = str(folder.pipe)
    return environment


@contextmanager
def _passphrase(folder: _Folder, access: SshAccess) -> Iterator[None]:
    """Hands the passphrase through a pipe to whom ssh starts to ask for it; it is in no file or argument."""
    secret = next((hop.passphrase for hop in (*access.jumps, access) if hop.passphrase), None)
    over = threading.Event()

    def hand() -> None:
        while secret is not None and not over.wait(0.02):
            with suppress(OSError):
                # There is a reader only while ssh asks; without one the pipe does not open.
                pipe = os.open(folder.pipe, os.O_WRONLY | os.O_NONBLOCK)
                os.write(pipe, secret.reveal().encode() + b"\n")
                os.close(pipe)
                over.wait(0.2)

    thread = threading.Thread(target=hand, name="ssh-passphrase", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _read(log: Path) -> str:
    try:
        return log.read_text("utf-8", "replace")[-200_000:]
    except OSError:
        return ""
