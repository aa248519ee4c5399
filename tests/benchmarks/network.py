"""A network of sixty hosts: nmap against `bartizan collect`, in one run on the same machines.

`BENCH_NETWORK` chooses among `top` (the 1,000 ports that nmap thinks most used), `silent` (the same with 40
more silent ports) and `all` (65,535 ports, nmap for ten minutes at most); `BENCH_RATE` is packets a second.
`BENCH_NETWORK_NMAP=no` leaves nmap out. Needs root; nothing leaves the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from checks.catalogue import load
from checks.facts.network import OpenPorts
from scanner.store.store import Store
from scanner.transport.nmap_xml import NmapPort, parse
from tests.lab.estate import PRINTER, Estate, estate, with_silent
from tests.lab.estate_plan import PLAN, SCANNER
from tests.lab.network import capture, syn_of
from tests.lab.parts import program

SILENT = 40
NMAP_SECONDS = 600
SCOPE = """\
version: 1
organisation: Lab
authorisation: {{by: The tests, reference: this file, until: 2099-12-31}}
networks:
  - {{name: lab, cidrs: [10.90.0.0/26], zone: servers, vantage: inside, ports: {ports}, udp: none}}
exclude: ["{scanner}"]
rate: {{packets_per_second: 5000, per_host: 5000}}
"""
ONLY_IDENTIFIED = """\
id: identification
title: What is open and what speaks there
version: "1.0"
about: What nmap tells as well; without the questions that our checks put to each service.
profiles:
  every: {title: Every network}
rules:
  - check: network.coverage.identified
    profile: every
    controls: {cis-controls-8.1: ["4.4"]}
"""
ALIKE = {"X11": "x11", "ms-wbt-server": "rdp", "netbios-ssn": "smb", "microsoft-ds": "smb", "domain": "dns"}
Port = tuple[str, int]
Named = tuple[str, str, str]


@dataclass(frozen=True)
class Run:
    """One run: its seconds by the clock and of the processor, its open ports with names, and how it ended."""

    name: str
    wall: float
    processor: float
    ports: Mapping[Port, Named]
    note: str = ""

    def line(self) -> str:
        """For people."""
        told = f"{self.name:<44} {self.wall:7.1f} s   processor {self.processor:6.1f} s"
        return f"{told}   {len(self.ports)} open ports {self.note}"


def main() -> None:
    """Prints the times, their ratios, and every difference between the two."""
    # Whoever stops it must not leave sixty machines behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parts = os.environ.get("BENCH_NETWORK", "top silent all").split()
    # nmap does not come to an end on an address that accepts on every port.
    plan = tuple(host for host in PLAN if not host.every)
    began = time.perf_counter()
    with estate(plan) as network, tempfile.TemporaryDirectory() as folder:
        for one in (network.scanner, *network.hosts.values()):
            # Without this one core does the work of all machines: for whoever scans them.
            one.command("sh", "-c", "echo 3 > /sys/class/net/eth0/queues/rx-0/rps_cpus")
        print(f"{len(plan)} hosts with {len(network.open)} open ports stand after "
              f"{time.perf_counter() - began:.1f} s")  # fmt: skip
        for part in parts:
            print(f"- {part}", flush=True)
            PARTS[part](network, Path(folder))


def top(network: Estate, folder: Path) -> None:
    """The 1,000 ports that nmap thinks most used."""
    whole = collected(network, folder, "bartizan with all its questions, 1,000 ports", top_ports())
    print(whole.line(), flush=True)
    ours = collected(network, folder, "bartizan, 1,000 ports", top_ports(), plain=True)
    print(ours.line(), flush=True)
    print(f"printer: {network.listeners.heard[PRINTER]} bytes (goal 0)")
    if theirs := scanned(network, folder, "nmap -sS -sV -T4, 1,000 ports", ("--top-ports", "1000")):
        compared(ours, theirs)
        print(f"{'with all questions':<44} {theirs.wall / whole.wall:7.1f}")


def silent(network: Estate, folder: Path) -> None:
    """The same network before and after 40 ports more accept and say nothing."""
    before = collected(network, folder, "bartizan, 1,000 ports", top_ports(), plain=True)
    for host in with_silent(network.plan, SILENT):
        for port in host.silent if host.name == "silent" else ():
            if (host.address, port) not in network.open:
                network.listeners.open(port, there=network.hosts[host.address], address=host.address)
    name = f"the same with {SILENT} more silent ports"
    after = collected(network, folder, name, top_ports(), plain=True, watched=True)
    print(before.line(), after.line(), sep="\n")
    print(f"{'ratio':<44} {after.wall / before.wall:7.2f}     goal about 1")


def every(network: Estate, folder: Path) -> None:
    """All 65,535 ports."""
    ours = collected(network, folder, "bartizan, 65,535 ports", "all", rate=150_000, plain=True)
    print(ours.line(), flush=True)
    if theirs := scanned(network, folder, "nmap -sS -sV -T4 -p-", ("-p-",)):
        compared(ours, theirs)


PARTS = {"top": top, "silent": silent, "all": every}


def top_ports() -> str:
    """The 1,000 most used TCP ports of the nmap that is installed, as a list of YAML."""
    command = [program("nmap"), "-oG", "-", "-v", "--top-ports", "1000"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"TCP\(1000;([0-9,-]+)\)", said)
    assert found, said
    pairs = [part.partition("-") for part in found[1].split(",")]
    numbers = [n for low, _, high in pairs for n in range(int(low), int(high or low) + 1)]
    assert len(numbers) == 1000
    return f"[{', '.join(map(str, numbers))}]"


def collected(
    network: Estate,
    folder: Path,
    name: str,
    ports: str,
    rate: int = 0,
    *,
    plain: bool = False,
    watched: bool = False,
) -> Run:
    """A `bartizan collect` of the network; plain, it does what nmap does and puts no further questions.

    Watched, its log of probes is compared with what the wire saw.
    """
    number = sum(1 for _ in folder.glob("*.db"))
    store, log, scope = folder / f"{number}.db", folder / f"{number}.jsonl", folder / "scope.yaml"
    scope.write_text(SCOPE.format(scanner=SCANNER, ports=ports))
    pace = rate or int(os.environ.get("BENCH_RATE", "20000"))
    command = [str(Path(sys.executable).with_name("bartizan")), "collect", "--scope", str(scope)]
    command += ["--store", str(store), "--lab"]
    command += ["--rate", str(pace), "--rate-per-host", str(pace)]
    if plain:
        baseline = folder / "identification.yaml"
        baseline.write_text(ONLY_IDENTIFIED)
        command += ["--baseline", str(baseline)]
    if watched:
        command += ["--probe-log", str(log)]

    watching: contextlib.AbstractContextManager[list[bytes]] = (
        capture(network.scanner) if watched else contextlib.nullcontext([])
    )
    with watching as frames:
        wall, processor, code = network.scanner.inside(lambda: timed(command, folder), NMAP_SECONDS + 60)
    assert code == 0, (folder / "said").read_text()[-2000:]
    if watched:
        checked(log, frames)
    return Run(name, wall, processor, opened(store), f"at {pace:,} packets/s")


def timed(command: Sequence[str], folder: Path, seconds: float = NMAP_SECONDS) -> tuple[float, float, int]:
    """Wall seconds, processor seconds with children, and exit status; stopped after that time (-15)."""
    began = time.perf_counter()
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)
        while time.perf_counter() - began < seconds:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(0.02)
        else:
            os.kill(process.pid, signal.SIGTERM)
            _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, process.returncode


def opened(store: Path) -> dict[Port, Named]:
    """What the newest scan in that store says is open: service, product and version."""
    found: dict[Port, Named] = {}
    types = load().facts
    kept = Store.open(str(store))
    for row in kept.snapshots(kept.scan().number, types):
        fact = row.get(OpenPorts)
        if isinstance(fact, OpenPorts):
            ports = (port for port in fact.ports if port.protocol == "tcp")
            found |= {(fact.address, p.number): (p.service, p.product, p.version) for p in ports}
    return found


def checked(log: Path, frames: Sequence[bytes]) -> None:
    """Prints whether the log of probes is what the wire saw."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = ("tcp-syn", "tcp-talk", "tcp-connect")
    logged = Counter((p["destination"], p["port"]) for p in lines if p["kind"] in kinds)
    seen = Counter(syn for frame in frames if (syn := syn_of(frame)))
    runs = sum(1 for p in lines if p["kind"] == "nmap")
    apart = sum((logged - seen).values()) + sum((seen - logged).values())
    told = f"differs by {apart} from" if apart else "equals"
    print(f"the log ({sum(logged.values()):,} SYNs) {told} the capture; nmap ran {runs} times")


