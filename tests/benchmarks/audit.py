"""Fifty hosts audited by Bartizan, and by the way of one exec for each question, in one run."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab.hosts import Host, Lab, lab
from tests.lab.parts import program
from tests.proofs.proving import host_checks

HOSTS = 50
FORKS = 20
WORKERS = 8
_QUESTION = "cat /etc/os-release"
"""What one exec asks: as little as a question can cost."""

SCOPE = """\
version: 1
organisation: Lab
authorisation: {by: The measurements, reference: this file, until: 2099-12-31}
hosts:
"""


@dataclass(frozen=True)
class Spent:
    """Wall time, and CPU time of the scanner's side and of the hosts, in seconds."""

    wall: float
    scanner: float
    hosts: float

    def __str__(self) -> str:
        return f"{self.wall:8.1f} s wall {self.scanner:8.1f} CPU-s scanner {self.hosts:8.1f} CPU-s hosts"


def spent(hosts: Sequence[Host], work: Callable[[], object]) -> Spent:
    """What the work cost; it must start all its processes as children of this one and wait for them."""
    here, there, began = _children(), _inside(hosts), time.perf_counter()
    work()
    wall = time.perf_counter() - began
    return Spent(wall, _children() - here, _inside(hosts) - there)


def scope_of(hosts: Sequence[Host], folder: Path) -> Path:
    """A scope file with these hosts."""
    lines = [
        f'  - {{name: {one.name}, address: "{one.address}", user: {one.user}, '
        f'key: "file:{one.lab.key}", known_hosts: "file:{one.lab.known_hosts}"}}'
        for one in hosts
    ]
    path = folder / "scope.yaml"
    path.write_text(SCOPE + "\n".join([*lines, ""]))
    return path


def scan(net: Lab, scope: Path, folder: Path, workers: int = WORKERS) -> tuple[str, int]:
    """Scans with every check of hosts; gives what it printed and its peak memory in KiB."""
    bartizan = str(Path(sys.executable).with_name("bartizan"))
    command = [*net.enter, bartizan, "scan", "--scope", str(scope), "--baseline", "linux-server:level-2"]
    command += ["--out", str(folder / "report"), "--workers", str(workers)]
    env = {**os.environ, "BARTIZAN_STORE": str(folder / "b.db"), "XDG_CACHE_HOME": str(folder)}
    with (folder / "said").open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = (folder / "said").read_text()
    assert process.returncode == 0, said[-2000:]
    return said, used.ru_maxrss


def main(number: int = HOSTS) -> None:
    """Prints both ways and their ratio."""
    with lab() as net:
        hosts = net.hosts(number)
        folder = net.folder
        scope = scope_of(hosts, folder)
        printed = []
        own = spent(hosts, lambda: printed.append(scan(net, scope, folder)))
        said, peak = printed[0]
        assert f"{number} of {number} targets seen" in said, said[-2000:]
        checks = len(host_checks())
        facts = spent(hosts, lambda: _ansible_facts(net, hosts))
        execs = spent(hosts, lambda: _execs(net, hosts, checks))
    print(f"{number} hosts, {checks} checks, {os.cpu_count()} cores; all hosts run on this machine, too")
    print(f"{'Bartizan: collect, judge, store, report':<44} {own}  peak {peak / 1024:.0f} MiB")
    print(f"{'Ansible: setup, pipelining, forks ' + str(FORKS):<44} {facts}")
    print(f"{'one exec per check over ControlPersist':<44} {execs}")
    both = Spent(facts.wall + execs.wall, facts.scanner + execs.scanner, facts.hosts + execs.hosts)
    print(f"{'both':<44} {both}")
    total = (both.scanner + both.hosts) / (own.scanner + own.hosts)
    print(f"ratio: {both.wall / own.wall:.1f} times the wall time, {total:.1f} times the CPU (goal: 10)")


def ssh_options(net: Lab) -> list[str]:
    """Options of the ssh client for a connection that stays open."""
    pairs = {
        "ControlMaster": "auto",
        "ControlPersist": "120",
        "ControlPath": f"{net.folder}/c-%h",
        "UserKnownHostsFile": str(net.known_hosts),
        "IdentityFile": str(net.key),
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
    }
    return [word for key, value in pairs.items() for word in ("-o", f"{key}={value}")]


def _ansible_facts(net: Lab, hosts: Sequence[Host]) -> None:
    inventory = net.folder / "inventory"
    words = "ansible_user=root ansible_python_interpreter=/usr/bin/python3"
    inventory.write_text("".join(f"{one.name} ansible_host={one.address} {words}\n" for one in hosts))
    env: Mapping[str, str] = {
        **os.environ,
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_FORKS": str(FORKS),
        "ANSIBLE_SSH_ARGS": " ".join(ssh_options(net)),
        "ANSIBLE_LOCAL_TEMP": str(net.folder / "ansible"),
    }
    command = [*net.enter, program("ansible"), "all", "-i", str(inventory), "-m", "setup"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600, check=False)
    good = done.stdout.count("SUCCESS")
    assert good == len(hosts), (
        f"{good} of {len(hosts)} hosts gave facts: {done.stdout[-500:]}{done.stderr[-500:]}"
    )


def _execs(net: Lab, hosts: Sequence[Host], number: int) -> None:
    ssh = [*net.enter, program("ssh"), *ssh_options(net)]

    def one(host: Host) -> None:
        goal = f"root@{host.address}"
        for _ in range(number):
            subprocess.run([*ssh, goal, _QUESTION], capture_output=True, timeout=60, check=True)
        subprocess.run([*ssh, "-O", "exit", goal], capture_output=True, timeout=60, check=False)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, hosts))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _inside(hosts: Sequence[Host]) -> float:
    """CPU seconds of all processes of the hosts, with those that have ended and were waited for."""
    return sum(_of_tree(host.pid) for host in hosts) / os.sysconf("SC_CLK_TCK")


def _of_tree(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return sum(int(one) for one in fields[11:15]) + sum(_of_tree(int(child)) for child in children)
