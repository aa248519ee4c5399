"""What one host costs with Bartizan's script, with OpenSCAP's Debian profiles, and with Lynis."""

from __future__ import annotations

import re
import resource
import time
from collections import Counter
from dataclasses import dataclass

from scanner.collect.host.collect import PROBES
from tests.benchmarks.fragments import cost
from tests.lab.hosts import Host, lab
from tests.proofs.proving import facts, judged

PACKAGES = ("lynis", "openscap-scanner", "openscap-utils", "ssg-debian")
CONTENT = "/usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml"
PROFILES = ("standard", "anssi_np_nt28_high")
_RESULT = re.compile(r"Result\s+(\w+)")


@dataclass(frozen=True)
class Run:
    """One run of a peer: its time, and what it printed."""

    wall: float
    cpu: float
    out: str


def run(host: Host, command: str) -> Run:
    """Runs a peer in the host and measures it."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = host.run(command, check=False, seconds=600)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, done.out)


def fit(host: Host) -> None:
    """Makes the packaged content apply: it knows Debian 11 at most, and says `notapplicable` to all else."""
    host.run("echo 11.11 >/etc/debian_version")


def oscap(host: Host, profile: str) -> Run:
    """Evaluates one profile of the packaged content in the host."""
    name = f"xccdf_org.ssgproject.content_profile_{profile}"
    return run(host, f"cd /root && oscap xccdf eval --profile {name} {CONTENT}")


def lynis(host: Host) -> Run:
    """Audits the host with Lynis; its report is in /var/log/lynis-report.dat."""
    return run(host, "lynis audit system --quick --quiet --no-colors")


def main() -> None:
    """Prints the cost of each on the same host, as root and in it."""
    with lab() as net:
        host = net.host("bookworm", packages=PACKAGES)
        own = cost(host, PROBES)
        began = time.perf_counter()
        found = judged(host.look(facts()))
        judging = time.perf_counter() - began - own.wall / 1000
        told = _told(Counter(str(one.outcome) for one in found.values()))
        name = f"Bartizan, {len(PROBES)} fragments"
        print(f"{name:<36} {own.wall / 1000:7.2f} s {own.cpu / 1000:7.2f} CPU-s  {told}")
        print(f"{'  judging it':<36} {max(0, judging):7.2f} s")
        untouched = oscap(host, PROFILES[0])
        print(f"{'OpenSCAP on Debian 12 as it is':<36} {_line(untouched)}")
        fit(host)
        for profile in PROFILES:
            one = oscap(host, profile)
            answered = len(re.findall(r"Result\s+(?:pass|fail)", one.out))
            each = (one.cpu / max(1, answered)) / (own.cpu / 1000 / len(found))
            wall, cpu = one.wall / (own.wall / 1000), one.cpu / (own.cpu / 1000)
            print(f"{'OpenSCAP, ' + profile:<36} {_line(one)}")
            print(
                f"{'  against Bartizan':<36} {wall:.1f} times the wall and {cpu:.1f} times the CPU, "
                f"{each:.1f} times the CPU of an answer (goal: 5)"
            )
        one = lynis(host)
        hints = host.run(
            "grep -cE '^(suggestion|warning)' /var/log/lynis-report.dat", check=False
        ).out.strip()
        print(
            f"{'Lynis':<36} {one.wall:7.2f} s {one.cpu:7.2f} CPU-s  {hints} warnings and suggestions; "
            f"{one.cpu / (own.cpu / 1000):.1f} times the CPU"
        )


def _line(one: Run) -> str:
    return f"{one.wall:7.2f} s {one.cpu:7.2f} CPU-s  {_told(Counter(_RESULT.findall(one.out)))}"


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counted.most_common())