def scanned(network: Estate, folder: Path, name: str, ports: Sequence[str]) -> Run | None:
    """What nmap finds; stopped after ten minutes, with the hosts that were complete by then."""
    if os.environ.get("BENCH_NETWORK_NMAP") == "no":
        return None
    file = folder / "nmap.xml"
    targets = [host.address for host in network.plan]
    command = [program("nmap"), "-sS", "-sV", "-T4", "-n", *ports, "-oX", str(file), *targets]
    heard = network.listeners.heard[PRINTER]
    wall, processor, code = network.scanner.inside(lambda: timed(command, folder), NMAP_SECONDS + 60)
    with file.open("rb") as read:
        output = parse(read, [IPv4Address(target) for target in targets])
    found = {
        (str(host.address), port.number): named(port)
        for host in output.hosts
        for port in host.ports
        if port.protocol == "tcp" and port.state == "open"
    }
    run = Run(name, wall, processor, found, "" if code == 0 else f"STOPPED after {NMAP_SECONDS} s")
    print(run.line(), f"printer: {network.listeners.heard[PRINTER] - heard} bytes", flush=True)
    return run


def named(port: NmapPort) -> Named:
    """What nmap learned by asking, in our names; a name that it only has for the number is none."""
    if not port.probed:
        return "", "", ""
    return ALIKE.get(port.service, port.service), port.product, port.version


def compared(ours: Run, theirs: Run) -> None:
    """Prints the ratios and every difference."""
    print(f"{'ratio of nmap to bartizan':<44} {theirs.wall / ours.wall:7.1f}     "
          f"processor {theirs.processor / ours.processor:6.2f}")  # fmt: skip
    for more, less in ((ours, theirs), (theirs, ours)):
        for address, port in sorted(set(more.ports) - set(less.ports)):
            print(f"  only {more.name.split()[0]}: {address} tcp/{port}")
    same = 0
    for key in sorted(set(ours.ports) & set(theirs.ports)):
        mine, named = ours.ports[key], theirs.ports[key]
        # Where nmap learned nothing there is nothing to compare.
        if all(not name or name == own for own, name in zip(mine, named, strict=True)):
            same += 1
        else:
            print(f"  {key[0]} tcp/{key[1]}: bartizan {' | '.join(mine)} · nmap {' | '.join(named)}")
    print(f"{same} of {len(theirs.ports)} ports are named alike")
