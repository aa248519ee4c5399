"""The repairs of SSH and sudo, each on a host of its own: it fails, the repair helps, the undo takes back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.fleet import FleetHostKeys, SharedHostKey
from checks.facts.snapshot import Fact
from checks.fix import Language
from checks.host import (
    fleet,
    leavers,
    ssh,
    ssh_homes,
    ssh_keys,
    ssh_server,
    ssh_session,
    sudo,
    sudo_rules,
    sudo_settings,
)
from checks.model import Finding, Outcome
from scanner.collect.host import accounts, sshd, sudoers
from scanner.collect.host import ssh_keys as keys_of
from scanner.collect.host.probe import Probe
from scanner.collect.host.script import compose
from scanner.collect.host.sections import split
from tests.checks.host.judging import checks_of, judged
from tests.lab.parts import program

pytestmark = pytest.mark.real
PROBES = (sshd.PROBE, keys_of.PROBE, accounts.ACCOUNTS, sudoers.PROBE)
SWITCHES = {check.id: check for check in checks_of(ssh)}
CONFIG = "/etc/ssh/sshd_config"

HOST = r"""
set -e
mkdir "$1/etc"; cd /etc
cp -a --parents passwd shadow group gshadow login.defs nsswitch.conf alternatives/awk ssh sudoers sudoers.d \
  pam.d security ld.so.* "$1/etc" 2>/dev/null || true
