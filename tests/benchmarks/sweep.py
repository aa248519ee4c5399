"""The raw sweep: how fast it is, how it fares behind a router that drops, and what memory it takes.

All of it in namespaces of this machine without a way out. The hosts of the lab answer on the same cores
that send and hear, so that the first figure is also the lab's; what the lab alone reaches stands beside it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from scanner.transport.packets import Address, PacketSender, PacketSweep
from scanner.transport.packets_frames import SynTemplate
from scanner.transport.packets_many import SEND_BATCH, Outlet
from tests.lab.network import Namespace, Wire

HOSTS = 60
PORTS = tuple(range(1, 65_536))
FAST = 200_000
"""Packets a second that nothing here reaches: the sweep is as fast as it can be."""
MOST = 5_000
"""The most packets a second without the word that this is a lab."""
NMAP_SECONDS = 400
CEILING_SECONDS = 3.0
_HUNDRED = tuple(range(1, 101))
_FOUR = (22, 80, 443, 445)


@dataclass(frozen=True)
class Run:
    """One sweep: what it saw, how long it took, and what both processes used of the processors."""

    swept: PacketSweep
    seconds: float
    sending: float
    hearing: float

    def line(self, name: str) -> str:
        """One line for people."""
        packets = self.swept.packets
        return (
            f"{name}: {packets:,} packets in {self.seconds:.1f} s = {packets / self.seconds:,.0f}/s; CPU per "
            f"packet {self.sending / packets * 1e6:.1f} µs where it sends (the kernel's work for the lab "
            f"with it), {self.hearing / packets * 1e6:.1f} µs where it hears; {self.swept.lost:,} lost"
        )


def swept(
    scanner: Namespace, addresses: Iterable[Address], ports: tuple[int, ...], rate: float, seconds: float
) -> Run:
    """One sweep of these addresses, with discovery, in that namespace."""
    asked = tuple(addresses)

    def work() -> Run:
        with PacketSender(
            asked, rate=rate, per_host=rate, seconds=seconds, cancelled=threading.Event()
        ) as sender:
            pids = (sender.pid, hearing(sender.pid))
            began, before = time.monotonic(), [used(pid) for pid in pids]
            sender.discover(asked)
            found = sender.sweep(asked, ports)
            took = time.monotonic() - began
            return Run(found, took, *(used(pid) - b for pid, b in zip(pids, before, strict=True)))

    return scanner.inside(work, seconds + 60)


def hearing(pid: int) -> int:
    """The process that hears for the one that sends."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def used(pid: int) -> float:
    """Seconds of processor that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def hosts() -> None:
    """Part a: 60 machines that refuse every port."""
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner = wire.host("10.99.0.1/24")
        machines = wire.hosts([f"10.99.0.{n}/24" for n in range(2, HOSTS + 2)])
        wire.plain()
        for one in (scanner, *machines):
            # Without this one core does the work of all machines, and the other one hears.
            one.command("sh", "-c", "echo 3 > /sys/class/net/eth0/queues/rx-0/rps_cpus")
        addresses = [IPv4Address(f"10.99.0.{n}") for n in range(2, HOSTS + 2)]
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {ceiling(scanner, machines)}")
        run = swept(scanner, addresses, PORTS, FAST, 110)
        print(run.line(f"{HOSTS} machines × {len(PORTS):,} ports"))
        closed = sum(len(one.closed) for one in run.swept.answers.values())
        silent = sum(len(one.silent) for one in run.swept.answers.values())
        print(f"  closed {closed:,} of {HOSTS * len(PORTS):,}, silent {silent:,}, whole {run.swept.whole}")


def ceiling(scanner: Namespace, machines: list[Namespace]) -> str:
    """What the lab reaches where one batch of frames is sent over and over, and nobody hears."""
    macs = [one.command("cat", "/sys/class/net/eth0/address").strip() for one in machines]
    own = scanner.command("cat", "/sys/class/net/eth0/address").strip()
    template = SynTemplate(own, IPv4Address("10.99.0.1").packed)
    block, sums = bytearray(), []
    for number in range(SEND_BATCH):
        place = number % len(machines)
        address = IPv4Address(f"10.99.0.{place + 2}").packed
        frame, total = template.host(bytes.fromhex(macs[place].replace(":", "")), address, 61_500)
        block += frame
        sums.append(total + 7)
    template.patch(block, sums, list(range(SEND_BATCH)), (7).to_bytes(2, "big") * SEND_BATCH)

    def work() -> float:

        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
            sender.bind(("eth0", 0))
            outlet, sent, began = Outlet(sender), 0, time.monotonic()
            while time.monotonic() - began < CEILING_SECONDS:
                outlet.send(block, template.size)
                sent += SEND_BATCH
            return sent / (time.monotonic() - began)

    return f"the lab alone, same frames over and over: {scanner.inside(work):,.0f}/s"


@contextlib.contextmanager
def behind_a_router(network: str) -> Iterator[Namespace]:
    """A scanner whose way to that network leads over a router that drops all of it."""
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner, router = wire.host("10.99.0.1/24"), wire.host("10.99.0.254/24")
        router.command("sysctl", "-qw", "net.ipv4.ip_forward=1")
        router.command(
            "nft", "add table ip lab; add chain ip lab in { type filter hook prerouting priority 0; }"
        )
        router.command("nft", f"add rule ip lab in ip daddr {network} drop")
        scanner.command("ip", "route", "add", network, "via", "10.99.0.254")
        yield scanner


def routed() -> None:
    """Part b: a network that answers nothing, ours against nmap in its own way."""
    network = IPv4Network("10.98.0.0/24")
    with behind_a_router(str(network)) as scanner:
        run = swept(scanner, network.hosts(), _HUNDRED, MOST, 200)
        print(run.line(f"routed {network} that drops, {len(_HUNDRED)} ports, at most {MOST:,}/s, twice each"))
        program = shutil.which("nmap")
        if program is None:
            print("  nmap is not installed")
            return
        # -Pn as ours does: without it nmap takes silence at a ping for "nobody is there".
        command = [program, "-n", "-Pn", "-sS", "-p1-100", str(network)]
        began = time.monotonic()
        try:
            scanner.inside(
                lambda: subprocess.run(command, capture_output=True, timeout=NMAP_SECONDS, check=True),
                NMAP_SECONDS + 30,
            )
            ended = "done"
        except subprocess.TimeoutExpired:
            ended = f"stopped after {NMAP_SECONDS} s, unfinished"
        took = time.monotonic() - began
        print(f"  {' '.join(command[1:])}: {took:.1f} s, {ended}; ratio ≥ {took / run.seconds:.1f}")


LOOK = """\
import threading, time
from ipaddress import IPv4Network
from scanner.collect.collector import Context
from scanner.collect.network.access import Course, NetworkAccess
from scanner.collect.network.look import look
addresses = tuple(IPv4Network("{network}"))
access = NetworkAccess(addresses, {ports}, "inside", lambda _: True, rate={rate}, per_host={rate})
course = Course(access, Context(cancelled=threading.Event()), time.monotonic() + 100)
looked = look(course, addresses)
print(course.packets, len(looked.live), looked.swept(addresses[-1]).silent == {ports}, *course.limits)
"""


def memory() -> None:
    """Part c: what parent and children take together for a /16, as the share that is theirs (PSS)."""
    network = "10.96.0.0/16"
    with behind_a_router(network) as scanner:
        code = LOOK.format(network=network, ports=_FOUR, rate=FAST)
        start = [sys.executable, "-c", code]
        began = time.monotonic()
        process = scanner.inside(lambda: subprocess.Popen(start, stdout=subprocess.PIPE, text=True))
        peak: dict[str, float] = {}
        while process.poll() is None:
            now = shares(process.pid)
            if sum(now.values()) > sum(peak.values()):
                peak = now
            time.sleep(0.1)
        took = time.monotonic() - began
        parts = ", ".join(f"{name} {size:.0f}" for name, size in peak.items())
        print(f"{network}, {len(_FOUR)} ports: {took:.1f} s, peak {sum(peak.values()):.0f} MB ({parts})")
        said = process.stdout.read().strip() if process.stdout else ""
        print(f"  packets, live, last all silent, limits: {said}")


def shares(parent: int) -> dict[str, float]:
    """The PSS of a process and of those below it, in MB."""
    found: dict[str, float] = {}
    names = iter(("parent", "sends", "hears"))
    todo = [parent]
    while todo:
        pid = todo.pop(0)
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            size = next(line for line in text.splitlines() if line.startswith("Pss:"))
            found[next(names, str(pid))] = int(size.split()[1]) / 1024
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
    return found


def main() -> None:
    """Prints all three."""
    memory()
    hosts()
    routed()
