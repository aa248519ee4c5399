"""Real hosts on one machine: each with its own root, processes, network, keys and SSH server.

    with lab() as net:
        host = net.host("bookworm", plant="chmod 644 /etc/shadow")
        snapshot = host.scan(frozenset({FileModes}))

They share a bridge that leads nowhere else. Nothing is booted with systemd. `kernel.*`, `fs.*` and `vm.*`
settings are the machine's own and cannot be changed from a host; those named in `kernel` are files in
their place, which read and write as the kernel's do.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from itertools import count
from pathlib import Path
from typing import Literal, TypeVar

from checks.facts.snapshot import Fact, Snapshot
from checks.model import Kind, Target
from scanner.collect.collector import Context
from scanner.collect.host.collect import collect, parse_output, permissions, script_for
from scanner.transport.ssh import SshAccess
from tests.lab import hosts_start
from tests.lab.hosts_kinds import BUSYBOX, busybox, rpm_family
from tests.lab.hosts_roots import debian, layer
from tests.lab.network import inside
from tests.lab.ssh import new_key

T = TypeVar("T")
Login = Literal["root", "sudo", "all", "plain"]
"""As whom the scanner logs in: `root`; `audit` with the sudo commands of the probes; with every sudo
command; or with none."""

_NETWORK = IPv4Network("10.77.0.0/16")
_ENVIRONMENT = ("HOME=/root", "USER=root", "TERM=dumb", "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
_SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True)
class Done:
    """What a command in a host gave."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Host:
    """One running host. `pid` is its first process as this machine sees it."""

    lab: Lab
    name: str
    address: str
    login: Login
    started: hosts_start.Started

    @property
    def pid(self) -> int:
        """The number of its first process outside of it."""
        return self.started.pid

    @property
    def user(self) -> str:
        """As whom the scanner logs in."""
        return "root" if self.login == "root" else "audit"

    @property
    def target(self) -> Target:
        """The host as a target of a scan."""
        return Target(Kind.HOST, self.name, f"ssh://{self.user}@{self.address}:22")

    def path(self, path: str) -> Path:
        """A file of the host, as this machine can open it; a link in it may lead astray."""
        return Path(f"/proc/{self.pid}/root/{path.lstrip('/')}")

    def access(self) -> SshAccess:
        """How to log in to it, from within `Lab.inside`."""
        return SshAccess(
            host=self.address,
            user=self.user,
            key_files=(self.lab.key,),
            known_hosts=(self.lab.known_hosts,),
            connect_seconds=10,
            total_seconds=180,
        )

    def run(self, command: str, *, check: bool = True, seconds: float = 60, stdin: bytes = b"") -> Done:
        """Runs a shell command in the host as root; a status other than 0 fails unless `check` is off."""
        done = subprocess.run(
            [*self.enter, "sh", "-c", command],
            input=stdin,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
        assert not check or done.returncode == 0, f"{self.name}: {command[:300]}\n{out[-1500:]}{err[-1500:]}"
        return Done(done.returncode, out, err)

    @property
    def enter(self) -> tuple[str, ...]:
        """What stands before a command to run it in the host as root."""
        into = ("nsenter", "--target", str(self.pid), "--mount", "--uts", "--ipc", "--net", "--pid")
        return (*hosts_start.LIMITED, *into, "env", "-i", *_ENVIRONMENT)

    def scan(self, facts: frozenset[type[Fact]]) -> Snapshot:
        """What a scan over SSH sees of it."""
        return self.lab.inside(lambda: collect(self.target, facts, self.access(), Context()))

    def look(self, facts: frozenset[type[Fact]], seconds: float = 120) -> Snapshot:
        """The same as root and without SSH: whatever was done to its SSH server does not matter."""
        done = subprocess.run(
            [*self.enter, "sh", "-s"],
            input=script_for(facts).encode(),
            capture_output=True,
            timeout=seconds,
            check=True,
        )
        return parse_output(self.target, facts, done.stdout, Context().now())


@dataclass
class Lab:
    """The bridge, the scanner's place on it, and what gives out addresses."""

    folder: Path
    stack: ExitStack
    process: subprocess.Popen[bytes]
    pid: int
    key: Path
    addresses: Iterator[str]
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def known_hosts(self) -> Path:
        """The host keys of all hosts."""
        return self.folder / "known_hosts"

    @property
    def enter(self) -> tuple[str, ...]:
        """What stands before a command to run it where the scanner is."""
        return ("nsenter", "--target", str(self.pid), "--net")

    def inside(self, function: Callable[[], T], seconds: float = 300) -> T:
        """The result of the function, run where the scanner is."""
        return inside(Path(f"/proc/{self.pid}/ns/net"), function, seconds)

    def host(
        self,
        release: str = "bookworm",
        *,
        plant: str = "",
        packages: Sequence[str] = (),
        furnish: str = "",
        login: Login = "root",
        kernel: Mapping[str, str] | None = None,
        name: str = "",
    ) -> Host:
        """One more host.

        `release` is a Debian release, `busybox`, or `rpm`. `packages` are installed from the mirror, and
        the shell commands `furnish` run after them, both once and then kept; `plant` is run in this host
        alone, as root, before its SSH server is asked for anything.
        """
        named = [name] if name else []
        [one] = self.hosts(
            1, release, packages=packages, furnish=furnish, login=login, kernel=kernel, names=named
        )
        if plant:
            one.run(plant)
        return one

    def hosts(
        self,
        number: int,
        release: str = "bookworm",
        *,
        packages: Sequence[str] = (),
        furnish: str = "",
        login: Login = "root",
        kernel: Mapping[str, str] | None = None,
        names: Sequence[str] = (),
    ) -> list[Host]:
        """So many hosts of one kind, started side by side."""
        lowers = _lowers(release, packages, furnish)
        server = BUSYBOX[login] if release == "busybox" else _SSHD
        before = self._before(release, login)
        names = names or [f"{release}-{next(self.numbers)}" for _ in range(number)]
        opened = []
        for name in names:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            process = hosts_start.start(
                folder, lowers, name, kernel=kernel or {}, before=before, server=server
            )
            self.stack.callback(hosts_start.end, process)
            opened.append(process)
        here = [hosts_start.started(process) for process in opened]
        addresses = [next(self.addresses) for _ in here]
        self._join(here)
        for one, address in zip(here, addresses, strict=True):
            one.go(f"{address}/{_NETWORK.prefixlen}")
        for one in here:
            one.ready()
        made = [Host(self, *row) for row in zip(names, addresses, [login] * len(here), here, strict=True)]
        with self.known_hosts.open("a") as known:
            for host in made:
                known.write(f"{host.address} {_public(host)}\n")
        return made

    def _before(self, release: str, login: Login) -> str:
        """What a host does before its SSH server starts: keys, names, and who may log in."""
        public = self.key.with_suffix(".pub").read_text().strip()
        home, owner = ("/root", "0:0") if login == "root" else ("/home/audit", "1000:1000")
        lines = [
            "umask 022",
            "head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \\n' >/etc/machine-id; echo >>/etc/machine-id",
            f"mkdir -p -m 700 {home}/.ssh",
            f"printf '%s\\n' '{public}' >{home}/.ssh/authorized_keys",
            f"chmod 600 {home}/.ssh/authorized_keys; chown -R {owner} {home}/.ssh",
        ]
        if release == "busybox":
            lines.append("dropbearkey -t ed25519 -f /etc/dropbear/key >/dev/null 2>&1")
            lines.append("dropbearkey -y -f /etc/dropbear/key | grep ^ssh- >/etc/dropbear/key.pub")
        else:
            lines.append("ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key")
        if login in ("sudo", "all"):
            allowed = ["ALL"] if login == "all" else _sudo_commands()
            for number, command in enumerate(allowed):
                redirect = ">" if number == 0 else ">>"
                lines.append(
                    f"printf '%s\\n' 'audit ALL=(root) NOPASSWD: {command}' {redirect}/etc/sudoers.d/audit"
                )
            lines.append("chmod 440 /etc/sudoers.d/audit")
        return "\n".join(lines)

    def _join(self, hosts: Sequence[hosts_start.Started]) -> None:
        """Gives each host an interface on the bridge."""
        lines = []
        for one in hosts:
            end = f"p{next(self.numbers)}"
            lines.append(f"link add {end} type veth peer name eth0 netns {one.pid}")
            lines.append(f"link set {end} master br0 up")
        done = subprocess.run(
            [*self.enter, "ip", "-batch", "-"],
            input="\n".join([*lines, ""]).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")


@contextmanager
def lab() -> Iterator[Lab]:
    """A lab; all its hosts are gone when it closes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bartizan-lab-")))
        addresses = (str(one) for one in _NETWORK.hosts())
        process, pid = hosts_start.start_switch(f"{next(addresses)}/{_NETWORK.prefixlen}")
        stack.callback(hosts_start.end, process)
        (folder / "known_hosts").touch()
        yield Lab(folder, stack, process, pid, new_key(folder / "login_key"), addresses)


def _lowers(release: str, packages: Sequence[str], furnish: str) -> list[Path]:
    """The layers that a host stands on, the uppermost first."""
    if release == "busybox":
        return [busybox()]
    if release == "rpm":
        return rpm_family()
    if not packages and not furnish:
        return [debian(release)]
    return [layer(release, tuple(packages), furnish), debian(release)]


def _sudo_commands() -> list[str]:
    """What the probes ask for, as sudoers writes it."""
    from scanner.collect.host.collect import PROBES

    wanted = frozenset(fact for probe in PROBES for fact in probe.facts)
    return [permission.name for permission in permissions(wanted)]


def _public(host: Host) -> str:
    for name in ("etc/ssh/ssh_host_ed25519_key.pub", "etc/dropbear/key.pub"):
        if host.path(name).exists():
            kind, data, *_ = host.path(name).read_text().split()
            return f"{kind} {data}"
    raise AssertionError(f"{host.name} has no host key")