mount --bind "$1/etc" /etc; mount -t tmpfs none /home; mount -t tmpfs none /root; cd /
mount -t tmpfs none /run; mkdir /run/sshd; rm -f /etc/sudoers.d/[!R]* /etc/ssh/sshd_config.d/*
printf 'Include /etc/ssh/sshd_config.d/*.conf\n' >/etc/ssh/sshd_config
printf 'Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n' >/etc/sudoers
printf 'ann:x:2001:100::/home/ann:/bin/bash\nbob:x:2002:100::/home/bob:/bin/bash\n' >>/etc/passwd
printf 'ann:$6$x$y:20000:0:99999:7:::\nbob:$6$x$y:20000:0:99999:7:::\n' >>/etc/shadow
for user in ann bob; do mkdir -m 700 -p "/home/$user/.ssh"; chown -R "$user" "/home/$user"; done
umask 022
"""
KEYS = """
cd /home/ann/.ssh
{ cat "$2/good.pub"; printf 'command="id" '; cat "$2/weak.pub"; echo '# the end'; } >authorized_keys
chmod 0600 /home/ann/.ssh/authorized_keys; chown ann /home/ann/.ssh/authorized_keys
"""
WEAK_RSA = """
cp "$2/weak" /etc/ssh/ssh_host_rsa_key; cp "$2/weak.pub" /etc/ssh/ssh_host_rsa_key.pub
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good and a weak key."""
    folder = tmp_path_factory.mktemp("made")
    for name, kind in {"good": ["-t", "ed25519", "-C", "ann@x"], "weak": ["-t", "rsa", "-b", "1024"]}.items():
        new = [program("ssh-keygen"), "-q", "-N", "", *kind, "-f", str(folder / name)]
        subprocess.run(new, check=True)
    return folder


def option(line: str) -> str:
    return f"echo '{line}' >>{CONFIG}\n"


def rule(*lines: str) -> str:
    text = "\\n".join(line.replace("'", "'\\''").replace("%", "%%") for line in lines)
    return f"printf '{text}\\n' >/etc/sudoers.d/own; chmod 0440 /etc/sudoers.d/own\n"


CASES: dict[str, tuple[Check[Any], str, dict[str, Any]]] = {
    "an option of sshd": (ssh.max_auth_tries, option("MaxAuthTries 9"), {}),
    "an option in a drop-in": (
        SWITCHES["host.ssh.x11-forwarding"],
        "echo 'X11Forwarding yes' >/etc/ssh/sshd_config.d/10-own.conf\n",
        {},
    ),
    "an option in a Match block": (
        SWITCHES["host.ssh.empty-passwords"],
        "printf 'Match  User ann # why\\n  X11Forwarding no\\n\\tPermitEmptyPasswords=yes\\n' >>"
        f"{CONFIG}\necho 'Match User bob' >>{CONFIG}\n",
        {},
    ),
    "sessions": (ssh_session.max_sessions, option("MaxSessions 50"), {}),
    "start limits": (ssh_session.max_startups, "", {}),
    # Of this option sshd takes the last line, of all others the first.
    "start limits in a line": (ssh_session.max_startups, option("MaxStartups 200"), {}),
    "an option for everybody and in a Match block": (
        ssh.max_auth_tries,
        option("MaxAuthTries 8")
        + "printf 'Match Address 10.0.0.0/8\\n  MaxAuthTries 9\\n' >/etc/ssh/sshd_config.d/a.conf\n",
        {},
    ),
    "dead sessions": (ssh_session.idle, option("ClientAliveCountMax 0"), {}),
    "forwarding": (ssh_session.forwarding, "", {}),
    "tunnels": (ssh_session.tunnels, option("PermitTunnel yes"), {}),
    "the notice": (ssh_session.banner, "", {}),
    "PAM": (ssh_server.pam, option("UsePAM no"), {}),
    "strict modes": (ssh_server.strict_modes, option("StrictModes no"), {}),
    "a weak host key": (ssh_server.host_keys, WEAK_RSA, {}),
    "a weak login key": (ssh_keys.weak, KEYS, {}),
    "a key for one command": (ssh_keys.forced_commands, KEYS, {}),
    "a file of keys": (ssh_keys.files, KEYS + "chmod 666 /home/ann/.ssh/authorized_keys\n", {}),
    "a file of keys of another": (ssh_keys.files, KEYS + "chown bob /home/ann/.ssh/authorized_keys\n", {}),
    "keys of root": (
        ssh_keys.root,
        KEYS + "mkdir -m 700 /root/.ssh; cat $2/*.pub >/root/.ssh/authorized_keys\n",
        {"known": frozenset({"ann@x"})},
    ),
    "rhosts": (ssh_homes.trust_files, "echo web-2 >/home/ann/.rhosts\n", {}),
    "the mode of a private key": (
        ssh_homes.private_modes,
        KEYS + "cp $2/good /home/ann/.ssh/id_ed25519; chmod 644 /home/ann/.ssh/id_ed25519\n",
        {},
    ),
    "sudo without a password": (
        sudo.no_password,
        rule("bob ALL=(root) NOPASSWD: /bin/id", "ann ALL = (ALL) NOPASSWD : ALL"),
        {"allowed": frozenset({"bob"})},
    ),
    "sudo without authentication": (sudo.authenticate, rule("Defaults:ann !authenticate"), {}),
    "sudo without a terminal": (sudo.pty, "", {}),
    "the log of sudo": (sudo_settings.log_file, "", {}),
    "the memory of sudo": (sudo_settings.timeout, rule("Defaults:ann timestamp_timeout=-1"), {}),
    "the environment of sudo": (
        sudo_settings.environment,
        rule('Defaults env_keep += "LANG LD_PRELOAD"', 'Defaults:ann env_keep += "BASH_ENV"'),
        {},
    ),
    "the path of sudo": (sudo_settings.secure_path, "", {}),
    "the environment of a rule": (sudo_rules.set_environment, rule("ann ALL=(root) SETENV: /bin/id"), {}),
    "an account of a leaver": (leavers.accounts, "", {"leavers": frozenset({"ann"})}),
    "a key of a leaver": (leavers.keys, KEYS, {"leavers": frozenset({"ann"})}),
}


def _probes(check: Check[Any]) -> tuple[Probe, ...]:
    return tuple(probe for probe in PROBES if set(probe.facts) & set(check.needs))


class Host:
    """A planted machine: a process in mounts of its own, which every step enters."""

    def __init__(self, folder: Path, made: Path, check: Check[Any], plant: str) -> None:
        self.script = folder / "script"
        self.script.write_text(compose(_probes(check), "0123456789abcdef" * 2))
        inside = f"{HOST}\n{plant}\necho ready; exec cat"
        self.holder = subprocess.Popen(
            [program("unshare"), "--mount", "sh", "-c", inside, "sh", str(folder), str(made)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.holder.stdout is not None
        assert self.holder.stdout.readline() == b"ready\n"

    def run(self, step: str) -> str:
        """Runs shell lines on it; a status other than 0 fails the test."""
        entered = [program("nsenter"), "--mount", "-t", str(self.holder.pid), "sh", "-c", step]
        done = subprocess.run(entered, capture_output=True, text=True, check=False, timeout=60, cwd="/")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def answer(self) -> bytes:
        """What the fragments say now."""
        return self.run(f"exec sh -s <{self.script}").encode()

    def state(self) -> str:
        """Contents, modes and owners of all files that a repair may touch."""
        return self.run(
            "find /etc/ssh /etc/sudoers /etc/sudoers.d /home /etc/passwd /root -type f "
            "-exec md5sum {} + -exec stat -c '%a %U %n' {} + | sort"
        )


@pytest.fixture
def host(made: Path, tmp_path: Path) -> Iterator[Callable[[Check[Any], str], Host]]:
    found: list[Host] = []

    def start(check: Check[Any], plant: str) -> Host:
        found.append(Host(tmp_path, made, check, plant))
        return found[-1]

    yield start
    for one in found:
        one.holder.communicate(timeout=10)


Start = Callable[[Check[Any], str], Host]


def bad(check: Check[Any], answer: bytes, options: dict[str, Any]) -> list[Finding]:
    sections = split(answer).sections
    facts: list[Fact] = []
    for probe in _probes(check):
        facts += probe.parse(sections[probe.topic].text).facts
    found = judged(check, *(fact for fact in facts if type(fact) in check.needs), **options)
    return [one for one in found if one.outcome is Outcome.FAIL]


@pytest.mark.parametrize("case", CASES)
def test_the_repair_helps_and_can_be_taken_back(case: str, host: Start) -> None:
    check, plant, options = CASES[case]
    machine = host(check, plant)
    before, found = machine.state(), bad(check, machine.answer(), options)
    assert found
    shells = [one.fix.snippets[0] for one in found]
    assert {one.language for one in shells} == {Language.SHELL}
    for one in shells:
        machine.run(one.do)
    assert bad(check, machine.answer(), options) == []
    assert machine.state() != before
    for one in reversed(shells):
        machine.run(one.undo)
    assert [one.on for one in bad(check, machine.answer(), options)] == [one.on for one in found]
    assert machine.state() == before


def test_a_shared_host_key_is_replaced_and_can_come_back(host: Start) -> None:
    machine = host(ssh_server.host_keys, WEAK_RSA)
    shared = SharedHostKey("/etc/ssh/ssh_host_rsa_key", "SHA256:x", "rsa", ("web-2",))
    [one] = judged(fleet.shared_host_key, FleetHostKeys((shared,), 2))
    before = machine.state()
    look = "ssh-keygen -lf /etc/ssh/ssh_host_rsa_key; ssh-keygen -lf /etc/ssh/ssh_host_rsa_key.pub"
    old = machine.run(look)
    machine.run(one.fix.snippets[0].do)
    new = machine.run(look)
    assert not set(old.split("\n")) & set(new.split("\n")) - {""}
    machine.run(one.fix.snippets[0].undo)
    assert machine.state() == before


@pytest.mark.parametrize(
    ("check", "plant", "words"),
    [
        (ssh_keys.weak, KEYS + "sed -i 1d /home/ann/.ssh/authorized_keys\n", "it is the only key"),
        (
            sudo.no_password,
            rule("ann ALL=(ALL) NOPASSWD: ALL") + "sed -i 's/^ann:[^:]*/ann:!/' /etc/shadow\n",
            "ann has no password",
        ),
        (
            sudo.no_password,
            rule("%admins ALL=(ALL) NOPASSWD: ALL")
            + "echo admins:x:3000:bob,ann >>/etc/group; sed -i 's/^ann:[^:]*/ann:!/' /etc/shadow\n",
            "ann has no password",
        ),
        (
            sudo.no_password,
            rule("%admins ALL=(ALL) NOPASSWD: ALL")
            + "echo admins:x:100: >>/etc/group; sed -i 's/^bob:[^:]*/bob:*/' /etc/shadow\n"
            "sed -i '/^users:/d' /etc/group\n",
            "bob has no password",
        ),
        (sudo.no_password, rule("User_Alias A = ann", "A ALL=(ALL) NOPASSWD: ALL"), "who A is"),
        (sudo.no_password, rule("%nobodys ALL=(ALL) NOPASSWD: ALL"), "members of %nobodys"),
    ],
)
def test_a_repair_that_would_lock_somebody_out_stops(
    check: Check[Any], plant: str, words: str, host: Start
) -> None:
    machine = host(check, plant)
    before, [one] = machine.state(), bad(check, machine.answer(), {})
    said = machine.run(f"( {one.fix.snippets[0].do}\n) 2>&1 && echo done || true")
    assert words in said
    assert "done" not in said
    assert machine.state() == before


@pytest.mark.parametrize(
    ("check", "plant", "session", "refused"),
    [
        ("root-login", "", "SSH_CONNECTION=x", True),
        ("root-login", "", "SSH_CONNECTION=x SUDO_USER=ann", False),
        ("root-login", "", "", False),
        ("root-login", rule("ann ALL=(ALL) ALL"), "SSH_CONNECTION=x", False),
        ("password-auth", "", "SSH_CONNECTION=x", True),
        ("password-auth", "", "SUDO_USER=ann", True),
        ("password-auth", KEYS, "SUDO_USER=ann", False),
        ("keyboard-interactive", option("KbdInteractiveAuthentication yes"), "SUDO_USER=ann", True),
    ],
)
def test_a_repair_does_not_lock_out_whoever_runs_it(
    check: str, plant: str, session: str, refused: bool, host: Start
) -> None:
    chosen = ssh.root_login if check == "root-login" else SWITCHES[f"host.ssh.{check}"]
    machine = host(chosen, f"gpasswd -M '' sudo >/dev/null 2>&1 || true\n{plant}")
    before, found = machine.state(), bad(chosen, machine.answer(), {})
    repair = found[0].fix.snippets[0].do
    clean = f"env -u SSH_CONNECTION -u SUDO_USER {session}"
    step = f"cat >/run/step <<'END'\n{repair}\nEND\n{clean} sh /run/step && echo done || echo refused"
    assert machine.run(step).split()[-1] == ("refused" if refused else "done")
    assert (machine.state() == before) is refused
